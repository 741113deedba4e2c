/* SPDX-License-Identifier: Apache-2.0 */
/* How long collectives took, beside what they could have taken. */
#ifndef KBSIM_SRC_STAYS_H
#define KBSIM_SRC_STAYS_H

#include "kbsim/run.h"
#include "pe/sim.h"

kb_status kbs_stays_init(kbs_sim *sim, kb_trail *trail) KB_MUST_USE;

/* Of all collectives, when nothing happens any more; kbs_result_fini() frees them. */
kb_status kbs_stays_tell(const kbs_sim *sim, kbs_result *result, kb_trail *trail) KB_MUST_USE;

#endif

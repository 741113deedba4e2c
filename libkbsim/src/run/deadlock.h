/* SPDX-License-Identifier: Apache-2.0 */
/* A simulation that has come to a standstill, in words: see lint/standing.h. */
#ifndef KBSIM_SRC_DEADLOCK_H
#define KBSIM_SRC_DEADLOCK_H

#include "pe/sim.h"

/* Lines, each with its end; the caller frees them by their length and one. */
kb_status kbs_explain_deadlock(const kbs_sim *sim, char **ret_text, kb_trail *trail) KB_MUST_USE;

#endif

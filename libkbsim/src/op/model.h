/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine's chosen model says of an op. */
#ifndef KBSIM_SRC_OP_MODEL_H
#define KBSIM_SRC_OP_MODEL_H

#include "pe/sim.h"

/* `standard_ps` is what the default model takes. A model that talks nonsense fails the simulation. */
int64_t kbs_model_ps(kbs_sim *sim, kbs_component component, const kbs_common *common, int64_t standard_ps);

#endif

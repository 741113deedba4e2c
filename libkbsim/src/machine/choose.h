/* SPDX-License-Identifier: Apache-2.0 */
/* Paths below `components`: which model a component has, and the model's options. */
#ifndef KBSIM_SRC_CHOOSE_H
#define KBSIM_SRC_CHOOSE_H

#include "kbsim/machine.h"

/* Of "components.gemm.efficiency" what stands behind the first point; of other paths NULL. */
const char *kbs_below_components(const char *path);

/* `path` is what stands below. A model's name must be known, an option's need not be yet. */
kb_status kbs_choose(kbs_machine *machine, const char *path, const char *value, const kbs_origin *origin,
                     kb_trail *trail) KB_MUST_USE;

/* Where a choice or an option came from, by its path below `components`; NULL where nobody set it. */
const kbs_origin *kbs_choice_origin(const kbs_machine *machine, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Models from users' shared objects: loaded, and checked before anything of them is believed. */
#ifndef KBSIM_SRC_OWN_MODEL_H
#define KBSIM_SRC_OWN_MODEL_H

#include "kbsim/models.h"

/* `path` has a '/' in it. */
kb_status kbs_model_load(uint32_t component, const char *path, const kb_fs *fs, kbs_chosen *ret,
                         kb_trail *trail) KB_MUST_USE;
void kbs_model_unload(kbs_chosen *chosen);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in algorithms by name, made from algorithms.def: a forgotten one fails the link. */
#ifndef KBSIM_SRC_ALGORITHMS_H
#define KBSIM_SRC_ALGORITHMS_H

#include <stddef.h>

#include "kbsim/coll.h"
#include "kbtrace/status.h"

#define KBS_ALGORITHM(name) extern const kbs_algorithm kbs_algorithm_##name;
#include "coll/algorithms.def"
#undef KBS_ALGORITHM

/* KB_E_ARGUMENT, with the nearest, where the collective has no such algorithm. */
kb_status kbs_algorithm_find(uint32_t collective, const char *name, const kbs_algorithm **ret,
                             kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in algorithms by name, made from algorithms.def: a forgotten one fails the link. */
#ifndef KBSIM_SRC_ALGORITHMS_H
#define KBSIM_SRC_ALGORITHMS_H

#include <stddef.h>

#include "kbsim/coll.h"
#include "kbtrace/status.h"

#define KBS_ALGORITHM(kind, name) extern const kbs_algorithm kbs_algorithm_##kind##_##name;
#include "coll/algorithms.def"
#undef KBS_ALGORITHM

/* KB_E_ARGUMENT, with the nearest, where the collective has no such algorithm. */
kb_status kbs_algorithm_find(uint32_t collective, const char *name, const kbs_algorithm **ret,
                             kb_trail *trail) KB_MUST_USE;
/* KB_E_ARGUMENT, with the nearest count that works, where it cannot do with so many ranks. */
kb_status kbs_algorithm_serves(const kbs_algorithm *algorithm, uint32_t ranks, kb_trail *trail) KB_MUST_USE;

/* Elements of the block of that rank, where they are cut into blocks that are rounded up. */
uint64_t kbs_coll_share(uint64_t elements, uint32_t ranks, uint32_t rank);

#endif

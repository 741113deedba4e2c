/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tensors hold before a run: `init` of a bench as a recipe.
 *
 * The default, ints, draws small integers whose sum over all ranks every dtype holds exactly, so that a
 * result can be checked to the bit whatever the order of the additions.
 */
#ifndef KBSIM_SRC_CONTENTS_H
#define KBSIM_SRC_CONTENTS_H

#include "kbtrace/defs.h"

typedef struct kbs_contents {
    const char *init;     /* ints, uniform, iota, constant:V or zeros */
    uint32_t dtype;       /* KB_DTYPE_… */
    uint32_t reduce;      /* KB_REDUCE_… that will be applied */
    uint32_t ranks, rank; /* that take part, and whose it is of them */
    uint64_t elements;    /* of a rank */
} kbs_contents;

/* All of the recipe but its seed and place; KB_E_ARGUMENT where the dtype cannot hold what it makes. */
kb_status kbs_contents_recipe(const kbs_contents *contents, kb_initial *ret, kb_trail *trail) KB_MUST_USE;

/* A rank's own seed. */
uint64_t kbs_contents_seed(uint64_t seed, uint32_t rank);

#endif

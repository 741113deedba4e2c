/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reductions in f64: many inputs folded into one expected value an element, with what must be known to
 * judge a result that was rounded on its way.
 *
 * A result must match to the bit where every order of the reduction gives the same: nothing is
 * reduced; integers; min and max; floats that are whole and whose magnitudes stay in the dtype's exact
 * range. Elsewhere it may differ by a bound that holds for every order (Higham 2002, section 4.2):
 *   sum   g * sum|x|,  g = (n-1)u / (1 - (n-1)u)
 *   prod  g * prod|x| + n * prod max(|x|, 1) * half the smallest subnormal
 * with u = 2^-precision, n the number of inputs, and as much again for the fold itself with u = 2^-53.
 *
 * Doubles are kept only where the inputs ask for them: elements lie in blocks, and a block is as small as
 * what came to it allows (fold.c). That changes no verdict and no number in it.
 */
#ifndef KBREPLAY_SRC_FOLD_H
#define KBREPLAY_SRC_FOLD_H

#include "kbtrace/memory.h"
#include "number/kernels.h"
#include "number/number.h"

typedef struct kbr_fold kbr_fold;

typedef struct kbr_fold_plan {
    const kbr_kernels *kernels;
    uint32_t reduce;     /* KB_REDUCE_… */
    uint32_t dtype;      /* one of numbers */
    uint32_t inputs;     /* each element is to get */
    uint64_t count;      /* elements */
    uint64_t limit_size; /* bytes that the fold may take */
} kbr_fold_plan;

kb_status kbr_fold_create(const kbr_fold_plan *plan, const kb_alloc *alloc, kbr_fold **ret_fold,
                          kb_trail *trail) KB_MUST_USE;
void kbr_fold_destroy(kbr_fold *fold);

/* Folds `count` values of the dtype into the elements from `first` on. */
kb_status kbr_fold_take(kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t count,
                        kb_trail *trail) KB_MUST_USE;
/* Nothing more will be taken; what follows is asked only then. Closing again does nothing. */
kb_status kbr_fold_close(kbr_fold *fold, kb_trail *trail) KB_MUST_USE;

typedef struct kbr_verdict {
    bool right;
    bool judged; /* false: it overflowed on its way as it well may, and nothing can be said */
    double expected, got, error;
    double bound; /* 0: to the bit */
} kbr_verdict;

kbr_verdict kbr_fold_judge(const kbr_fold *fold, uint64_t element, const uint8_t *bytes);

/* The largest error, in shares of its bound; of equal shares the larger error. */
typedef struct kbr_extreme {
    double share, error, bound;
} kbr_extreme;

void kbr_extreme_keep(kbr_extreme *worst, kbr_extreme next);

/* Many elements judged. */
typedef struct kbr_comparison {
    kbr_extreme worst;
    uint64_t unjudged;
    /* Told of each wrong one: the number of the element among those compared at once. */
    void (*wrong)(void *user, uint64_t number, const kbr_verdict *verdict);
    void *user;
} kbr_comparison;

void kbr_fold_compare(const kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t count,
                      kbr_comparison *inout);

#endif

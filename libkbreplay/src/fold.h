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
 */
#ifndef KBREPLAY_SRC_FOLD_H
#define KBREPLAY_SRC_FOLD_H

#include "number/number.h"

typedef struct kbr_fold {
    uint32_t reduce; /* KB_REDUCE_… */
    const kbr_dtype *dtype;
    uint32_t inputs; /* each element is to get */
    double *value;   /* [elements] */
    double *size;    /* sum|x|, or prod|x| */
    double *large;   /* prod: prod max(|x|, 1); else NULL */
    uint8_t *flags;  /* KBR_FOLD_… */
} kbr_fold;

enum { KBR_FOLD_FRACTION = 1, KBR_FOLD_ENDLESS = 2 }; /* an input was not whole; not finite */

/* Bytes of arrays an element. */
enum { KBR_FOLD_SIZE = 3 * sizeof(double) + 1 };

/* Sets elements [0, count) to the reduction of nothing. */
void kbr_fold_clear(kbr_fold *fold, uint64_t count);
/* Folds `count` values of the dtype into the elements from `first` on. */
void kbr_fold_take(kbr_fold *fold, uint64_t first, const uint8_t *bytes, uint64_t count);

typedef struct kbr_verdict {
    bool right;
    bool judged; /* false: it overflowed on its way as it well may, and nothing can be said */
    double expected, got, error;
    double bound; /* 0: to the bit */
} kbr_verdict;

kbr_verdict kbr_fold_judge(const kbr_fold *fold, uint64_t element, const uint8_t *bytes);

#endif

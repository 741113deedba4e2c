/* SPDX-License-Identifier: Apache-2.0 */
/* What a fold is made of, shared by the files of src/fold alone. */
#ifndef KBREPLAY_SRC_BLOCK_H
#define KBREPLAY_SRC_BLOCK_H

#include "fold/fold.h"

enum { KBR_FOLD_BLOCK = 4096 }; /* elements: what is worked on at once stays in a first-level cache */

typedef enum kbr_form {
    KBR_FORM_EMPTY, /* nothing came */
    KBR_FORM_PLAIN, /* results as elements of the dtype: they are exact, and must be met to the bit */
    KBR_FORM_TALLY, /* sums of whole numbers, and of their magnitudes, in cells; those are exact, too */
    KBR_FORM_WIDE   /* doubles and flags: anything */
} kbr_form;

typedef struct kbr_block {
    kbr_form form;
    uint32_t low, high; /* PLAIN, TALLY: elements that got something */
    uint8_t *data;
} kbr_block;

struct kbr_fold {
    kbr_fold_plan plan;
    const kb_alloc *alloc;
    const kbr_dtype *dtype;
    bool exact; /* every order gives the same, whatever the inputs are */
    bool closed;
    uint64_t used_size;
    size_t block_count;
    kbr_block blocks[];
};

/* The arrays of a wide block. */
typedef struct kbr_wide {
    double *value;  /* [elements] */
    double *size;   /* sum|x|, or prod|x| */
    double *large;  /* prod: prod max(|x|, 1); else NULL */
    uint8_t *flags; /* KBR_TALLY_… */
    uint8_t *bits;  /* once it is closed: value, rounded to the dtype */
} kbr_wide;

kbr_wide kbr_wide_of(const kbr_fold *fold, const kbr_block *block);

/* What a reduction of doubles does. */
typedef struct kbr_reducer {
    double (*join)(double a, double b);
    uint64_t (*join_integers)(uint64_t a, uint64_t b); /* NULL: as the others */
    double (*join_sizes)(double a, double b);
    double nothing, no_size;
    bool rounds;       /* orders may differ */
    uint32_t function; /* KB_FUNC_…: the same, of two elements */
} kbr_reducer;

extern const kbr_reducer kbr_reducers[KB_REDUCE_MAX + 1];

/* One after the other, in doubles: elements [low, low + count) of a wide block. */
void kbr_wide_take(const kbr_fold *fold, const kbr_block *block, uint32_t low, const uint8_t *bytes,
                   uint32_t count);

/* Elements of a block. */
static inline uint32_t kbr_block_length(const kbr_fold *fold, size_t number) {
    uint64_t rest = fold->plan.count - (uint64_t)number * KBR_FOLD_BLOCK;
    return rest < KBR_FOLD_BLOCK ? (uint32_t)rest : KBR_FOLD_BLOCK;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole arrays of numbers: one kernel for each function and dtype.
 *
 * A kernel reads contiguous little-endian arrays and writes one; it knows no memory and no views.
 * Which set of kernels a run uses is decided once, when the run begins, and every set gives the
 * same bits: the portable one is the meaning, a faster one is proven equal to it.
 */
#ifndef KBREPLAY_SRC_KERNELS_H
#define KBREPLAY_SRC_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kbtrace/words.h"

#define KBR_MAP_INPUTS 3u

/* out may be the same array as an input, but may not overlap one otherwise. */
typedef void kbr_map(uint8_t *out, const uint8_t *const *inputs, uint64_t immediate, size_t count);

/*
 * Joins each `width` (at least 1) neighbours of `in` to one of the `count` results, by the pairwise tree
 * of docs/memory-model.md. `wide`: they are stored as f32 or i32, else as the dtype of `in`.
 */
typedef void kbr_reduce(uint8_t *out, bool wide, const uint8_t *in, size_t count, size_t width);

/*
 * acc[m][n] += a[m][k] * b[k][n], all f32 or all i32: for each element of acc one product after another by
 * rising k, each added by fma.
 */
typedef void kbr_multiply(void *acc, const void *a, const void *b, size_t m, size_t n, size_t k);

enum { KBR_FUNCS = KB_FUNC_FMA + 1, KBR_DTYPES = KB_DTYPE_I32 + 1 };

typedef struct kbr_kernels {
    const char *name;                    /* "portable" */
    kbr_map *map[KBR_FUNCS][KBR_DTYPES]; /* NULL: no such function of this dtype */
    uint8_t inputs[KBR_FUNCS];
    kbr_reduce *reduce[KBR_FUNCS][KBR_DTYPES];
    kbr_multiply *multiply[KBR_DTYPES]; /* by the dtype of a and b before they were widened */
} kbr_kernels;

/* The best set that this machine can run. */
const kbr_kernels *kbr_kernels_choose(void);

/* Rounds each element once from one dtype to another; both must hold numbers (kbr_dtype_of). */
void kbr_cast(uint32_t to, uint8_t *out, uint32_t from, const uint8_t *in, size_t count);

#endif

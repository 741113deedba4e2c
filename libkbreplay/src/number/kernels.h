/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole arrays of numbers: one kernel for each function and dtype. What each computes, to the bit, is in
 * docs/numbers.md.
 *
 * A kernel reads and writes little-endian arrays; it knows no memory and no views. There are several sets of
 * kernels, by what the processor can do. All give the same bits: they are compiled from one source, and tests
 * hold them against each other. Which one a run uses is decided once, when the run begins:
 *
 *     const kbr_kernels *kernels = kbr_kernels_choose();
 *     kernels->map[KB_FUNC_ADD][KB_DTYPE_F16](out, (const uint8_t *[]){a, b}, 0, count);
 *
 * Arrays of 2-byte and 4-byte elements need no alignment, but for those that are said to be float.
 */
#ifndef KBREPLAY_SRC_KERNELS_H
#define KBREPLAY_SRC_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kbtrace/memory.h"

#include "kbtrace/words.h"

#define KBR_MAP_INPUTS 3u

/* Element by element. out may be the same array as an input, but may not overlap one otherwise. */
typedef void kbr_map(uint8_t *out, const uint8_t *const *inputs, uint64_t immediate, size_t count);

/* Rounds each element once from one dtype to another. out may be in, where neither is larger. */
typedef void kbr_caster(uint8_t *out, const uint8_t *in, size_t count);

/*
 * Joins each `width` (at least 1) neighbours of `in` to one of the `count` results, by the pairwise tree
 * of docs/numbers.md. `wide`: they are stored as f32 or i32, else as the dtype of `in`.
 */
typedef void kbr_reduce(uint8_t *out, bool wide, const uint8_t *in, size_t count, size_t width);

/*
 * Each `width` (at least 1) neighbours of `in` become as many of `out`, which may be `in`. `scratch` holds
 * `width` floats.
 */
typedef void kbr_softmax(uint8_t *out, const uint8_t *in, size_t count, size_t width, float *scratch);

/*
 * A matrix somewhere in an array: `bytes` is its first element, and strides count elements. A transposed
 * matrix is one with its strides exchanged.
 */
typedef struct kbr_matrix {
    uint8_t *bytes; /* a gemm only reads those of a and b */
    ptrdiff_t row_stride, column_stride;
} kbr_matrix;

/* out[m, n] = a[m, k] b[k, n], or out + that: one product after another by rising k, each added by fma. */
typedef struct kbr_gemm {
    kbr_matrix out, a, b; /* out overlaps neither of the others */
    size_t m, n, k;
    bool wide;       /* out is of f32 or i32, else of the dtype of a and b */
    bool accumulate; /* begins with what out holds, else with 0 */
} kbr_gemm;

/* `scratch` is as long as kbr_gemm_scratch() says. */
typedef void kbr_multiply(const kbr_gemm *gemm, void *scratch);

/*
 * What checks fold the inputs of a collective with, element by element. Cells are integers as wide as the
 * dtype.
 *
 * whole: are all whole numbers, none of them -0, and none beyond the dtype's exact integers?
 * tally: sums[i] += x and sizes[i] += |x|, in cells, where all x are whole as above; no size is beyond the
 * exact integers before. UNFIT: an x is not so, nothing was changed. OVER: it was done, and a size is now.
 * tallied: a cell's number as an element.
 * weigh: the same in doubles for any numbers, with flags of what came.
 */
typedef enum kbr_tallied { KBR_TALLY_DONE, KBR_TALLY_OVER, KBR_TALLY_UNFIT } kbr_tallied;
typedef bool kbr_whole(const uint8_t *in, size_t count);
typedef kbr_tallied kbr_tally(uint8_t *sums, uint8_t *sizes, const uint8_t *in, size_t count);
typedef void kbr_tally_get(uint8_t *out, const uint8_t *cells, size_t count);
enum { KBR_TALLY_FRACTION = 1, KBR_TALLY_ENDLESS = 2 }; /* an input was not whole; not finite */
typedef void kbr_weigh(double *sums, double *sizes, uint8_t *flags, const uint8_t *in, size_t count);

/* What weigh() made of all inputs. */
typedef struct kbr_expected {
    const double *sums, *sizes;
    const uint8_t *flags, *bits; /* bits: sums, rounded to the dtype */
    double exact;                /* whole numbers whose sizes sum to no more have one right result */
    double slope;                /* of others, an error below slope * size needs no second look */
} kbr_expected;

/*
 * From `first` on, elements that have the bits expected, or need no second look. Gives the first of a vector
 * that holds another one, or one that is not finite; or one of those at the end that fill no vector.
 */
typedef size_t kbr_doubt(const kbr_expected *expected, const uint8_t *in, size_t first, size_t count);

enum { KBR_LANES_MOST = 16 }; /* a vector has no more */

/* What a recipe says of its elements; a range of integers has whole ends. */
typedef struct kbr_contents {
    uint64_t seed;
    double low, high;
} kbr_contents;

/* Elements that are drawn, or rounded, at a time. */
enum { KBR_DRAWN = 256 };

/* Elements first, first + 1, … of a recipe; KBR_DRAWN of them. */
typedef void kbr_draw(double *out, const kbr_contents *of, uint64_t first);

/* Rounds each of KBR_DRAWN doubles once. */
typedef void kbr_rounder(uint8_t *out, const double *in);

enum { KBR_FUNCS = KB_FUNC_FMA + 1, KBR_DTYPES = KB_DTYPE_I32 + 1, KBR_RECIPES = KB_RECIPE_SIGNS + 1 };

typedef struct kbr_kernels {
    const char *name;                    /* "portable", "avx2", "avx512" */
    kbr_map *map[KBR_FUNCS][KBR_DTYPES]; /* NULL: no such function of this dtype; so in all tables */
    uint8_t inputs[KBR_FUNCS];
    kbr_caster *cast[KBR_DTYPES][KBR_DTYPES]; /* [from][to] */
    kbr_reduce *reduce[KBR_FUNCS][KBR_DTYPES];
    kbr_softmax *softmax[KBR_DTYPES];
    kbr_multiply *multiply[KBR_DTYPES]; /* by the dtype of a and b */
    /* Of floats. */
    kbr_whole *whole[KBR_DTYPES];
    kbr_tally *tally[KBR_DTYPES];
    kbr_tally_get *tallied[KBR_DTYPES];
    kbr_weigh *weigh[KBR_DTYPES];
    kbr_doubt *doubt[KBR_DTYPES];
    kbr_draw *draw[KBR_RECIPES];
    kbr_rounder *round[KBR_DTYPES];
} kbr_kernels;

/* The best set that this machine can run. */
const kbr_kernels *kbr_kernels_choose(void);

/* The set of that name; NULL if there is none, or if this build or machine lacks it. */
const kbr_kernels *kbr_kernels_named(const char *name);
/* Those of a name, or the best for NULL; which does not matter, for all give the same bits. */
kb_status kbr_kernels_wanted(const char *name, const kbr_kernels **ret_kernels, kb_trail *trail) KB_MUST_USE;

/* Set `index` of those that this machine can run, from the slowest on; NULL beyond the last. */
const kbr_kernels *kbr_kernels_at(size_t index);

/* Bytes of scratch for a product of these extents, whatever m is, in any set; SIZE_MAX if it cannot be. */
size_t kbr_gemm_scratch(size_t n, size_t k);

#endif

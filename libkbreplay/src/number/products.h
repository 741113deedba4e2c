/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of matrices. See kernels.h.
 *
 * Each element of the result has one accumulator, which takes its products by rising k and is stored and
 * loaded again, exactly, between blocks of k: so neither blocks nor lanes show in any bit. The inputs are
 * packed, widened, into panels of ROWS rows of a and COLUMNS columns of b, in which a tile of accumulators
 * finds its numbers one after another; what a panel lacks is filled with zeros, and dropped at the end.
 */
#ifndef KBREPLAY_SRC_PRODUCTS_H
#define KBREPLAY_SRC_PRODUCTS_H

#include "number/maps.h"
#include "number/sets.h"

/* A tile of accumulators that fills the registers: 16 of SSE2 and AVX2, 32 of AVX-512. */
#if KBR_LEVEL == 0
enum { ROWS = 4, TILE_VECTORS = 2 };
#elif KBR_LEVEL == 1
enum { ROWS = 6, TILE_VECTORS = 2 };
#else
enum { ROWS = 14, TILE_VECTORS = 2 };
#endif
enum { COLUMNS = TILE_VECTORS * LANES };

_Static_assert(KBR_GEMM_ROWS % ROWS == 0 && KBR_GEMM_COLUMNS % COLUMNS == 0, "panels fill blocks");

/* What the three parts of the scratch are for. All are arrays of f32 or of i32. */
typedef struct workspace {
    void *a, *b;   /* panels of one block */
    void *tiles;   /* all accumulators, tile by tile, row by row of tiles */
    size_t across; /* tiles in a row */
    size_t down;   /* and rows of them */
} workspace;

INLINE workspace divide(const kbr_gemm *gemm, void *scratch) {
    size_t depth = gemm->k < KBR_GEMM_DEPTH ? gemm->k : KBR_GEMM_DEPTH;
    workspace space = {.across = (gemm->n + COLUMNS - 1) / COLUMNS, .down = (gemm->m + ROWS - 1) / ROWS};
    uint32_t *at = (uint32_t *)(((uintptr_t)scratch + KBR_GEMM_LINE - 1) & ~(uintptr_t)(KBR_GEMM_LINE - 1));
    space.a = at;
    space.b = at += KBR_GEMM_ROWS * depth;
    space.tiles = at + space.across * COLUMNS * depth;
    return space;
}

/* --- tiles ------------------------------------------------------------------------------------- */

#if KBR_LEVEL == 0
/* Where the product is exact, as that of two f16 is in f32, adding it rounds as fma does, and is quicker. */
#define ADD_PRODUCT(exact, a, b, sum) ((exact) ? (sum) + (a) * (b) : fma_f(a, b, sum))
#else
#define ADD_PRODUCT(exact, a, b, sum) fma_f(a, b, sum)
#endif
#define ADD_INTEGER_PRODUCT(exact, a, b, sum) ((sum) + (a) * (b))

#define EACH_SUM                                               \
    _Pragma("GCC unroll 16") for (size_t i = 0; i < ROWS; i++) \
        _Pragma("GCC unroll 4") for (size_t j = 0; j < TILE_VECTORS; j++)

/* Vectors are copied one by one, so that the compiler keeps them all in registers. */
#define TILE(name, scalar_t, lanes_t, kind, exact, STEP)                                          \
    static void tile_##name(const scalar_t *a, const scalar_t *b, size_t depth, scalar_t *tile) { \
        lanes_t sums[ROWS][TILE_VECTORS], row[TILE_VECTORS];                                      \
        EACH_SUM memcpy(&sums[i][j], tile + i * COLUMNS + j * LANES, sizeof(lanes_t));            \
        for (size_t l = 0; l < depth; l++, a += ROWS, b += COLUMNS) {                             \
            _Pragma("GCC unroll 4") for (size_t j = 0; j < TILE_VECTORS; j++)                     \
                memcpy(&row[j], b + j * LANES, sizeof(lanes_t));                                  \
            EACH_SUM sums[i][j] = STEP(exact, all_##kind(a[i]), row[j], sums[i][j]);              \
        }                                                                                         \
        EACH_SUM memcpy(tile + i * COLUMNS + j * LANES, &sums[i][j], sizeof(lanes_t));            \
    }
TILE(float, float, vf, f, 0, ADD_PRODUCT)
TILE(exact, float, vf, f, 1, ADD_PRODUCT)
TILE(integer, uint32_t, vu, u, 0, ADD_INTEGER_PRODUCT)

/* --- packing ----------------------------------------------------------------------------------- */

/* One input as its panels see it: neighbours in a panel lie `side` apart, and rising k `along` apart. */
typedef struct lines {
    const uint8_t *bytes;
    ptrdiff_t side, along;
} lines;

/* One panel of `used` lines and `depth` elements of each; it has room for `width` lines. */
#define PACK(type, scalar_t, wide_type, size)                                                       \
    static void pack_##type(scalar_t *panel, size_t width, lines from, size_t used, size_t depth) { \
        if (used < width)                                                                           \
            memset(panel, 0, width *depth * sizeof *panel);                                         \
        if (from.side == 1) {                                                                       \
            for (size_t l = 0; l < depth; l++, from.bytes += (size)*from.along)                     \
                cast_##type##_##wide_type((uint8_t *)(panel + l * width), from.bytes, used);        \
            return;                                                                                 \
        }                                                                                           \
        scalar_t wide[KBR_GEMM_DEPTH];                                                              \
        uint8_t line[(size)*KBR_GEMM_DEPTH];                                                        \
        for (size_t i = 0; i < used; i++, from.bytes += (size)*from.side) {                         \
            const uint8_t *bytes = from.bytes;                                                      \
            for (size_t l = 0; l < depth && from.along != 1; l++)                                   \
                memcpy(line + (size)*l, from.bytes + (size) * ((ptrdiff_t)l * from.along), size);   \
            if (from.along != 1)                                                                    \
                bytes = line;                                                                       \
            cast_##type##_##wide_type((uint8_t *)wide, bytes, depth);                               \
            for (size_t l = 0; l < depth; l++)                                                      \
                panel[l * width + i] = wide[l];                                                     \
        }                                                                                           \
    }
PACK(f16, float, f32, 2)
PACK(bf16, float, f32, 2)
PACK(f32, float, f32, 4)
PACK(i8, uint32_t, i32, 1)
PACK(i32, uint32_t, i32, 4)

/* --- results ----------------------------------------------------------------------------------- */

/* A part of a row of the result between its tile and its place, through a line of neighbours. */
#define MOVE(type, wide_type, size)                                                             \
    static void take_##type##_##wide_type(uint32_t *tile, const uint8_t *out, ptrdiff_t stride, \
                                          size_t used) {                                        \
        uint8_t line[4 * COLUMNS];                                                              \
        for (size_t j = 0; j < used; j++)                                                       \
            memcpy(line + (size)*j, out + (size) * ((ptrdiff_t)j * stride), size);              \
        cast_##type##_##wide_type((uint8_t *)tile, line, used);                                 \
    }                                                                                           \
    static void give_##type##_##wide_type(uint8_t *out, ptrdiff_t stride, const uint32_t *tile, \
                                          size_t used) {                                        \
        if (stride == 1) {                                                                      \
            cast_##wide_type##_##type(out, (const uint8_t *)tile, used);                        \
            return;                                                                             \
        }                                                                                       \
        uint8_t line[4 * COLUMNS];                                                              \
        cast_##wide_type##_##type(line, (const uint8_t *)tile, used);                           \
        for (size_t j = 0; j < used; j++)                                                       \
            memcpy(out + (size) * ((ptrdiff_t)j * stride), line + (size)*j, size);              \
    }
MOVE(f16, f32, 2)
MOVE(bf16, f32, 2)
MOVE(f32, f32, 4)
MOVE(i32, i32, 4)

typedef void taker(uint32_t *tile, const uint8_t *out, ptrdiff_t stride, size_t used);
typedef void giver(uint8_t *out, ptrdiff_t stride, const uint32_t *tile, size_t used);

/* Every row of every tile: filled from the result where `take` is set, stored into it where `give` is. */
INLINE void for_rows(const kbr_gemm *gemm, const workspace *space, ptrdiff_t size, taker *take, giver *give) {
    for (size_t i = 0; i < gemm->m; i++)
        for (size_t t = 0; t < space->across; t++) {
            size_t first = t * COLUMNS, used = gemm->n - first < COLUMNS ? gemm->n - first : COLUMNS;
            uint32_t *row = (uint32_t *)space->tiles + (i / ROWS * space->across + t) * ROWS * COLUMNS +
                            i % ROWS * COLUMNS;
            uint8_t *out = gemm->out.bytes + size * ((ptrdiff_t)i * gemm->out.row_stride +
                                                     (ptrdiff_t)first * gemm->out.column_stride);
            if (take != NULL)
                take(row, out, gemm->out.column_stride, used);
            if (give != NULL)
                give(out, gemm->out.column_stride, row, used);
        }
}

/* --- the product ------------------------------------------------------------------------------- */

INLINE size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

#define MULTIPLY(type, scalar_t, size, TILE_NAME)                                                     \
    /* Rows [row, row + rows) of the tiles, by `depth` products from k on. */                         \
    static void block_##type(const kbr_gemm *gemm, const workspace *space, size_t row, size_t k,      \
                             size_t depth) {                                                          \
        size_t rows = least(KBR_GEMM_ROWS, gemm->m - row), panels = (rows + ROWS - 1) / ROWS;         \
        const uint8_t *at = gemm->a.bytes + (size) * ((ptrdiff_t)row * gemm->a.row_stride +           \
                                                      (ptrdiff_t)k * gemm->a.column_stride);          \
        for (size_t p = 0; p < panels; p++)                                                           \
            pack_##type((scalar_t *)space->a + p * ROWS * depth, ROWS,                                \
                        (lines){at + (size) * ((ptrdiff_t)(p * ROWS) * gemm->a.row_stride),           \
                                gemm->a.row_stride, gemm->a.column_stride},                           \
                        least(ROWS, rows - p * ROWS), depth);                                         \
        for (size_t t = 0; t < space->across; t++)                                                    \
            for (size_t p = 0; p < panels; p++)                                                       \
                tile_##TILE_NAME((scalar_t *)space->a + p * ROWS * depth,                             \
                                 (scalar_t *)space->b + t * COLUMNS * depth, depth,                   \
                                 (scalar_t *)space->tiles +                                           \
                                     ((row / ROWS + p) * space->across + t) * ROWS * COLUMNS);        \
    }                                                                                                 \
    INLINE void sum_##type(const kbr_gemm *gemm, const workspace *space) {                            \
        for (size_t k = 0; k < gemm->k; k += KBR_GEMM_DEPTH) {                                        \
            size_t depth = least(KBR_GEMM_DEPTH, gemm->k - k);                                        \
            const uint8_t *at = gemm->b.bytes + (size) * ((ptrdiff_t)k * gemm->b.row_stride);         \
            for (size_t t = 0; t < space->across; t++)                                                \
                pack_##type((scalar_t *)space->b + t * COLUMNS * depth, COLUMNS,                      \
                            (lines){at + (size) * ((ptrdiff_t)(t * COLUMNS) * gemm->b.column_stride), \
                                    gemm->b.column_stride, gemm->b.row_stride},                       \
                            least(COLUMNS, gemm->n - t * COLUMNS), depth);                            \
            for (size_t row = 0; row < gemm->m; row += KBR_GEMM_ROWS)                                 \
                block_##type(gemm, space, row, k, depth);                                             \
        }                                                                                             \
    }

MULTIPLY(f16, float, 2, exact)
MULTIPLY(bf16, float, 2, float)
MULTIPLY(f32, float, 4, float)
MULTIPLY(i8, uint32_t, 1, integer)
MULTIPLY(i32, uint32_t, 4, integer)

#define WHOLE(type, narrow_type, narrow_size, wide_type)                                                    \
    static void multiply_##type(const kbr_gemm *gemm, void *scratch) {                                      \
        workspace space = divide(gemm, scratch);                                                            \
        ptrdiff_t size = gemm->wide ? 4 : narrow_size;                                                      \
        memset(space.tiles, 0, space.across *space.down *ROWS *COLUMNS * 4);                                \
        if (gemm->accumulate)                                                                               \
            for_rows(gemm, &space, size,                                                                    \
                     gemm->wide ? take_##wide_type##_##wide_type : take_##narrow_type##_##wide_type, NULL); \
        sum_##type(gemm, &space);                                                                           \
        for_rows(gemm, &space, size, NULL,                                                                  \
                 gemm->wide ? give_##wide_type##_##wide_type : give_##narrow_type##_##wide_type);           \
    }
WHOLE(f16, f16, 2, f32)
WHOLE(bf16, bf16, 2, f32)
WHOLE(f32, f32, 4, f32)
WHOLE(i8, i32, 4, i32)
WHOLE(i32, i32, 4, i32)

#endif

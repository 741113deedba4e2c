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
    void *a;     /* panels of one block: some rows, some of k */
    void *b;     /* panels of some columns and all of k, one block of k after another */
    void *tiles; /* accumulators of those rows and columns, those of one panel of b together */
} workspace;

/* Which part of the result is computed. */
typedef struct region {
    size_t row, rows, column, columns;
} region;

INLINE size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Panels, of so many rows or columns each, that hold `count`. */
INLINE size_t panels_of(size_t count, size_t each) {
    return (count + each - 1) / each;
}

INLINE workspace divide(const kbr_gemm *gemm, void *scratch) {
    size_t columns = panels_of(least(gemm->n, KBR_GEMM_COLUMNS), COLUMNS) * COLUMNS;
    uint32_t *at = (uint32_t *)(((uintptr_t)scratch + KBR_GEMM_LINE - 1) & ~(uintptr_t)(KBR_GEMM_LINE - 1));
    uint32_t *b = at + KBR_GEMM_ROWS * KBR_GEMM_DEPTH;
    return (workspace){at, b, b + columns * gemm->k};
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
#define TILE(name, scalar_t, lanes_t, kind, exact, STEP)                                              \
    static void tile_##name(const scalar_t *a, const scalar_t *b, size_t depth, scalar_t *tile) {     \
        lanes_t sums[ROWS][TILE_VECTORS], row[TILE_VECTORS];                                          \
        EACH_SUM memcpy(&sums[i][j], tile + i * COLUMNS + j * LANES, sizeof(lanes_t));                \
        for (size_t l = 0; l < depth; l++, a++, b += COLUMNS) {                                       \
            _Pragma("GCC unroll 4") for (size_t j = 0; j < TILE_VECTORS; j++)                         \
                memcpy(&row[j], b + j * LANES, sizeof(lanes_t));                                      \
            EACH_SUM sums[i][j] = STEP(exact, all_##kind(a[i * KBR_GEMM_DEPTH]), row[j], sums[i][j]); \
        }                                                                                             \
        EACH_SUM memcpy(tile + i * COLUMNS + j * LANES, &sums[i][j], sizeof(lanes_t));                \
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

#define PACK(type, scalar_t, wide_type, size)                                                      \
    /* `depth` elements along a line, side by side. */                                             \
    static void line_##type(scalar_t *wide, const uint8_t *bytes, ptrdiff_t along, size_t depth) { \
        uint8_t together[(size)*KBR_GEMM_DEPTH];                                                   \
        for (size_t l = 0; l < depth && along != 1; l++)                                           \
            memcpy(together + (size)*l, bytes + (size) * ((ptrdiff_t)l * along), size);            \
        cast_##type##_##wide_type((uint8_t *)wide, along != 1 ? together : bytes, depth);          \
    }                                                                                              \
    /* A panel of a: lines of KBR_GEMM_DEPTH, one after the other. */                              \
    static void rows_##type(scalar_t *panel, lines from, size_t used, size_t depth) {              \
        if (used < ROWS)                                                                           \
            memset(panel, 0, ROWS *KBR_GEMM_DEPTH * sizeof *panel);                                \
        for (size_t i = 0; i < used; i++, from.bytes += (size)*from.side)                          \
            line_##type(panel + i * KBR_GEMM_DEPTH, from.bytes, from.along, depth);                \
    }                                                                                              \
    /* A panel of b: what one k needs lies together. */                                            \
    static void columns_##type(scalar_t *panel, lines from, size_t used, size_t depth) {           \
        scalar_t wide[KBR_GEMM_DEPTH];                                                             \
        if (used < COLUMNS)                                                                        \
            memset(panel, 0, COLUMNS *depth * sizeof *panel);                                      \
        for (size_t l = 0; l < depth && from.side == 1; l++, from.bytes += (size)*from.along)      \
            cast_##type##_##wide_type((uint8_t *)(panel + l * COLUMNS), from.bytes, used);         \
        for (size_t i = 0; i < used && from.side != 1; i++, from.bytes += (size)*from.side) {      \
            line_##type(wide, from.bytes, from.along, depth);                                      \
            for (size_t l = 0; l < depth; l++)                                                     \
                panel[l * COLUMNS + i] = wide[l];                                                  \
        }                                                                                          \
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
INLINE void for_rows(const kbr_gemm *gemm, const workspace *space, region part, ptrdiff_t size, taker *take,
                     giver *give) {
    size_t panel = panels_of(part.rows, ROWS) * ROWS * COLUMNS;
    for (size_t i = 0; i < part.rows; i++)
        for (size_t first = 0; first < part.columns; first += COLUMNS) {
            size_t used = least(COLUMNS, part.columns - first);
            uint32_t *tile = (uint32_t *)space->tiles + first / COLUMNS * panel + i * COLUMNS;
            uint8_t *out =
                gemm->out.bytes + size * ((ptrdiff_t)(part.row + i) * gemm->out.row_stride +
                                          (ptrdiff_t)(part.column + first) * gemm->out.column_stride);
            if (take != NULL)
                take(tile, out, gemm->out.column_stride, used);
            if (give != NULL)
                give(out, gemm->out.column_stride, tile, used);
        }
}

/* --- the product ------------------------------------------------------------------------------- */

#define MULTIPLY(type, scalar_t, size, TILE_NAME)                                                           \
    /* All of k of some columns. */                                                                         \
    static void pack_b_##type(const kbr_gemm *gemm, scalar_t *panel, region part) {                         \
        for (size_t k = 0; k < gemm->k; k += KBR_GEMM_DEPTH) {                                              \
            size_t depth = least(KBR_GEMM_DEPTH, gemm->k - k);                                              \
            for (size_t first = 0; first < part.columns; first += COLUMNS, panel += COLUMNS * depth)        \
                columns_##type(panel,                                                                       \
                               (lines){gemm->b.bytes + (size) * ((ptrdiff_t)k * gemm->b.row_stride +        \
                                                                 (ptrdiff_t)(part.column + first) *         \
                                                                     gemm->b.column_stride),                \
                                       gemm->b.column_stride, gemm->b.row_stride},                          \
                               least(COLUMNS, part.columns - first), depth);                                \
        }                                                                                                   \
    }                                                                                                       \
    static void pack_a_##type(const kbr_gemm *gemm, scalar_t *panel, region part, size_t k, size_t depth) { \
        for (size_t first = 0; first < part.rows; first += ROWS, panel += ROWS * KBR_GEMM_DEPTH)            \
            rows_##type(                                                                                    \
                panel,                                                                                      \
                (lines){gemm->a.bytes + (size) * ((ptrdiff_t)(part.row + first) * gemm->a.row_stride +      \
                                                  (ptrdiff_t)k * gemm->a.column_stride),                    \
                        gemm->a.row_stride, gemm->a.column_stride},                                         \
                least(ROWS, part.rows - first), depth);                                                     \
    }                                                                                                       \
    /* Every tile of a region, by one block of k after another. */                                          \
    static void sum_##type(const kbr_gemm *gemm, const workspace *space, region part) {                     \
        const scalar_t *b = space->b;                                                                       \
        for (size_t k = 0; k < gemm->k; k += KBR_GEMM_DEPTH) {                                              \
            size_t depth = least(KBR_GEMM_DEPTH, gemm->k - k);                                              \
            scalar_t *tile = space->tiles;                                                                  \
            pack_a_##type(gemm, space->a, part, k, depth);                                                  \
            for (size_t first = 0; first < part.columns; first += COLUMNS, b += COLUMNS * depth) {          \
                const scalar_t *a = space->a;                                                               \
                for (size_t i = 0; i < part.rows;                                                           \
                     i += ROWS, a += ROWS * KBR_GEMM_DEPTH, tile += ROWS * COLUMNS)                         \
                    tile_##TILE_NAME(a, b, depth, tile);                                                    \
            }                                                                                               \
        }                                                                                                   \
    }

MULTIPLY(f16, float, 2, exact)
MULTIPLY(bf16, float, 2, float)
MULTIPLY(f32, float, 4, float)
MULTIPLY(i8, uint32_t, 1, integer)
MULTIPLY(i32, uint32_t, 4, integer)

#define WHOLE(type, narrow_type, narrow_size, wide_type)                                              \
    static void multiply_##type(const kbr_gemm *gemm, void *scratch) {                                \
        workspace space = divide(gemm, scratch);                                                      \
        ptrdiff_t size = gemm->wide ? 4 : narrow_size;                                                \
        taker *take = gemm->wide ? take_##wide_type##_##wide_type : take_##narrow_type##_##wide_type; \
        giver *give = gemm->wide ? give_##wide_type##_##wide_type : give_##narrow_type##_##wide_type; \
        for (size_t column = 0; column < gemm->n; column += KBR_GEMM_COLUMNS) {                       \
            region part = {.column = column, .columns = least(KBR_GEMM_COLUMNS, gemm->n - column)};   \
            pack_b_##type(gemm, space.b, part);                                                       \
            for (part.row = 0; part.row < gemm->m; part.row += KBR_GEMM_ROWS) {                       \
                part.rows = least(KBR_GEMM_ROWS, gemm->m - part.row);                                 \
                size_t tiles = panels_of(part.rows, ROWS) * panels_of(part.columns, COLUMNS);         \
                memset(space.tiles, 0, tiles *ROWS *COLUMNS * sizeof(uint32_t));                      \
                if (gemm->accumulate)                                                                 \
                    for_rows(gemm, &space, part, size, take, NULL);                                   \
                sum_##type(gemm, &space, part);                                                       \
                for_rows(gemm, &space, part, size, NULL, give);                                       \
            }                                                                                         \
        }                                                                                             \
    }
WHOLE(f16, f16, 2, f32)
WHOLE(bf16, bf16, 2, f32)
WHOLE(f32, f32, 4, f32)
WHOLE(i8, i32, 4, i32)
WHOLE(i32, i32, 4, i32)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The portable products of matrices; see multiply.h. */
#include "number/multiply.h"

#include <math.h>

#include "number/elements.h"

/* --- products ----------------------------------------------------------------------------------- */

/* Rows of b pass through the innermost loop, so that each sum still takes its products by rising k. */
#define MULTIPLY(name, type, step)                                                                    \
    void kbr_multiply_##name(void *acc, const void *a, const void *b, size_t m, size_t n, size_t k) { \
        for (size_t i = 0; i < m; i++) {                                                              \
            type *restrict sums = (type *)acc + i * n;                                                \
            for (size_t l = 0; l < k; l++) {                                                          \
                const type *restrict row = (const type *)b + l * n;                                   \
                type x = ((const type *)a)[i * k + l];                                                \
                for (size_t j = 0; j < n; j++) {                                                      \
                    type y = row[j], sum = sums[j];                                                   \
                    sums[j] = (step);                                                                 \
                }                                                                                     \
            }                                                                                         \
        }                                                                                             \
    }

MULTIPLY(floats, float, fmaf(x, y, sum))
MULTIPLY(exact, float, sum + x * y)
MULTIPLY(integers, uint32_t, sum + x * y)

/* --- widening ----------------------------------------------------------------------------------- */

#define ALL_DTYPES(DO)        \
    DO(F16, f16, float, 2u)   \
    DO(BF16, bf16, float, 2u) \
    DO(F32, f32, float, 4u)   \
    DO(I8, i8, uint32_t, 1u)  \
    DO(I32, i32, uint32_t, 4u)

#define WIDEN(NAME, type, wide_t, size)                                                                     \
    static void widen_##type(void *wide, const uint8_t *in, size_t rows, size_t columns, bool transposed) { \
        wide_t *to = wide;                                                                                  \
        for (size_t i = 0; i < rows; i++)                                                                   \
            for (size_t j = 0; j < columns; j++)                                                            \
                *to++ = kbr_load_##type(in + (size) * (transposed ? j * rows + i : i * columns + j));       \
    }                                                                                                       \
    static void narrow_##type(uint8_t *out, const void *wide, size_t count) {                               \
        const wide_t *from = wide;                                                                          \
        for (size_t i = 0; i < count; i++)                                                                  \
            kbr_store_##type(out + (size)*i, from[i]);                                                      \
    }
ALL_DTYPES(WIDEN)

typedef struct width {
    void (*widen)(void *wide, const uint8_t *in, size_t rows, size_t columns, bool transposed);
    void (*narrow)(uint8_t *out, const void *wide, size_t count);
} width;

#define ROW(NAME, type, wide_t, size) [KB_DTYPE_##NAME] = {widen_##type, narrow_##type},
static const width widths[KBR_DTYPES] = {ALL_DTYPES(ROW)};

void kbr_widen(uint32_t dtype, void *wide, const uint8_t *in, size_t rows, size_t columns, bool transposed) {
    widths[dtype].widen(wide, in, rows, columns, transposed);
}

void kbr_narrow(uint32_t dtype, uint8_t *out, const void *wide, size_t count) {
    widths[dtype].narrow(out, wide, count);
}

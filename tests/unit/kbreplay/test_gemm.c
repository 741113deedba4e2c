/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices: every set of kernels against three loops, at random shapes, strides and dtypes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "number/kernels.h"
#include "number/number.h"

static uint64_t random_state = 11;

static uint32_t draw(uint32_t below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 32) * below >> 32);
}

/* A matrix that lies somewhere in an array of its own, forwards or backwards, dense or not. */
typedef struct placed {
    kbr_matrix matrix;
    uint8_t *array;
    size_t size;
    uint32_t dtype;
} placed;

static placed place(uint32_t dtype, size_t rows, size_t columns) {
    placed it = {.dtype = dtype};
    size_t gap = draw(3) == 0 ? 1 + draw(3) : 1, more = draw(2) * draw(5);
    bool turned = draw(2) != 0;
    size_t inner = turned ? rows : columns, outer = turned ? columns : rows;
    size_t line = inner * gap + more, element = kbr_dtype_of(dtype)->size_bytes;
    it.size = (outer * line + 1) * element;
    it.array = malloc(it.size);
    assert_non_null(it.array);
    for (size_t i = 0; i < it.size / element; i++) { /* fractions, so that sums round */
        double value =
            kbr_dtype_of(dtype)->is_float ? ((double)draw(2001) - 1000.0) / 300.0 : (double)draw(256) - 128.0;
        if (draw(200) == 0 && kbr_dtype_of(dtype)->is_float)
            value = draw(2) == 0 ? -0.0 : 0x1p-20;
        kbr_dtype_of(dtype)->store(value, it.array + i * element);
    }
    it.matrix = (kbr_matrix){it.array, (ptrdiff_t)line, (ptrdiff_t)gap};
    if (outer != 0 && draw(4) == 0) { /* from the last line back */
        it.matrix.bytes += (outer - 1) * line * element;
        it.matrix.row_stride = -it.matrix.row_stride;
    }
    if (turned) {
        ptrdiff_t stride = it.matrix.row_stride;
        it.matrix.row_stride = it.matrix.column_stride;
        it.matrix.column_stride = stride;
    }
    return it;
}

static uint8_t *element_of(const placed *it, size_t row, size_t column) {
    return it->matrix.bytes +
           (ptrdiff_t)kbr_dtype_of(it->dtype)->size_bytes *
               ((ptrdiff_t)row * it->matrix.row_stride + (ptrdiff_t)column * it->matrix.column_stride);
}

static double value_of(const placed *it, size_t row, size_t column) {
    return kbr_dtype_of(it->dtype)->load(element_of(it, row, column));
}

/* The definition, into `out`. */
static void multiply(const kbr_gemm *gemm, const placed *out, const placed *a, const placed *b) {
    for (size_t i = 0; i < gemm->m; i++)
        for (size_t j = 0; j < gemm->n; j++) {
            double start = gemm->accumulate ? value_of(out, i, j) : 0.0;
            float sum = (float)start;
            uint32_t whole = (uint32_t)(int64_t)start;
            for (size_t l = 0; l < gemm->k; l++) {
                double x = value_of(a, i, l), y = value_of(b, l, j);
                sum = fmaf((float)x, (float)y, sum);
                whole += (uint32_t)(int32_t)x * (uint32_t)(int32_t)y;
            }
            if (kbr_dtype_of(a->dtype)->is_float)
                kbr_dtype_of(out->dtype)->store((double)sum, element_of(out, i, j));
            else
                memcpy(element_of(out, i, j), &whole, sizeof whole);
        }
}

static void check(uint32_t dtype, size_t m, size_t n, size_t k) {
    bool is_float = kbr_dtype_of(dtype)->is_float;
    kbr_gemm gemm = {
        .m = m, .n = n, .k = k, .wide = draw(2) != 0 || dtype == KB_DTYPE_I8, .accumulate = draw(2) != 0};
    placed a = place(dtype, m, k), b = place(dtype, k, n);
    placed out = place(gemm.wide ? (is_float ? KB_DTYPE_F32 : KB_DTYPE_I32) : dtype, m, n);
    uint8_t *before = malloc(out.size), *want = malloc(out.size),
            *scratch = malloc(kbr_gemm_scratch(n, k) + 1);
    assert_true(before != NULL && want != NULL && scratch != NULL);
    memcpy(before, out.array, out.size);
    gemm.a = a.matrix;
    gemm.b = b.matrix;
    gemm.out = out.matrix;
    multiply(&gemm, &out, &a, &b);
    memcpy(want, out.array, out.size);
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++) {
        memcpy(out.array, before, out.size);
        kbr_kernels_at(s)->multiply[dtype](&gemm, scratch + draw(2));
        assert_memory_equal(out.array, want, out.size); /* and nothing beside it is touched */
    }
    free(scratch);
    free(want);
    free(before);
    free(out.array);
    free(a.array);
    free(b.array);
}

static const uint32_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};

static void products_at_random(void **state) {
    (void)state;
    for (size_t i = 0; i < 250; i++)
        check(dtypes[i % 5], draw(50), draw(80), draw(40));
}

/* More rows, columns and depth than one block has. */
static void products_in_blocks(void **state) {
    (void)state;
    for (size_t d = 0; d < 5; d++) {
        check(dtypes[d], 340, 5, 20);
        check(dtypes[d], 7, 33, 515);
        check(dtypes[d], 1, 300, 257);
        check(dtypes[d], 2, 1060, 3);
    }
}

static void products_of_what_is_not_finite(void **state) {
    (void)state;
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++) {
        float a[] = {INFINITY, 1.0f, -0.0f, NAN}, b[] = {0.0f, 2.0f, -1.0f, 1.0f}, out[4];
        kbr_gemm gemm = {.m = 2, .n = 2, .k = 2};
        gemm.a = (kbr_matrix){(uint8_t *)a, 2, 1};
        gemm.b = (kbr_matrix){(uint8_t *)b, 2, 1};
        gemm.out = (kbr_matrix){(uint8_t *)out, 2, 1};
        void *scratch = malloc(kbr_gemm_scratch(2, 2));
        assert_non_null(scratch);
        kbr_kernels_at(s)->multiply[KB_DTYPE_F32](&gemm, scratch);
        assert_int_equal(kbr_f32_to_bits(out[0]), KBR_F32_NAN);
        uint32_t bits[4];
        memcpy(bits, out, sizeof bits);
        assert_int_equal(bits[0], KBR_F32_NAN);
        assert_true(out[1] == INFINITY);
        assert_int_equal(bits[2], KBR_F32_NAN);
        assert_int_equal(bits[3], KBR_F32_NAN);
        free(scratch);
    }
}

static void scratch_that_cannot_be(void **state) {
    (void)state;
    assert_true(kbr_gemm_scratch(1, SIZE_MAX) == SIZE_MAX);
    assert_true(kbr_gemm_scratch(SIZE_MAX, (size_t)1 << 60) == SIZE_MAX);
    assert_true(kbr_gemm_scratch(SIZE_MAX, 1) < (size_t)1 << 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_at_random),
        cmocka_unit_test(products_in_blocks),
        cmocka_unit_test(products_of_what_is_not_finite),
        cmocka_unit_test(scratch_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of matrices, reductions over an axis and operands that are spread, each against a plain loop
 * over the elements, on random views of every dtype.
 */
#include "one_op.h"

#include <math.h>
#include <stdlib.h>

#include "number/number.h"

enum { MOST = 4096 };

/* Random bits, and now and then the numbers at which floats break. */
static void draw_element(uint64_t *random, uint32_t dtype, bool wild, uint8_t *bytes) {
    const kbr_dtype *of = kbr_dtype_of(dtype);
    static const double odd[] = {
        0.0, -0.0, (double)INFINITY, -(double)INFINITY, (double)NAN, 65504.0, 0x1p-24, 0x1p-149, 1.0, -1.0};
    uint64_t bits = draw(random);
    if (of->is_float && wild && bits % 16 == 0)
        of->store(odd[bits / 16 % (sizeof odd / sizeof odd[0])], bytes);
    else if (of->is_float && !wild)
        of->store((double)((int64_t)(bits % 2001) - 1000) / 64.0, bytes);
    else
        memcpy(bytes, &bits, of->size_bytes);
}

/* A view of the shape with room between its rows and elements, and where each of its elements lies. */
typedef struct placed {
    kb_operand view;
    uint64_t offset, places[MOST];
} placed;

/* `spread`: an axis of stride 0 now and then. */
static void place(placed *it, uint64_t *random, uint32_t memory, uint64_t from, uint32_t dtype,
                  const uint64_t *shape, uint32_t dims, bool spread) {
    it->view = (kb_operand){.memory = memory, .dtype = (uint8_t)dtype, .dims = (uint8_t)dims};
    it->view.access = KB_ACCESS_READ;
    it->offset = from;
    uint32_t axes[KB_DIMS_MAX] = {0, 1, 2, 3}, size = kb_dtype_size(dtype);
    int64_t step = 1;
    for (uint32_t i = dims; i-- > 1;) { /* which axis lies innermost is drawn, too */
        uint32_t other = (uint32_t)(draw(random) % (i + 1)), axis = axes[i];
        axes[i] = axes[other];
        axes[other] = axis;
    }
    for (uint32_t i = 0; i < dims; i++) {
        uint32_t axis = axes[i];
        it->view.shape[axis] = shape[axis];
        it->view.stride[axis] = spread && draw(random) % 3 == 0 ? 0 : step;
        if (it->view.stride[axis] != 0)
            step = step * (int64_t)shape[axis] + (int64_t)(draw(random) % 3);
    }
    uint64_t count = kb_operand_elements(&it->view);
    assert_true(count <= MOST);
    for (uint64_t k = 0; k < count; k++) {
        uint64_t rest = k, at = from;
        for (uint32_t i = dims; i-- > 0; rest /= shape[i])
            at += rest % shape[i] * (uint64_t)it->view.stride[i] * size;
        it->places[k] = at;
    }
}

static void fill_placed(bench *it, const placed *at, uint64_t *random, bool wild) {
    uint8_t bytes[8];
    for (uint64_t k = 0; k < kb_operand_elements(&at->view); k++) {
        draw_element(random, at->view.dtype, wild, bytes);
        put(it, at->view.memory, at->places[k], bytes, kb_dtype_size(at->view.dtype));
    }
}

/* An element as a number that f32 or i32 holds exactly. */
static double element(bench *it, const placed *at, uint64_t k) {
    uint8_t bytes[8];
    get(it, at->view.memory, at->places[k], bytes, kb_dtype_size(at->view.dtype));
    return kbr_dtype_of(at->view.dtype)->load(bytes);
}

static void check_element(bench *it, const placed *at, uint64_t k, const uint8_t *want) {
    uint8_t bytes[8];
    assert_true(get(it, at->view.memory, at->places[k], bytes, kb_dtype_size(at->view.dtype)));
    assert_memory_equal(bytes, want, kb_dtype_size(at->view.dtype));
}

/* --- products ----------------------------------------------------------------------------------- */

static void check_product(bench *it, uint64_t *random, uint32_t dtype, uint32_t out_dtype, uint32_t flags,
                          bool wild) {
    static placed out, a, b;
    uint64_t m = 1 + draw(random) % 9, n = 1 + draw(random) % 9, k = draw(random) % 40;
    bool turn_a = (flags & KB_FLAG_TRANSPOSE_A) != 0, turn_b = (flags & KB_FLAG_TRANSPOSE_B) != 0;
    bool adds = (flags & KB_FLAG_ACCUMULATE) != 0, floats = kbr_dtype_of(dtype)->is_float;
    place(&out, random, 1, 64, out_dtype, (uint64_t[]){m, n}, 2, false);
    place(&a, random, 0, 128, dtype, turn_a ? (uint64_t[]){k, m} : (uint64_t[]){m, k}, 2, false);
    place(&b, random, 0, 1 << 15, dtype, turn_b ? (uint64_t[]){n, k} : (uint64_t[]){k, n}, 2, false);
    fill_placed(it, &out, random, wild);
    fill_placed(it, &a, random, wild);
    fill_placed(it, &b, random, wild);
    out.view.access = adds ? KB_ACCESS_UPDATE : KB_ACCESS_WRITE;
    uint8_t want[100][4];
    for (uint64_t i = 0; i < m; i++)
        for (uint64_t j = 0; j < n; j++) {
            float sum = adds ? (float)element(it, &out, i * n + j) : 0.0f;
            uint32_t whole = adds && !floats ? (uint32_t)(int32_t)element(it, &out, i * n + j) : 0;
            for (uint64_t l = 0; l < k; l++) {
                double x = element(it, &a, turn_a ? l * m + i : i * k + l);
                double y = element(it, &b, turn_b ? j * k + l : l * n + j);
                if (floats)
                    sum = fmaf((float)x, (float)y, sum);
                else
                    whole += (uint32_t)(int32_t)x * (uint32_t)(int32_t)y;
            }
            if (floats)
                kbr_dtype_of(out_dtype)->store((double)sum, want[i * n + j]);
            else
                memcpy(want[i * n + j], &whole, 4);
        }
    set_operand(it, 0, out.offset, out.view);
    set_operand(it, 1, a.offset, a.view);
    set_operand(it, 2, b.offset, b.view);
    it->what.flags = flags;
    check_ok(run(it, KB_OP_GEMM, 0), &it->trail);
    for (uint64_t i = 0; i < m * n; i++)
        check_element(it, &out, i, want[i]);
}

static void products_add_by_rising_k(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    uint64_t random = 11;
    static const uint32_t dtypes[][2] = {{KB_DTYPE_F16, KB_DTYPE_F16},   {KB_DTYPE_F16, KB_DTYPE_F32},
                                         {KB_DTYPE_BF16, KB_DTYPE_BF16}, {KB_DTYPE_BF16, KB_DTYPE_F32},
                                         {KB_DTYPE_F32, KB_DTYPE_F32},   {KB_DTYPE_I8, KB_DTYPE_I32},
                                         {KB_DTYPE_I32, KB_DTYPE_I32}};
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        for (uint32_t flags = 0; flags < 16; flags++)
            for (int wild = 0; wild < 2; wild++)
                check_product(&it, &random, dtypes[i][0], dtypes[i][1], flags, wild != 0);
    bench_fini(&it);
}

static void products_that_do_not_fit_are_told(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    static const struct {
        uint64_t out, a, b; /* rows */
        uint32_t out_dtype, b_dtype, flags, access;
        const char *words;
    } cases[] = {
        {2, 2, 4, KB_DTYPE_F16, KB_DTYPE_F16, 0, KB_ACCESS_WRITE, "[2,3] times [4,3] does not give [2,3]"},
        {3, 2, 3, KB_DTYPE_F16, KB_DTYPE_F16, 0, KB_ACCESS_WRITE, "[2,3] times [3,3] does not give [3,3]"},
        {2, 2, 3, KB_DTYPE_BF16, KB_DTYPE_F16, 0, KB_ACCESS_WRITE, "f16 times f16 does not give bf16"},
        {2, 2, 3, KB_DTYPE_F32, KB_DTYPE_BF16, 0, KB_ACCESS_WRITE, "f16 times bf16 does not give f32"},
        {2, 2, 3, KB_DTYPE_F32, KB_DTYPE_F16, KB_FLAG_ACCUMULATE, KB_ACCESS_WRITE,
         "it accumulates, and its result is said to be a write"},
        {2, 2, 3, KB_DTYPE_F32, KB_DTYPE_F16, 0, KB_ACCESS_UPDATE,
         "it does not accumulate, and its result is said to be a update"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kb_operand view = {.dims = 2, .dtype = KB_DTYPE_F16, .shape = {cases[i].a, 3}, .stride = {3, 1}};
        view.access = KB_ACCESS_READ;
        set_operand(&it, 1, 0, view);
        view.shape[0] = cases[i].b;
        view.dtype = (uint8_t)cases[i].b_dtype;
        set_operand(&it, 2, 0, view);
        view.shape[0] = cases[i].out;
        view.dtype = (uint8_t)cases[i].out_dtype;
        view.access = (uint8_t)cases[i].access;
        it.operands[0] = view;
        it.what.flags = cases[i].flags;
        check_status(run(&it, KB_OP_GEMM, 0), KB_E_CORRUPT, NULL);
        assert_string_equal(it.misfit, cases[i].words);
    }
    it.operands[1].dims = 1;
    check_status(run(&it, KB_OP_GEMM, 0), KB_E_CORRUPT, NULL);
    assert_string_equal(it.misfit, "operand 1 has 1 dimensions, and is to be a matrix");
    bench_fini(&it);
}

/* --- reductions --------------------------------------------------------------------------------- */

static float join_floats(uint32_t func, float a, float b) {
    switch (func) {
    case KB_FUNC_SUM: return a + b;
    case KB_FUNC_PROD: return a * b;
    case KB_FUNC_REDUCE_MIN: return kbr_minimum_f32(a, b);
    default: return kbr_maximum_f32(a, b);
    }
}

static uint32_t join_integers(uint32_t func, uint32_t a, uint32_t b) {
    switch (func) {
    case KB_FUNC_SUM: return a + b;
    case KB_FUNC_PROD: return a * b;
    case KB_FUNC_REDUCE_MIN: return (int32_t)a < (int32_t)b ? a : b;
    default: return (int32_t)a > (int32_t)b ? a : b;
    }
}

/* Neighbours joined in pairs, an odd last one carried, until one is left: as the memory model says it. */
static void join_all(uint32_t func, float *floats, uint32_t *integers, uint64_t count) {
    for (; count > 1; count = (count + 1) / 2)
        for (uint64_t i = 0; i < (count + 1) / 2; i++) {
            bool pair = 2 * i + 1 < count;
            floats[i] = pair ? join_floats(func, floats[2 * i], floats[2 * i + 1]) : floats[2 * i];
            integers[i] = pair ? join_integers(func, integers[2 * i], integers[2 * i + 1]) : integers[2 * i];
        }
}

static void check_reduction(bench *it, uint64_t *random, uint32_t func, uint32_t dtype, bool wide,
                            bool wild) {
    static placed out, in;
    static float floats[MOST];
    static uint32_t integers[MOST];
    uint64_t shape[4], width = 1 + draw(random) % 40;
    uint32_t dims = (uint32_t)(draw(random) % 3);
    bool is_float = kbr_dtype_of(dtype)->is_float;
    for (uint32_t i = 0; i < dims; i++)
        shape[i] = 1 + draw(random) % 7;
    shape[dims] = width;
    place(&in, random, 0, 256, dtype, shape, dims + 1, true);
    place(&out, random, 1, 64, !wide ? dtype : is_float ? KB_DTYPE_F32 : KB_DTYPE_I32, shape, dims, false);
    out.view.access = KB_ACCESS_WRITE;
    fill_placed(it, &in, random, wild);
    set_operand(it, 0, out.offset, out.view);
    set_operand(it, 1, in.offset, in.view);
    check_ok(run(it, KB_OP_MATH, func), &it->trail);
    for (uint64_t i = 0; i < kb_operand_elements(&out.view); i++) {
        uint8_t want[8];
        for (uint64_t k = 0; k < width; k++) {
            double x = element(it, &in, i * width + k);
            floats[k] = (float)x;
            integers[k] = is_float ? 0 : (uint32_t)(int32_t)x;
        }
        join_all(func, floats, integers, width);
        if (is_float)
            kbr_dtype_of(out.view.dtype)->store((double)floats[0], want);
        else
            memcpy(want, integers, 4);
        check_element(it, &out, i, want);
    }
}

static void reductions_are_pairwise_trees(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    uint64_t random = 12;
    static const uint32_t funcs[] = {KB_FUNC_SUM, KB_FUNC_PROD, KB_FUNC_REDUCE_MIN, KB_FUNC_REDUCE_MAX};
    for (size_t f = 0; f < 4; f++)
        for (uint32_t dtype = KB_DTYPE_F16; dtype <= KB_DTYPE_I32; dtype++)
            for (int i = 0; i < 24; i++)
                check_reduction(&it, &random, funcs[f], dtype, i % 2 != 0, i % 4 >= 2);
    bench_fini(&it);
}

/* --- spread operands ----------------------------------------------------------------------------- */

/* One row or column added to all: an input of stride 0 gives the same element again and again. */
static void inputs_may_be_spread(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    static placed out, a, b;
    uint64_t random = 13;
    for (int i = 0; i < 60; i++) {
        uint64_t shape[3] = {1 + draw(&random) % 6, 1 + draw(&random) % 6, 1 + draw(&random) % 20};
        place(&out, &random, 1, 64, KB_DTYPE_F16, shape, 3, false);
        place(&a, &random, 0, 64, KB_DTYPE_F16, shape, 3, true);
        place(&b, &random, 0, 1 << 15, KB_DTYPE_F16, shape, 3, true);
        fill_placed(&it, &a, &random, false);
        fill_placed(&it, &b, &random, false);
        out.view.access = KB_ACCESS_WRITE;
        set_operand(&it, 0, out.offset, out.view);
        set_operand(&it, 1, a.offset, a.view);
        set_operand(&it, 2, b.offset, b.view);
        check_ok(run(&it, KB_OP_MATH, KB_FUNC_SUB), &it.trail);
        for (uint64_t k = 0; k < kb_operand_elements(&out.view); k++) {
            uint8_t want[2];
            kbr_dtype_of(KB_DTYPE_F16)->store(element(&it, &a, k) - element(&it, &b, k), want);
            check_element(&it, &out, k, want);
        }
    }
    bench_fini(&it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_add_by_rising_k),
        cmocka_unit_test(products_that_do_not_fit_are_told),
        cmocka_unit_test(reductions_are_pairwise_trees),
        cmocka_unit_test(inputs_may_be_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ops do to memory: each elementwise function on every dtype, moves of any view, undefined bytes,
 * and the kinds that are refused by name.
 */
#include "one_op.h"

#include <math.h>
#include <stdlib.h>

#include "number/number.h"

/* --- numbers ----------------------------------------------------------------------------------- */

/*
 * The function by its definition in double. For f16 and bf16 one rounding of the double equals f32's
 * and then one more; for f32 every one of these is correctly rounded from the double, but fma.
 */
static double defined_float(uint32_t func, double a, double b, double c, double s) {
    switch (func) {
    case KB_FUNC_FILL: return s;
    case KB_FUNC_ADD: return a + b;
    case KB_FUNC_SUB: return a - b;
    case KB_FUNC_MUL: return a * b;
    case KB_FUNC_DIV: return a / b;
    case KB_FUNC_MIN: return kbr_minimum_f64(a, b);
    case KB_FUNC_MAX: return kbr_maximum_f64(a, b);
    case KB_FUNC_ADD_SCALAR: return a + s;
    case KB_FUNC_MUL_SCALAR: return a * s;
    case KB_FUNC_NEG: return -a;
    case KB_FUNC_ABS: return fabs(a);
    case KB_FUNC_SQRT: return sqrt(a);
    case KB_FUNC_RECIP: return 1.0 / a;
    case KB_FUNC_RELU: return kbr_maximum_f64(a, 0.0);
    case KB_FUNC_WHERE: return a != 0.0 ? b : c;
    default: return (double)fmaf((float)a, (float)b, (float)c);
    }
}

static int64_t defined_integer(uint32_t func, int64_t a, int64_t b, int64_t c, int64_t s) {
    switch (func) {
    case KB_FUNC_FILL: return s;
    case KB_FUNC_ADD: return a + b;
    case KB_FUNC_SUB: return a - b;
    case KB_FUNC_MUL: return a * b;
    case KB_FUNC_MIN: return a < b ? a : b;
    case KB_FUNC_MAX: return a > b ? a : b;
    case KB_FUNC_ADD_SCALAR: return a + s;
    case KB_FUNC_MUL_SCALAR: return a * s;
    case KB_FUNC_NEG: return -a;
    case KB_FUNC_ABS: return a < 0 ? -a : a;
    case KB_FUNC_RELU: return a > 0 ? a : 0;
    case KB_FUNC_WHERE: return a != 0 ? b : c;
    default: return (int64_t)((uint64_t)a * (uint64_t)b + (uint64_t)c);
    }
}

/* These have tests of their own. */
static bool is_transcendental(uint32_t func) {
    return func == KB_FUNC_RSQRT || (func >= KB_FUNC_EXP && func <= KB_FUNC_SIGMOID) ||
           func == KB_FUNC_GELU || func == KB_FUNC_SILU;
}

enum { COUNT = 3000 };

/* Random patterns, NaN and infinities among them, through memory and one op. */
static void check_function(bench *it, uint32_t func, uint32_t dtype, uint64_t *random) {
    const kbr_dtype *of = kbr_dtype_of(dtype);
    uint32_t inputs = it->pass.kernels->inputs[func], size = of->size_bytes;
    static uint8_t in[3][COUNT * 4], out[COUNT * 4];
    set_operand(it, 0, 64, kb_operand_vector(1, KB_ACCESS_WRITE, (uint8_t)dtype, COUNT));
    for (uint32_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof in[i]; k++)
            in[i][k] = (uint8_t)draw(random);
        put(it, 0, i * sizeof in[i], in[i], COUNT * size);
        if (i < inputs)
            set_operand(it, i + 1, i * sizeof in[i],
                        kb_operand_vector(0, KB_ACCESS_READ, (uint8_t)dtype, COUNT));
    }
    double scalar = of->is_float ? -1.5 : 0.0;
    it->immediate = 77;
    if (of->is_float)
        memcpy(&it->immediate, &scalar, sizeof scalar);
    check_ok(run(it, KB_OP_MATH, func), &it->trail);
    assert_true(get(it, 1, 64, out, COUNT * size));
    for (size_t k = 0; k < COUNT; k++) {
        double a = of->load(in[0] + k * size), b = of->load(in[1] + k * size), c = of->load(in[2] + k * size);
        uint8_t want[8];
        if (of->is_float) {
            of->store(defined_float(func, a, b, c, scalar), want);
        } else {
            uint64_t bits = (uint64_t)defined_integer(func, (int64_t)a, (int64_t)b, (int64_t)c, 77);
            for (uint32_t i = 0; i < size; i++)
                want[i] = (uint8_t)(bits >> 8 * i);
        }
        assert_memory_equal(out + k * size, want, size);
    }
}

static void functions_follow_their_definitions(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    uint64_t random = 1;
    for (uint32_t func = 0; func < KBR_FUNCS; func++)
        for (uint32_t dtype = KB_DTYPE_F16; dtype <= KB_DTYPE_I32; dtype++)
            if (it.pass.kernels->map[func][dtype] != NULL && !is_transcendental(func))
                check_function(&it, func, dtype, &random);
    bench_fini(&it);
}

static void casts_round_once(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    uint64_t random = 2;
    for (uint32_t from = KB_DTYPE_F16; from <= KB_DTYPE_I32; from++)
        for (uint32_t to = KB_DTYPE_F16; to <= KB_DTYPE_I32; to++) {
            const kbr_dtype *source = kbr_dtype_of(from), *target = kbr_dtype_of(to);
            uint8_t in[400], out[400], want[8];
            for (size_t k = 0; k < sizeof in; k++)
                in[k] = (uint8_t)draw(&random);
            put(&it, 0, 0, in, sizeof in);
            set_operand(&it, 0, 0, kb_operand_vector(1, KB_ACCESS_WRITE, (uint8_t)to, 100));
            set_operand(&it, 1, 0, kb_operand_vector(0, KB_ACCESS_READ, (uint8_t)from, 100));
            check_ok(run(&it, KB_OP_MATH, KB_FUNC_CAST), &it.trail);
            get(&it, 1, 0, out, sizeof out);
            for (size_t k = 0; k < 100; k++) {
                target->store(source->load(in + k * source->size_bytes), want);
                assert_memory_equal(out + k * target->size_bytes, want, target->size_bytes);
            }
        }
    bench_fini(&it);
}

/* --- views ------------------------------------------------------------------------------------- */

/* A random view of bytes that stays inside a memory, and the offsets of its elements in order. */
static kb_operand random_view(uint64_t *random, uint8_t access, const uint64_t *shape, uint32_t dims,
                              uint64_t *ret_offset, uint64_t *ret_places) {
    kb_operand view = {.access = access, .dtype = KB_DTYPE_BYTES, .dims = (uint8_t)dims};
    int64_t step = 1, low = 0;
    uint64_t count = 1;
    for (uint32_t i = dims; i-- > 0;) {
        view.shape[i] = shape[i];
        view.stride[i] = (step + (int64_t)(draw(random) % 3)) * (draw(random) % 4 == 0 ? -1 : 1);
        if (view.stride[i] < 0)
            low += view.stride[i] * (int64_t)(shape[i] - 1);
        step = llabs(view.stride[i]) * (int64_t)shape[i];
        count *= shape[i];
    }
    *ret_offset = (uint64_t)-low + draw(random) % 100;
    for (uint64_t k = 0; k < count; k++) {
        uint64_t rest = k;
        int64_t at = (int64_t)*ret_offset;
        for (uint32_t i = dims; i-- > 0; rest /= shape[i])
            at += (int64_t)(rest % shape[i]) * view.stride[i];
        ret_places[k] = (uint64_t)at;
    }
    return view;
}

/* Any view into any other; of undefined bytes undefined ones come. */
static void moves_follow_their_views(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    static uint8_t in[SIZE], out[SIZE];
    static uint64_t from[20000], to[20000];
    uint64_t random = 3;
    for (int i = 0; i < 300; i++) {
        uint64_t shape[4], count = 1;
        uint32_t dims = (uint32_t)(draw(&random) % 4);
        for (uint32_t k = 0; k < dims; k++)
            count *= shape[k] = 1 + draw(&random) % 9;
        uint64_t offset, hole = draw(&random) % 2000;
        kb_operand view = random_view(&random, KB_ACCESS_WRITE, shape, dims, &offset, to);
        view.memory = 1;
        set_operand(&it, 0, offset, view);
        view = random_view(&random, KB_ACCESS_READ, shape, dims, &offset, from);
        set_operand(&it, 1, offset, view);
        for (size_t k = 0; k < SIZE; k++)
            in[k] = (uint8_t)draw(&random);
        put(&it, 0, 0, in, SIZE);
        memset(out, 0xEE, SIZE);
        put(&it, 1, 0, out, SIZE);
        check_ok(kbr_memory_undefine(it.memories, 0, hole, 10, &it.trail), &it.trail);
        check_ok(run(&it, i % 2 != 0 ? KB_OP_DMA_READ : KB_OP_DMA_WRITE, 0), &it.trail);
        for (uint64_t k = 0; k < count; k++) {
            uint8_t byte;
            bool defined = get(&it, 1, to[k], &byte, 1), hidden = from[k] >= hole && from[k] < hole + 10;
            assert_int_equal(defined, !hidden);
            assert_int_equal(byte, hidden ? 0 : in[from[k]]);
        }
    }
    bench_fini(&it);
}

/* An op reads all before it writes any, however its operands overlap. */
static void overlapping_moves_read_first(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    uint8_t in[1000], out[1000];
    for (size_t k = 0; k < sizeof in; k++)
        in[k] = (uint8_t)(k * 7);
    for (uint64_t shift = 0; shift < 20; shift++) {
        put(&it, 0, 500, in, sizeof in);
        set_operand(&it, 0, 500 + shift, kb_operand_vector(0, KB_ACCESS_WRITE, KB_DTYPE_BYTES, 900));
        set_operand(&it, 1, 500, kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_BYTES, 900));
        check_ok(run(&it, KB_OP_IPCQ_COPY, 0), &it.trail);
        get(&it, 0, 500 + shift, out, 900);
        assert_memory_equal(out, in, 900);
    }
    bench_fini(&it);
}

/* --- the host, and what is refused ------------------------------------------------------------- */

static void hosts_write_allocate_and_free(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    static const uint8_t payload[6] = {1, 2, 3, 4, 5, 6};
    uint8_t out[6];
    set_operand(&it, 0, 10, kb_operand_vector(0, KB_ACCESS_WRITE, KB_DTYPE_F16, 3));
    it.op.payload = payload;
    it.op.payload_size = sizeof payload;
    check_ok(run(&it, KB_OP_HOST_WRITE, 0), &it.trail);
    assert_true(get(&it, 0, 10, out, 6));
    assert_memory_equal(out, payload, 6);
    check_ok(run(&it, KB_OP_HOST_READ, 0), &it.trail);
    assert_true(get(&it, 0, 10, out, 6));
    set_operand(&it, 0, 12, kb_operand_vector(0, KB_ACCESS_WRITE, KB_DTYPE_BYTES, 2));
    check_ok(run(&it, KB_OP_FREE, 0), &it.trail);
    assert_false(get(&it, 0, 10, out, 6));
    assert_true(get(&it, 0, 10, out, 2) && get(&it, 0, 14, out, 2));
    check_ok(run(&it, KB_OP_ALLOC, 0), &it.trail);
    assert_false(get(&it, 0, 12, out, 1));
    bench_fini(&it);
}

/* Rows of two, spread over memory; each becomes 1/(1 + e) and e/(1 + e), as f16 rounds them. */
static void softmax_goes_along_the_innermost_axis(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    static const uint16_t in[3][3] = {
        {0x3C00, 0x4000, 0x7E00}, {0xC000, 0xBC00, 0x7E00}, {0, 0x3C00, 0x7E00}};
    static const uint16_t want[2] = {0x344E, 0x39D9}; /* 0.26894, 0.73106 */
    put(&it, 0, 0, (const uint8_t *)in, sizeof in);
    kb_operand rows = kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_F16, 6);
    rows.dims = 2;
    rows.shape[0] = 3, rows.shape[1] = 2;
    rows.stride[0] = 3, rows.stride[1] = 1;
    set_operand(&it, 0, 20, kb_operand_vector(1, KB_ACCESS_WRITE, KB_DTYPE_F16, 6));
    set_operand(&it, 1, 0, rows);
    check_ok(run(&it, KB_OP_MATH, KB_FUNC_SOFTMAX), &it.trail);
    uint8_t out[12];
    assert_true(get(&it, 1, 20, out, sizeof out));
    for (size_t i = 0; i < 6; i++)
        assert_memory_equal(out + 2 * i, &want[i % 2], 2);
    bench_fini(&it);
}

static void what_is_not_executed_is_refused_by_name(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    set_operand(&it, 0, 0, kb_operand_vector(0, KB_ACCESS_WRITE, KB_DTYPE_F16, 4));
    set_operand(&it, 1, 0, kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_F16, 4));
    it.op.index = 42;
    static const struct {
        uint32_t kind, func;
        const char *words;
    } cases[] = {
        {KB_OP_MAP, 0, "#42 map"},
        {KB_OP_UNMAP, 0, "#42 unmap"},
        {KB_OP_MATH, 9999, "function 9999 of f16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_status(run(&it, cases[i].kind, cases[i].func), KB_E_UNSUPPORTED, &it.trail);
        check_says(&it.trail, cases[i].words);
    }
    it.operands[0].dtype = it.operands[1].dtype = KB_DTYPE_I8;
    set_operand(&it, 2, 0, it.operands[1]);
    check_status(run(&it, KB_OP_MATH, KB_FUNC_DIV), KB_E_UNSUPPORTED, &it.trail);
    check_says(&it.trail, "math.div of i8");
    it.what.operand_count = 2;
    check_status(run(&it, KB_OP_MATH, KB_FUNC_SOFTMAX), KB_E_UNSUPPORTED, &it.trail);
    check_says(&it.trail, "math.softmax of i8");
    check_status(run(&it, KB_OP_MATH, KB_FUNC_EXP), KB_E_UNSUPPORTED, &it.trail);
    check_says(&it.trail, "math.exp of i8");
    bench_fini(&it);
}

/* Operands that cannot belong together, each with the words that say so. */
static void operands_that_do_not_fit_are_told(void **state) {
    (void)state;
    bench it;
    bench_init(&it);
    const kb_operand eight = kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_F16, 8);
    kb_operand wide = eight, none = {.dims = 2, .dtype = KB_DTYPE_F16, .access = KB_ACCESS_READ};
    wide.dtype = KB_DTYPE_F32;
    none.shape[0] = 8;
    const struct {
        uint32_t func, inputs;
        kb_operand in;
        const char *words;
    } cases[] = {
        {KB_FUNC_ADD, 1, eight, "it has 2 operands, and its function takes 3"},
        {KB_FUNC_NEG, 2, eight, "it has 3 operands, and its function takes 2"},
        {KB_FUNC_NEG, 1, wide, "operand 1 is of f32, and what it becomes of f16"},
        {KB_FUNC_SUM, 1, wide, "operand 1 is of f32, and what it becomes of f16"},
        {KB_FUNC_SUM, 1, none, "operand 1 has nothing along its innermost axis"},
        {KB_FUNC_SUM, 1, eight, "operand 1 holds 1 rows, and what it becomes 8 elements"},
        {KB_FUNC_COPY, 1, kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_F16, 7),
         "operand 1 holds 7 elements, and what it becomes 8 elements"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_operand(&it, 0, 0, kb_operand_vector(1, KB_ACCESS_WRITE, KB_DTYPE_F16, 8));
        for (uint32_t k = 1; k <= cases[i].inputs; k++)
            set_operand(&it, k, 0, cases[i].in);
        check_status(run(&it, KB_OP_MATH, cases[i].func), KB_E_CORRUPT, NULL);
        assert_string_equal(it.misfit, cases[i].words);
    }
    set_operand(&it, 0, 0, eight);
    check_status(run(&it, KB_OP_ASSUME, 0), KB_E_CORRUPT, NULL);
    assert_string_equal(it.misfit, "it is about one element, and its operand has 8");
    bench_fini(&it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_follow_their_definitions),
        cmocka_unit_test(casts_round_once),
        cmocka_unit_test(moves_follow_their_views),
        cmocka_unit_test(overlapping_moves_read_first),
        cmocka_unit_test(hosts_write_allocate_and_free),
        cmocka_unit_test(softmax_goes_along_the_innermost_axis),
        cmocka_unit_test(what_is_not_executed_is_refused_by_name),
        cmocka_unit_test(operands_that_do_not_fit_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

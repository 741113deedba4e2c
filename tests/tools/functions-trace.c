/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions-trace SEED OPS OUT [HOLES]: a trace of one rank that computes every function of math and gemm, on
 * every dtype that it has, through views of every sort (with gaps, transposed, turned round, spread), on
 * random bits, special values among them. Between pieces of the inputs are HOLES undefined bytes. It is for
 * whatever replays it another way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/made.h"
#include "support/random.h"

/* Inputs lie at the start of TCM, outputs behind them, each where nothing lay before. */
enum { INPUT_SIZE = 1 << 16, OUTPUT_AT = 1 << 17, MOST = 300 };

typedef struct forge {
    made_trace made;
    random_source random;
    uint64_t next_offset; /* of the next output */
    uint64_t hole_size;   /* of undefined bytes between pieces of the inputs; 0: there are none */
} forge;

static uint64_t below(forge *it, uint64_t bound) {
    return random_below(&it->random, bound);
}

/* --- what lies in memory ------------------------------------------------------------------------- */

/* Random bits, every fourth word an edge of some dtype: infinities, NaN, ones, least numbers, zeros. */
static void put_inputs(forge *it) {
    static const uint32_t edges[] = {0x7C007C00, 0xFC007E01, 0x80003C00, 0x00018001, 0x7F800000, 0xFF800000,
                                     0x7FC00001, 0x80000000, 0x3F800000, 0x00000001, 0x7F7FFFFF, 0x7F803F80,
                                     0x80007FFF, 0x7F80FF7F, 0x33800000, 0x477FE000, 0x00008000, 0x04000400};
    static uint32_t words[INPUT_SIZE / 4];
    for (size_t i = 0; i < INPUT_SIZE / 4; i++)
        words[i] = below(it, 4) == 0 ? edges[below(it, sizeof edges / sizeof *edges)]
                                     : (uint32_t)random_u64(&it->random);
    /* and in the second half numbers whose magnitudes are alike: f32 and pairs of bf16, then pairs of f16 */
    for (size_t i = INPUT_SIZE / 8; i < INPUT_SIZE / 4; i++)
        words[i] = i % (INPUT_SIZE / 8) < INPUT_SIZE / 16
                       ? (words[i] & 0x87FF87FF) | 0x38003A00 | (uint32_t)below(it, 2) << 26
                       : (words[i] & 0x81FF81FF) | 0x3E003F00;
    kb_trail trail;
    kb_trail_init(&trail);
    for (uint64_t at = 0, size; at < INPUT_SIZE; at += size + it->hole_size) {
        size = it->hole_size == 0 ? INPUT_SIZE : 1 + below(it, 4000);
        size = size < INPUT_SIZE - at ? size : INPUT_SIZE - at;
        const kb_initial row = {.memory = TCM(0),
                                .dtype = KB_DTYPE_BYTES,
                                .recipe = KB_RECIPE_BYTES,
                                .offset_bytes = at,
                                .elements = size,
                                .bytes = (const uint8_t *)words + at,
                                .bytes_count = size};
        uint32_t id;
        check_ok(kb_defs_add_initial(&it->made.defs, &row, &id, &trail), &trail);
    }
}

/* Every recipe of every dtype, in SRAM; some overlap the one before. */
static void put_recipes(forge *it) {
    static const uint32_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};
    static const uint32_t recipes[] = {KB_RECIPE_ZEROS,   KB_RECIPE_CONSTANT, KB_RECIPE_IOTA,
                                       KB_RECIPE_UNIFORM, KB_RECIPE_INTS,     KB_RECIPE_SIGNS};
    kb_trail trail;
    kb_trail_init(&trail);
    uint64_t offset = 0;
    for (size_t i = 0; i < 30; i++) {
        const uint32_t dtype = dtypes[i / 6], recipe = recipes[i % 6];
        const bool whole = dtype == KB_DTYPE_I8 || dtype == KB_DTYPE_I32;
        if (whole && recipe == KB_RECIPE_UNIFORM)
            continue;
        const double low = whole || recipe == KB_RECIPE_INTS
                               ? -(double)below(it, 60)
                               : (double)(int64_t)random_u64(&it->random) * 1e-16;
        const kb_initial row = {.memory = SRAM(0),
                                .dtype = dtype,
                                .recipe = recipe,
                                .offset_bytes = offset,
                                .elements = 1 + below(it, 100),
                                .seed = random_u64(&it->random),
                                .first_element = below(it, 20),
                                .low = low,
                                .high = recipe == KB_RECIPE_IOTA ? whole ? 1 : 0.37
                                                                 : low + (double)below(it, 100)};
        uint32_t id;
        check_ok(kb_defs_add_initial(&it->made.defs, &row, &id, &trail), &trail);
        offset += below(it, 3) == 0 ? 16 : 512;
    }
}

/* --- views ----------------------------------------------------------------------------------------- */

/* Some shape of so many elements. */
static kb_operand shape_of(forge *it, uint64_t elements) {
    kb_operand view = {.dims = (uint8_t)(1 + below(it, 3))};
    for (uint32_t axis = 0; axis + 1U < view.dims; axis++) {
        view.shape[axis] = 1 + below(it, 12);
        while (elements % view.shape[axis] != 0)
            view.shape[axis]--;
        elements /= view.shape[axis];
    }
    view.shape[view.dims - 1] = elements;
    return view;
}

/* Strides for it, with the axes in some order; what is read may turn round and be spread. */
static void put_strides(forge *it, kb_operand *view, bool is_read) {
    uint32_t axes[KB_DIMS_MAX] = {0, 1, 2, 3};
    for (uint32_t i = view->dims; i-- > 1;) {
        const uint64_t other = below(it, 3) == 0 ? below(it, i + 1U) : i;
        const uint32_t axis = axes[other];
        axes[other] = axes[i];
        axes[i] = axis;
    }
    int64_t step = 1 + (int64_t)(below(it, 4) == 0) * (int64_t)below(it, 3);
    for (uint32_t i = view->dims; i-- > 0;) {
        const uint32_t axis = axes[i];
        view->stride[axis] = step;
        step *= (int64_t)view->shape[axis] + (int64_t)(below(it, 3) == 0);
        if (is_read && below(it, 6) == 0)
            view->stride[axis] = below(it, 2) == 0 ? 0 : -view->stride[axis];
    }
}

/* The op reads a view of that shape, somewhere in the inputs. */
static void reads(forge *it, made_op *op, kb_operand view, uint8_t dtype) {
    const uint64_t size = dtype == KB_DTYPE_F32 || dtype == KB_DTYPE_I32 ? 4 : dtype == KB_DTYPE_I8 ? 1 : 2;
    int64_t low, high;
    view.memory = TCM(0);
    view.access = KB_ACCESS_READ;
    view.dtype = dtype;
    put_strides(it, &view, true);
    assert_true(kb_operand_extent(&view, &low, &high));
    if (high - low > INPUT_SIZE) { /* too wide: packed */
        for (uint32_t axis = view.dims, step = 1; axis-- > 0; step *= (uint32_t)view.shape[axis])
            view.stride[axis] = step;
        assert_true(kb_operand_extent(&view, &low, &high));
    }
    const uint64_t places = (INPUT_SIZE - (uint64_t)(high - low)) / size + 1;
    made_view(op, (uint64_t)-low + below(it, places) * size, view);
}

/* The op writes (or updates) one of that shape. */
static void writes(forge *it, made_op *op, kb_operand view, uint8_t dtype, uint8_t access) {
    int64_t low, high;
    view.memory = TCM(0);
    view.access = access;
    view.dtype = dtype;
    put_strides(it, &view, false);
    assert_true(kb_operand_extent(&view, &low, &high));
    made_view(op, it->next_offset, view);
    it->next_offset = (it->next_offset + (uint64_t)high + 31) & ~UINT64_C(15);
    assert_true(it->next_offset < MADE_SIZE);
}

/* --- ops ------------------------------------------------------------------------------------------- */

static uint8_t dtype_of(forge *it, bool floats) {
    static const uint8_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};
    return dtypes[below(it, floats ? 3 : 5)];
}

static bool is_float(uint8_t dtype) {
    return dtype != KB_DTYPE_I8 && dtype != KB_DTYPE_I32;
}

/* What the output of a reduction or product may be besides the dtype of the input. */
static uint8_t wider(forge *it, uint8_t dtype, bool always) {
    const uint8_t wide = is_float(dtype) ? KB_DTYPE_F32 : KB_DTYPE_I32;
    return always || below(it, 2) == 0 ? wide : dtype;
}

static void put_immediate(forge *it, made_op *op, uint8_t dtype) {
    static const double some[] = {0.1, -2.5, 3, 1e-9, 65519.999, -0.0, 3.5e38, 1e300};
    if (is_float(dtype))
        memcpy(&op->immediate, &some[below(it, sizeof some / sizeof *some)], sizeof op->immediate);
    else
        op->immediate = (uint64_t)random_between(&it->random, -200, 200);
    op->what.immediate_count = 1;
}

static bool reduces(uint32_t func) {
    return func == KB_FUNC_SUM || func == KB_FUNC_PROD || func == KB_FUNC_REDUCE_MIN ||
           func == KB_FUNC_REDUCE_MAX;
}

/* Functions of floats only. */
static bool takes_floats(uint32_t func) {
    static const uint32_t some[] = {KB_FUNC_DIV,     KB_FUNC_SQRT, KB_FUNC_RSQRT,  KB_FUNC_RECIP,
                                    KB_FUNC_EXP,     KB_FUNC_LOG,  KB_FUNC_TANH,   KB_FUNC_GELU,
                                    KB_FUNC_SIGMOID, KB_FUNC_SILU, KB_FUNC_SOFTMAX};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (some[i] == func)
            return true;
    return false;
}

static uint32_t inputs_of(uint32_t func) {
    if (func == KB_FUNC_FILL)
        return 0;
    if (func == KB_FUNC_WHERE || func == KB_FUNC_FMA)
        return 3;
    return func >= KB_FUNC_ADD && func <= KB_FUNC_MAX ? 2 : 1;
}

static void add_math(forge *it) {
    const uint32_t func = 1 + (uint32_t)below(it, KB_FUNC_FMA);
    const uint8_t dtype = dtype_of(it, takes_floats(func));
    const uint64_t elements = 1 + below(it, MOST);
    made_op *op = made_add(&it->made, PE(0), KB_OP_MATH, KB_BLOCKS_DONE);
    const kb_operand in = shape_of(it, elements);
    kb_operand out = below(it, 4) == 0 ? shape_of(it, elements) : in;
    uint8_t out_dtype = func == KB_FUNC_CAST ? dtype_of(it, false) : dtype;
    if (reduces(func)) {
        out = shape_of(it, elements / in.shape[in.dims - 1]);
        out_dtype = wider(it, dtype, false);
    } else if (func == KB_FUNC_SOFTMAX) {
        out = in;
    }
    op->what.func = func;
    writes(it, op, out, out_dtype, KB_ACCESS_WRITE);
    for (uint32_t i = 0; i < inputs_of(func); i++)
        reads(it, op, in, dtype);
    if (func == KB_FUNC_FILL || func == KB_FUNC_ADD_SCALAR || func == KB_FUNC_MUL_SCALAR)
        put_immediate(it, op, dtype);
}

static kb_operand matrix(uint64_t rows, uint64_t columns) {
    return (kb_operand){.dims = 2, .shape = {rows, columns}};
}

/* out = a b, and once more into the same out, accumulating. */
static void add_gemm(forge *it) {
    const uint64_t m = 1 + below(it, 20), n = 1 + below(it, 20), k = 1 + below(it, 40);
    const uint8_t dtype = dtype_of(it, false);
    made_op *first = NULL;
    for (uint32_t i = 0; i < 2; i++) {
        made_op *op = made_add(&it->made, PE(0), KB_OP_GEMM, KB_BLOCKS_DONE);
        op->what.flags = (uint32_t)below(it, 16) & ~KB_FLAG_ACCUMULATE;
        if (first == NULL) {
            writes(it, op, matrix(m, n), wider(it, dtype, !is_float(dtype)), KB_ACCESS_WRITE);
            first = op;
        } else {
            op->what.flags |= KB_FLAG_ACCUMULATE;
            made_view(op, first->offsets[0], first->operands[0]);
            op->operands[0].access = KB_ACCESS_UPDATE;
        }
        reads(it, op, (op->what.flags & KB_FLAG_TRANSPOSE_A) != 0 ? matrix(k, m) : matrix(m, k), dtype);
        reads(it, op, (op->what.flags & KB_FLAG_TRANSPOSE_B) != 0 ? matrix(n, k) : matrix(k, n), dtype);
    }
}

int main(int argc, char **argv) {
    static forge it;
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: functions-trace SEED OPS OUT [HOLES]\n");
        return 2;
    }
    made_init(&it.made, 1);
    random_init(&it.random, strtoull(argv[1], NULL, 10));
    it.made.open_bytes = 4000;
    it.next_offset = OUTPUT_AT;
    it.hole_size = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
    put_inputs(&it);
    put_recipes(&it);
    made_launch(&it.made, 0, 0);
    const uint64_t ops = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < ops && it.made.count + 2 < MADE_OPS; i++)
        (below(&it, 12) == 0 ? add_gemm : add_math)(&it);
    made_write(&it.made, NULL, argv[3]);
    made_fini(&it.made);
    return 0;
}

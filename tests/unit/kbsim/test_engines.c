/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM and MATH against their closed forms, worked out by hand; their order, lines and turns. */
#include "raw.h"

/* --- MATH ------------------------------------------------------------------------------------ */

typedef struct shape {
    uint64_t rows, columns; /* rows 0: a vector */
    uint32_t space;         /* 0: TCM */
    bool spread;            /* one element for all */
} shape;

typedef struct math_case {
    uint32_t func;
    uint8_t dtype;
    shape out, in[3];
    int64_t wanted_ps;
} math_case;

/* 256 bytes a cycle of 1 ns, ports of 512 GB/s, four cycles where an element takes more than one. */
static const math_case math_cases[] = {
    /* 2000 bytes of results are 8 cycles; 4000 read take 7812.5 ns / 1000 */
    {KB_FUNC_ADD, KB_DTYPE_F16, {0, 1000, 0, false}, {{0, 1000, 0, false}, {0, 1000, 0, false}}, 8000},
    {KB_FUNC_NEG, KB_DTYPE_F16, {0, 1000, 0, false}, {{0, 1000, 0, false}}, 8000},
    {KB_FUNC_FILL, KB_DTYPE_F16, {0, 1000, 0, false}, {{0}}, 8000},
    {KB_FUNC_ADD, KB_DTYPE_I8, {0, 1, 0, false}, {{0, 1, 0, false}, {0, 1, 0, false}}, 1000},
    {KB_FUNC_ADD, KB_DTYPE_F32, {0, 1000, 0, false}, {{0, 1000, 0, false}, {0, 1000, 0, false}}, 16000},
    /* three inputs of 2000 bytes: the read port is the slowest */
    {KB_FUNC_WHERE,
     KB_DTYPE_F16,
     {0, 1000, 0, false},
     {{0, 1000, 0, false}, {0, 1000, 0, false}, {0, 1000, 0, false}},
     11719},
    /* one of them is a single element, read once: 4002 bytes */
    {KB_FUNC_WHERE,
     KB_DTYPE_F16,
     {0, 1024, 0, false},
     {{0, 1024, 0, false}, {0, 1024, 0, true}, {0, 1024, 0, false}},
     8004},
    {KB_FUNC_EXP, KB_DTYPE_F16, {0, 1000, 0, false}, {{0, 1000, 0, false}}, 32000},
    {KB_FUNC_GELU, KB_DTYPE_F32, {0, 64, 0, false}, {{0, 64, 0, false}}, 4000},
    {KB_FUNC_RECIP, KB_DTYPE_F32, {0, 65, 0, false}, {{0, 65, 0, false}}, 8000},
    /* over an axis: the lanes see the input */
    {KB_FUNC_SUM, KB_DTYPE_F16, {0, 10, 0, false}, {{10, 100, 0, false}}, 8000},
    {KB_FUNC_REDUCE_MAX, KB_DTYPE_F32, {0, 1, 0, false}, {{1, 1000, 0, false}}, 16000},
    {KB_FUNC_SOFTMAX, KB_DTYPE_F16, {10, 100, 0, false}, {{10, 100, 0, false}}, 48000},
    /* slots elsewhere: 2 ns + 2000 bytes at 128 GB/s, 6 ns + 2000 bytes at 256 GB/s */
    {KB_FUNC_ADD,
     KB_DTYPE_F16,
     {0, 1000, 0, false},
     {{0, 1000, 0, false}, {0, 1000, KB_SPACE_SRAM, false}},
     17625},
    {KB_FUNC_ADD,
     KB_DTYPE_F16,
     {0, 1000, 0, false},
     {{0, 1000, 0, false}, {0, 1000, KB_SPACE_HBM, false}},
     13813},
    {KB_FUNC_ADD, KB_DTYPE_F16, {0, 0, 0, false}, {{0, 0, 0, false}, {0, 0, 0, false}}, 0},
};

static kb_operand operand_of(const kept *run, const shape *what, uint8_t access, uint8_t dtype) {
    const uint32_t space = what->space != 0 ? what->space : KB_SPACE_TCM;
    kb_operand operand = raw_operand(run, space, access, dtype, what->rows, what->columns);
    if (what->spread)
        operand.stride[0] = 0;
    return operand;
}

static void add_math(const kept *run, const math_case *what) {
    raw_op op = {.kind = KB_OP_MATH, .blocks = KB_BLOCKS_DONE, .func = what->func, .operand_count = 1};
    op.operands[0] = operand_of(run, &what->out, KB_ACCESS_WRITE, what->dtype);
    for (unsigned i = 0; i < 3; i++)
        if (what->in[i].columns > 0 || what->out.columns == 0)
            op.operands[op.operand_count++] = operand_of(run, &what->in[i], KB_ACCESS_READ, what->dtype);
    raw_add(pe(run, 0), &op);
}

static void functions_take_what_their_form_says(void **state) {
    (void)state;
    enum { CASES = sizeof math_cases / sizeof math_cases[0] };
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 1);
    raw_create(&run);
    raw_launch(&run);
    for (size_t i = 0; i < CASES; i++)
        add_math(&run, &math_cases[i]);
    raw_simulate(&run);
    kept_check(&run);
    int64_t ready_ps = raw_find(&run, 0, KB_OP_LAUNCH, 0)->sent_ps;
    for (size_t i = 0; i < CASES; i++) {
        const kb_op *op = raw_find(&run, 0, KB_OP_MATH, i);
        assert_int_equal(op->issue_ps, ready_ps);
        assert_int_equal(op->start_ps, ready_ps + 4000); /* dispatch */
        assert_int_equal(op->done_ps - op->start_ps, math_cases[i].wanted_ps);
        assert_int_equal(raw_why(op, KB_CAUSE_COMPUTE), math_cases[i].wanted_ps);
        ready_ps = op->done_ps;
    }
    kept_fini(&run);
}

/* --- GEMM ------------------------------------------------------------------------------------ */

typedef struct gemm_case {
    uint64_t m, k, n;
    uint8_t dtype, out;
    uint32_t flags;
    const char *set[2]; /* PATH=VALUE */
    int64_t wanted_ps;
} gemm_case;

/* Tiles of 32 x 64 x 32 take 16 cycles of 1 ns in f16; each loop over K fills 8 cycles. */
static const gemm_case gemm_cases[] = {
    {32, 64, 32, KB_DTYPE_F16, KB_DTYPE_F16, 0, {NULL}, 16000 + 8000},
    {1, 1, 1, KB_DTYPE_F16, KB_DTYPE_F16, 0, {NULL}, 16000 + 8000},
    {32, 65, 32, KB_DTYPE_F16, KB_DTYPE_F32, 0, {NULL}, 2 * 16000 + 8000},
    {32, 640, 32, KB_DTYPE_BF16, KB_DTYPE_BF16, 0, {NULL}, 10 * 16000 + 8000},
    {33, 64, 32, KB_DTYPE_F16, KB_DTYPE_F16, 0, {NULL}, 2 * (16000 + 8000)},
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, 0, {NULL}, 6 * (2 * 16000 + 8000)},
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, KB_FLAG_TRANSPOSE_A | KB_FLAG_TRANSPOSE_B, {NULL}, 240000},
    {64, 128, 96, KB_DTYPE_I8, KB_DTYPE_I32, 0, {NULL}, 6 * (2 * 8000 + 8000)},
    {64, 128, 96, KB_DTYPE_F32, KB_DTYPE_F32, 0, {NULL}, 6 * (2 * 64000 + 8000)},
    /* a thrice 16384 bytes, b twice 24576, out 12288: 110592 at 100 GB/s; out once more to add to it */
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, 0, {"gemm.port_gbps=100"}, 1105920 + 48000},
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, KB_FLAG_ACCUMULATE, {"gemm.port_gbps=100"}, 1228800 + 48000},
    /* through the TCM's ports: 98304 read, 12288 written */
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, 0, {"gemm.port_gbps=0", "tcm.read_gbps=256"}, 384000 + 48000},
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, 0, {"gemm.port_gbps=0", "tcm.write_gbps=10"}, 1228800 + 48000},
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, 0, {"gemm.tile=64x128x96", "gemm.fill_cycles=0"}, 192000},
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, 0, {"clock_ghz=2"}, 108000 + 24000},
    {64, 128, 96, KB_DTYPE_F16, KB_DTYPE_F16, 0, {"gemm.macs_per_cycle=8192"}, 108000 + 48000},
};

static void add_gemm(const kept *run, const gemm_case *what, uint8_t blocks) {
    const bool turned_a = (what->flags & KB_FLAG_TRANSPOSE_A) != 0;
    const bool turned_b = (what->flags & KB_FLAG_TRANSPOSE_B) != 0;
    const uint8_t access = (what->flags & KB_FLAG_ACCUMULATE) != 0 ? KB_ACCESS_UPDATE : KB_ACCESS_WRITE;
    raw_op op = {.kind = KB_OP_GEMM, .blocks = blocks, .flags = what->flags, .operand_count = 3};
    op.numbered = blocks == KB_BLOCKS_NO;
    op.operands[0] = raw_operand(run, KB_SPACE_TCM, access, what->out, what->m, what->n);
    op.operands[1] = raw_operand(run, KB_SPACE_TCM, KB_ACCESS_READ, what->dtype, turned_a ? what->k : what->m,
                                 turned_a ? what->m : what->k);
    op.operands[2] = raw_operand(run, KB_SPACE_TCM, KB_ACCESS_READ, what->dtype, turned_b ? what->n : what->k,
                                 turned_b ? what->k : what->n);
    raw_add(pe(run, 0), &op);
}

static void products_take_what_their_form_says(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof gemm_cases / sizeof gemm_cases[0]; i++) {
        const gemm_case *what = &gemm_cases[i];
        static kept run;
        kept_init(&run, "cubes=1,pes=8", 1);
        for (unsigned s = 0; s < 2 && what->set[s] != NULL; s++)
            check_ok(kbs_machine_assign(&run.machine, what->set[s], "set", &run.trail), &run.trail);
        raw_create(&run);
        raw_launch(&run);
        add_gemm(&run, what, KB_BLOCKS_DONE);
        raw_simulate(&run);
        kept_check(&run);
        const kb_op *op = raw_find(&run, 0, KB_OP_GEMM, 0);
        assert_int_equal(op->done_ps - op->start_ps, what->wanted_ps);
        assert_int_equal(raw_why(op, KB_CAUSE_COMPUTE), what->wanted_ps);
        kept_fini(&run);
    }
}

/* --- order, lines, turns --------------------------------------------------------------------- */

/* Two products and two sums, none of which holds the sequencer up. */
static void run_four(kept *run, const char *set) {
    static const gemm_case product = {32, 64, 32, KB_DTYPE_F16, KB_DTYPE_F16, 0, {NULL}, 24000};
    kept_init(run, "cubes=1,pes=8", 1);
    check_ok(kbs_machine_assign(&run->machine, set, "set", &run->trail), &run->trail);
    raw_create(run);
    raw_launch(run);
    for (int i = 0; i < 4; i++) {
        if (i % 2 == 0) {
            add_gemm(run, &product, KB_BLOCKS_NO);
            continue;
        }
        raw_op op = {.kind = KB_OP_MATH, .func = KB_FUNC_NEG, .numbered = true, .operand_count = 2};
        op.blocks = KB_BLOCKS_NO;
        op.operands[0] = raw_operand(run, KB_SPACE_TCM, KB_ACCESS_WRITE, KB_DTYPE_F16, 0, 1000);
        op.operands[1] = raw_operand(run, KB_SPACE_TCM, KB_ACCESS_READ, KB_DTYPE_F16, 0, 1000);
        raw_add(pe(run, 0), &op);
    }
    raw_add(pe(run, 0), &(raw_op){.kind = KB_OP_FENCE, .blocks = KB_BLOCKS_DONE});
    raw_simulate(run);
    kept_check(run);
}

static void starts_are(const kept *run, const int64_t wanted_ps[4]) {
    const int64_t stamp_ps = raw_find(run, 0, KB_OP_LAUNCH, 0)->sent_ps;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(raw_find(run, 0, i % 2 == 0 ? KB_OP_GEMM : KB_OP_MATH, i / 2)->start_ps - stamp_ps,
                         wanted_ps[i]);
    const kb_op *fence = raw_find(run, 0, KB_OP_FENCE, 0);
    assert_int_equal(fence->what->claims[0].set, KB_SET_STREAM);
    int64_t latest_ps = 0;
    for (uint64_t i = 1; i < 5; i++)
        latest_ps = latest_ps > run->ops[0][i].done_ps ? latest_ps : run->ops[0][i].done_ps;
    assert_int_equal(fence->start_ps, latest_ps);
}

static void engines_work_beside_each_other_or_take_turns(void **state) {
    (void)state;
    static kept run;
    run_four(&run, "pe.compute_slots=separate"); /* handed over at 4, 8, 12, 16 ns */
    starts_are(&run, (const int64_t[]){4000, 8000, 28000, 16000});
    kept_fini(&run);
    run_four(&run, "pe.compute_slots=shared");
    starts_are(&run, (const int64_t[]){4000, 28000, 36000, 60000});
    /* Whom it claims does not depend on that: order is its own engine's. */
    const kb_op *op = raw_find(&run, 0, KB_OP_MATH, 1);
    assert_int_equal(op->claimed[0], raw_find(&run, 0, KB_OP_MATH, 0)->index);
    assert_int_equal(raw_why(op, KB_CAUSE_ENGINE_BUSY), 44000);
    kept_fini(&run);
}

static void the_sequencer_runs_ahead_as_far_as_the_line_is_long(void **state) {
    (void)state;
    static const gemm_case product = {32, 64, 32, KB_DTYPE_F16, KB_DTYPE_F16, 0, {NULL}, 24000};
    for (uint64_t depth = 1; depth <= 4; depth++) {
        static kept run;
        kept_init(&run, "cubes=1,pes=8", 1);
        run.machine.at.engine_queue_depth = depth;
        raw_create(&run);
        raw_launch(&run);
        for (int i = 0; i < 20; i++)
            add_gemm(&run, &product, KB_BLOCKS_NO);
        raw_simulate(&run);
        kept_check(&run);
        const int64_t stamp_ps = raw_find(&run, 0, KB_OP_LAUNCH, 0)->sent_ps;
        for (uint64_t i = 0; i < 20; i++) {
            const kb_op *op = raw_find(&run, 0, KB_OP_GEMM, i);
            assert_int_equal(op->start_ps, stamp_ps + 4000 + (int64_t)i * 24000);
            /* A command is taken when the one before it has found room behind `depth` others. */
            if (i > depth + 1)
                assert_int_equal(op->issue_ps, raw_find(&run, 0, KB_OP_GEMM, i - 1 - depth)->start_ps);
        }
        kept_fini(&run);
    }
}

/* --- too much -------------------------------------------------------------------------------- */

static void what_outlasts_the_clock_is_refused(void **state) {
    (void)state;
    static const uint64_t huge[] = {UINT64_C(1) << 40, UINT64_C(1) << 62};
    for (int i = 0; i < 4; i++) {
        static kept run;
        kept_init(&run, "cubes=1,pes=8", 1);
        raw_create(&run);
        raw_launch(&run);
        const uint64_t size = huge[i % 2];
        gemm_case product = {size, size, size, KB_DTYPE_F16, KB_DTYPE_F16, 0, {NULL}, 0};
        math_case function = {KB_FUNC_EXP, KB_DTYPE_F16, {size, size, 0, true}, {{size, size, 0, true}}, 0};
        if (i < 2)
            add_gemm(&run, &product, KB_BLOCKS_DONE);
        else
            add_math(&run, &function);
        check_ok(kbs_program_seal(run.program, &run.trail), &run.trail);
        check_status(kept_simulate(&run), KB_E_PROGRAM, &run.trail);
        check_says(&run.trail, "of rank 0 would run past the 26 days that the clock counts");
        kept_fini(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_take_what_their_form_says),
        cmocka_unit_test(products_take_what_their_form_says),
        cmocka_unit_test(engines_work_beside_each_other_or_take_turns),
        cmocka_unit_test(the_sequencer_runs_ahead_as_far_as_the_line_is_long),
        cmocka_unit_test(what_outlasts_the_clock_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

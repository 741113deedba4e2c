/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Undefined bytes: who may carry them, who may not use them, and who is named. Each case is a small program,
 * run as usual and strictly.
 */
#include "replayed.h"
#include "support/made.h"

enum { N = 16, AT = 0x100, TO = 0x800 };

/* The ops that should be named first, as usual and strictly; NULL: nothing is found. */
typedef struct named {
    const made_op *usual, *strict;
    const char *words; /* in the usual message, or the strict one where there is none */
} named;

static made_op *add(made_trace *it, uint64_t from, uint64_t elements) {
    made_op *op = made_add(it, PE(0), KB_OP_MATH, KB_BLOCKS_DONE);
    op->what.func = KB_FUNC_ADD;
    made_touch(op, TCM(0), KB_ACCESS_WRITE, KB_DTYPE_F16, TO, elements);
    made_touch(op, TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, from, elements);
    made_touch(op, TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, from, elements);
    return op;
}

static made_op *load(made_trace *it, uint64_t to, uint64_t from, uint64_t elements) {
    return made_move(it, PE(0), KB_OP_DMA_READ, KB_BLOCKS_DONE, TCM(0), to, HBM(0), from, elements);
}

static named what_is_written_in_part(made_trace *it) {
    load(it, AT, 0, N / 2);
    const made_op *use = add(it, AT, N);
    return (named){use, use, "wrote some of these bytes"};
}

static named what_is_written_whole(made_trace *it) {
    load(it, AT, 0, N / 2);
    load(it, AT + N, 0, N / 2);
    (void)add(it, AT, N);
    return (named){NULL, NULL, NULL};
}

static const kb_operand left_half = {.access = KB_ACCESS_WRITE, /* of N / 4 rows of 4 */
                                     .dtype = KB_DTYPE_F16,
                                     .dims = 2,
                                     .shape = {N / 4, 2},
                                     .stride = {4, 1}};

static made_op *load_tile(made_trace *it) {
    made_op *op = made_add(it, PE(0), KB_OP_DMA_READ, KB_BLOCKS_DONE);
    kb_operand tile = left_half;
    tile.memory = TCM(0);
    made_view(op, AT, tile);
    made_touch(op, HBM(0), KB_ACCESS_READ, KB_DTYPE_F16, 0, N / 2);
    return op;
}

static named a_tile_that_is_read_as_it_was_written(made_trace *it) {
    (void)load_tile(it);
    made_op *op = made_add(it, PE(0), KB_OP_MATH, KB_BLOCKS_DONE);
    kb_operand tile = left_half;
    tile.memory = TCM(0);
    tile.access = KB_ACCESS_READ;
    op->what.func = KB_FUNC_ADD;
    made_touch(op, TCM(0), KB_ACCESS_WRITE, KB_DTYPE_F16, TO, N / 2);
    op->operands[0].dims = 2;
    op->operands[0].shape[0] = N / 4;
    op->operands[0].shape[1] = 2;
    op->operands[0].stride[0] = 2;
    op->operands[0].stride[1] = 1;
    made_view(op, AT, tile);
    made_view(op, AT, tile);
    return (named){NULL, NULL, NULL};
}

static named a_tile_that_is_read_with_what_lies_between(made_trace *it) {
    (void)load_tile(it);
    const made_op *use = add(it, AT, N);
    return (named){use, use, "wrote some of these bytes"};
}

static named scratch_that_was_allocated_again(made_trace *it) {
    load(it, AT, 0, N);
    made_op *alloc = made_add(it, PE(0), KB_OP_ALLOC, KB_BLOCKS_DONE);
    made_touch(alloc, TCM(0), KB_ACCESS_WRITE, KB_DTYPE_BYTES, AT, 2 * N);
    alloc->op.id = 1;
    const made_op *use = add(it, AT, N);
    return (named){use, use, "#2 alloc left them undefined"};
}

static named scratch_that_is_written_first(made_trace *it) {
    made_op *alloc = made_add(it, PE(0), KB_OP_ALLOC, KB_BLOCKS_DONE);
    made_touch(alloc, TCM(0), KB_ACCESS_WRITE, KB_DTYPE_BYTES, AT, 2 * N);
    alloc->op.id = 1;
    load(it, AT, 0, N);
    (void)add(it, AT, N);
    return (named){NULL, NULL, NULL};
}

static named what_is_read_before_it_is_written(made_trace *it) {
    const made_op *use = add(it, AT, N);
    load(it, AT, 0, N);
    return (named){use, use, "writes them, but only afterwards"};
}

static named padding_that_only_travels(made_trace *it) {
    const made_op *copy = load(it, AT, 3 * N, N); /* half of it is there */
    (void)add(it, AT, N / 2);
    return (named){NULL, copy, "src"};
}

static named padding_that_travelled_and_is_used(made_trace *it) {
    const made_op *first = load(it, AT, 3 * N, N);
    made_move(it, PE(0), KB_OP_DMA_WRITE, KB_BLOCKS_DONE, HBM(0), 0x1000, TCM(0), AT, N);
    load(it, AT + 4 * N, 0x1000, N);
    (void)add(it, AT + 4 * N, N);
    return (named){first, first, "it moves undefined bytes"};
}

/* A message of which the second half was never written; the receiver takes `elements` of it. */
static named a_message(made_trace *it, uint64_t elements) {
    uint32_t queue = made_queue(it, 1, 0, TCM(0), 0x4000, 2, 4 * N);
    made_op *launch = made_launch(it, 1, 1);
    (void)launch;
    made_op *copy = made_message(it, queue, KB_OP_IPCQ_COPY, 0, N, TCM(1), 0, NULL);
    made_op *recv = made_message(it, queue, KB_OP_IPCQ_RECV, 0, N, 0, 0, copy);
    (void)recv;
    (void)add(it, 0x4000, elements);
    (void)made_message(it, queue, KB_OP_IPCQ_RELEASE, 0, N, 0, 0, NULL);
    return (named){elements == N ? copy : NULL, copy, elements == N ? "it moves undefined bytes" : "src"};
}

static named a_message_with_padding(made_trace *it) {
    return a_message(it, N / 2);
}

static named a_message_whose_padding_is_used(made_trace *it) {
    return a_message(it, N);
}

static named a_product_onto_undefined(made_trace *it, uint32_t flags) {
    load(it, AT, 0, N);
    made_op *op = made_add(it, PE(0), KB_OP_GEMM, KB_BLOCKS_DONE);
    op->what.flags = flags;
    kb_operand square = {.memory = TCM(0),
                         .access = flags != 0 ? KB_ACCESS_UPDATE : KB_ACCESS_WRITE,
                         .dtype = KB_DTYPE_F16,
                         .dims = 2,
                         .shape = {4, 4},
                         .stride = {4, 1}};
    made_view(op, TO, square);
    square.access = KB_ACCESS_READ;
    made_view(op, AT, square);
    made_view(op, AT, square);
    return flags != 0 ? (named){op, op, "out"} : (named){NULL, NULL, NULL};
}

static named a_product_that_adds(made_trace *it) {
    return a_product_onto_undefined(it, KB_FLAG_ACCUMULATE);
}

static named a_product_that_is_new(made_trace *it) {
    return a_product_onto_undefined(it, 0);
}

static named what_the_host_reads(made_trace *it) {
    load(it, AT, 0, N);
    made_op *op = made_add(it, HOST(0), KB_OP_HOST_READ, KB_BLOCKS_DONE);
    made_touch(op, HBM(0), KB_ACCESS_READ, KB_DTYPE_F16, 0, 2 * N + 1);
    return (named){op, op, "src"};
}

static named what_a_peek_saw(made_trace *it) {
    made_op *op = made_add(it, PE(0), KB_OP_ASSUME, KB_BLOCKS_DONE);
    made_touch(op, TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, AT, 1);
    return (named){op, op, "what"};
}

static named an_input_of_a_collective(made_trace *it) {
    const uint64_t elements = N;
    const kb_part part = {.stream = PE(0),
                          .input = TCM(0),
                          .output = TCM(0),
                          .input_offset_bytes = AT,
                          .output_offset_bytes = AT,
                          .input_count = elements,
                          .output_count = elements};
    const uint32_t rank = 0;
    const kb_group group = {"one", &rank, 1};
    uint32_t id;
    check_ok(kb_defs_add_group(&it->defs, &group, &id, NULL), NULL);
    const kb_collective row = {.kind = KB_COLL_ALL_REDUCE,
                               .group = id,
                               .reduce = KB_REDUCE_SUM,
                               .dtype = KB_DTYPE_F16,
                               .elements = elements,
                               .root = KB_NONE,
                               .algorithm = KB_NONE,
                               .parts = &part,
                               .part_count = 1};
    check_ok(kb_defs_add_collective(&it->defs, &row, &id, NULL), NULL);
    load(it, AT, 0, N - 1);
    made_op *begin = made_add(it, PE(0), KB_OP_COLL_BEGIN, KB_BLOCKS_DONE);
    made_touch(begin, TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, AT, elements);
    begin->op.collective = id + 1;
    made_op *end = made_add(it, PE(0), KB_OP_COLL_END, KB_BLOCKS_DONE);
    made_touch(end, TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, AT, elements);
    end->op.collective = id + 1;
    begin->cost_ps = end->cost_ps = 0;
    return (named){begin, begin, "input"};
}

static named (*const cases[])(made_trace *) = {what_is_written_in_part,
                                               what_is_written_whole,
                                               a_tile_that_is_read_as_it_was_written,
                                               a_tile_that_is_read_with_what_lies_between,
                                               scratch_that_was_allocated_again,
                                               scratch_that_is_written_first,
                                               what_is_read_before_it_is_written,
                                               padding_that_only_travels,
                                               padding_that_travelled_and_is_used,
                                               a_message_with_padding,
                                               a_message_whose_padding_is_used,
                                               a_product_that_adds,
                                               a_product_that_is_new,
                                               what_the_host_reads,
                                               what_a_peek_saw,
                                               an_input_of_a_collective};

/* --- all of them ------------------------------------------------------------------------------------ */

static void check(const replayed *it, size_t number, bool strict, const made_op *culprit, const char *words) {
    const kbr_finding *finding = replayed_find(it, "init", "undefined");
    bool good = culprit == NULL ? finding == NULL
                                : finding != NULL && finding->ops[0].rank == culprit->rank &&
                                      finding->ops[0].index == culprit->op.index &&
                                      (words == NULL || strstr(finding->message, words) != NULL);
    if (good)
        return;
    print_message("case %zu%s: it should name %llu, with the words `%s`\n", number,
                  strict ? ", strictly" : "", culprit != NULL ? (unsigned long long)culprit->op.index : 0,
                  words != NULL ? words : "");
    replayed_show(it);
    fail();
}

static void undefined_bytes_are_followed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int strict = 0; strict < 2; strict++) {
            made_trace made;
            replayed it;
            made_init(&made, 2);
            made_initial(&made, HBM(0), KB_DTYPE_F16, 0, 2 * N, 3);
            made_initial(&made, TCM(1), KB_DTYPE_F16, 0, N / 2, 4);
            (void)made_launch(&made, 0, 0);
            named want = cases[i](&made);
            fault_fs_init(&it.disk);
            made_write(&made, &it.disk.fs, "run.zst");
            replayed_begin(&it, &(kbr_options){.verify = true, .strict_init = strict != 0});
            check_ok(kbr_replay_run(it.replay, &it.trail), &it.trail);
            it.result = kbr_replay_result(it.replay);
            check(&it, i, strict != 0, strict != 0 ? want.strict : want.usual,
                  (strict != 0) == (want.usual == NULL) ? want.words : NULL);
            replayed_fini(&it);
            made_fini(&made);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undefined_bytes_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Adding ops, giving them times and numbers, and writing them; see made.h. */
#include "support/made.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"

static void made_define_rank(made_trace *it, uint32_t rank, kb_trail *trail) {
    static const struct {
        uint32_t space;
        const char *name;
    } memories[] = {{KB_SPACE_TCM, "tcm"}, {KB_SPACE_HBM, "hbm"}, {KB_SPACE_SRAM, "sram"}};
    uint32_t id;
    char name[32];
    snprintf(name, sizeof name, "pe%u", rank);
    check_ok(kb_defs_add_pe(&it->defs, &(kb_pe){rank, 0, 0, rank, name}, &id, trail), trail);
    check_ok(kb_defs_add_stream(&it->defs, &(kb_stream){rank, rank, name}, &id, trail), trail);
    snprintf(name, sizeof name, "host%u", rank);
    check_ok(kb_defs_add_stream(&it->defs, &(kb_stream){rank, KB_NONE, name}, &id, trail), trail);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "pe%u.%s", rank, memories[i].name);
        kb_memory memory = {memories[i].space, rank, rank, MADE_SIZE, 0, name};
        check_ok(kb_defs_add_memory(&it->defs, &memory, &id, trail), trail);
    }
    kb_engine engine = {KB_ENGINE_MATH, KB_PROMISE_TOTAL, PE(rank), 1, "math"};
    check_ok(kb_defs_add_engine(&it->defs, &engine, &id, trail), trail);
    engine = (kb_engine){KB_ENGINE_GEMM, KB_PROMISE_TOTAL, PE(rank), 1, "gemm"};
    check_ok(kb_defs_add_engine(&it->defs, &engine, &id, trail), trail);
}

void made_init(made_trace *it, uint32_t ranks) {
    kb_trail trail;
    kb_trail_init(&trail);
    memset(it, 0, sizeof *it);
    assert_true(ranks <= MADE_RANKS);
    it->ranks = ranks;
    kb_defs_init(&it->defs, kb_alloc_heap(), 0);
    check_ok(kb_defs_add_causes(&it->defs, &trail), &trail);
    uint32_t members[MADE_RANKS], id;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        made_define_rank(it, rank, &trail);
        members[rank] = rank;
    }
    check_ok(kb_defs_add_group(&it->defs, &(kb_group){"all", members, ranks}, &id, &trail), &trail);
    void *ops;
    check_ok(kb_new_zeroed(kb_alloc_heap(), MADE_OPS * sizeof(made_op), &ops, &trail), &trail);
    it->ops = ops;
    it->run = (kb_run){.model_version = "test",
                       .memory_model = "kb.mm.1",
                       .producer = "tests",
                       .bench = "made",
                       .ranks = ranks};
    kb_run_identify(&it->run);
    it->ending = (kb_ending){KB_OUTCOME_COMPLETE, "", 0};
}

void made_fini(made_trace *it) {
    kb_delete(kb_alloc_heap(), it->ops, MADE_OPS * sizeof(made_op));
    kb_defs_fini(&it->defs);
}

/* --- definitions --------------------------------------------------------------------------------- */

void made_initial(made_trace *it, uint32_t memory, uint32_t dtype, uint64_t offset, uint64_t elements,
                  uint64_t seed) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id;
    kb_initial row = {.memory = memory,
                      .dtype = dtype,
                      .recipe = KB_RECIPE_INTS,
                      .offset_bytes = offset,
                      .elements = elements,
                      .seed = seed,
                      .low = -8,
                      .high = 8};
    check_ok(kb_defs_add_initial(&it->defs, &row, &id, &trail), &trail);
}

uint32_t made_queue(made_trace *it, uint32_t from, uint32_t to, uint32_t memory, uint64_t offset,
                    uint32_t slots, uint64_t slot_bytes) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id;
    char name[32];
    snprintf(name, sizeof name, "pe%u>pe%u", from, to);
    kb_queue row = {PE(from), PE(to), 0, memory, offset, slots, slot_bytes, name};
    check_ok(kb_defs_add_queue(&it->defs, &row, &id, &trail), &trail);
    return id;
}

/* --- ops ------------------------------------------------------------------------------------------- */

void made_claim(made_op *op, uint32_t role, made_op *whom, uint32_t point) {
    assert_true(op->what.claim_count < 6);
    op->claims[op->what.claim_count] = (kb_claim){whom->rank, (uint8_t)role, (uint8_t)point, KB_SET_ONE, 0};
    op->claimed[op->what.claim_count++] = whom;
}

void made_claim_set(made_op *op, uint32_t role, uint32_t set, uint32_t point) {
    assert_true(op->what.claim_count < 6);
    op->claimed[op->what.claim_count] = NULL;
    op->claims[op->what.claim_count++] = (kb_claim){op->rank, (uint8_t)role, (uint8_t)point, (uint8_t)set, 0};
}

void made_unclaim(made_op *op, uint32_t role) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < op->what.claim_count; i++)
        if (op->claims[i].role != role) {
            op->claims[kept] = op->claims[i];
            op->claimed[kept++] = op->claimed[i];
        }
    op->what.claim_count = kept;
}

made_op *made_add(made_trace *it, uint32_t stream, uint32_t kind, uint32_t blocks) {
    assert_true(it->count < MADE_OPS);
    made_op *op = &it->ops[it->count];
    op->order = it->count++;
    op->rank = stream / 2;
    op->cost_ps = 40 + (int64_t)(op->order % 7);
    op->what = (kb_template){.kind = (uint16_t)kind,
                             .blocks = (uint8_t)blocks,
                             .reached = KB_POINT_DONE,
                             .stream = stream,
                             .engine = KB_NONE,
                             .queue = KB_NONE,
                             .route = KB_NONE,
                             .group = KB_NONE,
                             .step = KB_NONE,
                             .kernel = KB_NONE,
                             .file = KB_NONE};
    if (stream % 2 == 0) {
        op->launch = it->launches[op->rank];
        if (it->begins[op->rank]) {
            made_claim(op, KB_ROLE_LAUNCH, op->launch, KB_POINT_SENT);
            if (it->former[stream] != NULL)
                made_claim_set(op, KB_ROLE_OBSERVED, KB_SET_STREAM, KB_POINT_DONE);
            it->begins[op->rank] = false;
        }
    }
    if (kind == KB_OP_MATH || kind == KB_OP_GEMM) {
        uint32_t engine = PE(op->rank) + (kind == KB_OP_GEMM);
        op->what.engine = engine;
        if (it->served[engine] != NULL)
            made_claim(op, KB_ROLE_ENGINE, it->served[engine], KB_POINT_DONE);
        it->served[engine] = op;
    }
    it->former[stream] = op;
    return op;
}

made_op *made_launch(made_trace *it, uint32_t rank, uint64_t id) {
    made_op *op = made_add(it, HOST(rank), KB_OP_LAUNCH, KB_BLOCKS_DONE);
    op->what.group = 0;
    op->op.id = id;
    made_claim_set(op, KB_ROLE_COMPLETION, KB_SET_LAUNCHED, KB_POINT_DONE);
    it->launches[rank] = op;
    it->begins[rank] = true;
    return op;
}

void made_view(made_op *op, uint64_t offset, kb_operand view) {
    assert_true(op->what.operand_count < 4);
    op->offsets[op->what.operand_count] = offset;
    op->operands[op->what.operand_count++] = view;
}

void made_touch(made_op *op, uint32_t memory, uint32_t access, uint32_t dtype, uint64_t offset,
                uint64_t elements) {
    made_view(op, offset, kb_operand_vector(memory, (uint8_t)access, (uint8_t)dtype, elements));
}

made_op *made_move(made_trace *it, uint32_t stream, uint32_t kind, uint32_t blocks, uint32_t to,
                   uint64_t to_offset, uint32_t from, uint64_t from_offset, uint64_t elements) {
    made_op *op = made_add(it, stream, kind, blocks);
    made_touch(op, to, KB_ACCESS_WRITE, KB_DTYPE_F16, to_offset, elements);
    made_touch(op, from, KB_ACCESS_READ, KB_DTYPE_F16, from_offset, elements);
    return op;
}

made_op *made_wait(made_trace *it, made_op *whom, uint32_t point) {
    made_op *op = made_add(it, whom->what.stream, KB_OP_WAIT, KB_BLOCKS_DONE);
    made_claim(op, KB_ROLE_AWAITED, whom, point);
    op->cost_ps = 0;
    return op;
}

made_op *made_fence(made_trace *it, uint32_t stream) {
    made_op *op = made_add(it, stream, KB_OP_FENCE, KB_BLOCKS_DONE);
    made_claim_set(op, KB_ROLE_AWAITED, KB_SET_STREAM, KB_POINT_DONE);
    op->cost_ps = 0;
    return op;
}

made_op *made_barrier(made_trace *it, uint32_t stream, uint64_t id) {
    made_op *op = made_add(it, stream, KB_OP_BARRIER, KB_BLOCKS_DONE);
    op->what.group = 0;
    op->op.id = id;
    op->cost_ps = 0;
    return op;
}

made_op *made_message(made_trace *it, uint32_t queue, uint32_t kind, uint64_t sequence, uint64_t elements,
                      uint32_t source, uint64_t source_offset, made_op *claimed) {
    const kb_queue *of = &it->defs.queues[queue];
    bool copies = kind == KB_OP_IPCQ_COPY;
    made_op *op = made_add(it, copies ? of->producer : of->consumer, kind,
                           kind == KB_OP_IPCQ_RECV ? KB_BLOCKS_DONE : KB_BLOCKS_NO);
    op->what.queue = queue;
    op->op.sequence = sequence;
    made_touch(op, of->memory, copies ? KB_ACCESS_WRITE : KB_ACCESS_READ, KB_DTYPE_F16,
               of->offset_bytes + sequence % of->slots * of->slot_bytes, elements);
    if (copies)
        made_touch(op, source, KB_ACCESS_READ, KB_DTYPE_F16, source_offset, elements);
    if (claimed != NULL)
        made_claim(op, copies ? KB_ROLE_CREDIT : KB_ROLE_COPY, claimed, KB_POINT_DONE);
    return op;
}

/* --- times and numbers ----------------------------------------------------------------------------- */

static int64_t made_later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static void made_time(made_trace *it, made_op *op);

/* The time at which what a claim names has happened. */
static int64_t made_claimed_ps(made_trace *it, const made_op *op, uint32_t number) {
    const kb_claim *claim = &op->claims[number];
    int64_t latest_ps = 0;
    for (size_t i = 0; i < it->count; i++) {
        made_op *other = &it->ops[i];
        bool named = claim->set == KB_SET_ONE ? other == op->claimed[number]
                     : claim->set == KB_SET_STREAM
                         ? other->what.stream == op->what.stream && other->order < op->order
                         : other->launch == op;
        if (!named || other == op)
            continue;
        made_time(it, other);
        latest_ps =
            made_later(latest_ps, claim->point == KB_POINT_SENT ? other->op.sent_ps : other->op.done_ps);
    }
    return latest_ps;
}

/* A launch is done when all that it started is: to be asked only when that is over. */
static void made_complete(made_trace *it, made_op *op) {
    for (uint32_t i = 0; i < op->what.claim_count; i++)
        if (op->claims[i].role == KB_ROLE_COMPLETION)
            op->op.done_ps = made_later(op->op.done_ps, made_claimed_ps(it, op, i));
}

/* When the stream of an op is free for it. */
static int64_t made_free_ps(made_trace *it, const made_op *op) {
    for (size_t i = op->order; i-- > 0;) {
        made_op *before = &it->ops[i];
        if (before->what.stream != op->what.stream)
            continue;
        made_time(it, before);
        made_complete(it, before);
        return before->what.blocks == KB_BLOCKS_NO     ? before->op.issue_ps
               : before->what.blocks == KB_BLOCKS_SENT ? before->op.sent_ps
                                                       : before->op.done_ps;
    }
    return 100;
}

static int64_t made_issue_ps(made_trace *it, const made_op *op) {
    int64_t issue_ps = made_free_ps(it, op);
    for (uint32_t i = 0; i < op->what.claim_count; i++)
        if (op->claims[i].role == KB_ROLE_LAUNCH || op->claims[i].role == KB_ROLE_OBSERVED)
            issue_ps = made_later(issue_ps, made_claimed_ps(it, op, i));
    return issue_ps;
}

/* When all members of a barrier are issued. */
static int64_t made_met_ps(made_trace *it, const made_op *op) {
    int64_t latest_ps = 0;
    for (size_t i = 0; i < it->count; i++)
        if (it->ops[i].what.kind == KB_OP_BARRIER && it->ops[i].op.id == op->op.id)
            latest_ps = made_later(latest_ps, made_issue_ps(it, &it->ops[i]));
    return latest_ps;
}

static void made_time(made_trace *it, made_op *op) {
    if (op->timed)
        return;
    op->timed = true;
    op->op.issue_ps = made_issue_ps(it, op);
    int64_t start_ps = op->what.kind == KB_OP_BARRIER ? made_met_ps(it, op) : op->op.issue_ps;
    for (uint32_t i = 0; i < op->what.claim_count; i++)
        if (op->claims[i].role != KB_ROLE_COMPLETION)
            start_ps = made_later(start_ps, made_claimed_ps(it, op, i));
    op->op.start_ps = start_ps;
    op->op.sent_ps = start_ps + op->cost_ps / 2;
    op->op.done_ps = start_ps + op->cost_ps;
}

void made_times(made_trace *it) {
    for (size_t i = 0; !it->timed && i < it->count; i++)
        made_time(it, &it->ops[i]);
    for (size_t i = 0; !it->timed && i < it->count; i++)
        made_complete(it, &it->ops[i]);
    it->timed = true;
}

static bool made_before(const made_op *a, const made_op *b) {
    if (a->op.issue_ps != b->op.issue_ps)
        return a->op.issue_ps < b->op.issue_ps;
    if (a->what.stream != b->what.stream)
        return a->what.stream < b->what.stream;
    return a->order < b->order;
}

/* The numbers of a rank's ops: by issue, stream, program order. */
static size_t made_number(made_trace *it, uint32_t rank, made_op **ops) {
    size_t count = 0;
    for (size_t i = 0; i < it->count; i++) {
        if (it->ops[i].rank != rank)
            continue;
        size_t at = count++;
        for (; at > 0 && made_before(&it->ops[i], ops[at - 1]); at--)
            ops[at] = ops[at - 1];
        ops[at] = &it->ops[i];
    }
    for (size_t i = 0; i < count; i++)
        ops[i]->op.index = i;
    return count;
}

static kb_status made_put(made_trace *it, kb_writer *writer, made_op *op, kb_trail *trail) {
    for (uint32_t i = 0; i < op->what.claim_count; i++)
        op->claimed_index[i] = op->claimed[i] != NULL ? op->claimed[i]->op.index : 0;
    op->why = (kb_why){KB_CAUSE_COMPUTE, KB_RESOURCE_NONE, 0};
    op->blame = (kb_blame){op->op.done_ps - op->op.issue_ps, KB_NONE, 0, 0};
    op->what.why_count = 1;
    op->what.whys = &op->why;
    op->what.operands = op->operands;
    op->what.claims = op->claims;
    op->what.immediates = &op->immediate;
    op->op.what = &op->what;
    op->op.offsets = op->offsets;
    op->op.claimed = op->claimed_index;
    op->op.blames = &op->blame;
    op->op.payload = op->op.payload_size != 0 ? op->payload : NULL;
    if (op->op.done_ps > it->ending.time_ps)
        it->ending.time_ps = op->op.done_ps;
    return kb_writer_put(writer, op->rank, &op->op, trail);
}

static kb_status made_put_all(made_trace *it, kb_writer *writer, kb_trail *trail) {
    static made_op *ops[MADE_RANKS][MADE_OPS];
    size_t counts[MADE_RANKS];
    for (uint32_t rank = 0; rank < it->ranks; rank++)
        counts[rank] = made_number(it, rank, ops[rank]);
    for (uint32_t rank = 0; rank < it->ranks; rank++)
        for (size_t i = 0; i < counts[rank]; i++)
            KB_TRY(made_put(it, writer, ops[rank][i], trail));
    return kb_writer_finish(writer, &it->ending, NULL, trail);
}

kb_status made_try_write(made_trace *it, const kb_fs *fs, const char *path, kb_trail *trail) {
    kb_writer *writer;
    kb_writer_options options = {.path = path, .fs = fs, .open_bytes = it->open_bytes};
    made_times(it);
    KB_TRY(kb_writer_create(&options, &it->run, &it->defs, &writer, trail));
    kb_status status = made_put_all(it, writer, trail);
    kb_writer_destroy(writer);
    return status;
}

void made_write(made_trace *it, const kb_fs *fs, const char *path) {
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(made_try_write(it, fs, path, &trail), &trail);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Making, changing and writing the ring; see ring.h. */
#include "support/ring.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"

enum { CAPACITY = 1024, HEADROOM_PS = 100 };

/* --- definitions ------------------------------------------------------------------------------- */

static uint64_t chunk_first(const ring *it, uint64_t chunk) {
    uint64_t size = (it->shape.elements + it->shape.ranks - 1) / it->shape.ranks, first = chunk * size;
    return first < it->shape.elements ? first : it->shape.elements;
}

static uint64_t chunk_count(const ring *it, uint64_t chunk) {
    return chunk_first(it, chunk + 1) - chunk_first(it, chunk);
}

static uint64_t slot_bytes(const ring *it) {
    uint64_t bytes = chunk_count(it, 0) * kb_dtype_size(it->shape.dtype);
    return (bytes + 255) / 256 * 256;
}

static void define_rank(ring *it, uint32_t rank) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id, ranks = it->shape.ranks;
    char name[64];
    uint64_t origin = 0, shape = it->shape.elements;
    int64_t stride = 1;
    snprintf(name, sizeof name, "pe%u", rank);
    check_ok(kb_defs_add_pe(&it->defs, &(kb_pe){.rank = rank, .pe = rank, .name = name}, &id, &trail),
             &trail);
    snprintf(name, sizeof name, "math%u", rank);
    kb_engine engine = {KB_ENGINE_MATH, KB_PROMISE_TOTAL, rank, 1, name};
    check_ok(kb_defs_add_engine(&it->defs, &engine, &id, &trail), &trail);
    snprintf(name, sizeof name, "pe%u.tcm", rank);
    kb_memory memory = {KB_SPACE_TCM, rank, rank, RING_TCM_SIZE, (uint64_t)rank << 32, name};
    check_ok(kb_defs_add_memory(&it->defs, &memory, &id, &trail), &trail);
    snprintf(name, sizeof name, "pe%u>pe%u", rank, (rank + 1) % ranks);
    kb_queue queue = {
        rank, (rank + 1) % ranks, 0, (rank + 1) % ranks, RING_AT, it->shape.slots, slot_bytes(it), name};
    check_ok(kb_defs_add_queue(&it->defs, &queue, &id, &trail), &trail);
    kb_shard shard = {.memory = rank,
                      .offset_bytes = RING_X_AT,
                      .origin = &origin,
                      .origin_count = 1,
                      .shape = &shape,
                      .shape_count = 1,
                      .stride = &stride,
                      .stride_count = 1};
    kb_tensor tensor = {"x", it->shape.dtype, rank, &shape, 1, &shard, 1};
    check_ok(kb_defs_add_tensor(&it->defs, &tensor, &id, &trail), &trail);
    kb_initial initial = {.memory = rank,
                          .dtype = it->shape.dtype,
                          .recipe = it->shape.recipe,
                          .offset_bytes = RING_X_AT,
                          .elements = it->shape.elements,
                          .seed = it->shape.seed * 1000 + rank,
                          .low = it->shape.low,
                          .high = it->shape.high};
    check_ok(kb_defs_add_initial(&it->defs, &initial, &id, &trail), &trail);
}

static void define(ring *it) {
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id, ranks = it->shape.ranks, members[64];
    kb_part parts[64];
    kb_defs_init(&it->defs, kb_alloc_heap(), 0);
    check_ok(kb_defs_add_causes(&it->defs, &trail), &trail);
    for (uint32_t rank = 0; rank < ranks; rank++) {
        char name[32];
        snprintf(name, sizeof name, "pe%u", rank);
        check_ok(kb_defs_add_stream(&it->defs, &(kb_stream){rank, rank, name}, &id, &trail), &trail);
        members[rank] = rank;
        parts[rank] = (kb_part){.rank = rank,
                                .stream = rank,
                                .input = rank,
                                .output = rank,
                                .input_offset_bytes = RING_X_AT,
                                .output_offset_bytes = RING_X_AT,
                                .input_count = it->shape.elements,
                                .output_count = it->shape.elements};
    }
    for (uint32_t rank = 0; rank < ranks; rank++) {
        char name[32];
        snprintf(name, sizeof name, "host%u", rank);
        check_ok(kb_defs_add_stream(&it->defs, &(kb_stream){rank, KB_NONE, name}, &id, &trail), &trail);
    }
    for (uint32_t rank = 0; rank < ranks; rank++)
        define_rank(it, rank);
    check_ok(kb_defs_add_group(&it->defs, &(kb_group){"all", members, ranks}, &id, &trail), &trail);
    uint32_t algorithm;
    check_ok(kb_defs_intern(&it->defs, "ring", &algorithm, &trail), &trail);
    kb_collective collective = {.kind = KB_COLL_ALL_REDUCE,
                                .group = id,
                                .reduce = it->shape.reduce,
                                .dtype = it->shape.dtype,
                                .elements = it->shape.elements,
                                .root = KB_NONE,
                                .algorithm = algorithm,
                                .parts = parts,
                                .part_count = ranks};
    check_ok(kb_defs_add_collective(&it->defs, &collective, &id, &trail), &trail);
}

/* --- ops --------------------------------------------------------------------------------------- */

/* The next op of a rank's PE stream, or of its host's. */
static ring_op *add(ring *it, uint32_t rank, uint32_t kind, uint32_t blocks, uint32_t line) {
    assert_true(it->op_count[rank] < CAPACITY);
    ring_op *op = &it->ops[rank][it->op_count[rank]];
    uint32_t file;
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kb_defs_intern(&it->defs, "ring.c", &file, &trail), &trail);
    memset(op, 0, sizeof *op);
    op->op.index = it->op_count[rank]++;
    op->what = (kb_template){.kind = (uint16_t)kind,
                             .blocks = (uint8_t)blocks,
                             .reached = KB_POINT_DONE,
                             .stream = kind == KB_OP_LAUNCH ? it->shape.ranks + rank : rank,
                             .engine = KB_NONE,
                             .queue = KB_NONE,
                             .route = KB_NONE,
                             .group = KB_NONE,
                             .step = KB_NONE,
                             .kernel = KB_NONE,
                             .file = file,
                             .line = line};
    return op;
}

static void add_operand(ring_op *op, uint32_t memory, uint32_t access, uint32_t dtype, uint64_t offset,
                        uint64_t elements) {
    op->operands[op->what.operand_count] =
        kb_operand_vector(memory, (uint8_t)access, (uint8_t)dtype, elements);
    op->offsets[op->what.operand_count++] = offset;
}

void ring_claim(ring_op *op, uint32_t role, uint32_t rank, uint64_t index, uint32_t point) {
    op->claims[op->what.claim_count] = (kb_claim){rank, (uint8_t)role, (uint8_t)point, KB_SET_ONE, 0};
    op->claimed[op->what.claim_count++] = index;
}

void ring_unclaim(ring_op *op, uint32_t role) {
    for (uint32_t i = 0; i < op->what.claim_count; i++)
        if (op->claims[i].role == role) {
            op->what.claim_count--;
            memmove(&op->claims[i], &op->claims[i + 1], (op->what.claim_count - i) * sizeof op->claims[0]);
            memmove(&op->claimed[i], &op->claimed[i + 1], (op->what.claim_count - i) * sizeof op->claimed[0]);
            return;
        }
    fail_msg("the op makes no such claim");
}

/* Where the ops of a message stand: every rank has the same program, as long as no chunk is empty. */
typedef struct places {
    uint64_t copy, release;
} places;

static uint64_t x_at(const ring *it, uint64_t chunk) {
    return RING_X_AT + chunk_first(it, chunk) * kb_dtype_size(it->shape.dtype);
}

/* One step of the ring: send one chunk, receive another and add it or take it over. */
static void add_step(ring *it, uint32_t rank, uint64_t sequence, uint64_t send, uint64_t take, bool reduces,
                     const places *at, uint64_t *inout_math) {
    uint32_t ranks = it->shape.ranks, before = (rank + ranks - 1) % ranks, after = (rank + 1) % ranks;
    uint32_t dtype = it->shape.dtype, slots = it->shape.slots;
    uint64_t slot = RING_AT + sequence % slots * slot_bytes(it), step = sequence % (ranks - 1);
    ring_op *copy = add(it, rank, KB_OP_IPCQ_COPY, KB_BLOCKS_NO, reduces ? 10 : 20);
    copy->what.queue = rank;
    copy->op.sequence = sequence;
    add_operand(copy, after, KB_ACCESS_WRITE, dtype, slot, chunk_count(it, send));
    add_operand(copy, rank, KB_ACCESS_READ, dtype, x_at(it, send), chunk_count(it, send));
    if (sequence >= slots)
        ring_claim(copy, KB_ROLE_CREDIT, after, at[sequence - slots].release, KB_POINT_DONE);
    uint64_t copy_index = copy->op.index;
    ring_op *recv = add(it, rank, KB_OP_IPCQ_RECV, KB_BLOCKS_DONE, reduces ? 11 : 21);
    recv->what.queue = before;
    recv->op.sequence = sequence;
    add_operand(recv, rank, KB_ACCESS_READ, dtype, slot, chunk_count(it, take));
    ring_claim(recv, KB_ROLE_COPY, before, at[sequence].copy, KB_POINT_DONE);
    ring_op *use = add(it, rank, reduces ? KB_OP_MATH : KB_OP_DMA_READ, KB_BLOCKS_DONE, reduces ? 12 : 22);
    add_operand(use, rank, KB_ACCESS_WRITE, dtype, x_at(it, take), chunk_count(it, take));
    if (reduces) {
        static const uint32_t funcs[] = {[KB_REDUCE_SUM] = KB_FUNC_ADD,
                                         [KB_REDUCE_PROD] = KB_FUNC_MUL,
                                         [KB_REDUCE_MIN] = KB_FUNC_MIN,
                                         [KB_REDUCE_MAX] = KB_FUNC_MAX};
        use->what.engine = rank;
        use->what.func = funcs[it->shape.reduce];
        add_operand(use, rank, KB_ACCESS_READ, dtype, x_at(it, take), chunk_count(it, take));
        if (*inout_math != UINT64_MAX)
            ring_claim(use, KB_ROLE_ENGINE, rank, *inout_math, KB_POINT_DONE);
        *inout_math = use->op.index;
    }
    add_operand(use, rank, KB_ACCESS_READ, dtype, slot, chunk_count(it, take));
    ring_op *release = add(it, rank, KB_OP_IPCQ_RELEASE, KB_BLOCKS_NO, reduces ? 13 : 23);
    release->what.queue = before;
    release->op.sequence = sequence;
    add_operand(release, rank, KB_ACCESS_READ, dtype, slot, chunk_count(it, take));
    ring_op *wait = add(it, rank, KB_OP_WAIT, KB_BLOCKS_DONE, reduces ? 14 : 24);
    ring_claim(wait, KB_ROLE_AWAITED, rank, copy_index, KB_POINT_SENT);
    uint32_t label;
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kb_defs_intern(&it->defs, reduces ? "reduce-scatter" : "all-gather", &label, &trail), &trail);
    for (uint64_t i = copy_index; i < it->op_count[rank]; i++) {
        it->ops[rank][i].what.step = label;
        it->ops[rank][i].op.step = step;
    }
}

static void add_rank(ring *it, uint32_t rank, const places *at) {
    uint32_t ranks = it->shape.ranks;
    ring_op *launch = add(it, rank, KB_OP_LAUNCH, KB_BLOCKS_DONE, 1);
    launch->what.group = 0;
    launch->claims[0] = (kb_claim){rank, KB_ROLE_COMPLETION, KB_POINT_DONE, KB_SET_LAUNCHED, 0};
    launch->what.claim_count = 1;
    ring_op *begin = add(it, rank, KB_OP_COLL_BEGIN, KB_BLOCKS_DONE, 2);
    add_operand(begin, rank, KB_ACCESS_READ, it->shape.dtype, RING_X_AT, it->shape.elements);
    ring_claim(begin, KB_ROLE_LAUNCH, rank, 0, KB_POINT_SENT);
    uint64_t math = UINT64_MAX;
    for (uint32_t s = 0; s + 1 < ranks; s++)
        add_step(it, rank, s, (rank + ranks - s) % ranks, (rank + 2 * ranks - s - 1) % ranks, true, at,
                 &math);
    for (uint32_t s = 0; s + 1 < ranks; s++)
        add_step(it, rank, ranks - 1 + s, (rank + 1 + ranks - s) % ranks, (rank + 2 * ranks - s) % ranks,
                 false, at, &math);
    ring_op *end = add(it, rank, KB_OP_COLL_END, KB_BLOCKS_DONE, 3);
    add_operand(end, rank, KB_ACCESS_READ, it->shape.dtype, RING_X_AT, it->shape.elements);
    for (uint64_t i = begin->op.index; i < it->op_count[rank]; i++)
        it->ops[rank][i].op.collective = 1;
}

/* --- times ------------------------------------------------------------------------------------- */

static int64_t point_of(const ring_op *op, uint32_t point) {
    return point == KB_POINT_SENT ? op->op.sent_ps : op->op.done_ps;
}

/* When the rank's op `index` runs, if all it claims is timed already: each op takes some time of its own. */
static bool time_op(ring *it, const size_t *timed, uint32_t rank, size_t index) {
    ring_op *op = &it->ops[rank][index], *former = index > 1 ? &it->ops[rank][index - 1] : NULL;
    int64_t issue = HEADROOM_PS, cost = op->what.operand_count != 0 ? 50 + 7 * (int64_t)rank : 0;
    if (former != NULL)
        issue = former->what.blocks == KB_BLOCKS_NO ? former->op.issue_ps : former->op.done_ps;
    int64_t start = issue;
    for (uint32_t i = 0; i < op->what.claim_count; i++) {
        if (op->claimed[i] >= timed[op->claims[i].rank] && op->claims[i].role != KB_ROLE_LAUNCH)
            return false;
        int64_t at = point_of(&it->ops[op->claims[i].rank][op->claimed[i]], op->claims[i].point);
        start = op->claims[i].role != KB_ROLE_LAUNCH && at > start ? at : start;
    }
    if (op->what.kind == KB_OP_COLL_BEGIN || op->what.kind == KB_OP_COLL_END ||
        op->what.kind == KB_OP_IPCQ_RECV)
        cost = 0;
    op->op.issue_ps = issue;
    op->op.start_ps = start;
    op->op.sent_ps = start + (op->what.kind == KB_OP_IPCQ_COPY ? cost / 2 : cost);
    op->op.done_ps = start + cost;
    return true;
}

static void give_times(ring *it) {
    size_t timed[64];
    bool moved = true;
    for (uint32_t rank = 0; rank < it->shape.ranks; rank++) {
        timed[rank] = 1;
        it->ops[rank][0].op.sent_ps = it->ops[rank][0].op.done_ps = HEADROOM_PS;
    }
    while (moved) {
        moved = false;
        for (uint32_t rank = 0; rank < it->shape.ranks; rank++)
            while (timed[rank] < it->op_count[rank] && time_op(it, timed, rank, timed[rank])) {
                timed[rank]++;
                moved = true;
            }
    }
    for (uint32_t rank = 0; rank < it->shape.ranks; rank++) {
        ring_op *launch = &it->ops[rank][0];
        assert_int_equal(timed[rank], it->op_count[rank]);
        for (size_t i = 1; i < it->op_count[rank]; i++)
            if (it->ops[rank][i].op.done_ps > launch->op.done_ps)
                launch->op.done_ps = it->ops[rank][i].op.done_ps;
        if (launch->op.done_ps > it->ending.time_ps)
            it->ending.time_ps = launch->op.done_ps;
        for (size_t i = 0; i < it->op_count[rank]; i++) {
            ring_op *op = &it->ops[rank][i];
            op->whys[0] = (kb_why){KB_CAUSE_AWAITED, KB_RESOURCE_NONE, 0};
            op->blames[0] = (kb_blame){op->op.done_ps - op->op.issue_ps, KB_NONE, 0, 0};
            op->what.why_count = 1;
        }
    }
}

/* --- life -------------------------------------------------------------------------------------- */

void ring_make(ring *it, const ring_shape *shape) {
    kb_trail trail;
    kb_trail_init(&trail);
    *it = (ring){.shape = *shape, .ending = {KB_OUTCOME_COMPLETE, "", 0}};
    it->shape.dtype = shape->dtype != 0 ? shape->dtype : KB_DTYPE_F16;
    it->shape.reduce = shape->reduce != 0 ? shape->reduce : KB_REDUCE_SUM;
    it->shape.recipe = shape->recipe != 0 ? shape->recipe : KB_RECIPE_INTS;
    it->shape.slots = shape->slots != 0 ? shape->slots : 4;
    if (shape->low == 0.0 && shape->high == 0.0) {
        it->shape.low = -8.0;
        it->shape.high = 8.0;
    }
    /* No chunk may be empty, so that all ranks' programs are alike. */
    assert_true(shape->ranks <= 32);
    define(it);
    assert_true(chunk_count(it, shape->ranks - 1) > 0);
    kb_arena_init(&it->arena, kb_alloc_heap(), 0);
    void *block;
    check_ok(kb_arena_new(&it->arena, shape->ranks * sizeof *it->ops, &block, &trail), &trail);
    it->ops = block;
    check_ok(kb_arena_new(&it->arena, shape->ranks * sizeof *it->op_count, &block, &trail), &trail);
    it->op_count = block;
    places at[64];
    for (uint64_t sequence = 0; sequence < 64; sequence++)
        at[sequence] = (places){2 + 5 * sequence, 2 + 5 * sequence + 3};
    for (uint32_t rank = 0; rank < shape->ranks; rank++) {
        check_ok(kb_arena_new(&it->arena, CAPACITY * sizeof(ring_op), &block, &trail), &trail);
        it->ops[rank] = block;
        add_rank(it, rank, at);
    }
    give_times(it);
    it->run = (kb_run){.model_version = "test",
                       .memory_model = "kb.mm.1",
                       .producer = "tests",
                       .bench = "ring",
                       .seed = shape->seed,
                       .ranks = shape->ranks};
    kb_run_identify(&it->run);
}

void ring_fini(ring *it) {
    kb_defs_fini(&it->defs);
    kb_arena_fini(&it->arena);
}

size_t ring_count(const ring *it, uint32_t rank, uint32_t kind) {
    size_t count = 0;
    for (size_t i = 0; i < it->op_count[rank]; i++)
        count += it->ops[rank][i].what.kind == kind;
    return count;
}

ring_op *ring_find(ring *it, uint32_t rank, uint32_t kind, size_t n) {
    for (size_t i = 0; i < it->op_count[rank]; i++)
        if (it->ops[rank][i].what.kind == kind && n-- == 0)
            return &it->ops[rank][i];
    fail_msg("rank %u has no such op", rank);
    return NULL;
}

/* --- changing and writing ---------------------------------------------------------------------- */

static void drop_claims(ring_op *op, uint32_t rank, uint64_t index) {
    for (uint32_t i = 0; i < op->what.claim_count;) {
        bool one = op->claims[i].set == KB_SET_ONE && op->claims[i].rank == rank;
        if (one && op->claimed[i] == index) {
            ring_unclaim(op, op->claims[i].role);
            continue;
        }
        if (one && op->claimed[i] > index)
            op->claimed[i]--;
        i++;
    }
}

void ring_drop(ring *it, uint32_t rank, uint64_t index) {
    it->op_count[rank]--;
    memmove(&it->ops[rank][index], &it->ops[rank][index + 1], (it->op_count[rank] - index) * sizeof(ring_op));
    for (size_t i = index; i < it->op_count[rank]; i++)
        it->ops[rank][i].op.index = i;
    for (uint32_t other = 0; other < it->shape.ranks; other++)
        for (size_t i = 0; i < it->op_count[other]; i++)
            drop_claims(&it->ops[other][i], rank, index);
}

static kb_status put_ops(ring *it, kb_writer *writer, kb_trail *trail) {
    for (uint32_t rank = 0; rank < it->shape.ranks; rank++)
        for (size_t i = 0; i < it->op_count[rank]; i++) {
            ring_op *op = &it->ops[rank][i];
            op->what.operands = op->operands;
            op->what.claims = op->claims;
            op->what.whys = op->whys;
            op->op.what = &op->what;
            op->op.offsets = op->offsets;
            op->op.claimed = op->claimed;
            op->op.blames = op->blames;
            KB_TRY(kb_writer_put(writer, rank, &op->op, trail));
        }
    return kb_writer_finish(writer, &it->ending, NULL, trail);
}

kb_status ring_try_write(ring *it, const kb_fs *fs, const char *path, kb_trail *trail) {
    kb_writer *writer;
    kb_writer_options options = {.path = path, .fs = fs};
    KB_TRY(kb_writer_create(&options, &it->run, &it->defs, &writer, trail));
    kb_status status = put_ops(it, writer, trail);
    kb_writer_destroy(writer);
    return status;
}

void ring_write(ring *it, const kb_fs *fs, const char *path) {
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(ring_try_write(it, fs, path, &trail), &trail);
}

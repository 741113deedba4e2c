/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ancestor-trace NAME clean|bad OUT: a program that a former simulator got wrong, as the trace that it would
 * have written (bad), and as it should be (clean). Prints rank and index of the culprit. Without arguments it
 * lists the names.
 */
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/made.h"

/* Places: x and y, each of ELEMENTS in f16, in HBM; the sum, scratch memory, sources and the ring in TCM. */
enum { ELEMENTS = 32, TILES = 2, TILE = ELEMENTS / TILES, MESSAGES = 4, SLOTS = 2 };
enum { X_AT = 0, Y_AT = 0x1000, SUM_AT = 0x400, SCRATCH_AT = 0x800, SOURCE_AT = 0xC00, RING_AT = 0x8000 };

typedef struct scene {
    made_trace made;
    bool is_bad;
    made_op *culprit;
} scene;

/* --- ops ------------------------------------------------------------------------------------------- */

static made_op *load(scene *it, uint32_t rank, uint32_t blocks, uint64_t to, uint32_t memory, uint64_t offset,
                     uint64_t elements) {
    return made_move(&it->made, PE(rank), KB_OP_DMA_READ, blocks, TCM(rank), to, memory, offset, elements);
}

static made_op *store(scene *it, uint32_t rank, uint32_t blocks, uint32_t memory, uint64_t offset,
                      uint64_t from, uint64_t elements) {
    return made_move(&it->made, PE(rank), KB_OP_DMA_WRITE, blocks, memory, offset, TCM(rank), from, elements);
}

/* In TCM: the place to += the place from. */
static made_op *add(scene *it, uint32_t rank, uint32_t blocks, uint64_t to, uint64_t from,
                    uint64_t elements) {
    made_op *op = made_add(&it->made, PE(rank), KB_OP_MATH, blocks);
    op->what.func = KB_FUNC_ADD;
    made_touch(op, TCM(rank), KB_ACCESS_WRITE, KB_DTYPE_F16, to, elements);
    made_touch(op, TCM(rank), KB_ACCESS_READ, KB_DTYPE_F16, to, elements);
    made_touch(op, TCM(rank), KB_ACCESS_READ, KB_DTYPE_F16, from, elements);
    return op;
}

/* Scratch memory begins to live: what an earlier kernel left there is undefined. */
static made_op *take_scratch(scene *it, uint32_t rank) {
    made_op *op = made_add(&it->made, PE(rank), KB_OP_ALLOC, KB_BLOCKS_DONE);
    made_touch(op, TCM(rank), KB_ACCESS_WRITE, KB_DTYPE_BYTES, SCRATCH_AT, 2 * ELEMENTS);
    op->op.id = 1;
    op->cost_ps = 0;
    return op;
}

static made_op *enter(scene *it, uint32_t rank, uint32_t kind) {
    made_op *op = made_add(&it->made, PE(rank), kind, KB_BLOCKS_DONE);
    made_touch(op, HBM(rank), KB_ACCESS_READ, KB_DTYPE_F16, X_AT, ELEMENTS);
    op->op.collective = 1;
    op->cost_ps = 0;
    return op;
}

/* --- a sum over two ranks, each of which fetches the other's x tile by tile ------------------------- */

enum {
    FAULT_LOAD_LATER = 1, /* the second tile is added before it comes */
    FAULT_LOAD_NEVER,
    FAULT_NOT_AWAITED, /* it is on its way when it is added */
    FAULT_SPACE,       /* it comes from the same place of another memory, where nothing lies */
    FAULT_SPACE_OTHER, /* … or something else does */
    FAULT_LENGTH,      /* half of it is added */
    FAULT_NO_ADD,      /* it is not added */
    FAULT_SLICES,      /* rank 1 takes the other's memory for its own */
    FAULT_NO_KERNEL,   /* rank 1's kernel does not run */
    FAULT_NO_START,    /* rank 1 hands its last load over, and it never starts */
    FAULT_EARLY        /* rank 1 begins before the start stamp */
};

static void define_sum(scene *it) {
    kb_part parts[2];
    for (uint32_t rank = 0; rank < 2; rank++) {
        parts[rank] = (kb_part){.rank = rank,
                                .stream = PE(rank),
                                .input = HBM(rank),
                                .output = HBM(rank),
                                .input_count = ELEMENTS,
                                .output_count = ELEMENTS};
        made_initial(&it->made, HBM(rank), KB_DTYPE_F16, X_AT, ELEMENTS, 5 + rank);
    }
    const kb_collective row = {.kind = KB_COLL_ALL_REDUCE,
                               .reduce = KB_REDUCE_SUM,
                               .dtype = KB_DTYPE_F16,
                               .elements = ELEMENTS,
                               .root = KB_NONE,
                               .algorithm = KB_NONE,
                               .parts = parts,
                               .part_count = 2};
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id;
    check_ok(kb_defs_add_collective(&it->made.defs, &row, &id, &trail), &trail);
}

/* The last tile of the other's x, and what goes wrong with it. */
static void fetch_last(scene *it, uint32_t rank, int fault) {
    const uint64_t at = (TILES - 1) * 2 * TILE, sum = SUM_AT + at;
    uint32_t memory = HBM(1 - rank);
    if (fault == FAULT_SPACE || fault == FAULT_SPACE_OTHER)
        memory = SRAM(1 - rank);
    if (fault == FAULT_LOAD_LATER || fault == FAULT_LOAD_NEVER) {
        it->culprit = add(it, rank, KB_BLOCKS_DONE, sum, SCRATCH_AT, TILE);
        if (fault == FAULT_LOAD_LATER)
            load(it, rank, KB_BLOCKS_DONE, SCRATCH_AT, memory, X_AT + at, TILE);
        return;
    }
    made_op *fetched = load(it, rank, KB_BLOCKS_NO, SCRATCH_AT, memory, X_AT + at, TILE);
    if (fault != FAULT_NOT_AWAITED)
        made_wait(&it->made, fetched, KB_POINT_DONE);
    if (fault == FAULT_NO_ADD) {
        it->culprit = fetched;
        return;
    }
    made_op *added = add(it, rank, KB_BLOCKS_DONE, sum, SCRATCH_AT, fault == FAULT_LENGTH ? TILE / 2 : TILE);
    if (fault == FAULT_NO_START) {
        fetched->what.reached = KB_POINT_ISSUE;
        fetched->cost_ps = 0;
    }
    it->culprit = fault == FAULT_NOT_AWAITED || fault == FAULT_LENGTH ? added : fetched;
}

static void sum(scene *it, int fault) {
    made_trace *made = &it->made;
    fault = it->is_bad ? fault : 0;
    made_init(made, 2);
    define_sum(it);
    made_initial(made, SRAM(0), KB_DTYPE_F16, X_AT, fault == FAULT_SPACE ? 1 : ELEMENTS, 9);
    const uint32_t ranks = fault == FAULT_NO_KERNEL ? 1 : 2;
    made_op *launch = NULL, *first = NULL;
    for (uint32_t rank = 0; rank < 2; rank++)
        it->culprit = launch = made_launch(made, rank, 0);
    for (uint32_t rank = 0; rank < ranks; rank++) {
        first = take_scratch(it, rank);
        enter(it, rank, KB_OP_COLL_BEGIN);
        if (ranks == 2)
            made_barrier(made, PE(rank), 0);
    }
    for (uint32_t rank = 0; rank < ranks; rank++) {
        const uint32_t own = fault == FAULT_SLICES ? HBM(0) : HBM(rank);
        load(it, rank, KB_BLOCKS_DONE, SUM_AT, own, X_AT, ELEMENTS);
        load(it, rank, KB_BLOCKS_DONE, SCRATCH_AT, HBM(1 - rank), X_AT, TILE);
        add(it, rank, KB_BLOCKS_DONE, SUM_AT, SCRATCH_AT, TILE);
        if (ranks == 2)
            fetch_last(it, rank, rank == 1 ? fault : 0);
    }
    for (uint32_t rank = 0; rank < ranks; rank++) {
        if (ranks == 2)
            made_barrier(made, PE(rank), 1);
        const uint32_t own = fault == FAULT_SLICES ? HBM(0) : HBM(rank);
        made_op *result = store(it, rank, KB_BLOCKS_DONE, own, X_AT, SUM_AT, ELEMENTS);
        if (fault == FAULT_SLICES)
            it->culprit = result;
        enter(it, rank, KB_OP_COLL_END);
    }
    made_times(made);
    if (fault == FAULT_EARLY) {
        it->culprit = first;
        launch->op.sent_ps = first->op.issue_ps + 10;
    }
}

/* --- messages of a queue of two slots, which the receiver sums up ---------------------------------- */

enum {
    SLIP_SENT = 1, /* the source of a message changes before it is sent */
    SLIP_CREDIT,   /* a message does not wait for the slot that it comes to lie in */
    SLIP_RELEASE,  /* a slot is given back while it is still read */
    SLIP_AFTER,    /* the last message is read after its slot is given back */
    SLIP_ENQUEUED  /* the start of a message is said to be when it was handed over */
};

static made_op *fill(scene *it, uint32_t rank, uint64_t at, double value) {
    made_op *op = made_add(&it->made, PE(rank), KB_OP_MATH, KB_BLOCKS_DONE);
    op->what.func = KB_FUNC_FILL;
    made_touch(op, TCM(rank), KB_ACCESS_WRITE, KB_DTYPE_F16, at, TILE);
    memcpy(&op->immediate, &value, sizeof value);
    op->what.immediate_count = 1;
    return op;
}

/* The next message, out of one of two places in turn. */
static made_op *send(scene *it, uint64_t s, int slip, made_op *release, made_op *former) {
    const bool is_last = s == MESSAGES - 1;
    if (former != NULL && !(slip == SLIP_SENT && is_last))
        made_wait(&it->made, former, KB_POINT_SENT);
    made_op *filled = fill(it, 0, SOURCE_AT, (double)s + 1);
    made_op *claimed = slip == SLIP_CREDIT && s == SLOTS ? NULL : release;
    made_op *copy = made_message(&it->made, 0, KB_OP_IPCQ_COPY, s, TILE, TCM(0), SOURCE_AT, claimed);
    if (slip == SLIP_SENT)
        it->culprit = filled;
    else if (s == SLOTS && (slip == SLIP_CREDIT || slip == SLIP_ENQUEUED))
        it->culprit = copy;
    return copy;
}

/* Adds a message to the sum. */
static made_op *take(scene *it, uint64_t s, int slip, made_op *copy) {
    const bool is_last = s == MESSAGES - 1, is_late = slip == SLIP_AFTER && is_last;
    made_op *release = NULL;
    made_message(&it->made, 0, KB_OP_IPCQ_RECV, s, TILE, 0, 0, copy);
    if (is_late)
        release = made_message(&it->made, 0, KB_OP_IPCQ_RELEASE, s, TILE, 0, 0, NULL);
    made_op *added = add(it, 1, KB_BLOCKS_NO, SUM_AT, RING_AT + s % SLOTS * 2 * TILE, TILE);
    if (!(slip == SLIP_RELEASE && s == 0))
        made_wait(&it->made, added, KB_POINT_DONE);
    if (!is_late)
        release = made_message(&it->made, 0, KB_OP_IPCQ_RELEASE, s, TILE, 0, 0, NULL);
    if (is_late)
        it->culprit = added;
    else if (slip == SLIP_RELEASE && s == 0)
        it->culprit = release;
    return release;
}

static void messages(scene *it, int slip) {
    made_trace *made = &it->made;
    made_op *copies[MESSAGES], *releases[MESSAGES];
    slip = it->is_bad ? slip : 0;
    made_init(made, 2);
    made_queue(made, 0, 1, TCM(1), RING_AT, SLOTS, 2 * TILE);
    for (uint32_t rank = 0; rank < 2; rank++)
        made_launch(made, rank, 0);
    fill(it, 1, SUM_AT, 0);
    for (uint64_t s = 0; s < MESSAGES; s++) {
        copies[s] = send(it, s, slip, s < SLOTS ? NULL : releases[s - SLOTS], s == 0 ? NULL : copies[s - 1]);
        releases[s] = take(it, s, slip, copies[s]);
    }
    made_wait(made, copies[MESSAGES - 1], KB_POINT_SENT);
    made_times(made);
    if (slip == SLIP_ENQUEUED)
        copies[SLOTS]->op.start_ps = copies[SLOTS]->op.issue_ps;
}

/* --- alone, and at one time ------------------------------------------------------------------------ */

/* Scratch memory that nothing was loaded into is added up. */
static void uninitialised(scene *it, int unused) {
    (void)unused;
    made_init(&it->made, 1);
    made_initial(&it->made, HBM(0), KB_DTYPE_F16, X_AT, ELEMENTS, 3);
    made_launch(&it->made, 0, 0);
    load(it, 0, KB_BLOCKS_DONE, SUM_AT, HBM(0), X_AT, TILE);
    take_scratch(it, 0);
    load(it, 0, KB_BLOCKS_DONE, SCRATCH_AT, HBM(0), X_AT + 2 * TILE, it->is_bad ? TILE - 1 : TILE);
    it->culprit = add(it, 0, KB_BLOCKS_DONE, SUM_AT, SCRATCH_AT, TILE);
    store(it, 0, KB_BLOCKS_DONE, HBM(0), Y_AT, SUM_AT, TILE);
}

/* All at one picosecond: rank 1 sends, and rank 0, which comes first in every list, receives and adds. */
static void tie(scene *it, int unused) {
    (void)unused;
    made_trace *made = &it->made;
    made_init(made, 2);
    made_queue(made, 1, 0, TCM(0), RING_AT, SLOTS, 2 * TILE);
    for (uint32_t rank = 0; rank < 2; rank++)
        made_launch(made, rank, 0);
    fill(it, 0, SUM_AT, 7);
    fill(it, 1, SOURCE_AT, 5);
    made_op *copy = made_message(made, 0, KB_OP_IPCQ_COPY, 0, TILE, TCM(1), SOURCE_AT, NULL);
    it->culprit = made_message(made, 0, KB_OP_IPCQ_RECV, 0, TILE, 0, 0, it->is_bad ? NULL : copy);
    made_op *added = add(it, 0, KB_BLOCKS_DONE, SUM_AT, RING_AT, TILE);
    made_message(made, 0, KB_OP_IPCQ_RELEASE, 0, TILE, 0, 0, NULL);
    for (size_t i = 0; i < made->count; i++)
        made->ops[i].cost_ps = 0;
    made_times(made);
    assert_int_equal(added->op.done_ps, copy->op.start_ps);
}

/* An op in one stream behind another that does not block, at the very picosecond of its end. */
static void tie_in_stream(scene *it, int unused) {
    (void)unused;
    made_init(&it->made, 1);
    made_initial(&it->made, HBM(0), KB_DTYPE_F16, X_AT, ELEMENTS, 3);
    made_op *launch = made_launch(&it->made, 0, 0);
    made_op *loaded = load(it, 0, KB_BLOCKS_NO, SCRATCH_AT, HBM(0), X_AT, TILE);
    if (!it->is_bad)
        made_wait(&it->made, loaded, KB_POINT_DONE);
    it->culprit = store(it, 0, KB_BLOCKS_DONE, HBM(0), Y_AT, SCRATCH_AT, TILE);
    made_times(&it->made);
    if (it->is_bad) {
        const int64_t late_ps = loaded->op.done_ps - it->culprit->op.start_ps;
        it->culprit->op.start_ps += late_ps;
        it->culprit->op.sent_ps += late_ps;
        it->culprit->op.done_ps += late_ps;
        launch->op.done_ps = it->culprit->op.done_ps;
    }
}

/* Two loads at once over one link, each as quick as it would be alone; clean: as quick as both can be. */
static void link_shared(scene *it, int unused) {
    (void)unused;
    enum { PS_A_BYTE = 1000, BOTH = 2 * 2 * TILE };
    made_trace *made = &it->made;
    made_init(made, 1);
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t link, route;
    check_ok(kb_defs_add_link(&made->defs, &(kb_link){"hbm>tcm", 1000000000, PS_A_BYTE, 0}, &link, &trail),
             &trail);
    check_ok(kb_defs_add_route(&made->defs, &(kb_route){&link, 1}, &route, &trail), &trail);
    made_initial(made, HBM(0), KB_DTYPE_F16, X_AT, ELEMENTS, 3);
    made_launch(made, 0, 0);
    for (uint64_t i = 0; i < 2; i++) {
        it->culprit = load(it, 0, KB_BLOCKS_NO, SCRATCH_AT + i * 2 * TILE, HBM(0), X_AT + i * 2 * TILE, TILE);
        it->culprit->what.route = route;
        it->culprit->cost_ps = 2 * (int64_t)(it->is_bad ? BOTH / 2 : BOTH) * PS_A_BYTE;
    }
    made_fence(made, PE(0));
}

/* --- the command ------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*make)(scene *it, int which);
    int which;
} scenes[] = {
    {"load-later", sum, FAULT_LOAD_LATER},
    {"load-never", sum, FAULT_LOAD_NEVER},
    {"load-not-awaited", sum, FAULT_NOT_AWAITED},
    {"space-defaulted", sum, FAULT_SPACE},
    {"space-of-others", sum, FAULT_SPACE_OTHER},
    {"length-rewritten", sum, FAULT_LENGTH},
    {"add-missing", sum, FAULT_NO_ADD},
    {"slices-collapsed", sum, FAULT_SLICES},
    {"kernel-orphaned", sum, FAULT_NO_KERNEL},
    {"op-orphaned", sum, FAULT_NO_START},
    {"stamp-early", sum, FAULT_EARLY},
    {"source-overwritten", messages, SLIP_SENT},
    {"slot-wraps", messages, SLIP_CREDIT},
    {"slot-wraps-in-read", messages, SLIP_RELEASE},
    {"slot-read-late", messages, SLIP_AFTER},
    {"start-at-enqueue", messages, SLIP_ENQUEUED},
    {"uninitialised", uninitialised, 0},
    {"tie", tie, 0},
    {"link-shared", link_shared, 0},
    {"tie-in-stream", tie_in_stream, 0},
};

int main(int argc, char **argv) {
    static scene it;
    for (size_t i = 0; argc == 1 && i < sizeof scenes / sizeof *scenes; i++)
        puts(scenes[i].name);
    for (size_t i = 0; argc == 4 && i < sizeof scenes / sizeof *scenes; i++) {
        if (strcmp(scenes[i].name, argv[1]) != 0)
            continue;
        it.is_bad = strcmp(argv[2], "bad") == 0;
        scenes[i].make(&it, scenes[i].which);
        made_write(&it.made, NULL, argv[3]);
        if (it.culprit != NULL)
            printf("%u %llu\n", it.culprit->rank, (unsigned long long)it.culprit->op.index);
        made_fini(&it.made);
        return 0;
    }
    return argc == 1 ? 0 : 2;
}

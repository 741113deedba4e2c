/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order check against the memory model's own words: random programs of three ranks, whose edges are
 * drawn as a graph of issues, starts, sents and dones and searched without any cleverness. A program has a
 * finding if and only if the graph leaves two of its accesses unordered, and what is found is unordered.
 */
#include "replayed.h"
#include "support/made.h"

#include <stdlib.h>

#include "op/op.h"

enum { RANKS = 3, STEPS = 34, CELL = 64, CELLS = 5, SLOTS = 2, RINGS_AT = 0x8000, OPS = 400 };

typedef struct queue_ends {
    made_op *copies[64], *releases[64];
    uint64_t sent, received;
} queue_ends;

/* What reads a message, and the release that must come behind it. */
typedef struct use {
    made_op *reader, *release;
} use;

typedef struct random_program {
    made_trace made;
    uint64_t random;
    uint32_t queues[RANKS];
    queue_ends ends[RANKS];
    made_op *open[RANKS][64]; /* that nothing waited for */
    size_t open_count[RANKS];
    use uses[OPS];
    size_t use_count;
    uint64_t barriers;
} random_program;

static uint64_t draw(random_program *it, uint64_t below) {
    uint64_t x = it->random += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return (x ^ x >> 31) % below;
}

/* --- random programs -------------------------------------------------------------------------------- */

/* Mostly waits: else hardly a program would be clean. */
static uint32_t any_blocks(random_program *it) {
    uint64_t drawn = draw(it, 10);
    return drawn == 0 ? KB_BLOCKS_NO : drawn == 1 ? KB_BLOCKS_SENT : KB_BLOCKS_DONE;
}

static void note_open(random_program *it, uint32_t rank, made_op *op) {
    if (op->what.blocks != KB_BLOCKS_DONE && it->open_count[rank] < 64)
        it->open[rank][it->open_count[rank]++] = op;
}

static uint64_t cell(random_program *it) {
    return CELL * draw(it, CELLS) + 2 * draw(it, 3);
}

static void add_move(random_program *it, uint32_t rank) {
    bool reads = draw(it, 2) != 0;
    uint32_t other = draw(it, 4) != 0 ? rank : (uint32_t)draw(it, RANKS);
    uint32_t from = reads ? HBM(other) : TCM(rank), to = reads ? TCM(rank) : HBM(other);
    note_open(it, rank,
              made_move(&it->made, PE(rank), reads ? KB_OP_DMA_READ : KB_OP_DMA_WRITE, any_blocks(it), to,
                        cell(it), from, cell(it), 1 + draw(it, 30)));
}

static void add_math(random_program *it, uint32_t rank) {
    made_op *op = made_add(&it->made, PE(rank), KB_OP_MATH, any_blocks(it));
    uint64_t elements = 1 + draw(it, 30);
    op->what.func = KB_FUNC_ADD;
    for (int i = 0; i < 3; i++)
        made_touch(op, TCM(rank), i == 0 ? KB_ACCESS_WRITE : KB_ACCESS_READ, KB_DTYPE_F16, cell(it),
                   elements);
    note_open(it, rank, op);
}

static void add_wait(random_program *it, uint32_t rank) {
    if (it->open_count[rank] == 0)
        return;
    size_t at = (size_t)draw(it, it->open_count[rank]);
    made_wait(&it->made, it->open[rank][at], draw(it, 2) != 0 ? KB_POINT_SENT : KB_POINT_DONE);
    it->open[rank][at] = it->open[rank][--it->open_count[rank]];
}

static void add_send(random_program *it, uint32_t rank) {
    queue_ends *ends = &it->ends[rank];
    uint64_t s = ends->sent;
    if (s == 64 || (s >= SLOTS && ends->releases[s - SLOTS] == NULL))
        return;
    made_op *op = made_message(&it->made, it->queues[rank], KB_OP_IPCQ_COPY, s, 16, TCM(rank), cell(it),
                               s >= SLOTS ? ends->releases[s - SLOTS] : NULL);
    op->what.blocks = (uint8_t)any_blocks(it);
    ends->copies[ends->sent++] = op;
    note_open(it, rank, op);
}

/* Takes the next message: into TCM, by an op that may not be waited for. */
static void add_receive(random_program *it, uint32_t rank) {
    uint32_t from = (rank + RANKS - 1) % RANKS;
    queue_ends *ends = &it->ends[from];
    uint64_t s = ends->received;
    if (s == ends->sent)
        return;
    ends->received++;
    made_message(&it->made, it->queues[from], KB_OP_IPCQ_RECV, s, 16, 0, 0, ends->copies[s]);
    made_op *read = made_move(&it->made, PE(rank), KB_OP_DMA_READ, any_blocks(it), TCM(rank), cell(it),
                              TCM(rank), RINGS_AT + s % SLOTS * CELL, 16);
    note_open(it, rank, read);
    if (draw(it, 3) == 0)
        add_wait(it, rank);
    ends->releases[s] = made_message(&it->made, it->queues[from], KB_OP_IPCQ_RELEASE, s, 16, 0, 0, NULL);
    it->uses[it->use_count++] = (use){read, ends->releases[s]};
}

/* The host reads or writes what its kernels did, and starts the next one. */
static void add_launch(random_program *it, uint32_t rank) {
    bool writes = draw(it, 2) != 0;
    made_op *op =
        made_add(&it->made, HOST(rank), writes ? KB_OP_HOST_WRITE : KB_OP_HOST_READ, KB_BLOCKS_DONE);
    made_touch(op, HBM(rank), writes ? KB_ACCESS_WRITE : KB_ACCESS_READ, KB_DTYPE_F16, cell(it), 8);
    op->op.payload_size = writes ? 16 : 0;
    (void)made_launch(&it->made, rank, 100 + 10 * it->made.count + rank);
    it->made.launches[rank]->what.group = KB_NONE;
    it->open_count[rank] = 0;
}

static void add_step(random_program *it) {
    uint32_t rank = (uint32_t)draw(it, RANKS);
    switch (draw(it, 12)) {
    case 0:
    case 1:
    case 2: add_move(it, rank); break;
    case 3:
    case 4: add_math(it, rank); break;
    case 5: add_wait(it, rank); break;
    case 6: made_fence(&it->made, PE(rank)); break;
    case 7: add_launch(it, rank); break;
    case 8:
        for (uint32_t member = 0; member < RANKS; member++) {
            if (draw(it, 3) != 0)
                made_fence(&it->made, PE(member));
            made_barrier(&it->made, PE(member), it->barriers);
        }
        it->barriers++;
        break;
    case 9:
    case 10: add_receive(it, rank); break;
    default: add_send(it, rank); break;
    }
}

static void random_make(random_program *it, uint64_t seed) {
    memset(it, 0, sizeof *it);
    it->random = seed;
    made_init(&it->made, RANKS);
    for (uint32_t rank = 0; rank < RANKS; rank++) {
        made_initial(&it->made, TCM(rank), KB_DTYPE_F16, 0, 1024, rank);
        made_initial(&it->made, HBM(rank), KB_DTYPE_F16, 0, 1024, rank + 10);
        it->queues[rank] =
            made_queue(&it->made, rank, (rank + 1) % RANKS, TCM((rank + 1) % RANKS), RINGS_AT, SLOTS, CELL);
        made_launch(&it->made, rank, 0);
    }
    for (int i = 0; i < STEPS; i++)
        add_step(it);
    for (uint32_t rank = 0; rank < RANKS; rank++) /* no message without a receive, no launch without an op */
        while (it->ends[(rank + RANKS - 1) % RANKS].received < it->ends[(rank + RANKS - 1) % RANKS].sent)
            add_receive(it, rank);
    for (uint32_t rank = 0; rank < RANKS; rank++)
        if (it->made.begins[rank])
            made_fence(&it->made, PE(rank));
}

/* --- the graph ---------------------------------------------------------------------------------------- */

enum { ISSUE, START, SENT, DONE, POINTS };

typedef struct graph {
    const made_trace *made;
    bool edge[OPS * POINTS][OPS * POINTS], seen[OPS * POINTS];
    size_t stack[OPS * POINTS];
} graph;

static size_t node(const made_op *op, int point) {
    return op->order * POINTS + (size_t)point;
}

static void draw_claims(graph *it, const made_op *op) {
    static const int ends[] = {
        [KB_ROLE_OBSERVED] = ISSUE, [KB_ROLE_COPY] = START,     [KB_ROLE_CREDIT] = START,
        [KB_ROLE_ENGINE] = START,   [KB_ROLE_STAGE] = START,    [KB_ROLE_LAUNCH] = ISSUE,
        [KB_ROLE_AWAITED] = START,  [KB_ROLE_COMPLETION] = DONE};
    for (uint32_t i = 0; i < op->what.claim_count; i++) {
        const kb_claim *claim = &op->claims[i];
        for (size_t k = 0; k < it->made->count; k++) {
            const made_op *other = &it->made->ops[k];
            bool named = claim->set == KB_SET_ONE ? other == op->claimed[i]
                         : claim->set == KB_SET_STREAM
                             ? other->what.stream == op->what.stream && other->order < op->order
                             : other->launch == op;
            if (named && other != op)
                it->edge[node(other, claim->point == KB_POINT_SENT ? SENT : DONE)]
                        [node(op, ends[claim->role])] = true;
        }
    }
}

static void graph_make(graph *it, const made_trace *made) {
    memset(it, 0, sizeof *it);
    it->made = made;
    assert_true(made->count <= OPS);
    for (size_t i = 0; i < made->count; i++) {
        const made_op *op = &made->ops[i];
        for (int point = ISSUE; point < DONE; point++)
            it->edge[node(op, point)][node(op, point + 1)] = true;
        for (size_t k = i + 1; k < made->count; k++) {
            const made_op *next = &made->ops[k];
            if (next->what.stream != op->what.stream)
                continue;
            it->edge[node(op, op->what.blocks == KB_BLOCKS_NO     ? ISSUE
                              : op->what.blocks == KB_BLOCKS_SENT ? SENT
                                                                  : DONE)][node(next, ISSUE)] = true;
            it->edge[node(op, ISSUE)][node(next, ISSUE)] = true;
            break;
        }
        for (size_t k = 0; op->what.kind == KB_OP_BARRIER && k < made->count; k++)
            if (made->ops[k].what.kind == KB_OP_BARRIER && made->ops[k].op.id == op->op.id)
                it->edge[node(op, ISSUE)][node(&made->ops[k], START)] = true;
        draw_claims(it, op);
    }
}

static bool reaches(graph *it, size_t from, size_t to) {
    size_t count = 0, nodes = it->made->count * POINTS;
    memset(it->seen, 0, nodes * sizeof(bool));
    it->stack[count++] = from;
    it->seen[from] = true;
    while (count > 0) {
        size_t at = it->stack[--count];
        if (at == to)
            return true;
        for (size_t next = 0; next < nodes; next++)
            if (it->edge[at][next] && !it->seen[next]) {
                it->seen[next] = true;
                it->stack[count++] = next;
            }
    }
    return false;
}

/* Do operands of two ops share a byte, and does the first write it, or the second? */
static bool overlap(const made_op *a, const made_op *b, bool *ret_a_writes, bool *ret_conflict) {
    *ret_conflict = *ret_a_writes = false;
    for (uint32_t i = 0; i < a->what.operand_count; i++)
        for (uint32_t k = 0; k < b->what.operand_count; k++) {
            const kb_operand *x = &a->operands[i], *y = &b->operands[k];
            bool share = x->memory == y->memory && a->offsets[i] < b->offsets[k] + 2 * y->shape[0] &&
                         b->offsets[k] < a->offsets[i] + 2 * x->shape[0];
            bool writes = x->access != KB_ACCESS_READ;
            *ret_a_writes = *ret_a_writes || (share && writes);
            *ret_conflict = *ret_conflict || (share && (writes || y->access != KB_ACCESS_READ));
        }
    return *ret_conflict;
}

static bool touches(const made_op *op) {
    return op->what.operand_count != 0 && kbr_op_flow(&op->what) != KBR_FLOW_NONE;
}

/* Is `b` ordered after `a`, as rule 2 asks it of a conflict? */
static bool follows(graph *it, const made_op *a, const made_op *b) {
    bool writes, conflict;
    (void)overlap(a, b, &writes, &conflict);
    return reaches(it, node(a, writes ? DONE : SENT), node(b, START));
}

static bool unordered(graph *it, const made_op *a, const made_op *b) {
    bool writes;
    bool conflict;
    return a != b && touches(a) && touches(b) && overlap(a, b, &writes, &conflict) && !follows(it, a, b) &&
           !follows(it, b, a);
}

static bool any_unordered(graph *it, const random_program *from) {
    for (size_t i = 0; i < it->made->count; i++)
        for (size_t k = 0; k < i; k++)
            if (unordered(it, &it->made->ops[i], &it->made->ops[k]))
                return true;
    for (size_t i = 0; i < from->use_count; i++)
        if (!reaches(it, node(from->uses[i].reader, SENT), node(from->uses[i].release, ISSUE)))
            return true;
    return false;
}

/* --- both --------------------------------------------------------------------------------------------- */

static made_op *op_of(random_program *it, const kbr_mention *mention) {
    for (size_t i = 0; i < it->made.count; i++)
        if (it->made.ops[i].rank == mention->rank && it->made.ops[i].op.index == mention->index)
            return &it->made.ops[i];
    return NULL;
}

static void check_findings(random_program *made, graph *edges, const replayed *it) {
    for (size_t i = 0; i < it->result->finding_count; i++) {
        const kbr_finding *finding = &it->result->findings[i];
        if (strcmp(finding->check, "order") != 0) {
            replayed_show(it);
            fail_msg("only order may be wrong");
        }
        if (strcmp(finding->rule, "read/release") != 0 &&
            !unordered(edges, op_of(made, &finding->ops[0]), op_of(made, &finding->ops[1]))) {
            replayed_show(it);
            fail_msg("finding %zu, with op #%llu of rank %u, is of two that are ordered", i,
                     (unsigned long long)finding->ops[1].index, finding->ops[1].rank);
        }
    }
}

static uint64_t programs = 500;

static void findings_are_what_the_graph_leaves_unordered(void **state) {
    (void)state;
    static random_program made;
    static graph edges;
    size_t clean = 0, wrong = 0;
    for (uint64_t seed = 0; seed < programs; seed++) {
        random_make(&made, seed);
        graph_make(&edges, &made.made);
        bool expected = any_unordered(&edges, &made);
        replayed it;
        fault_fs_init(&it.disk);
        made_write(&made.made, &it.disk.fs, "run.zst");
        replayed_begin(&it, &(kbr_options){.verify = true, .random = seed % 3 == 0, .seed = seed});
        check_ok(kbr_replay_run(it.replay, &it.trail), &it.trail);
        it.result = kbr_replay_result(it.replay);

        check_findings(&made, &edges, &it);
        if ((it.result->finding_count != 0) != expected) {
            replayed_show(&it);
            fail_msg("seed %llu: %s", (unsigned long long)seed,
                     expected ? "nothing found" : "found in a clean one");
        }
        *(expected ? &wrong : &clean) += 1;
        replayed_fini(&it);
        made_fini(&made.made);
    }
    assert_true(clean > programs / 10 && wrong > programs / 10);
}

int main(int argc, char **argv) {
    if (argc > 1)
        programs = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_what_the_graph_leaves_unordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

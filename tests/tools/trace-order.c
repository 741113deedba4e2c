/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which accesses of a trace no path of edges orders: the memory model's own words, without any cleverness.
 *
 *   trace-order TRACE
 *
 * All issues, starts, sents and dones are nodes of a graph, whose edges are those of the memory model, and of
 * each node all are noted that it comes after. Prints a line for each pair of ops that touch a byte, one of
 * them writing it, neither being ordered behind the other, and for each read of a message that may come after
 * its release. Exits with 1 if there is one, with 2 where the trace cannot be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/loaded.h"

enum { ISSUE, START, SENT, DONE, POINTS, MOST_SHOWN = 20 };

typedef struct edge {
    uint64_t from, next; /* 1 + the next edge's number, 0 at the end */
} edge;

typedef struct graph {
    loaded_trace trace;
    uint64_t *first;  /* number of a rank's first op among all */
    uint64_t *launch; /* by op: 1 + the op that launched it, or 0 */
    uint64_t nodes, words;
    edge *edges;
    uint64_t edge_count, edge_capacity;
    uint64_t *into;   /* by node: 1 + its first edge */
    uint64_t *behind; /* by node: two bits an op: it comes after its sent, its done */
    uint8_t *state;   /* by node: 0 not looked at, 1 under way, 2 known */
    bool has_cycle;
    uint64_t found;
} graph;

static void *zeroed(uint64_t count, uint64_t size) {
    void *memory = calloc(count + 1, size);
    if (memory == NULL)
        abort();
    return memory;
}

static uint64_t number_of(const graph *it, uint32_t rank, uint64_t index) {
    return it->first[rank] + index;
}

static uint64_t node(uint64_t op, int point) {
    return op * POINTS + (uint64_t)point;
}

static void add_edge(graph *it, uint64_t from, uint64_t to) {
    if (it->edge_count == it->edge_capacity) {
        it->edge_capacity = it->edge_capacity > 0 ? 2 * it->edge_capacity : 1024;
        it->edges = realloc(it->edges, it->edge_capacity * sizeof(edge));
        if (it->edges == NULL)
            abort();
    }
    it->edges[it->edge_count++] = (edge){from, it->into[to]};
    it->into[to] = it->edge_count;
}

/* --- edges ----------------------------------------------------------------------------------- */

static void add_nodes(graph *it, uint64_t op) {
    for (int point = ISSUE; point < DONE; point++)
        add_edge(it, node(op, point), node(op, point + 1));
}

/* The next op of the same stream. */
static void add_stream(graph *it, uint32_t rank, uint64_t index) {
    const kb_template *what = it->trace.ops[rank][index].what;
    const uint64_t op = number_of(it, rank, index);
    for (uint64_t i = index + 1; i < it->trace.counts[rank]; i++) {
        if (it->trace.ops[rank][i].what->stream != what->stream)
            continue;
        const uint64_t next = node(number_of(it, rank, i), ISSUE);
        add_edge(it, node(op, ISSUE), next);
        if (what->blocks != KB_BLOCKS_NO)
            add_edge(it, node(op, what->blocks == KB_BLOCKS_SENT ? SENT : DONE), next);
        return;
    }
}

static void add_claims(graph *it, uint32_t rank, uint64_t index) {
    static const int ends[] = {
        [KB_ROLE_OBSERVED] = ISSUE, [KB_ROLE_COPY] = START,     [KB_ROLE_CREDIT] = START,
        [KB_ROLE_ENGINE] = START,   [KB_ROLE_STAGE] = START,    [KB_ROLE_LAUNCH] = ISSUE,
        [KB_ROLE_AWAITED] = START,  [KB_ROLE_COMPLETION] = DONE};
    const kb_op *op = &it->trace.ops[rank][index];
    const uint64_t number = number_of(it, rank, index);
    for (uint32_t c = 0; c < op->what->claim_count; c++) {
        const kb_claim *claim = &op->what->claims[c];
        const int point = claim->point == KB_POINT_SENT ? SENT : DONE;
        const uint64_t end = node(number, ends[claim->role]);
        if (claim->set == KB_SET_ONE)
            add_edge(it, node(number_of(it, claim->rank, op->claimed[c]), point), end);
        for (uint64_t i = 0; claim->set != KB_SET_ONE && i < it->trace.counts[rank]; i++) {
            const bool is_meant = claim->set == KB_SET_STREAM
                                      ? it->trace.ops[rank][i].what->stream == op->what->stream && i < index
                                      : it->launch[number_of(it, rank, i)] == 1 + number;
            if (is_meant)
                add_edge(it, node(number_of(it, rank, i), point), end);
        }
    }
}

static void add_barrier(graph *it, uint32_t rank, uint64_t index) {
    const kb_op *op = &it->trace.ops[rank][index];
    for (uint32_t other = 0; other < it->trace.ranks; other++)
        for (uint64_t i = 0; i < it->trace.counts[other]; i++) {
            const kb_op *member = &it->trace.ops[other][i];
            if (member->what->kind == KB_OP_BARRIER && member->id == op->id &&
                member->what->group == op->what->group)
                add_edge(it, node(number_of(it, rank, index), ISSUE), node(number_of(it, other, i), START));
        }
}

/* Which launch each op of a PE's stream is of. */
static void find_launches(graph *it, uint32_t rank) {
    for (uint32_t stream = 0; stream < it->trace.defs->stream_count; stream++) {
        uint64_t launch = 0;
        for (uint64_t i = 0; i < it->trace.counts[rank]; i++) {
            const kb_op *op = &it->trace.ops[rank][i];
            if (op->what->stream != stream)
                continue;
            for (uint32_t c = 0; c < op->what->claim_count; c++)
                if (op->what->claims[c].role == KB_ROLE_LAUNCH)
                    launch = 1 + number_of(it, rank, op->claimed[c]);
            it->launch[number_of(it, rank, i)] = launch;
        }
    }
}

static void add_edges(graph *it) {
    for (uint32_t rank = 0; rank < it->trace.ranks; rank++)
        find_launches(it, rank);
    for (uint32_t rank = 0; rank < it->trace.ranks; rank++)
        for (uint64_t i = 0; i < it->trace.counts[rank]; i++) {
            add_nodes(it, number_of(it, rank, i));
            add_stream(it, rank, i);
            add_claims(it, rank, i);
            if (it->trace.ops[rank][i].what->kind == KB_OP_BARRIER)
                add_barrier(it, rank, i);
        }
}

/* --- what a node comes after ----------------------------------------------------------------- */

static uint64_t *behind(const graph *it, uint64_t at) {
    return it->behind + at * it->words;
}

static bool comes_after(const graph *it, uint64_t at, uint64_t op, bool done) {
    const uint64_t bit = 2 * op + done;
    return (behind(it, at)[bit / 64] >> bit % 64 & 1) != 0;
}

static void note(graph *it, uint64_t at, uint64_t from) {
    for (uint64_t i = 0; i < it->words; i++)
        behind(it, at)[i] |= behind(it, from)[i];
    if (from % POINTS >= SENT) {
        const uint64_t bit = 2 * (from / POINTS) + (from % POINTS == DONE);
        behind(it, at)[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

/* Depth first, on a stack of its own: a path may have as many nodes as there are. */
static void look_at(graph *it, uint64_t start, uint64_t *stack) {
    uint64_t count = 0;
    stack[count++] = start;
    while (count > 0) {
        const uint64_t at = stack[count - 1];
        it->state[at] = 1;
        uint64_t next = it->into[at];
        while (next != 0 && it->state[it->edges[next - 1].from] == 2)
            next = it->edges[next - 1].next;
        if (next != 0 && it->state[it->edges[next - 1].from] == 1) {
            it->has_cycle = true;
            return;
        }
        if (next != 0) {
            stack[count++] = it->edges[next - 1].from;
            continue;
        }
        for (next = it->into[at]; next != 0; next = it->edges[next - 1].next)
            note(it, at, it->edges[next - 1].from);
        it->state[at] = 2;
        count--;
    }
}

/* --- accesses -------------------------------------------------------------------------------- */

typedef struct access {
    const kb_op *op;
    uint32_t rank, operand;
    uint64_t number;
    bool writes;
    int64_t low, high;
} access;

static bool touches(uint32_t kind) {
    return kind != KB_OP_IPCQ_RECV && kind != KB_OP_IPCQ_RELEASE && kind != KB_OP_MAP && kind != KB_OP_UNMAP;
}

static uint64_t collect(const graph *it, uint32_t memory, access *ret) {
    uint64_t count = 0;
    for (uint32_t rank = 0; rank < it->trace.ranks; rank++)
        for (uint64_t i = 0; i < it->trace.counts[rank]; i++) {
            const kb_op *op = &it->trace.ops[rank][i];
            for (uint32_t k = 0; touches(op->what->kind) && k < op->what->operand_count; k++) {
                const kb_operand *operand = &op->what->operands[k];
                access *a = &ret[count];
                if (operand->memory != memory || !kb_operand_extent(operand, &a->low, &a->high))
                    continue;
                *a = (access){op,
                              rank,
                              k,
                              number_of(it, rank, i),
                              operand->access != KB_ACCESS_READ,
                              a->low + (int64_t)op->offsets[k],
                              a->high + (int64_t)op->offsets[k]};
                count += a->high > a->low;
            }
        }
    return count;
}

/* A mark on each byte of the view; true where one was there before. */
static bool mark(const access *a, uint8_t *marks, int64_t base, uint8_t value) {
    const kb_operand *operand = &a->op->what->operands[a->operand];
    const int64_t size = kb_dtype_size(operand->dtype);
    bool met = false;
    for (uint64_t i = kb_operand_elements(operand); i-- > 0;) {
        uint64_t rest = i;
        int64_t at = (int64_t)a->op->offsets[a->operand] - base;
        for (uint32_t axis = operand->dims; axis-- > 0;) {
            at += (int64_t)(rest % operand->shape[axis]) * operand->stride[axis] * size;
            rest /= operand->shape[axis];
        }
        for (int64_t byte = at; byte < at + size; byte++) {
            met = met || (marks[byte] != 0 && marks[byte] != value);
            marks[byte] = value;
        }
    }
    return met;
}

static bool share_a_byte(const access *a, const access *b) {
    const int64_t low = a->low < b->low ? a->low : b->low, high = a->high > b->high ? a->high : b->high;
    uint8_t *marks = zeroed((uint64_t)(high - low), 1);
    mark(a, marks, low, 1);
    const bool met = mark(b, marks, low, 2);
    free(marks);
    return met;
}

static bool is_ordered(const graph *it, const access *a, const access *b) {
    return comes_after(it, node(b->number, START), a->number, a->writes) ||
           comes_after(it, node(a->number, START), b->number, b->writes);
}

static void show(graph *it, const char *what, const access *a, const access *b) {
    if (it->found++ < MOST_SHOWN)
        printf("%s rank %u #%llu %s and rank %u #%llu %s\n", what, a->rank, (unsigned long long)a->op->index,
               kb_word_name(KB_VOC_KIND, a->op->what->kind), b->rank, (unsigned long long)b->op->index,
               kb_word_name(KB_VOC_KIND, b->op->what->kind));
}

static void check_memory(graph *it, uint32_t memory, access *all) {
    const uint64_t count = collect(it, memory, all);
    for (uint64_t i = 0; i < count; i++)
        for (uint64_t k = 0; k < i; k++) {
            const access *a = &all[k], *b = &all[i];
            if ((a->writes || b->writes) && a->op != b->op && a->low < b->high && b->low < a->high &&
                !is_ordered(it, a, b) && share_a_byte(a, b))
                show(it, "unordered", a, b);
        }
}

/* --- messages -------------------------------------------------------------------------------- */

/* A read of a slot is of the message that was received there last, and comes before its release. */
static void check_read(graph *it, const access *read) {
    const kb_op *recv = NULL;
    const kb_op *ops = it->trace.ops[read->rank];
    for (uint64_t i = 0; i < read->op->index; i++) {
        int64_t low, high;
        const kb_template *what = ops[i].what;
        if (what->kind != KB_OP_IPCQ_RECV ||
            what->operands[0].memory != read->op->what->operands[read->operand].memory ||
            !kb_operand_extent(&what->operands[0], &low, &high))
            continue;
        if (read->low < high + (int64_t)ops[i].offsets[0] && low + (int64_t)ops[i].offsets[0] < read->high)
            recv = &ops[i];
    }
    for (uint64_t i = 0; recv != NULL && i < it->trace.counts[read->rank]; i++) {
        const access release = {.op = &ops[i], .rank = read->rank, .number = number_of(it, read->rank, i)};
        if (ops[i].what->kind == KB_OP_IPCQ_RELEASE && ops[i].what->queue == recv->what->queue &&
            ops[i].sequence == recv->sequence &&
            !comes_after(it, node(release.number, ISSUE), read->number, false))
            show(it, "released too early:", &release, read);
    }
}

static void check_reads(graph *it, uint32_t memory, access *all) {
    const uint64_t count = collect(it, memory, all);
    for (uint64_t i = 0; i < count; i++)
        if (!all[i].writes)
            check_read(it, &all[i]);
}

/* --- the whole ------------------------------------------------------------------------------- */

static void make(graph *it) {
    it->first = zeroed(it->trace.ranks, sizeof *it->first);
    for (uint32_t rank = 1; rank < it->trace.ranks; rank++)
        it->first[rank] = it->first[rank - 1] + it->trace.counts[rank - 1];
    it->nodes = it->trace.count * POINTS;
    it->words = (2 * it->trace.count + 63) / 64;
    it->launch = zeroed(it->trace.count, sizeof *it->launch);
    it->into = zeroed(it->nodes, sizeof *it->into);
    it->behind = zeroed(it->nodes * it->words, sizeof *it->behind);
    it->state = zeroed(it->nodes, 1);
    add_edges(it);
    uint64_t *stack = zeroed(it->nodes, sizeof *stack);
    for (uint64_t at = 0; at < it->nodes && !it->has_cycle; at++)
        if (it->state[at] == 0)
            look_at(it, at, stack);
    free(stack);
}

static void check(graph *it) {
    access *all = zeroed(it->trace.count * KB_OPERANDS_MAX, sizeof *all);
    for (uint32_t memory = 0; memory < it->trace.defs->memory_count; memory++) {
        check_memory(it, memory, all);
        check_reads(it, memory, all);
    }
    free(all);
}

int main(int argc, char **argv) {
    static graph it;
    kb_trail trail;
    char text[2048];
    kb_trail_init(&trail);
    if (argc != 2)
        return 2;
    if (loaded_read(&it.trace, argv[1], &trail) != KB_OK) {
        fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
        loaded_fini(&it.trace);
        return 2;
    }
    make(&it);
    if (it.has_cycle) {
        puts("the edges have a cycle");
        return 1;
    }
    check(&it);
    loaded_fini(&it.trace);
    return it.found > 0;
}

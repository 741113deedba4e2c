/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce along the machine: PEs, cubes, packages.
 *
 * The PEs of a cube send to its first one. In each row of cubes sums converge from both ends on the middle
 * column, and there on the middle row: on the cube ⌊h/2⌋·w + ⌊w/2⌋ of w x h. The packages' roots exchange
 * theirs by recursive doubling. Then the same ways lead back. Every hop is one between neighbours, but for
 * those between packages.
 *
 * Only cubes that have a rank count. Where they do not fill the package, w x h is what they span, a row
 * converges on its cube nearest to the middle column, and these on the row nearest to the middle one.
 *
 * With S bytes a rank, p PEs in a cube, k packages, α a message, β a byte on a link and γ a reduced byte, m
 * segments of a slot go up and down one behind the other in about
 *     2 (1 + ⌊w/2⌋ + ⌊h/2⌋) α  +  (p + 3) (S γ up + S β down),
 * of which a root in the middle adds and sends the most, one tensor for each PE beside it and for each of
 * four neighbours; and the packages need lg k · (α + S β + S γ), more where k is no power of two (see
 * recursive_doubling). So few messages follow one another, and all of each tensor passes one PE: it is for
 * many ranks and few bytes.
 *
 * It cannot hang, whatever the slots: within a package it is a tree that is climbed and descended segment by
 * segment (tree.h), and between the two the roots exchange whole tensors, in pairs and in one order of steps.
 */
#include <inttypes.h>

#include "coll/algorithms.h"
#include "coll/parts/exchange.h"
#include "coll/parts/fold.h"
#include "coll/parts/tree.h"
#include "record/stream.h"

/* A cube that has ranks: [first, end). */
typedef struct cube {
    kb_place place;
    uint32_t first, end;
} cube;

/* Neighbours of a rank on its way to the root. */
typedef struct ways {
    uint32_t parent;
    uint32_t *children;
    uint32_t child_count;
} ways;

enum { NEIGHBOURS = 4 };

/* Fills in the cubes by number, and returns how many there are. */
static uint32_t find_cubes(const kb_coll *c, cube *all) {
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < c->ranks; rank++) {
        const kb_place place = kb_coll_place(c, rank);
        const kb_place *last = count > 0 ? &all[count - 1].place : NULL;
        if (last == NULL || last->sip != place.sip || last->x != place.x || last->y != place.y)
            all[count++] = (cube){place, rank, rank};
        all[count - 1].end = rank + 1;
    }
    return count;
}

/* The middle of the rectangle that cubes [first, end) span, as a place without a PE. */
static kb_place middle_of(const cube *all, uint32_t first, uint32_t end) {
    const uint32_t top = all[first].place.y, bottom = all[end - 1].place.y;
    uint32_t left = all[first].place.x, right = left;
    for (uint32_t i = first; i < end; i++) {
        left = all[i].place.x < left ? all[i].place.x : left;
        right = all[i].place.x > right ? all[i].place.x : right;
    }
    return (kb_place){.x = left + (right - left + 1) / 2, .y = top + (bottom - top + 1) / 2};
}

/* Which cube of a row, or of a column's rows, is nearest to the middle; of two the first. */
static uint32_t find_centre(const cube *all, const uint32_t *line, uint32_t count, bool is_row,
                            kb_place middle) {
    uint32_t best = 0, least = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const kb_place *at = &all[line[i]].place;
        const int64_t off = is_row ? (int64_t)at->x - middle.x : (int64_t)at->y - middle.y;
        const uint32_t distance = (uint32_t)(off < 0 ? -off : off);
        if (distance < least) {
            best = i;
            least = distance;
        }
    }
    return best;
}

/* What place `at` of a row or column has to do where all of it converges on the centre. */
static void converge(const cube *all, const uint32_t *line, uint32_t count, uint32_t centre, uint32_t at,
                     ways *mine) {
    if (at != centre)
        mine->parent = all[line[at < centre ? at + 1 : at - 1]].first;
    if (at > 0 && at <= centre)
        mine->children[mine->child_count++] = all[line[at - 1]].first;
    if (at + 1 < count && at >= centre)
        mine->children[mine->child_count++] = all[line[at + 1]].first;
}

/*
 * The rank at the root of a package, of cubes [first, end). On the way there, what the first rank of cube
 * `at` has to do, where that is one of them.
 */
static uint32_t find_root(const cube *all, uint32_t first, uint32_t end, uint32_t at, ways *mine) {
    const kb_place middle = middle_of(all, first, end);
    uint32_t row[end - first], column[end - first], rows = 0, at_row = KB_NONE;
    for (uint32_t begin = first, next = first; begin < end; begin = next) {
        uint32_t count = 0;
        for (; next < end && all[next].place.y == all[begin].place.y; next++)
            row[count++] = next;
        const uint32_t centre = find_centre(all, row, count, true, middle);
        if (at >= begin && at < next)
            converge(all, row, count, centre, at - begin, mine);
        if (row[centre] == at)
            at_row = rows;
        column[rows++] = row[centre];
    }
    const uint32_t centre = find_centre(all, column, rows, false, middle);
    if (at_row != KB_NONE)
        converge(all, column, rows, centre, at_row, mine);
    return all[column[centre]].first;
}

static void up(kb_coll *c, const kbs_node *node) {
    uint64_t done = 0;
    for (uint64_t s = 0; done < c->buffer.elements; s++) {
        const tl_view segment = kbs_segment(c, c->buffer, done);
        tl_step(c, "reduce", s);
        kbs_segment_up(c, node, segment);
        done += segment.elements;
    }
}

static void down(kb_coll *c, const kbs_node *node) {
    uint64_t done = 0;
    for (uint64_t s = 0; done < c->buffer.elements; s++) {
        const tl_view segment = kbs_segment(c, c->buffer, done);
        tl_step(c, "broadcast", s);
        kbs_segment_take(c, node, segment);
        kbs_segment_pass(c, node, segment);
        done += segment.elements;
    }
}

/* Between the packages: recursive doubling among their roots. */
static void exchange(kb_coll *c, const uint32_t *roots, uint32_t count, uint32_t mine) {
    const kbs_fold f = kbs_fold_of(roots, count, mine);
    kbs_fold_in(c, &f, c->buffer);
    for (uint32_t bit = 1, s = 0; f.plays && bit < f.places; bit *= 2, s++) {
        tl_step(c, "exchange", s);
        kbs_exchange(c, kbs_fold_rank(&f, f.place ^ bit), c->buffer);
    }
    kbs_fold_out(c, &f, c->buffer);
}

/* Queues that the first rank of a cube has in one direction, with so many other roots to exchange with. */
static uint32_t queues_of(const cube *all, uint32_t count, uint32_t of, uint32_t others) {
    uint32_t children[NEIGHBOURS], first = of, end = of;
    ways w = {KB_NONE, children, 0};
    while (first > 0 && all[first - 1].place.sip == all[of].place.sip)
        first--;
    while (end < count && all[end].place.sip == all[of].place.sip)
        end++;
    find_root(all, first, end, of, &w);
    return all[of].end - all[of].first - 1 + w.child_count + (w.parent != KB_NONE ? 1 : others);
}

/* Whether all PEs may have the queues that they need; if not, that is a mistake, which says how many. */
static bool has_queues(const kb_coll *c, const cube *all, uint32_t count, uint32_t packages) {
    const kbs_machine *machine = c->stream->program->machine;
    const uint64_t allowed = machine->at.ipcq_max_queues;
    uint32_t others = 0, most = 0;
    for (uint32_t p = packages; p > 1; p = (p + 1) / 2)
        others++; /* lg of their number, rounded up */
    if (machine->at.cube_pes - 1 + NEIGHBOURS + others <= allowed)
        return true;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t queues = queues_of(all, count, i, others);
        most = queues > most ? queues : most;
    }
    if (most > allowed)
        kbs_mistake(c->stream, TL_HERE,
                    "a PE sends to %u others here, in its cube, to cubes beside it and to packages, and "
                    "ipcq.max_queues allows %" PRIu64
                    " queues in one direction: raise it (--set ipcq.max_queues=%u)",
                    most, allowed, most);
    return most <= allowed;
}

static void hierarchical(kb_coll *c) {
    cube all[c->ranks];
    const uint32_t count = find_cubes(c, all);
    uint32_t home = 0, roots[count], packages = 0, mine = KB_NONE;
    while (all[home].end <= c->rank)
        home++;
    const bool is_first = c->rank == all[home].first;
    uint32_t children[all[home].end - all[home].first + NEIGHBOURS];
    ways w = {is_first ? KB_NONE : all[home].first, children, 0};
    for (uint32_t rank = c->rank + 1; is_first && rank < all[home].end; rank++)
        children[w.child_count++] = rank;
    for (uint32_t first = 0, end = 0; first < count; first = end) {
        while (end < count && all[end].place.sip == all[first].place.sip)
            end++;
        roots[packages] = find_root(all, first, end, is_first ? home : KB_NONE, &w);
        if (roots[packages] == c->rank)
            mine = packages;
        packages++;
    }
    if (!has_queues(c, all, count, packages))
        return;
    const kbs_node node = {w.parent, children, w.child_count};
    up(c, &node);
    if (mine != KB_NONE)
        exchange(c, roots, packages, mine);
    down(c, &node);
}

const kbs_algorithm kbs_algorithm_all_reduce_hierarchical = {
    .name = "hierarchical",
    .collective = KB_COLL_ALL_REDUCE,
    .help = "PEs, rows and columns of cubes, packages: to the middle and back",
    .record = hierarchical,
    .by_slots = true};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce on a grid of ranks whose rows and columns are lines: neighbours send to each other, and nobody
 * around the ends.
 *
 * The n ranks form r rows of c, as near to a square as n allows. Each row does a reduce-scatter: from either
 * end sums go towards the rank whose share they are, the farthest share first; what comes from both sides
 * meets there. Each column does the same with the rank's share of the row, and the rank in row i holds the
 * whole sum of 1/n of the tensor. All-gathers in the columns, then in the rows, give it to all: from each
 * rank its share goes to both sides.
 *
 * A line of c takes c - 1 steps, in which each of its links carries a message either way at most: with S
 * bytes a rank, α a message, β a byte on a link and γ a reduced byte the whole takes
 *     2 (r + c - 2) α  +  2 (n - 1)/n · S β  +  (n - 1)/n · S γ,
 * as a torus does without its links around the ends. A line's inner ranks add (c + 1)/c · S in their
 * steps, not (c - 1)/c, because what meets comes from two sides. Grids are 2 x 2 at least: a prime number
 * of ranks has none.
 *
 * It cannot hang, whatever the slots: in each step a rank hands over what goes to either side before it waits
 * for anything, and what is sent in a step is used in the same step. So whoever is in the lowest step
 * finds the messages of that step on their way, and comes to its end.
 */
#include "coll/algorithms.h"
#include "coll/parts/flows.h"
#include "coll/parts/grid.h"

enum { UP, DOWN }; /* towards higher places, and towards lower ones */

typedef struct line {
    const kbs_line *places;
    tl_view view;
    kbs_flow flows[KBS_FLOWS];
    bool has_up, has_down; /* neighbours */
} line;

static void line_begin(kb_coll *c, line *l, const kbs_line *places, tl_view view) {
    *l = (line){
        .places = places, .view = view, .has_up = places->at + 1 < places->count, .has_down = places->at > 0};
    if (l->has_up) {
        const uint32_t peer = kbs_line_rank(places, places->at + 1);
        l->flows[UP].to = tl_queue_to(c, peer);
        l->flows[DOWN].from = tl_queue_from(c, peer);
    }
    if (l->has_down) {
        const uint32_t peer = kbs_line_rank(places, places->at - 1);
        l->flows[DOWN].to = tl_queue_to(c, peer);
        l->flows[UP].from = tl_queue_from(c, peer);
    }
}

/* The share of a place; none of a place that is not there, or where no neighbour is. */
static tl_view share_of(kb_coll *c, const line *l, bool has_neighbour, int64_t place) {
    if (!has_neighbour || place < 0 || place >= l->places->count)
        return (tl_view){0};
    return kbs_share(c, l->view, l->places->count, (uint32_t)place);
}

/*
 * Place i sends up the share of place end - s + i in step s, where that lies above it, and gets what its
 * neighbour below sends; downwards it is the mirror image. In the end a rank holds the sum of its own share.
 */
static void reduce_scatter(kb_coll *c, const kbs_line *places, tl_view view, const char *label) {
    const int64_t at = places->at, end = (int64_t)places->count - 1;
    line l;
    line_begin(c, &l, places, view);
    for (int64_t s = 0; s < end; s++) {
        tl_step(c, label, (uint64_t)s);
        const int64_t up = end - s + at, down = s - (end - at);
        l.flows[UP].out = share_of(c, &l, l.has_up, up);
        l.flows[UP].in = share_of(c, &l, l.has_down, up - 1);
        l.flows[DOWN].out = share_of(c, &l, l.has_down, down);
        l.flows[DOWN].in = share_of(c, &l, l.has_up, down + 1);
        kbs_flows_step(c, l.flows, true);
    }
}

/* A rank sends its own share to both sides, and on what came from the other side in the step before. */
static void all_gather(kb_coll *c, const kbs_line *places, tl_view view, const char *label) {
    const int64_t at = places->at, end = (int64_t)places->count - 1;
    line l;
    line_begin(c, &l, places, view);
    for (int64_t s = 0; s < end; s++) {
        tl_step(c, label, (uint64_t)s);
        l.flows[UP].out = share_of(c, &l, l.has_up, at - s);
        l.flows[UP].in = share_of(c, &l, l.has_down, at - s - 1);
        l.flows[DOWN].out = share_of(c, &l, l.has_down, at + s);
        l.flows[DOWN].in = share_of(c, &l, l.has_up, at + s + 1);
        kbs_flows_step(c, l.flows, false);
    }
}

static void mesh(kb_coll *c) {
    const kbs_grid g = kbs_grid_of(c->rank, c->ranks);
    const tl_view share = kbs_share(c, c->buffer, g.row.count, g.row.at);
    reduce_scatter(c, &g.row, c->buffer, "reduce-scatter rows");
    reduce_scatter(c, &g.column, share, "reduce-scatter columns");
    all_gather(c, &g.column, share, "all-gather columns");
    all_gather(c, &g.row, c->buffer, "all-gather rows");
}

const kbs_algorithm kbs_algorithm_all_reduce_mesh = {.name = "mesh",
                                                     .collective = KB_COLL_ALL_REDUCE,
                                                     .help =
                                                         "rows, then columns of a grid of ranks, as lines",
                                                     .record = mesh,
                                                     .by_slots = true,
                                                     .serves = kbs_grid_serves,
                                                     .counts = KBS_GRID_COUNTS};

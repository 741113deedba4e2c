/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce on a grid of ranks whose rows and columns are rings.
 *
 * The n ranks form r rows of c, as near to a square as n allows. Each row does a reduce-scatter around its
 * ring: then a rank holds a row's sum of one share of c. Each column does the same with that share, and the
 * rank in row i holds the whole sum of 1/n of the tensor. All-gathers in the columns, then in the rows,
 * give it to all.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     2 (r + c - 2) α  +  2 (n - 1)/n · S β  +  (n - 1)/n · S γ:
 * the bytes of a ring in far fewer steps. Grids are 2 x 2 at least: a prime number of ranks has none.
 *
 * It cannot hang, whatever the slots: every rank does the same steps; in each it hands its message over
 * before it waits for the one of its neighbour, and uses that to its end. So whoever is in the lowest step
 * finds that step's message on its way, and comes to its end.
 */
#include "coll/algorithms.h"
#include "coll/parts/grid.h"
#include "coll/parts/share.h"

/* The share of who stands `distance` places further around. */
static tl_view share_at(kb_coll *c, const kbs_line *line, tl_view view, int64_t distance) {
    const int64_t count = line->count, place = ((int64_t)line->at + distance) % count;
    return kbs_share(c, view, line->count, (uint32_t)(place < 0 ? place + count : place));
}

/* In the end the rank holds the sum of its own share. */
static void reduce_scatter(kb_coll *c, const kbs_line *line, tl_view view, const char *label) {
    const tl_queue to = tl_queue_to(c, kbs_line_rank(line, (line->at + 1) % line->count));
    const tl_queue from = tl_queue_from(c, kbs_line_rank(line, (line->at + line->count - 1) % line->count));
    for (int s = 0; s < (int)line->count - 1; s++) {
        tl_step(c, label, (uint64_t)s);
        tl_token sent = tl_send_async(c, to, share_at(c, line, view, -1 - s));
        tl_view in = tl_recv(c, from);
        tl_reduce(c, share_at(c, line, view, -2 - s), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
}

static void all_gather(kb_coll *c, const kbs_line *line, tl_view view, const char *label) {
    const tl_queue to = tl_queue_to(c, kbs_line_rank(line, (line->at + 1) % line->count));
    const tl_queue from = tl_queue_from(c, kbs_line_rank(line, (line->at + line->count - 1) % line->count));
    for (int s = 0; s < (int)line->count - 1; s++) {
        tl_step(c, label, (uint64_t)s);
        tl_token sent = tl_send_async(c, to, share_at(c, line, view, -s));
        tl_view in = tl_recv(c, from);
        tl_copy(c, share_at(c, line, view, -1 - s), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
}

static void torus(kb_coll *c) {
    const kbs_grid g = kbs_grid_of(c->rank, c->ranks);
    const tl_view share = kbs_share(c, c->buffer, g.row.count, g.row.at);
    reduce_scatter(c, &g.row, c->buffer, "reduce-scatter rows");
    reduce_scatter(c, &g.column, share, "reduce-scatter columns");
    all_gather(c, &g.column, share, "all-gather columns");
    all_gather(c, &g.row, c->buffer, "all-gather rows");
}

const kbs_algorithm kbs_algorithm_all_reduce_torus = {.name = "torus",
                                                      .collective = KB_COLL_ALL_REDUCE,
                                                      .help =
                                                          "rows, then columns of a grid of ranks, as rings",
                                                      .record = torus,
                                                      .serves = kbs_grid_serves,
                                                      .counts = KBS_GRID_COUNTS};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reduce-scatter around a ring.
 *
 * The buffer is cut into n chunks. In n - 1 steps each rank sends one chunk to its right and adds the one
 * that comes from its left: chunk j sets out at rank j + 1, gathers everybody's share on its way, and ends
 * at rank j as the whole sum.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     (n - 1) α  +  (n - 1)/n · S (β + γ),
 * and no algorithm moves fewer bytes through a rank's link.
 *
 * It cannot hang, whatever the slots: in each step a rank hands its chunk over before it waits for its
 * neighbour's, and uses that slot by slot to its end. So whoever is in the lowest step finds all that it
 * waits for handed over already, and its own chunk used by a neighbour that is as far.
 */
#include "coll/algorithms.h"

static void ring(kb_coll *c) {
    if (c->ranks == 1)
        return;
    tl_queue to = tl_queue_to(c, rank_at(c, +1)), from = tl_queue_from(c, rank_at(c, -1));
    for (int s = 0; s < (int)c->ranks - 1; s++) {
        tl_step(c, "reduce-scatter", (uint64_t)s);
        tl_token sent = tl_send_async(c, to, chunk(c, -s - 1));
        tl_view in = tl_recv(c, from);
        tl_reduce(c, chunk(c, -s - 2), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
}

const kbs_algorithm kbs_algorithm_reduce_scatter_ring = {.name = "ring",
                                                         .collective = KB_COLL_REDUCE_SCATTER,
                                                         .help = "around a ring, in n - 1 steps",
                                                         .record = ring};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-gather around a ring.
 *
 * The buffer holds a chunk of each of n ranks, and each rank begins with its own. In n - 1 steps each sends
 * to its right what it got last, its own chunk at first, and takes the next one from its left.
 *
 * With S bytes in all, α a message and β a byte on a link it takes
 *     (n - 1) α  +  (n - 1)/n · S β,
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
        tl_step(c, "all-gather", (uint64_t)s);
        tl_token sent = tl_send_async(c, to, chunk(c, -s));
        tl_view in = tl_recv(c, from);
        tl_copy(c, chunk(c, -s - 1), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
}

const kbs_algorithm kbs_algorithm_all_gather_ring = {.name = "ring",
                                                     .collective = KB_COLL_ALL_GATHER,
                                                     .help = "around a ring, in n - 1 steps",
                                                     .record = ring};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce around a ring.
 *
 * The buffer is cut into n chunks. In n - 1 steps each rank sends one chunk to its right and adds
 * the one that comes from its left, so that rank r ends with the whole sum of chunk r + 1; in
 * n - 1 more the finished chunks go around once.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     2 (n - 1) α  +  2 (n - 1)/n · S β  +  (n - 1)/n · S γ,
 * and no algorithm moves fewer bytes through a rank's link.
 */
#include "coll/algorithms.h"
#include "kbsim/coll.h"

static void ring(kb_coll *c) {
    if (c->ranks == 1)
        return;
    tl_queue to = tl_queue_to(c, rank_at(c, +1)), from = tl_queue_from(c, rank_at(c, -1));
    for (int s = 0; s < (int)c->ranks - 1; s++) {
        tl_step(c, "reduce-scatter", (uint64_t)s);
        tl_token sent = tl_send_async(c, to, chunk(c, -s)); /* reads its source until `sent` */
        tl_view in = tl_recv(c, from);
        tl_reduce(c, chunk(c, -s - 1), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
    for (int s = 0; s < (int)c->ranks - 1; s++) {
        tl_step(c, "all-gather", (uint64_t)s);
        tl_token sent = tl_send_async(c, to, chunk(c, 1 - s));
        tl_view in = tl_recv(c, from);
        tl_copy(c, chunk(c, -s), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
}

/*
 * It cannot hang, whatever the slots: in each step a rank hands its message over before it waits for its
 * neighbour's, and uses that to its end. So whoever is in the lowest step finds that step's message on its
 * way, and comes to its end.
 */
const kbs_algorithm kbs_algorithm_all_reduce_ring = {.name = "ring",
                                                     .collective = KB_COLL_ALL_REDUCE,
                                                     .help = "around a ring, in 2 (n - 1) steps",
                                                     .record = ring};

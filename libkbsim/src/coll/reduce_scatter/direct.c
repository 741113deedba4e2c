/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reduce-scatter by one exchange of everybody with everybody.
 *
 * The buffer is cut into n chunks. Each rank sends its copy of chunk j to rank j, which adds what it gets
 * to its own in the order of the ranks.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     (n - 1) α  +  (n - 1)/n · S (β + γ),
 * as a ring does; but its messages do not wait for one another, so that of an α only the part that keeps a
 * PE busy is paid so often, and the latency of the way once. A PE needs n - 1 queues in each direction.
 *
 * It cannot hang, whatever the slots: a rank hands over all its sends before it waits for anything, and
 * each queue carries one message. So the first slots of each come without anybody's doing, each further one
 * needs only that the same message's earlier slots were used, and a receiver uses the messages one after
 * another to their ends.
 */
#include "coll/algorithms.h"

static void direct(kb_coll *c) {
    if (!kb_coll_needs_peers(c, c->ranks - 1))
        return;
    tl_token sent[c->ranks];
    tl_step(c, "reduce-scatter", 0);
    for (uint32_t i = 1; i < c->ranks; i++) /* not all at rank 0 first */
        sent[i] = tl_send_async(c, tl_queue_to(c, rank_at(c, i)), chunk(c, i));
    for (uint32_t r = 0; r < c->ranks; r++) {
        if (r == c->rank)
            continue;
        tl_view in = tl_recv(c, tl_queue_from(c, r));
        tl_reduce(c, chunk(c, 0), in);
        tl_release(c, tl_queue_from(c, r));
    }
    for (uint32_t i = 1; i < c->ranks; i++)
        tl_wait_sent(c, sent[i]);
}

const kbs_algorithm kbs_algorithm_reduce_scatter_direct = {.name = "direct",
                                                           .collective = KB_COLL_REDUCE_SCATTER,
                                                           .help =
                                                               "everybody with everybody, in one exchange",
                                                           .record = direct};

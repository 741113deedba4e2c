/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-gather by one exchange: each rank sends its chunk to all others.
 *
 * With S bytes in all, α a message and β a byte on a link it takes
 *     (n - 1) α  +  (n - 1)/n · S β,
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
    tl_step(c, "all-gather", 0);
    for (uint32_t i = 1; i < c->ranks; i++) /* not all at rank 0 first */
        sent[i] = tl_send_async(c, tl_queue_to(c, rank_at(c, i)), chunk(c, 0));
    for (uint32_t i = 1; i < c->ranks; i++) {
        const tl_queue from = tl_queue_from(c, rank_at(c, -(int64_t)i));
        tl_view in = tl_recv(c, from);
        tl_copy(c, chunk(c, -(int64_t)i), in);
        tl_release(c, from);
    }
    for (uint32_t i = 1; i < c->ranks; i++)
        tl_wait_sent(c, sent[i]);
}

const kbs_algorithm kbs_algorithm_all_gather_direct = {.name = "direct",
                                                       .collective = KB_COLL_ALL_GATHER,
                                                       .help = "everybody to everybody, in one exchange",
                                                       .record = direct};

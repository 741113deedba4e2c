/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broadcast from the root to all others at once.
 *
 * With S bytes, α a message and β a byte on a link it takes
 *     (n - 1) (α + S β),
 * where of an α only the part that keeps the root busy is paid so often, and the latency of the way once.
 * The root needs n - 1 queues.
 *
 * It cannot hang, whatever the slots: the others wait for the root only, and use to its end what comes.
 */
#include "coll/algorithms.h"

static void give(kb_coll *c) {
    tl_token sent[c->ranks];
    for (uint32_t i = 1; i < c->ranks; i++)
        sent[i] = tl_send_async(c, tl_queue_to(c, rank_at(c, i)), c->buffer);
    for (uint32_t i = 1; i < c->ranks; i++)
        tl_wait_sent(c, sent[i]);
}

static void direct(kb_coll *c) {
    if (!kb_coll_needs_peers(c, c->ranks - 1))
        return;
    tl_step(c, "broadcast", 0);
    if (c->rank == c->root) {
        give(c);
        return;
    }
    const tl_queue from = tl_queue_from(c, c->root);
    tl_view in = tl_recv(c, from);
    tl_copy(c, c->buffer, in);
    tl_release(c, from);
}

const kbs_algorithm kbs_algorithm_broadcast_direct = {.name = "direct",
                                                      .collective = KB_COLL_BROADCAST,
                                                      .help = "from the root to all others at once",
                                                      .record = direct};

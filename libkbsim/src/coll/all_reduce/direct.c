/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce by two exchanges of everybody with everybody.
 *
 * The buffer is cut into n chunks. Each rank sends its copy of chunk j to rank j, which adds what it
 * gets to its own in the order of the ranks; then it sends the finished chunk to all others.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     2 (n - 1) α  +  2 (n - 1)/n · S β  +  (n - 1)/n · S γ,
 * as a ring does; but messages of an exchange do not wait for one another, so that of an α only the part
 * that keeps a PE busy is paid so often, and the latency of the way twice. A PE needs n - 1 queues in
 * each direction.
 *
 * It cannot hang, whatever the slots: in an exchange a rank hands over all its sends before it waits for
 * anything, and each queue carries one message of it. So the first slots of each message come without
 * anybody's doing, each further one needs only that the same message's earlier slots were used, and a
 * receiver uses the messages one after another to their ends. All sends are over before an exchange ends.
 */
#include "coll/algorithms.h"
#include "kbsim/coll.h"

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
        tl_wait_sent(c, sent[i]); /* those chunks are overwritten now */
    tl_step(c, "all-gather", 0);
    for (uint32_t i = 1; i < c->ranks; i++)
        sent[i] = tl_send_async(c, tl_queue_to(c, rank_at(c, i)), chunk(c, 0));
    for (uint32_t i = 1; i < c->ranks; i++) {
        const uint32_t r = rank_at(c, -(int64_t)i);
        tl_view in = tl_recv(c, tl_queue_from(c, r));
        tl_copy(c, kb_coll_chunk(c, r), in);
        tl_release(c, tl_queue_from(c, r));
    }
    for (uint32_t i = 1; i < c->ranks; i++)
        tl_wait_sent(c, sent[i]);
}

const kbs_algorithm kbs_algorithm_all_reduce_direct = {.name = "direct",
                                                       .collective = KB_COLL_ALL_REDUCE,
                                                       .help = "everybody with everybody, in two exchanges",
                                                       .record = direct};

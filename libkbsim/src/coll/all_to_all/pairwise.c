/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-to-all by pairs: in step s each rank sends to the one s behind it, and gets from the one s before.
 *
 * With S bytes a rank, α a message and β a byte on a link it takes
 *     (n - 1) α  +  (n - 1)/n · S β,
 * and its own block is copied beside that. Nobody sends a byte that is not for the receiver. A PE needs n -
 * 1 queues in each direction.
 *
 * It cannot hang, whatever the slots: in each step a rank hands its block over before it waits for the one
 * that it gets, and uses that slot by slot to its end; each queue carries one message. So whoever is in the
 * lowest step finds what it waits for handed over already, and who gets its block comes to that step, too.
 */
#include "coll/algorithms.h"

static void pairwise(kb_coll *c) {
    if (!kb_coll_needs_peers(c, c->ranks - 1))
        return;
    tl_step(c, "copy", 0);
    tl_token own = tl_copy_async(c, kb_coll_out_block(c, c->rank), kb_coll_in_block(c, c->rank));
    for (uint32_t s = 1; s < c->ranks; s++) {
        const uint32_t behind = rank_at(c, s), before = rank_at(c, -(int64_t)s);
        tl_queue to = tl_queue_to(c, behind), from = tl_queue_from(c, before);
        tl_step(c, "exchange", s);
        tl_token sent = tl_send_async(c, to, kb_coll_in_block(c, behind));
        tl_view in = tl_recv(c, from);
        tl_copy(c, kb_coll_out_block(c, before), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
    tl_wait(c, own);
}

const kbs_algorithm kbs_algorithm_all_to_all_pairwise = {
    .name = "pairwise",
    .collective = KB_COLL_ALL_TO_ALL,
    .help = "with ranks 1, 2 ... n - 1 away, one after another",
    .record = pairwise};

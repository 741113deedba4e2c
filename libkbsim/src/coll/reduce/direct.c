/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reduce by all others sending to the root, which adds what it gets to its own in the order of the ranks.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     α  +  (n - 1) S (β + γ).
 * The root needs n - 1 queues.
 *
 * It cannot hang, whatever the slots: the others wait for the root's credits only, and the root uses the
 * messages one after another to their ends.
 */
#include "coll/algorithms.h"

static void direct(kb_coll *c) {
    if (!kb_coll_needs_peers(c, c->ranks - 1))
        return;
    tl_step(c, "reduce", 0);
    if (c->rank != c->root) {
        tl_send(c, tl_queue_to(c, c->root), c->buffer);
        return;
    }
    for (uint32_t r = 0; r < c->ranks; r++) {
        if (r == c->root)
            continue;
        tl_view in = tl_recv(c, tl_queue_from(c, r));
        tl_reduce(c, c->buffer, in);
        tl_release(c, tl_queue_from(c, r));
    }
}

const kbs_algorithm kbs_algorithm_reduce_direct = {.name = "direct",
                                                   .collective = KB_COLL_REDUCE,
                                                   .help = "from all others to the root at once",
                                                   .record = direct};

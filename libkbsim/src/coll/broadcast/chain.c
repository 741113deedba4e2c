/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broadcast along a chain, pipelined in segments.
 *
 * Each rank but the last sends on to the next what it gets, from the root around to the rank before it. A
 * segment is what one slot holds, and leaves while the next one comes.
 *
 * With S bytes in m segments, α a message and β a byte on a link it takes
 *     (n - 2 + m) (α + S/m · β):
 * of a long message each link carries every byte once, and no algorithm can do better; a short one pays the
 * whole chain.
 *
 * It cannot hang, whatever the slots; see coll/parts/pipeline.h.
 */
#include "coll/algorithms.h"
#include "coll/parts/pipeline.h"

static void chain(kb_coll *c) {
    const uint32_t next = rank_at(c, +1);
    const kbs_node node = {.parent = c->rank == c->root ? KB_NONE : rank_at(c, -1),
                           .children = &next,
                           .child_count = next != c->root};
    kbs_pass_down(c, &node, c->buffer);
}

const kbs_algorithm kbs_algorithm_broadcast_chain = {.name = "chain",
                                                     .collective = KB_COLL_BROADCAST,
                                                     .help = "from rank to rank, slot by slot",
                                                     .record = chain};

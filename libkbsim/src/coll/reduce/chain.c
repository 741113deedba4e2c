/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reduce along a chain, pipelined in segments.
 *
 * From the rank behind the root around to the root, each adds its own to what it gets and sends the sum on.
 * A segment is what one slot holds, and leaves while the next one comes.
 *
 * With S bytes a rank in m segments, α a message, β a byte on a link and γ a reduced byte it takes
 *     (n - 2 + m) (α + S/m · (β + γ)):
 * of a long message each link carries every byte once, and no algorithm can do better; a short one pays the
 * whole chain.
 *
 * It cannot hang, whatever the slots; see coll/parts/pipeline.h.
 */
#include "coll/algorithms.h"
#include "coll/parts/pipeline.h"

static void chain(kb_coll *c) {
    const uint32_t former = rank_at(c, -1);
    const kbs_node node = {.parent = c->rank == c->root ? KB_NONE : rank_at(c, +1),
                           .children = &former,
                           .child_count = former != c->root};
    kbs_sum_up(c, &node, c->buffer);
}

const kbs_algorithm kbs_algorithm_reduce_chain = {.name = "chain",
                                                  .collective = KB_COLL_REDUCE,
                                                  .help = "from rank to rank, slot by slot",
                                                  .record = chain,
                                                  .by_slots = true};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reduce up a binary tree, pipelined in segments.
 *
 * Each rank adds the segments of its two children to its own, and sends the sums to its parent; the root
 * keeps them. A segment is what one slot holds: queues move slots one by one anyway, so that a small
 * segment costs the PE's own work and no latency.
 *
 * With S bytes a rank in m segments, α a message, β a byte on a link and γ a reduced byte it takes
 *     (lg n + m - 1) (α + S/m · β + 2 S/m · γ),
 * where the 2 is the two children of a rank.
 *
 * It cannot hang, whatever the slots; see coll/parts/pipeline.h.
 */
#include "coll/algorithms.h"
#include "coll/parts/binary.h"
#include "coll/parts/pipeline.h"

static void tree(kb_coll *c) {
    kbs_binary binary;
    kbs_binary_init(&binary, c, c->root);
    kbs_sum_up(c, &binary.node, c->buffer);
}

const kbs_algorithm kbs_algorithm_reduce_tree = {.name = "tree",
                                                 .collective = KB_COLL_REDUCE,
                                                 .help = "up a binary tree, slot by slot",
                                                 .record = tree,
                                                 .by_slots = true};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broadcast down a binary tree, pipelined in segments.
 *
 * The root's segments go from each rank to its two children. A segment is what one slot holds: queues move
 * slots one by one anyway, so that a small segment costs the PE's own work and no latency.
 *
 * With S bytes in m segments, α a message and β a byte on a link it takes
 *     (lg n + m - 1) (α + 2 S/m · β),
 * where the 2 is the two children of a rank. A binomial tree would take lg n (α + S β): no less while S is
 * one segment, and lg n times as much where there are many.
 *
 * It cannot hang, whatever the slots; see coll/parts/pipeline.h.
 */
#include "coll/algorithms.h"
#include "coll/parts/binary.h"
#include "coll/parts/pipeline.h"

static void tree(kb_coll *c) {
    kbs_binary binary;
    kbs_binary_init(&binary, c, c->root);
    kbs_pass_down(c, &binary.node, c->buffer);
}

const kbs_algorithm kbs_algorithm_broadcast_tree = {.name = "tree",
                                                    .collective = KB_COLL_BROADCAST,
                                                    .help = "down a binary tree, slot by slot",
                                                    .record = tree};

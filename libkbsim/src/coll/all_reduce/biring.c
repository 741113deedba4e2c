/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce around a ring in both directions at once.
 *
 * One half of the tensor goes around as in `ring`, the other half likewise the other way: in each step a rank
 * sends a chunk of 1/2n to either side.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     2 (n - 1) α  +  (n - 1)/n · S β  +  (n - 1)/n · S γ,
 * where a rank's links to both sides are not the same one: then S β is twice that, as in `ring`. A message
 * is half as long and a step has two of them, so that of α the part that keeps a PE busy counts twice.
 *
 * It cannot hang, whatever the slots: in each step a rank hands over both messages before it waits for
 * anything. Whoever is in the lowest step finds that both neighbours have handed over theirs of that step,
 * whose slots come without anybody's doing once those before them were used; so it comes to its end.
 * The directions have queues of their own, also where both neighbours are one rank.
 */
#include "coll/algorithms.h"
#include "coll/parts/flows.h"

/* In direction +1 or -1, chunk of the rank that is so many places further that way. */
static tl_view half_chunk(kb_coll *c, int way, int64_t distance) {
    const tl_view half = kbs_share(c, c->buffer, 2, way > 0 ? 0 : 1);
    return kbs_share(c, half, c->ranks, rank_at(c, way * distance));
}

static void biring(kb_coll *c) {
    static const int ways[KBS_FLOWS] = {+1, -1};
    kbs_flow flows[KBS_FLOWS];
    if (c->ranks == 1)
        return;
    for (uint32_t i = 0; i < KBS_FLOWS; i++) {
        flows[i].to = tl_queue_to_on(c, rank_at(c, ways[i]), i);
        flows[i].from = tl_queue_from_on(c, rank_at(c, -ways[i]), i);
    }
    for (int s = 0; s < (int)c->ranks - 1; s++) {
        tl_step(c, "reduce-scatter", (uint64_t)s);
        for (int i = 0; i < KBS_FLOWS; i++) {
            flows[i].out = half_chunk(c, ways[i], -s);
            flows[i].in = half_chunk(c, ways[i], -s - 1);
        }
        kbs_flows_step(c, flows, true);
    }
    for (int s = 0; s < (int)c->ranks - 1; s++) {
        tl_step(c, "all-gather", (uint64_t)s);
        for (int i = 0; i < KBS_FLOWS; i++) {
            flows[i].out = half_chunk(c, ways[i], 1 - s);
            flows[i].in = half_chunk(c, ways[i], -s);
        }
        kbs_flows_step(c, flows, false);
    }
}

const kbs_algorithm kbs_algorithm_all_reduce_biring = {
    .name = "biring",
    .collective = KB_COLL_ALL_REDUCE,
    .help = "around a ring, half of the tensor in either direction",
    .record = biring};

/* SPDX-License-Identifier: Apache-2.0 */
/* What must flow, kind by kind; see flow.h and bound.h. */
#include "bound/flow.h"

#include <stddef.h>

#include "kbtrace/words.h"

typedef kbs_flow (*flow_fn)(const kbs_peers *peers, const kbs_some *some);

/* A sum is joined inside or outside: what the others have comes in, or the result does. */
static kbs_flow of_all_reduce(const kbs_peers *peers, const kbs_some *some) {
    (void)some;
    return (kbs_flow){peers->elements, peers->elements};
}

static kbs_flow of_reduce_scatter(const kbs_peers *peers, const kbs_some *some) {
    return (kbs_flow){some->shares, peers->elements - some->shares};
}

static kbs_flow of_all_gather(const kbs_peers *peers, const kbs_some *some) {
    return (kbs_flow){(peers->ranks - some->count) * peers->elements, some->count * peers->elements};
}

static kbs_flow of_broadcast(const kbs_peers *peers, const kbs_some *some) {
    return some->has_root ? (kbs_flow){0, peers->elements} : (kbs_flow){peers->elements, 0};
}

static kbs_flow of_reduce(const kbs_peers *peers, const kbs_some *some) {
    return some->has_root ? (kbs_flow){peers->elements, 0} : (kbs_flow){0, peers->elements};
}

static kbs_flow of_all_to_all(const kbs_peers *peers, const kbs_some *some) {
    return (kbs_flow){(peers->ranks - some->count) * some->shares,
                      some->count * (peers->elements - some->shares)};
}

static const flow_fn flows[] = {
    [KB_COLL_ALL_REDUCE] = of_all_reduce, [KB_COLL_REDUCE_SCATTER] = of_reduce_scatter,
    [KB_COLL_ALL_GATHER] = of_all_gather, [KB_COLL_BROADCAST] = of_broadcast,
    [KB_COLL_REDUCE] = of_reduce,         [KB_COLL_ALL_TO_ALL] = of_all_to_all,
};

uint64_t kbs_peers_share(const kbs_peers *peers, uint32_t position) {
    const uint64_t block = peers->elements / peers->ranks + (peers->elements % peers->ranks != 0);
    const uint64_t first = block * position;
    if (first >= peers->elements)
        return 0;
    return peers->elements - first < block ? peers->elements - first : block;
}

kbs_flow kbs_flow_of(const kbs_peers *peers, const kbs_some *some) {
    const flow_fn flow = peers->kind < sizeof flows / sizeof flows[0] ? flows[peers->kind] : NULL;
    if (flow == NULL || some->count == 0 || some->count == peers->ranks)
        return (kbs_flow){0, 0};
    return flow(peers, some);
}

uint64_t kbs_flow_among(const kbs_peers *peers, uint64_t parts, uint64_t entering, uint64_t leaving) {
    if (parts < 2)
        return 0;
    if (peers->kind == KB_COLL_ALL_REDUCE)
        return 2 * (parts - 1) * peers->elements;
    if (peers->kind == KB_COLL_REDUCE_SCATTER)
        return (parts - 1) * peers->elements;
    return entering > leaving ? entering : leaving;
}

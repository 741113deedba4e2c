/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an algorithm for a collective sees: one function, called once for each rank of the group.
 *
 * Its page is the textbook's: rank_at() and chunk() speak of neighbours and of shares relative to the
 * rank that is being recorded, around the ring. Everything else is tl.h. When the function returns,
 * all its tokens must have been waited for and all its messages released.
 */
#ifndef KBSIM_COLL_H
#define KBSIM_COLL_H

#include <stdbool.h>

#include "kbsim/abi.h"
#include "kbsim/tl.h"

typedef struct kb_coll {
    tl_stream *stream;
    uint32_t rank, ranks; /* position in the group, and its size */
    uint32_t dtype;       /* KB_DTYPE_… */
    uint32_t reduce;      /* KB_REDUCE_… */
    tl_view buffer;       /* input and output in one: the collective works in place */
} kb_coll;

typedef struct kbs_algorithm {
    const char *name;
    uint32_t collective; /* KB_COLL_… */
    const char *help;    /* one line */
    void (*record)(kb_coll *c);
} kbs_algorithm;

/* The rank `distance` places further around the ring; negative is backwards. */
static inline uint32_t rank_at(const kb_coll *c, int64_t distance) {
    const int64_t ranks = (int64_t)c->ranks, place = ((int64_t)c->rank + distance) % ranks;
    return (uint32_t)(place < 0 ? place + ranks : place);
}

/* The share of that rank: the elements in ranks' parts that differ by one at most, longer ones first. */
tl_view kb_coll_chunk(const kb_coll *c, uint32_t rank);

static inline tl_view chunk(const kb_coll *c, int64_t distance) {
    return kb_coll_chunk(c, rank_at(c, distance));
}

/* Elements of the collective that a slot holds; at least 1, so that sending it tells what is wrong. */
uint64_t kb_coll_slot_elements(const kb_coll *c);

/*
 * Whether a PE may have so many queues in one direction. If not, that is a mistake of the program, which says
 * how many ranks the algorithm could serve: it must need one queue a peer.
 */
#define kb_coll_needs_peers(c, peers) kb_coll_needs_peers_at((c), (peers), TL_HERE)
bool kb_coll_needs_peers_at(const kb_coll *c, uint32_t peers, tl_where where);

#endif

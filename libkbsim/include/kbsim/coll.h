/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an algorithm for a collective sees: one function, called once for each rank of the group.
 *
 * Its page is the textbook's: rank_at() and chunk() speak of neighbours and of shares relative to the
 * rank that is being recorded, around the ring. Ranks are positions in the group, 0 to ranks - 1, in
 * tl_queue_to and tl_queue_from as everywhere here: who they are in the run does not matter. Everything else
 * is tl.h. When the function returns, all its tokens must have been waited for and all its messages released.
 *
 * How what it works on lies, of a collective of E elements among n ranks:
 *
 *   kind            in                    out                          buffer
 *   all_reduce      the buffer            the buffer                   E elements, in place
 *   broadcast       the buffer; only the  the buffer                   E elements, in place
 *                   root's counts
 *   reduce          the buffer            the buffer; of others than   E elements; others than the root may
 *                                         the root empty               leave partial results there
 *   reduce_scatter  the buffer            chunk(c, 0)                  E elements; partial results may stay
 *                                                                      in the other chunks
 *   all_gather      chunk(c, 0)           the buffer                   n x E elements
 *   all_to_all      E elements of a       a tensor of its own          empty
 *                   tensor of its own
 *   barrier         empty                 empty                        empty
 */
#ifndef KBSIM_COLL_H
#define KBSIM_COLL_H

#include <stdbool.h>

#include "kbsim/abi.h"
#include "kbsim/tl.h"

typedef struct kb_coll {
    tl_stream *stream;
    uint32_t rank, ranks; /* position in the group, and its size */
    uint32_t kind;        /* KB_COLL_… */
    uint32_t dtype;       /* KB_DTYPE_…; of a barrier KB_DTYPE_BYTES */
    uint32_t reduce;      /* KB_REDUCE_…; KB_REDUCE_NONE where nothing is reduced */
    uint32_t root;        /* a position; 0 where there is none */
    tl_view buffer;       /* what is worked on in place */
    tl_view in, out;      /* what the rank gives and gets */
} kb_coll;

typedef struct kbs_algorithm {
    uint32_t abi, size_bytes; /* KB_PLUGIN_ABI and sizeof(kbs_algorithm), by KB_ALGORITHM; 0 where built in */
    const char *name;         /* letters, digits, '_' and '-' */
    uint32_t collective;      /* KB_COLL_… */
    const char *help;         /* one line */
    void (*record)(kb_coll *c);
    /* Whether it can do with so many ranks, and which those are in words. NULL: any. */
    bool (*serves)(uint32_t ranks);
    const char *counts; /* "r x c ranks, both 2 at least" */
    /* It goes slot by slot: a large tensor outside of the TCM comes into that in pieces. */
    bool by_slots;
} kbs_algorithm;

/*
 * Exports an algorithm of a user's own, for a file that is given as `-p algo=./mine.c`:
 *
 *     KB_ALGORITHM(ALL_REDUCE, .name = "mine", .help = "in a line", .record = mine);
 *
 * A file may have one for each kind.
 */
#define KB_ALGORITHM(kind, ...)                                                               \
    KB_EXPORT extern const kbs_algorithm kb_algorithm_##kind;                                 \
    const kbs_algorithm kb_algorithm_##kind = {.abi = KB_PLUGIN_ABI,                          \
                                               .size_bytes = (uint32_t)sizeof(kbs_algorithm), \
                                               .collective = KB_COLL_##kind,                  \
                                               __VA_ARGS__}

/* The rank `distance` places further around the ring; negative is backwards. */
static inline uint32_t rank_at(const kb_coll *c, int64_t distance) {
    const int64_t ranks = (int64_t)c->ranks, place = ((int64_t)c->rank + distance) % ranks;
    return (uint32_t)(place < 0 ? place + ranks : place);
}

/*
 * The share of that rank in the buffer. Of an all_reduce, broadcast or reduce: the elements in ranks' parts
 * that differ by one at most, longer ones first. Of a reduce_scatter: blocks of E / n rounded up, of which
 * the last ones are shorter or empty. Of an all_gather: E each.
 */
tl_view kb_coll_chunk(const kb_coll *c, uint32_t rank);

static inline tl_view chunk(const kb_coll *c, int64_t distance) {
    return kb_coll_chunk(c, rank_at(c, distance));
}

/*
 * Of an all_to_all: what this rank gives to that one, blocks of E / n rounded up, of which the last ones are
 * shorter or empty; and what it gets from that one, as many elements as its own number has of them.
 */
tl_view kb_coll_in_block(const kb_coll *c, uint32_t to);
tl_view kb_coll_out_block(const kb_coll *c, uint32_t from);

/* Elements of the collective that a slot holds; at least 1, so that sending it tells what is wrong. */
uint64_t kb_coll_slot_elements(const kb_coll *c);
/* Slots of a queue's ring, of the smallest one: so many messages of a slot can be on their way at once. */
uint64_t kb_coll_slots(const kb_coll *c);
/*
 * Elements of the collective that find room in scratch, in a few pieces. All ranks come to the same: it says
 * nothing of what tensors and rings have left of a PE's TCM.
 */
uint64_t kb_coll_scratch_elements(const kb_coll *c);

/* Where a rank's PE is. */
typedef struct kb_place {
    uint32_t sip;  /* package */
    uint32_t x, y; /* column and row of its cube in the package */
    uint32_t pe;   /* in the cube */
} kb_place;

/*
 * Members of a group stand in the order of packages, rows of cubes, cubes and PEs: that of their
 * positions.
 */
kb_place kb_coll_place(const kb_coll *c, uint32_t rank);

/*
 * Whether a PE may have so many queues in one direction. If not, that is a mistake of the program, which says
 * how many ranks the algorithm could serve: it must need one queue a peer.
 */
#define kb_coll_needs_peers(c, peers) kb_coll_needs_peers_at((c), (peers), TL_HERE)
bool kb_coll_needs_peers_at(const kb_coll *c, uint32_t peers, tl_where where);

#endif

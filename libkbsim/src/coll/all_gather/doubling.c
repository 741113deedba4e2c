/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-gather by recursive doubling.
 *
 * Each rank begins with its own chunk. In each of lg n steps it exchanges all that it has with its partner
 * 1, 2 ... n/2 away, and has twice as much.
 *
 * Ranks beyond a power of two are folded: each gives its chunk to the neighbour behind it before, who works
 * for both, and gets the whole buffer from there at the end.
 *
 * With S bytes in all, α a message and β a byte on a link it takes
 *     lg n · α  +  (n - 1)/n · S β,
 * and 2 α + S/n · β + S β more where n is no power of two: a ring's bytes in few messages, the longest of
 * which go farthest.
 *
 * It cannot hang, whatever the slots: in each step a rank hands its message over before it waits for its
 * partner's and uses that to its end, and both are in the same step. So the lowest step that somebody is in
 * always ends; and of a folded pair one sends while the other receives.
 */
#include "coll/algorithms.h"
#include "coll/parts/chunks.h"
#include "coll/parts/fold.h"

/* The chunks of who plays at places [first, first + count), and of those folded onto them. */
static tl_view chunks(const kb_coll *c, const kbs_fold *f, uint32_t first, uint32_t count) {
    return kbs_chunks(c, kbs_fold_first(f, first), kbs_fold_first(f, first + count));
}

static void double_up(kb_coll *c, const kbs_fold *f) {
    for (uint32_t size = 1, s = 0; size < f->places; size *= 2, s++) {
        const uint32_t peer = kbs_fold_rank(f, f->place ^ size), mine = f->place / size * size;
        tl_queue to = tl_queue_to(c, peer), from = tl_queue_from(c, peer);
        tl_step(c, "all-gather", s);
        tl_token sent = tl_send_async(c, to, chunks(c, f, mine, size));
        tl_view in = tl_recv(c, from);
        tl_copy(c, chunks(c, f, mine ^ size, size), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
}

static void doubling(kb_coll *c) {
    uint32_t all[c->ranks];
    for (uint32_t i = 0; i < c->ranks; i++)
        all[i] = i;
    const kbs_fold f = kbs_fold_of(all, c->ranks, c->rank);
    kbs_fold_join(c, &f, f.plays ? chunk(c, -1) : chunk(c, 0));
    if (f.plays)
        double_up(c, &f);
    kbs_fold_out(c, &f, c->buffer);
}

const kbs_algorithm kbs_algorithm_all_gather_doubling = {.name = "doubling",
                                                         .collective = KB_COLL_ALL_GATHER,
                                                         .help =
                                                             "all that one has, with ranks 1, 2 ... n/2 away",
                                                         .record = doubling};

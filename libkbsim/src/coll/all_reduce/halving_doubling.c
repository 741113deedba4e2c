/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce by recursive halving and doubling (Rabenseifner's algorithm).
 *
 * A reduce-scatter: in step s each rank sends half of what it still works on to the rank whose number differs
 * in bit s, adds what it gets to the other half, and goes on with that. After lg n steps it holds 1/n of the
 * sum. An all-gather runs the same steps backwards: each rank sends all that it has, and has twice as much.
 * The longest messages go to the nearest ranks. Ranks beyond a power of two fold onto others.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     2 lg n · α  +  2 (n - 1)/n · S β  +  (n - 1)/n · S γ,
 * and 2 α + 2 S β + S γ more where n is no power of two: a ring's bytes in few messages.
 *
 * It cannot hang, whatever the slots: in each step a rank hands its message over before it waits for the
 * partner's and uses that to its end, and both are in the same step; so the lowest step that somebody is in
 * always ends.
 *
 * R. Rabenseifner: Optimization of Collective Reduction Operations, ICCS 2004.
 */
#include "coll/algorithms.h"
#include "coll/parts/fold.h"
#include "coll/parts/share.h"

/* Shares [first, end) of as many as there are places: what a rank has to do with. */
typedef struct range {
    uint32_t first, end;
} range;

static range half_of(range whole, bool upper) {
    const uint32_t middle = whole.first + (whole.end - whole.first) / 2;
    return upper ? (range){middle, whole.end} : (range){whole.first, middle};
}

static tl_view part(kb_coll *c, const kbs_fold *f, range r) {
    return kbs_shares(c, c->buffer, f->places, r.first, r.end);
}

/* The share of who holds the other half of the range that this one is a half of. */
static range sibling_of(range mine, bool is_upper) {
    const uint32_t size = mine.end - mine.first;
    return is_upper ? (range){mine.first - size, mine.first} : (range){mine.end, mine.end + size};
}

static range halve(kb_coll *c, const kbs_fold *f) {
    range mine = {0, f->places};
    for (uint32_t bit = 1, s = 0; bit < f->places; bit *= 2, s++) {
        const uint32_t peer = kbs_fold_rank(f, f->place ^ bit);
        const bool upper = (f->place & bit) != 0;
        tl_queue to = tl_queue_to(c, peer), from = tl_queue_from(c, peer);
        tl_step(c, "reduce-scatter", s);
        tl_token sent = tl_send_async(c, to, part(c, f, half_of(mine, !upper)));
        mine = half_of(mine, upper);
        tl_view in = tl_recv(c, from);
        tl_reduce(c, part(c, f, mine), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
    return mine;
}

static void double_up(kb_coll *c, const kbs_fold *f, range mine) {
    for (uint32_t bit = f->places / 2, s = 0; bit > 0; bit /= 2, s++) {
        const uint32_t peer = kbs_fold_rank(f, f->place ^ bit);
        const range theirs = sibling_of(mine, (f->place & bit) != 0);
        tl_queue to = tl_queue_to(c, peer), from = tl_queue_from(c, peer);
        tl_step(c, "all-gather", s);
        tl_token sent = tl_send_async(c, to, part(c, f, mine));
        tl_view in = tl_recv(c, from);
        tl_copy(c, part(c, f, theirs), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
        mine.first = mine.first < theirs.first ? mine.first : theirs.first;
        mine.end = mine.end > theirs.end ? mine.end : theirs.end;
    }
}

static void halving_doubling(kb_coll *c) {
    uint32_t all[c->ranks];
    for (uint32_t i = 0; i < c->ranks; i++)
        all[i] = i;
    const kbs_fold f = kbs_fold_of(all, c->ranks, c->rank);
    kbs_fold_in(c, &f, c->buffer);
    if (f.plays)
        double_up(c, &f, halve(c, &f));
    kbs_fold_out(c, &f, c->buffer);
}

const kbs_algorithm kbs_algorithm_all_reduce_halving_doubling = {
    .name = "halving_doubling",
    .collective = KB_COLL_ALL_REDUCE,
    .help = "halves, quarters ... with ranks 1, 2 ... away, and back",
    .record = halving_doubling};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reduce-scatter by recursive halving.
 *
 * Each rank begins with the whole buffer. In each of lg n steps it sends the half that belongs to the other
 * half of the ranks to its partner there, n/2, n/4 ... 1 away, adds what it gets to its own half, and goes
 * on with that, until its own chunk is left.
 *
 * Ranks beyond a power of two are folded: each gives its whole buffer to the neighbour behind it before,
 * who works for both, and gets its chunk from there at the end.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     lg n · α  +  (n - 1)/n · S (β + γ),
 * and 2 α + S (β + γ) + S/n · β more where n is no power of two: a ring's bytes in few messages, the
 * longest of which go farthest.
 *
 * It cannot hang, whatever the slots: in each step a rank hands its message over before it waits for its
 * partner's and uses that to its end, and both are in the same step. So the lowest step that somebody is in
 * always ends; and of a folded pair one sends while the other receives.
 */
#include "coll/algorithms.h"
#include "coll/parts/chunks.h"
#include "coll/parts/fold.h"

/* The chunks of who plays at places [first, end), and of those folded onto them. */
static tl_view half(const kb_coll *c, const kbs_fold *f, uint32_t first, uint32_t end) {
    return kbs_chunks(c, kbs_fold_first(f, first), kbs_fold_first(f, end));
}

static void halve(kb_coll *c, const kbs_fold *f) {
    uint32_t first = 0; /* of the places whose chunks this rank still works on */
    for (uint32_t size = f->places / 2, s = 0; size > 0; size /= 2, s++) {
        const bool is_upper = (f->place & size) != 0;
        const uint32_t peer = kbs_fold_rank(f, f->place ^ size), middle = first + size, end = middle + size;
        tl_queue to = tl_queue_to(c, peer), from = tl_queue_from(c, peer);
        tl_step(c, "reduce-scatter", s);
        tl_token sent = tl_send_async(c, to, is_upper ? half(c, f, first, middle) : half(c, f, middle, end));
        first = is_upper ? middle : first;
        tl_view in = tl_recv(c, from);
        tl_reduce(c, half(c, f, first, first + size), in);
        tl_release(c, from);
        tl_wait_sent(c, sent);
    }
}

static void halving(kb_coll *c) {
    uint32_t all[c->ranks];
    for (uint32_t i = 0; i < c->ranks; i++)
        all[i] = i;
    const kbs_fold f = kbs_fold_of(all, c->ranks, c->rank);
    kbs_fold_in(c, &f, c->buffer);
    if (f.plays)
        halve(c, &f);
    kbs_fold_out(c, &f, f.plays ? chunk(c, -1) : chunk(c, 0));
}

const kbs_algorithm kbs_algorithm_reduce_scatter_halving = {
    .name = "halving",
    .collective = KB_COLL_REDUCE_SCATTER,
    .help = "halves, quarters ... with ranks n/2, n/4 ... away",
    .record = halving};

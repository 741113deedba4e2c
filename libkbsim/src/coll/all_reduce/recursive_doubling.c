/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce by recursive doubling.
 *
 * In lg n steps each rank exchanges its whole tensor with the rank whose number differs in one bit, the
 * lowest first, and both add what they get: after step s all of 2^(s + 1) neighbours hold their sum. Ranks
 * beyond a power of two fold onto others before and after.
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     lg n · (α + S β + S γ),
 * of which S γ passes behind S β or the other way round, because segments of a slot are summed while others
 * come; and 2 α + 2 S β + S γ more where n is no power of two. No algorithm needs fewer messages one
 * after another, and it is the one for tensors of few bytes.
 *
 * It cannot hang, whatever the slots: pairs exchange in one order of steps, an exchange of two ends by itself
 * (exchange.h), so the lowest step that somebody is in always ends.
 *
 * R. Thakur, R. Rabenseifner, W. Gropp: Optimization of Collective Communication Operations in MPICH, 2005.
 */
#include "coll/algorithms.h"
#include "coll/parts/exchange.h"
#include "coll/parts/fold.h"

static void recursive_doubling(kb_coll *c) {
    uint32_t all[c->ranks];
    for (uint32_t i = 0; i < c->ranks; i++)
        all[i] = i;
    const kbs_fold f = kbs_fold_of(all, c->ranks, c->rank);
    kbs_fold_in(c, &f, c->buffer);
    for (uint32_t bit = 1, s = 0; f.plays && bit < f.places; bit *= 2, s++) {
        tl_step(c, "exchange", s);
        kbs_exchange(c, kbs_fold_rank(&f, f.place ^ bit), c->buffer);
    }
    kbs_fold_out(c, &f, c->buffer);
}

const kbs_algorithm kbs_algorithm_all_reduce_recursive_doubling = {
    .name = "recursive_doubling",
    .collective = KB_COLL_ALL_REDUCE,
    .help = "whole tensors with ranks 1, 2, 4 ... away, in lg n steps",
    .record = recursive_doubling,
    .by_slots = true};

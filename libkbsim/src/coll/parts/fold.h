/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranks beyond a power of two, folded onto others: what halves and doubles needs a power of two.
 *
 * Of n ranks p = 2^⌊lg n⌋ play. Of the first 2 (n - p) each even one gives its tensor to the odd one behind
 * it before, and gets the result from it after: 2 α + 2 S β + S γ more, and nothing where n is a power of
 * two. Neighbours in number fold onto each other, because they are near in the machine.
 *
 * The ranks are those of a team: team[0 … n), the recorded one at `mine`. Places count who plays.
 *
 * It cannot hang, whatever the slots: of each pair one sends while the other receives, and nothing else.
 */
#ifndef KBSIM_SRC_FOLD_H
#define KBSIM_SRC_FOLD_H

#include "kbsim/coll.h"

typedef struct kbs_fold {
    const uint32_t *team;
    uint32_t mine, surplus;
    uint32_t places; /* who play: a power of two */
    bool plays;
    uint32_t place; /* of who plays */
} kbs_fold;

static inline kbs_fold kbs_fold_of(const uint32_t *team, uint32_t count, uint32_t mine) {
    kbs_fold f = {.team = team, .mine = mine, .places = 1};
    while (f.places <= count / 2)
        f.places *= 2;
    f.surplus = count - f.places;
    const bool is_paired = mine < 2 * f.surplus;
    f.plays = !is_paired || mine % 2 == 1;
    f.place = is_paired ? mine / 2 : mine - f.surplus;
    return f;
}

/* The rank that plays at a place. */
static inline uint32_t kbs_fold_rank(const kbs_fold *f, uint32_t place) {
    return f->team[place < f->surplus ? 2 * place + 1 : place + f->surplus];
}

/* The first rank that a place plays for: those before it are the ranks of the places before. */
static inline uint32_t kbs_fold_first(const kbs_fold *f, uint32_t place) {
    return place < f->surplus ? 2 * place : place + f->surplus;
}

static inline void kbs_fold_give(kb_coll *c, const kbs_fold *f, tl_view view, bool adds) {
    tl_step(c, "fold", 0);
    if (!f->plays) {
        tl_send(c, tl_queue_to(c, f->team[f->mine + 1]), view);
    } else if (f->place < f->surplus) {
        const tl_queue from = tl_queue_from(c, f->team[f->mine - 1]);
        tl_view in = tl_recv(c, from);
        if (adds)
            tl_reduce(c, view, in);
        else
            tl_copy(c, view, in);
        tl_release(c, from);
    }
}

/* Who plays adds to its view that of who does not. */
static inline void kbs_fold_in(kb_coll *c, const kbs_fold *f, tl_view view) {
    kbs_fold_give(c, f, view, true);
}

/* Who plays gets a copy of the view that the other one has. */
static inline void kbs_fold_join(kb_coll *c, const kbs_fold *f, tl_view view) {
    kbs_fold_give(c, f, view, false);
}

/* Who does not play gets what the other one has in the view. */
static inline void kbs_fold_out(kb_coll *c, const kbs_fold *f, tl_view view) {
    tl_step(c, "unfold", 0);
    if (!f->plays) {
        const tl_queue from = tl_queue_from(c, f->team[f->mine + 1]);
        tl_view in = tl_recv(c, from);
        tl_copy(c, view, in);
        tl_release(c, from);
    } else if (f->place < f->surplus) {
        tl_send(c, tl_queue_to(c, f->team[f->mine - 1]), view);
    }
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes before what: chains of issues, and where other chains' pasts join them.
 *
 * A clock that says of every chain how much of it comes before a point would cost as much as there are
 * chains, at every message. Nearly all that is asked is about the chain itself, or one that it has just heard
 * from. So a chain keeps what joined it and when, and a past is a few places on chains: what lies behind
 * these is searched for when it is asked, from the latest join on, and no further back than the op that is
 * looked for.
 */
#ifndef KBREPLAY_SRC_PAST_H
#define KBREPLAY_SRC_PAST_H

#include "kbtrace/memory.h"

/*
 * A place on a chain: twice the number of issues up to it, and one more behind the start of the last of them.
 */
typedef struct kbr_place {
    uint32_t chain, position;
} kbr_place;

enum { KBR_PLACES_FEW = 2 };

/* All that lies at or before some places; nothing where there are none. */
typedef struct kbr_past {
    kbr_place *many; /* instead of `few`, where there are more; it goes with the chains */
    uint32_t count, capacity;
    kbr_place few[KBR_PLACES_FEW];
} kbr_past;

/* A past that joined a chain. */
typedef struct kbr_join {
    uint64_t time;
    kbr_place from;
    uint32_t at; /* position of the chain that it joined */
} kbr_join;

enum { KBR_KNOWN = 8 };

/* What was found out about another chain for the latest position of this one. */
typedef struct kbr_known {
    uint32_t chain;
    uint32_t reached; /* so many issues of it come before */
    uint32_t missed;  /* so many do not, … */
    uint32_t joins;   /* … as long as no more has joined; 0 joins: nothing is known */
} kbr_known;

typedef struct kbr_chain_log {
    uint32_t position;
    uint32_t searched; /* the latest position that the search of this number has come to */
    uint64_t search;
    kbr_join *joins; /* by rising time */
    size_t count, capacity;
    kbr_known known[KBR_KNOWN]; /* by the chain's number */
} kbr_chain_log;

typedef struct kbr_pasts {
    const kb_alloc *alloc;
    kb_arena arena; /* of places */
    kbr_chain_log *logs;
    size_t count, capacity;
    uint64_t time; /* issues so far, of all chains */
    uint64_t search;
    kbr_place *stack;
    size_t stack_capacity;
    uint64_t limit_size, used_size; /* of joins */
} kbr_pasts;

/* `count` chains, numbered from 0. */
kb_status kbr_pasts_init(kbr_pasts *pasts, const kb_alloc *alloc, size_t count, uint64_t limit_size,
                         kb_trail *trail) KB_MUST_USE;
void kbr_pasts_fini(kbr_pasts *pasts);
/* One chain more. */
kb_status kbr_pasts_add_chain(kbr_pasts *pasts, uint32_t *ret_chain, kb_trail *trail) KB_MUST_USE;

/* The next issue of a chain, and its start. */
void kbr_pasts_issue(kbr_pasts *pasts, uint32_t chain);
void kbr_pasts_start(kbr_pasts *pasts, uint32_t chain);
uint32_t kbr_pasts_issues(const kbr_pasts *pasts, uint32_t chain);

/* All up to the latest position of a chain. */
kbr_past kbr_past_of_chain(const kbr_pasts *pasts, uint32_t chain);
kb_status kbr_past_join(kbr_pasts *pasts, kbr_past *to, const kbr_past *from, kb_trail *trail) KB_MUST_USE;
kb_status kbr_pasts_join_chain(kbr_pasts *pasts, uint32_t chain, const kbr_past *from,
                               kb_trail *trail) KB_MUST_USE;

/*
 * Do so many issues of a chain come before? `since` is a time at which the last of these was still to come:
 * nothing that joined before it is looked at.
 */
kb_status kbr_past_has(kbr_pasts *pasts, const kbr_past *past, uint32_t chain, uint32_t issues,
                       uint64_t since, bool *ret_has, kb_trail *trail) KB_MUST_USE;

/*
 * Of many places, the first one that does not come before; their count where all do. `since` is a time at
 * which all of them were still to come. It is one search, however many there are.
 */
kb_status kbr_past_lacks(kbr_pasts *pasts, const kbr_past *past, const kbr_place *places, size_t count,
                         uint64_t since, size_t *ret_first, kb_trail *trail) KB_MUST_USE;

#endif

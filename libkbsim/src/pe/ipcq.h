/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues while they run: copies in line, what has arrived in the ring, and credits.
 *
 * A copy takes nothing that others share before it holds its credit. Copies of one queue go out in
 * their order, each when the one before it has been sent. A message is visible as a whole once it has
 * settled in its slot. A released slot's credit comes back beside the links (fast) or as a packet on
 * them (vc). Who waits is told at once (sleep), or looks every poll_ps from its first look on (poll).
 */
#ifndef KBSIM_SRC_IPCQ_H
#define KBSIM_SRC_IPCQ_H

#include "pe/sim.h"

/* A place of the ring, remembered until the ring has come around. */
typedef struct kbs_slot {
    _Alignas(KB_CACHE_LINE)
        int64_t seen_ps; /* when its message is visible; KBS_UNKNOWN: not known yet, or received */
    uint64_t copy;       /* the op that brought it */
    uint64_t elements;   /* and what it is */
    uint32_t dtype;
    int64_t credit_ps; /* when its last credit is back */
    uint64_t release;  /* the op that gave it */
} kbs_slot;

/* Of both ends, of the producer's and of the consumer's, each in lines of the cache of its own. */
struct kbs_ipcq {
    _Alignas(KB_CACHE_LINE) const kbs_queue *queue;
    kbs_slot *slots;
    uint32_t id;
    uint32_t places;      /* of `slots`: message s takes place s modulo this */
    int64_t poll_ps;      /* from look to look; 0: nobody looks, all are told */
    uint64_t access_rate; /* of a slot, and what it takes whatever its size */
    int64_t access_ps;
    uint64_t settled_bytes; /* the last message's, and its time */
    int64_t settled_ps;
    /* at the producer */
    kbs_op *first, *last; /* copies in line; the first waits for its credit or for the one before it */
    kbs_op *sending;      /* being injected: its `sent` is not known yet */
    int64_t free_ps;      /* the copy before was sent */
    kbs_who holder;       /* that copy */
    uint64_t copies;      /* sequence of the next */
    uint64_t started;     /* copies that hold their slot */
    kbs_line line;        /* of messages: the pieces of one are one entry */
    uint32_t first_place; /* of the first in line */
    /* at the consumer */
    _Alignas(KB_CACHE_LINE) uint32_t receive_place;
    uint32_t release_place;      /* of the next */
    uint64_t receives, releases; /* sequences of the next */
    uint64_t credits;            /* releases whose credit's time is known */
    kbs_op *receiver;            /* waits for a copy */
};

kb_status kbs_ipcq_init(kbs_sim *sim, uint32_t id, kb_trail *trail) KB_MUST_USE;

static inline kbs_ipcq *kbs_ipcq_of(kbs_sim *sim, const kbs_op *op) {
    return &sim->queues[op->shape->common.queue];
}

/* All three as kbs_kind.begin. A copy gets in line; false when `engine.queue_depth` messages wait there. */
bool kbs_ipcq_send(kbs_pe *pe, kbs_op *op);
/* A receive waits for its copy. */
bool kbs_ipcq_receive(kbs_pe *pe, kbs_op *op);
/* A release returns its credit. */
bool kbs_ipcq_release(kbs_pe *pe, kbs_op *op);

#endif

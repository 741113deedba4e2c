/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs of messages, of which many hang: sends that block and sends that do not, receives in other
 * orders than sends, releases that come late, messages of several slots, fences, barriers of groups, several
 * launches in flight with host barriers between them, ranks of two PEs, messages that one end forgets; few
 * slots.
 *
 * What a rank does follows from the seed alone, whatever the machine.
 */
#ifndef KB_TESTS_TANGLE_H
#define KB_TESTS_TANGLE_H

#include "kbsim/host.h"

enum {
    TANGLE_SEATS = 8,
    TANGLE_EVENTS = 1500,
    TANGLE_LAUNCHES = 3,
    TANGLE_GROUPS = 3,
    TANGLE_SLOT_BYTES = 64
};

typedef enum tangle_kind {
    TANGLE_SEND,
    TANGLE_SEND_ASYNC,
    TANGLE_RECEIVE,       /* and release */
    TANGLE_RECEIVE_LATER, /* released when more of its queue are received, or at the end */
    TANGLE_FENCE,
    TANGLE_BARRIER,
    TANGLE_WAIT /* for the oldest token */
} tangle_kind;

/* Something that a PE does in a launch, in the order of keys. Its seat is rank * pes + number in the rank. */
typedef struct tangle_event {
    uint64_t key;
    tangle_kind kind;
    uint32_t launch, seat, peer, channel, group; /* peer: a seat */
} tangle_event;

typedef struct tangle_plan {
    uint64_t seed;
    uint32_t ranks, pes, seats; /* PEs of a rank, and of all */
    uint32_t launches, group_count, event_count;
    uint64_t longest;                                                         /* elements of messages */
    uint32_t groups[TANGLE_GROUPS][TANGLE_SEATS], group_ranks[TANGLE_GROUPS]; /* the first is of all */
    struct {
        uint32_t group;
        bool is_async, waits_late, has_barrier; /* of hosts, behind it */
        bool until_sent;                        /* is waited for */
    } of_launch[TANGLE_LAUNCHES];
    tangle_event events[TANGLE_EVENTS]; /* by key */
    uint64_t slots, depth;              /* ipcq.slots, engine.queue_depth */
} tangle_plan;

void tangle_draw(tangle_plan *plan, uint64_t seed);

/* A host program; its context is the plan. Ranks are SIPs where they have several PEs. */
void tangle_host(kb_host *h, void *context);

#endif

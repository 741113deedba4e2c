/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which point of an op is reached from which, by the edges of the memory model alone.
 *
 * The issues of a stream are a chain; past.h tells which issues come before a point. What hangs beside the
 * chains, the sent and done of ops, is joined to them by few edges: the next issue, where an op blocks; the
 * issue behind a wait, a receive, a fence, the end of a launch. So from p.sent or p.done a point is reached
 * if the end of one of these edges is in its past. An op is an event as long as somebody may claim it, or it
 * was the last to touch some bytes.
 */
#ifndef KBREPLAY_SRC_EVENT_H
#define KBREPLAY_SRC_EVENT_H

#include "order/past.h"
#include "pass.h"
#include "walk/table.h"

typedef struct kbr_event kbr_event;

/* From a point of an event: to an issue of a stream, or to the start of another event. */
typedef struct kbr_edge {
    struct kbr_edge *next;
    uint8_t point;    /* KB_POINT_SENT or _DONE of the event that has it */
    bool to_done;     /* to the done of the other event */
    kbr_event *event; /* NULL: to the chain */
    uint32_t stream;
    uint32_t issues; /* a past with so many of the stream's issues has passed it */
} kbr_edge;

/* What only an op needs that others may still claim, and a copy, which may still be given back. */
typedef struct kbr_claimable {
    kbr_past past; /* of its start; none: that of its stream, or nobody needs it */
    uint32_t releasing_rank, releasing_stream;
    uint64_t releasing_index;
    uint64_t composite; /* its id, or 0 */
    bool opened;        /* it is in its stream's list of those that nothing waited for yet */
    kbr_event *next_open, *former_open;
    uint64_t search;
} kbr_claimable;

/* As many are alive as bytes were touched by different ops, so one is a cache line, and begins one. */
enum { KBR_EVENT_SIZE = 64 };

struct kbr_event {
    union {
        kbr_node node;   /* in kbr_order.events, by rank and index; of one that is gone, the next of these */
        uint64_t search; /* in place of the next, where it has no `more` */
    };
    uint32_t refs;           /* of bytes that it was the last to touch, of edges, and of who may claim it */
    uint32_t stream, number; /* in its stream, from 0 */
    uint16_t kind;
    uint8_t blocks;
    bool listed : 1;   /* it is not over: it may be claimed, or has not started */
    bool received : 1; /* a copy: its receive came */
    bool observed : 1; /* its stream has waited for it */
    bool fenced : 1;   /* its stream has waited for all up to it */
    bool chained : 1;  /* ops of its engine or composite follow it */
    bool released : 1; /* a copy: the release of its message is issued */
    uint8_t seen : 2;  /* a bit for each point that the search of number `search` has come to */
    uint64_t time;     /* of its issue; see past.h */
    kbr_edge *edges;
    kbr_claimable *more; /* while it is listed it is in the table, too; NULL: nobody can claim it */
};
_Static_assert(sizeof(kbr_event) == KBR_EVENT_SIZE, "an event is a cache line");

/* At a fence all former ops of the stream are done; likewise, for the host, at the end of a launch. */
typedef struct kbr_bulk {
    uint32_t below; /* ops with lower numbers */
    uint32_t stream, issues;
} kbr_bulk;

typedef struct kbr_bulks {
    kbr_bulk *items; /* by rising `below` */
    size_t count, capacity;
} kbr_bulks;

/* A launch that a stream has left behind, and that its host has not observed: what it came to. */
typedef struct kbr_left {
    uint64_t launch; /* as in kbr_chain */
    uint32_t below;  /* the stream's ops of it and before it */
    kbr_past past;   /* which comes before its end */
} kbr_left;

typedef struct kbr_chain {
    kbr_past async; /* joined from the starts of ops that nobody waited for */
    kbr_event *open;
    kbr_event *latest; /* of its latest issue; it may be gone */
    kbr_bulks fences, launches;
    uint64_t launch; /* 1 + index of the launch that it works for */
    bool observed;   /* by its host */
    kbr_left *left;  /* launches before that one, in their order */
    size_t left_count, left_capacity;
    uint64_t former;      /* a host: 1 + index of the launch before its next op, or 0 */
    uint32_t next_stream; /* of the same rank, or KB_NONE */
} kbr_chain;

/* A point that a search has come to, and not looked at. */
typedef struct kbr_reached {
    kbr_event *event;
    unsigned point;
} kbr_reached;

typedef struct kbr_order {
    const kbr_pass *pass;
    size_t streams;
    kbr_chain *chains;
    uint32_t *first_streams; /* [ranks] */
    kbr_pasts pasts;         /* chains are streams, then barriers */
    kb_arena arena;          /* of events and edges, and of what histories keep */
    kbr_table events;
    struct kbr_crowd *crowds; /* barriers that are under way */
    kbr_event *spare_events;  /* a stack, by node.next */
    kbr_edge *spare_edges;
    void *spare_claimables; /* a stack; each begins with the next */
    uint64_t search;
    kbr_reached *stack; /* of the search */
    size_t stack_capacity;
} kbr_order;

/* A point that may be reached: the start, or the issue, of an op. */
typedef struct kbr_point {
    kbr_past past;
    const kbr_event *event; /* NULL at an issue */
} kbr_point;

kb_status kbr_order_init(kbr_order *order, const kbr_pass *pass, kb_trail *trail) KB_MUST_USE;
void kbr_order_fini(kbr_order *order);

/* The op is issued: in the order of its stream, when all that it claims at its issue has happened. */
kb_status kbr_order_issue(kbr_order *order, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;
/* It starts: what it claims there is joined. The event lives until kbr_order_started(). */
kb_status kbr_order_start(kbr_order *order, uint32_t rank, const kb_op *op, kbr_event **ret_event,
                          kbr_point *ret_start, kb_trail *trail) KB_MUST_USE;
void kbr_order_started(kbr_order *order, kbr_event *event);

/* Is `to` reached from a point of `from`? */
kb_status kbr_order_reaches(kbr_order *order, kbr_event *from, unsigned point, const kbr_point *to,
                            bool *ret_reaches, kb_trail *trail) KB_MUST_USE;

/* The op, by its number. */
kbr_mention kbr_event_mention(const kbr_event *event);

void kbr_event_hold(kbr_event *event);
void kbr_event_drop(kbr_order *order, kbr_event *event);

#endif

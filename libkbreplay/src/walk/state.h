/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a walk, shared by the files of src/walk alone. */
#ifndef KBREPLAY_SRC_STATE_H
#define KBREPLAY_SRC_STATE_H

#include "op/op.h"
#include "walk/copy.h"
#include "walk/table.h"
#include "walk/walk.h"

typedef enum kbr_phase {
    KBR_QUEUED, /* its stream has not come to it, or it claims at its issue what has not happened */
    KBR_ISSUED, /* waits for what it claims at its start */
    KBR_READY,  /* may run; only where the order is drawn, or at its time */
    KBR_LEFT,   /* began, and the run never came to its `sent` */
    KBR_RAN     /* has run, and waits to be done: it claims its completion, or never was done */
} kbr_phase;

typedef struct kbr_parked kbr_parked;

/* Parked ops in a row. */
typedef struct kbr_line {
    kbr_parked *head, *tail;
} kbr_line;

/* An op that was read and is not done. */
struct kbr_parked {
    kbr_node node; /* in kbr_walk_state.parked */
    kb_op op;
    size_t size;    /* of its block */
    kbr_laid *laid; /* of a walk by time: where all lies that `op` points to */
    kbr_phase phase;
    uint64_t launch;         /* 1 + index of the launch that its stream works for, or 0 */
    kbr_parked *line_next;   /* in the one line in which it waits: others' waiters, or those to wake */
    bool lined;              /* it stands in one */
    kbr_parked *stream_next; /* in its stream's line of ops that are not issued */
    kbr_parked *rank_next, *rank_previous;
    kbr_line waiters; /* that wait until this op is further */
    /* What it waits for, to explain a standstill: an op, or neither. */
    uint32_t awaited_rank; /* KB_NONE: no op */
    uint64_t awaited_index;
    uint32_t mark; /* of the search for cycles */
};

/* Waiters for an op that was not read yet. */
typedef struct kbr_future {
    kbr_node node;
    kbr_line waiters;
} kbr_future;

/* A barrier that some ranks have come to. */
typedef struct kbr_meeting {
    struct kbr_meeting *next;
    uint32_t group;
    uint64_t id;
    size_t arrived; /* members */
    size_t inside;  /* ops that came, and have not started */
    kbr_line waiters;
    bool came[]; /* [ranks] */
} kbr_meeting;

typedef struct kbr_walk_rank {
    kb_cursor *cursor;
    uint64_t read_count;
    int64_t last_issue_ps;
    bool ended;
    size_t parked_count;
    kbr_parked *first, *last; /* parked, in the order of their numbers */
    kbr_line readers;         /* wait until the rank is read past … */
    int64_t readers_ps;       /* … the earliest of these times */
    const kb_op *next;        /* of a walk by time: read, and not issued yet; else NULL */
} kbr_walk_rank;

typedef struct kbr_walk_stream {
    kbr_parked *head, *tail; /* not issued, in program order */
    kbr_parked *blocker;     /* issued, and holds the stream */
    uint64_t launch;         /* 1 + index of the launch that it works for */
} kbr_walk_stream;

/* What is to come at a time; see timed.c. */
typedef struct kbr_event {
    int64_t at_ps;
    uint32_t kind, rank;
    uint64_t index;
    kbr_parked *it; /* NULL: the rank's next op is issued */
} kbr_event;

typedef struct kbr_walk_state {
    kbr_pass *pass;
    const kbr_visitor *visitor;
    kbr_walk_rank *ranks;
    kbr_walk_stream *streams;
    kbr_table parked, futures;
    kbr_line waking;
    kbr_meeting *meetings;
    kbr_parked **ready; /* where the order is drawn */
    size_t ready_count, ready_capacity;
    size_t parked_limit; /* a rank with more is not read on, as long as others can go on */
    uint32_t frame;      /* no rank is read beyond it before the others come there */
    uint64_t random;
    bool parks_all; /* no op runs from the cursor's own storage */
    /* By time alone: */
    bool timed;
    int64_t now_ps;
    kbr_event *events; /* a heap, the next one first */
    size_t event_count, event_capacity;
    kbr_parked *spares; /* not in use, joined by stream_next */
} kbr_walk_state;

/* --- walk.c ------------------------------------------------------------------------------------ */

kb_status kbr_walk_init(kbr_walk_state *walk, kbr_pass *pass, const kbr_visitor *visitor,
                        kb_trail *trail) KB_MUST_USE;
void kbr_walk_fini(kbr_walk_state *walk);
/* Drops all that is parked or under way; lines are left to the caller. */
void kbr_walk_forget(kbr_walk_state *walk);

void kbr_line_up(kbr_line *line, kbr_parked *it);
void kbr_walk_wake(kbr_walk_state *walk, kbr_line *line);
void kbr_walk_wake_stream(kbr_walk_state *walk, kbr_walk_stream *stream);
/* Of a walk by time: takes over an op that it shares. */
kb_status kbr_walk_new_parked(kbr_walk_state *walk, kbr_laid *laid, kbr_parked **ret_parked,
                              kb_trail *trail) KB_MUST_USE;
/* Puts a block of its own, with its op, phase and launch, among the parked; deletes it on failure. */
kb_status kbr_walk_park(kbr_walk_state *walk, uint32_t rank, kbr_parked *it, kb_trail *trail) KB_MUST_USE;
/* Last in its stream, of those that are not issued. */
void kbr_walk_queue(kbr_walk_stream *stream, kbr_parked *it);
/* The op is done: nobody waits for it any more. */
void kbr_walk_unpark(kbr_walk_state *walk, kbr_parked *it);

/* The rank's next op was read. *ret_parked: it waits for something. */
kb_status kbr_walk_take(kbr_walk_state *walk, uint32_t rank, const kb_op *op, bool *ret_parked,
                        kb_trail *trail) KB_MUST_USE;
/* All that was woken goes as far as it can. */
kb_status kbr_walk_settle(kbr_walk_state *walk, kb_trail *trail) KB_MUST_USE;
/* The op runs now, or is left where the run left it. */
kb_status kbr_walk_begin(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) KB_MUST_USE;
/* The op is one of those that may be drawn; and the drawing. */
kb_status kbr_walk_ready(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) KB_MUST_USE;
kb_status kbr_walk_run_drawn(kbr_walk_state *walk, kb_trail *trail) KB_MUST_USE;

/* --- timed.c ----------------------------------------------------------------------------------- */

/* The op goes on when its next point comes: start if it has not run, else done. */
kb_status kbr_walk_await_time(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) KB_MUST_USE;
/* Reads the rank's next op, and has it taken when its time comes. */
kb_status kbr_walk_fetch(kbr_walk_state *walk, uint32_t rank, kb_trail *trail) KB_MUST_USE;

/* --- claims.c ---------------------------------------------------------------------------------- */

typedef enum kbr_stage { KBR_AT_ISSUE = 1, KBR_AT_START = 2, KBR_AT_DONE = 4 } kbr_stage;

/* What an op still waits for. */
typedef struct kbr_awaited {
    uint32_t rank;
    uint64_t index;
    bool reading; /* not an op, but that `rank` is read further */
} kbr_awaited;

/* Do all claims of `op` that end at one of `stages` hold? If not, *ret_awaited is the first in the way. */
bool kbr_claims_hold(const kbr_walk_state *walk, uint32_t rank, const kb_op *op, uint64_t launch,
                     unsigned stages, kbr_awaited *ret_awaited);

/* --- meeting.c --------------------------------------------------------------------------------- */

/* The barrier that an op is of, or NULL where nobody came yet, or all have started. */
kbr_meeting *kbr_meeting_find(const kbr_walk_state *walk, const kb_op *op);
/* The op is issued. *ret_full tells whether it was the last that was missing. */
kb_status kbr_meeting_enter(kbr_walk_state *walk, uint32_t rank, const kb_op *op, kbr_meeting **ret_meeting,
                            bool *ret_full, kb_trail *trail) KB_MUST_USE;
bool kbr_meeting_is_full(const kbr_walk_state *walk, const kbr_meeting *meeting);
/* The op starts: the meeting is over when all have. */
void kbr_meeting_leave(kbr_walk_state *walk, kbr_meeting *meeting);
void kbr_meetings_fini(kbr_walk_state *walk);

#endif

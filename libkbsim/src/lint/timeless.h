/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed program executed without time: does it come to its end, and where does it stand if not?
 *
 * Commands, their order and all capacities are fixed, each queue has one producer and one consumer, and
 * nothing holds what others share while it waits for a credit, a message, an op or a barrier. So whether a
 * program comes to its end, and where it stands still if not, does not depend on when things happen: one
 * order of execution answers for all. Only rings, lines of queues, waits, fences, barriers and launches can
 * hold a stream up; engines and links cannot for good, so they are not here.
 *
 * Streams run in turn, each until something holds it up. A copy is over when it has its credit: that its
 * bytes then arrive is a matter of time.
 */
#ifndef KBSIM_SRC_TIMELESS_H
#define KBSIM_SRC_TIMELESS_H

#include "record/program.h"

/* What has become of a queue's copies and messages, counted in slots. */
typedef struct kbs_course {
    uint64_t slots, issued, started, released, received;
    uint64_t *heads; /* sequences of messages in line, as a ring: what engine.queue_depth counts */
    uint64_t head_first, head_count, places;
} kbs_course;

/* Something that a wait may name and that has not come to its end: a copy, or a launch. */
typedef struct kbs_pending {
    uint64_t number;
    uint32_t queue;    /* or KBS_PENDING_LAUNCH */
    uint64_t sequence; /* of the slot; the launch's number */
} kbs_pending;

enum { KBS_PENDING_LAUNCH = KB_NONE };

/* A stream that is played. */
typedef struct kbs_player {
    const tl_stream *stream;
    kbs_skim skim;
    kbs_skimmed command; /* the one that it stands at, where it `holds` */
    bool holds, issued;  /* and whether that one was handed over */
    bool ended;          /* it has no more commands */
    bool resting;        /* a PE: before its next launch */
    bool listed;
    uint64_t launch;      /* a PE: 1 + number of the launch that it is in; a host: of its latest; 0: none */
    uint64_t next;        /* a PE that rests: 1 + number of the one before which it does */
    uint64_t turn;        /* of the command: a slot's sequence, or the meetings before this one */
    uint64_t waiting;     /* its copies that have not started */
    kbs_pending *pending; /* by number, as a ring */
    uint64_t pending_first, pending_count, pending_capacity;
} kbs_player;

/* Members of a group that have come together. */
typedef struct kbs_meeting {
    uint32_t come;
    uint64_t times; /* that all have come */
} kbs_meeting;

typedef struct kbs_timeless {
    const kbs_program *program;
    kb_arena arena;
    kb_trail *trail;
    kb_status status;
    uint32_t depth;      /* of a queue's line */
    kbs_course *courses; /* by queue */
    kbs_player *players; /* PEs, then hosts */
    size_t player_count;
    kbs_player **list; /* those that may go on, as a ring of all players */
    size_t list_first, list_count;
    const kbs_player *playing;
    uint32_t *coming;      /* hosts that have come, by the launch's number */
    kbs_meeting *barriers; /* by group; those of PEs with the same place in their ranks, then hosts' */
    uint64_t played;       /* commands, over all executions */
    const volatile sig_atomic_t *stop; /* non-zero: give up; may be NULL, as it is at first */
} kbs_timeless;

kb_status kbs_timeless_init(kbs_timeless *t, const kbs_program *program, kb_trail *trail) KB_MUST_USE;
void kbs_timeless_fini(kbs_timeless *t);

/* Executes the program from its beginning. `slots` of each ring, by queue; NULL: as many as it has. */
kb_status kbs_timeless_play(kbs_timeless *t, const uint64_t *slots, bool *ret_ends,
                            kb_trail *trail) KB_MUST_USE;

/* Has come to its end, up to the point that a wait names (KB_POINT_…)? */
bool kbs_timeless_is_over(const kbs_timeless *t, const kbs_player *p, const kbs_pending *what, uint8_t point);
/* Is a PE done with the launch: has it come behind it, and have its copies started? */
bool kbs_timeless_is_done(const kbs_timeless *t, uint32_t pe, uint64_t launch);
/* Have all hosts of its group come to the launch? */
bool kbs_timeless_is_launched(const kbs_timeless *t, uint64_t launch);
/* The place of a wait's first op, or of the first behind it, among what is pending. */
uint64_t kbs_timeless_find(const kbs_player *p, uint64_t number);

static inline kbs_player *kbs_player_of_pe(const kbs_timeless *t, uint32_t pe) {
    return &t->players[pe];
}

static inline kbs_player *kbs_player_of_host(const kbs_timeless *t, uint32_t rank) {
    return &t->players[t->program->pes + rank];
}

/* Another rank's stream that is to it what this one is to its own. */
static inline kbs_player *kbs_player_like(const kbs_timeless *t, const kbs_player *p, uint32_t rank) {
    if (p->stream->is_host)
        return kbs_player_of_host(t, rank);
    return kbs_player_of_pe(t, p->stream->pe + (rank - p->stream->rank) * t->program->rank_pes);
}

static inline kbs_pending *kbs_pending_at(const kbs_player *p, uint64_t place) {
    return &p->pending[(p->pending_first + place) & (p->pending_capacity - 1)];
}

/* Where it comes to barriers of a group. */
static inline kbs_meeting *kbs_meeting_of(const kbs_timeless *t, const kbs_player *p, uint32_t group) {
    const uint32_t pes = t->program->rank_pes;
    const uint32_t place = p->stream->is_host ? pes : p->stream->pe % pes;
    return &t->barriers[place * t->program->defs.group_count + group];
}

#endif

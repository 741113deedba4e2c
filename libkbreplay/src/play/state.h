/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a play, shared by the files of src/play alone.
 *
 * A line is a chain of turns, one for each owner: a turn knows, by owner, who follows it, and counts how
 * many of its lines have somebody before it who has not run. Only the walk's thread puts turns into
 * lines; any thread takes one off by running it. A turn's place of an owner holds NULL, then its
 * follower, or itself once it has run: who comes too late to wait sees that by one exchange.
 */
#ifndef KBREPLAY_SRC_PLAY_STATE_H
#define KBREPLAY_SRC_PLAY_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "play/play.h"
#include "wrong.h"

/* A piece of the window: turns in the order of the walk. It is used again when all of them have run. */
typedef struct kbr_stretch {
    struct kbr_stretch *next;
    size_t size, used;   /* bytes */
    uint64_t end_number; /* after that of its last turn */
    atomic_uint left;    /* turns that have not run, and 1 until it is full */
    _Alignas(16) unsigned char bytes[];
} kbr_stretch;

/* An op that was laid out, and its places in the lines of its owners. */
typedef struct kbr_turn {
    kb_op op;
    uint64_t number; /* in the order of the walk */
    uint64_t size;   /* of its operands in bytes, as far as that matters here */
    uint32_t rank;
    bool abandoned;
    uint32_t owner_count;
    atomic_uint awaited; /* turns before it in its lines that have not run, and 1 until it stands in all */
    kbr_stretch *stretch;
    struct kbr_turn *ready_next;
    _Atomic(struct kbr_turn *) next[]; /* [owner_count] */
} kbr_turn;

/* Turns that may run, first to last. */
typedef struct kbr_ready {
    kbr_turn *first, *last;
    size_t count;
    uint64_t size; /* of theirs */
} kbr_ready;

/* The end of an owner's line; of the walk's thread alone. */
typedef struct kbr_owner {
    kbr_turn *last; /* gone where `number` is below the window's, and may have run */
    uint64_t number;
    uint32_t place; /* in last->next */
    uint64_t named; /* 1 + number of the op that named it last, to take it once */
} kbr_owner;

/* A thread; the first is the walk's. */
typedef struct kbr_worker {
    kbr_play *play;
    pthread_t thread;
    kbr_pass pass;
    kbr_findings findings;
    kbr_wrongs wrongs;
    kb_trail trail;
} kbr_worker;

struct kbr_play {
    const kbr_running *run;
    kbr_pass *pass; /* the walk's */
    bool any_touch; /* a check wants to see bytes */
    kbr_worker *workers;
    unsigned worker_count, worker_capacity;

    /* Of the walk's thread alone. */
    uint64_t number; /* of the next op */
    kbr_owner *owners;
    size_t owner_count;
    uint32_t *named; /* the owners of the op in hand */
    size_t named_count, named_capacity;
    kbr_stretch *oldest, *last; /* in use */
    kbr_stretch *newest;        /* the last, while turns can be added to it */
    kbr_stretch *spare;
    size_t window_size; /* bytes of stretches in use */
    uint64_t gone;      /* turns with lower numbers have run, and their storage may be used again */
    kbr_ready fresh;    /* may run, and were not handed over yet */

    /* Of all. */
    atomic_size_t ready_count;
    atomic_uint_fast64_t failed; /* number of the first op that failed, or UINT64_MAX */
    pthread_mutex_t lock;        /* guards what follows */
    pthread_cond_t changed;
    kbr_ready ready;
    unsigned asleep;
    bool walk_asleep, ending;
    kb_status status; /* of `failed` */
    kb_trail trail;
};

/* --- lines.c ----------------------------------------------------------------------------------- */

/* Finds the owners of an op: play->named. */
kb_status kbr_lines_name(kbr_play *play, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;
/* Has everything run that stands in the lines of play->named? */
bool kbr_lines_idle(const kbr_play *play);
/* Puts the turn at the end of these lines. True if nothing is before it in any. */
bool kbr_lines_join(kbr_play *play, kbr_turn *turn);
/* The turn has run: whom it lets go is added to *ready. */
void kbr_lines_leave(kbr_turn *turn, kbr_ready *ready);

/* --- window.c ---------------------------------------------------------------------------------- */

/* Lays an op out, for the owners in play->named; waits for room, and runs turns meanwhile. */
kb_status kbr_window_lay(kbr_play *play, uint32_t rank, const kb_op *op, bool abandoned, uint64_t size,
                         kbr_turn **ret_turn, kb_trail *trail) KB_MUST_USE;
/* Waits until every turn has run, and runs turns meanwhile. */
void kbr_window_empty(kbr_play *play);
void kbr_window_fini(kbr_play *play);

/* --- crew.c ------------------------------------------------------------------------------------ */

void kbr_ready_add(kbr_ready *ready, kbr_turn *turn);
/*
 * Hands turns over to whoever comes first, and leaves *ready empty. Who sleeps is woken where that is worth
 * it; no turn is forgotten, for whoever gives looks for more before it sleeps.
 */
void kbr_crew_give(kbr_play *play, kbr_ready *ready);
/* Of the walk's thread: runs turns, or sleeps, until all of the stretch have run. */
void kbr_crew_help(kbr_play *play, kbr_stretch *stretch);
/* Runs an op, unless one before it has failed. */
void kbr_crew_run(kbr_worker *worker, uint64_t number, uint32_t rank, const kb_op *op, bool abandoned);
/* Starts the threads beside the walk's. */
void kbr_crew_start(kbr_play *play);
void kbr_crew_stop(kbr_play *play);

#endif

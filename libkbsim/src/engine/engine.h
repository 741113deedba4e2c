/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock: events in integer picoseconds, fired in the order of their times.
 *
 * An event is a member of whatever it happens to, so scheduling allocates nothing. The queue is a
 * radix heap of 64-way digits: an event waits in the bucket of the highest digit in which its time
 * differs from the present, and moves down only when the clock enters that bucket. Equal times keep
 * the order in which they were scheduled.
 *
 * Moving a bucket's events down means touching each of them. With a million pending each touch is a
 * miss of the cache, and in one list the next address is known only when the one before has come.
 * So what follows the first few events of a bucket goes in turn into sixteen lists, its lanes: they
 * are read in turn too, which keeps the order, and their heads are fetched beside one another.
 *
 * One instant has four parts: what was scheduled for it; then what that scheduled without delay,
 * in turn; then, when nothing of that is left, what asked for a turn, after each of which it is looked
 * for the former again; and last what asked for its end. Decisions that depend on everything that happens
 * at an instant are made in the two latter: which of several streams issues first, and then which packet
 * gets a link. What is decided there depends on the model's own ranks and numbers, never on the order of
 * the calls.
 */
#ifndef KBSIM_SRC_ENGINE_H
#define KBSIM_SRC_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct kbs_engine kbs_engine;
typedef struct kbs_event kbs_event;

/* Called at event->time_ps; may schedule the same event again, and may not drive the engine. */
typedef void (*kbs_fire)(kbs_engine *engine, kbs_event *event);

struct kbs_event {
    kbs_event *next; /* in its bucket; the engine's */
    int64_t time_ps;
    kbs_fire fire;
};

typedef struct kbs_events {
    kbs_event *first, **end; /* end: where the next one is written */
} kbs_events;

enum { KBS_DIGIT_BITS = 6, KBS_DIGITS = 64, KBS_LEVELS = 11 }; /* 11 * 6 bits hold any int64 */
enum { KBS_FEW = 8, KBS_LANES = 16 };

typedef struct kbs_bucket {
    int64_t earliest_ps;
    uint64_t count;
    kbs_events few; /* the first KBS_FEW; all of them at level 0, where a bucket holds one time */
} kbs_bucket;

/* Never copied: its lists point into it. */
struct kbs_engine {
    int64_t now_ps;
    uint64_t shuffle; /* for tests: not 0, and events of one instant fire in an order drawn from it */
    uint64_t fired;   /* events so far; an instant's turns and end are none */
    uint64_t spared;  /* what would have been one, and was known without: counted by who knew */
    void *owner;      /* for fire(): the simulation */
    kbs_events soon, turn, end; /* of this instant: without delay, when that is over, at its end */
    uint32_t levels;            /* bit: the level has a bucket in use */
    uint64_t used[KBS_LEVELS];  /* bit: the bucket is in use */
    kbs_bucket buckets[KBS_LEVELS][KBS_DIGITS];
    kbs_events lanes[KBS_LEVELS][KBS_DIGITS][KBS_LANES];
};

void kbs_engine_init(kbs_engine *engine, void *owner);

/* time_ps ≥ now. An event may be scheduled once at a time. */
void kbs_engine_at(kbs_engine *engine, kbs_event *event, int64_t time_ps);
/* At this instant, after what is already due. */
void kbs_engine_soon(kbs_engine *engine, kbs_event *event);
/* At this instant, when nothing is due that was scheduled by kbs_engine_at and kbs_engine_soon. */
void kbs_engine_at_turn(kbs_engine *engine, kbs_event *event);
/* At this instant, when nothing else is left of it. */
void kbs_engine_at_end(kbs_engine *engine, kbs_event *event);

/* Whether the event that is being fired is the last of its instant, before its end, as far as is known. */
static inline bool kbs_engine_is_last(const kbs_engine *engine) {
    return !engine->soon.first && !engine->turn.first;
}

/*
 * Fires events up to and including until_ps, and at most `most` of them. Returns true when nothing
 * is left to do at all.
 */
bool kbs_engine_run(kbs_engine *engine, int64_t until_ps, uint64_t most);

#endif

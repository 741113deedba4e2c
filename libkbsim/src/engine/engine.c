/* SPDX-License-Identifier: Apache-2.0 */
/* The radix heap behind the clock; see engine.h. Allocates nothing and knows no component. */
#include "engine/engine.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { LINE = 64 }; /* of the cache */

static inline void clear(kbs_events *list) {
    list->first = NULL;
    list->end = &list->first;
}

static inline void append(kbs_events *list, kbs_event *event) {
    event->next = NULL;
    *list->end = event;
    list->end = &event->next;
}

/* What it happens to begins with it, or nearly so: two lines are on their way before it fires. */
static inline void expect(const kbs_event *event) {
    __builtin_prefetch(event, 1);
    __builtin_prefetch((const char *)event + LINE, 1);
}

static inline kbs_event *take_first(kbs_events *list) {
    kbs_event *event = list->first;
    list->first = event->next;
    if (list->first == NULL)
        list->end = &list->first;
    else
        expect(list->first); /* it is fired next */
    return event;
}

void kbs_engine_init(kbs_engine *engine, void *owner) {
    memset(engine, 0, sizeof *engine);
    engine->owner = owner;
    clear(&engine->soon);
    clear(&engine->turn);
    clear(&engine->end);
    for (size_t level = 0; level < KBS_LEVELS; level++)
        for (size_t digit = 0; digit < KBS_DIGITS; digit++) {
            clear(&engine->buckets[level][digit].few);
            for (size_t lane = 0; lane < KBS_LANES; lane++)
                clear(&engine->lanes[level][digit][lane]);
        }
}

/* The bucket of a time that is not now: the highest digit that differs from the present, and that digit. */
static inline void place(kbs_engine *engine, kbs_event *event, int64_t now_ps) {
    const uint64_t time = (uint64_t)event->time_ps, differs = time ^ (uint64_t)now_ps;
    const unsigned level = (63U - (unsigned)__builtin_clzll(differs)) / KBS_DIGIT_BITS;
    const unsigned digit = (unsigned)(time >> (level * KBS_DIGIT_BITS)) & (KBS_DIGITS - 1U);
    kbs_bucket *bucket = &engine->buckets[level][digit];
    engine->used[level] |= UINT64_C(1) << digit;
    engine->levels |= 1U << level;
    const uint64_t index = bucket->count++;
    if (index == 0 || event->time_ps < bucket->earliest_ps)
        bucket->earliest_ps = event->time_ps;
    const bool few = index < KBS_FEW || level == 0;
    append(few ? &bucket->few : &engine->lanes[level][digit][index % KBS_LANES], event);
}

void kbs_engine_at(kbs_engine *engine, kbs_event *event, int64_t time_ps) {
    assert(time_ps >= engine->now_ps);
    event->time_ps = time_ps;
    if (time_ps == engine->now_ps)
        append(&engine->soon, event);
    else
        place(engine, event, engine->now_ps);
}

void kbs_engine_soon(kbs_engine *engine, kbs_event *event) {
    event->time_ps = engine->now_ps;
    append(&engine->soon, event);
}

void kbs_engine_at_turn(kbs_engine *engine, kbs_event *event) {
    event->time_ps = engine->now_ps;
    append(&engine->turn, event);
}

void kbs_engine_at_end(kbs_engine *engine, kbs_event *event) {
    event->time_ps = engine->now_ps;
    append(&engine->end, event);
}

static inline void move_down(kbs_engine *engine, kbs_event *event, int64_t earliest_ps) {
    if (event->time_ps == earliest_ps)
        append(&engine->soon, event);
    else
        place(engine, event, earliest_ps);
}

/* Both lines of the cache, if it lies across two: to wait for the second undoes what the first has gained. */
static inline void fetch(const kbs_event *event) {
    __builtin_prefetch(event, 1);
    __builtin_prefetch(&event->fire, 1);
}

/* Moves a bucket's events down, in their order; the clock stands at the earliest of them. */
static void spread(kbs_engine *engine, kbs_bucket *bucket, kbs_events *lanes) {
    const int64_t earliest_ps = bucket->earliest_ps;
    const uint64_t count = bucket->count;
    kbs_event *event = bucket->few.first;
    bucket->count = 0;
    clear(&bucket->few);
    for (kbs_event *next; event != NULL; event = next) {
        next = event->next;
        move_down(engine, event, earliest_ps);
    }
    if (count <= KBS_FEW)
        return;
    for (uint64_t index = KBS_FEW; index < count; index++) {
        kbs_events *lane = &lanes[index % KBS_LANES];
        event = lane->first;
        lane->first = event->next;
        if (event->next != NULL)
            fetch(event->next); /* needed when this lane's turn comes again */
        move_down(engine, event, earliest_ps);
    }
    for (size_t lane = 0; lane < KBS_LANES; lane++)
        lanes[lane].end = &lanes[lane].first;
}

/* With many streams few events share an instant: the next instant's first is fetched during this one. */
static inline void expect_next(const kbs_engine *engine) {
    if (engine->levels == 0)
        return;
    const unsigned level = (unsigned)__builtin_ctz(engine->levels);
    expect(engine->buckets[level][__builtin_ctzll(engine->used[level])].few.first);
}

/* Moves the clock to the next time that has events, if that is no later than until_ps; they become due. */
static bool advance(kbs_engine *engine, int64_t until_ps) {
    if (engine->levels == 0)
        return false;
    const unsigned level = (unsigned)__builtin_ctz(engine->levels);
    const unsigned digit = (unsigned)__builtin_ctzll(engine->used[level]);
    kbs_bucket *bucket = &engine->buckets[level][digit];
    if (bucket->earliest_ps > until_ps)
        return false;
    engine->now_ps = bucket->earliest_ps;
    engine->used[level] &= ~(UINT64_C(1) << digit);
    if (engine->used[level] == 0)
        engine->levels &= ~(1U << level);
    if (level > 0) {
        spread(engine, bucket, engine->lanes[level][digit]);
        expect_next(engine);
        return true;
    }
    expect_next(engine);
    engine->soon = bucket->few; /* which is not empty, so that its end lies in an event */
    bucket->count = 0;
    clear(&bucket->few);
    return true;
}

/* One of the first few, drawn: what may not matter does not, if this changes nothing. */
static kbs_event *take_any(kbs_engine *engine, kbs_events *list) {
    enum { FEW_MASK = 31 };
    engine->shuffle ^= engine->shuffle << 13U; /* xorshift64: Marsaglia 2003 */
    engine->shuffle ^= engine->shuffle >> 7U;
    engine->shuffle ^= engine->shuffle << 17U;
    kbs_event **link = &list->first;
    for (uint64_t steps = engine->shuffle >> 32U & FEW_MASK; steps > 0 && (*link)->next != NULL; steps--)
        link = &(*link)->next;
    kbs_event *event = *link;
    *link = event->next;
    if (event->next == NULL)
        list->end = link;
    return event;
}

static bool run_shuffled(kbs_engine *engine, int64_t until_ps, uint64_t stop_at) {
    while (engine->fired < stop_at) {
        const bool due = engine->soon.first != NULL;
        kbs_events *later = engine->turn.first != NULL ? &engine->turn : &engine->end;
        if (due || later->first != NULL) {
            kbs_event *event = take_any(engine, due ? &engine->soon : later);
            engine->fired += due;
            event->fire(engine, event);
        } else if (!advance(engine, until_ps)) {
            return engine->levels == 0;
        }
    }
    return false;
}

bool kbs_engine_run(kbs_engine *engine, int64_t until_ps, uint64_t most) {
    const uint64_t stop_at = engine->fired + most;
    if (engine->shuffle != 0)
        return run_shuffled(engine, until_ps, stop_at);
    while (engine->fired < stop_at) {
        if (engine->soon.first != NULL) {
            kbs_event *event = take_first(&engine->soon);
            engine->fired++;
            event->fire(engine, event);
        } else if (engine->turn.first != NULL || engine->end.first != NULL) {
            kbs_event *event = take_first(engine->turn.first != NULL ? &engine->turn : &engine->end);
            event->fire(engine, event);
        } else if (!advance(engine, until_ps)) {
            return engine->levels == 0;
        }
    }
    return false;
}

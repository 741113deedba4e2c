/* SPDX-License-Identifier: Apache-2.0 */
/* The radix heap behind the clock; see engine.h. Allocates nothing and knows no component. */
#include "engine/engine.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

void kbs_engine_init(kbs_engine *engine, void *owner) {
    memset(engine, 0, sizeof *engine);
    engine->owner = owner;
}

static inline void append(kbs_events *list, kbs_event *event) {
    event->next = NULL;
    if (list->first == NULL)
        list->first = event;
    else
        list->last->next = event;
    list->last = event;
}

static inline kbs_event *take_first(kbs_events *list) {
    kbs_event *event = list->first;
    list->first = event->next;
    return event;
}

/* The bucket of a time: the highest digit that differs from the present, and that digit. */
static inline void place(kbs_engine *engine, kbs_event *event) {
    const uint64_t time = (uint64_t)event->time_ps, differs = time ^ (uint64_t)engine->now_ps;
    const unsigned level = differs == 0 ? 0 : (63U - (unsigned)__builtin_clzll(differs)) / KBS_DIGIT_BITS;
    const unsigned digit = (unsigned)(time >> (level * KBS_DIGIT_BITS)) & (KBS_DIGITS - 1U);
    append(&engine->buckets[level][digit], event);
    engine->used[level] |= UINT64_C(1) << digit;
    engine->levels |= 1U << level;
}

void kbs_engine_at(kbs_engine *engine, kbs_event *event, int64_t time_ps) {
    assert(time_ps >= engine->now_ps);
    event->time_ps = time_ps;
    if (time_ps == engine->now_ps)
        append(&engine->soon, event);
    else
        place(engine, event);
}

void kbs_engine_soon(kbs_engine *engine, kbs_event *event) {
    event->time_ps = engine->now_ps;
    append(&engine->soon, event);
}

void kbs_engine_at_end(kbs_engine *engine, kbs_event *event) {
    event->time_ps = engine->now_ps;
    append(&engine->end, event);
}

static inline kbs_events take_bucket(kbs_engine *engine, unsigned level, unsigned digit) {
    kbs_events list = engine->buckets[level][digit];
    engine->buckets[level][digit] = (kbs_events){NULL, NULL};
    engine->used[level] &= ~(UINT64_C(1) << digit);
    if (engine->used[level] == 0)
        engine->levels &= ~(1U << level);
    return list;
}

/*
 * Moves the clock to the next time that has events, if that is no later than until_ps, and makes
 * them due. A bucket of level 0 holds one time; of a higher level, the events move down, in their
 * order, once the clock stands at the earliest of them.
 */
static bool advance(kbs_engine *engine, int64_t until_ps) {
    if (engine->levels == 0)
        return false;
    const unsigned level = (unsigned)__builtin_ctz(engine->levels);
    const unsigned digit = (unsigned)__builtin_ctzll(engine->used[level]);
    int64_t earliest = engine->buckets[level][digit].first->time_ps;
    if (level > 0)
        for (const kbs_event *event = engine->buckets[level][digit].first; event != NULL; event = event->next)
            if (event->time_ps < earliest)
                earliest = event->time_ps;
    if (earliest > until_ps)
        return false;
    kbs_events list = take_bucket(engine, level, digit);
    engine->now_ps = earliest;
    if (level == 0) {
        engine->soon = list;
        return true;
    }
    while (list.first != NULL) {
        kbs_event *event = take_first(&list);
        if (event->time_ps == earliest)
            append(&engine->soon, event);
        else
            place(engine, event);
    }
    return true;
}

bool kbs_engine_run(kbs_engine *engine, int64_t until_ps, uint64_t most) {
    const uint64_t stop_at = engine->fired + most;
    while (engine->fired < stop_at) {
        if (engine->soon.first != NULL) {
            kbs_event *event = take_first(&engine->soon);
            engine->fired++;
            event->fire(engine, event);
        } else if (engine->end.first != NULL) {
            kbs_event *event = take_first(&engine->end);
            event->fire(engine, event);
        } else if (!advance(engine, until_ps)) {
            return engine->levels == 0;
        }
    }
    return false;
}

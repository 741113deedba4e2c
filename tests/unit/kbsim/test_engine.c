/* SPDX-License-Identifier: Apache-2.0 */
/* The clock: order of times, of equal times, and the three parts of an instant. */
#include <string.h>

#include "support/check.h"
#include "support/random.h"

#include "engine/engine.h"

enum { MOST = 4096 };

typedef struct probe {
    kbs_event event;
    uint64_t number; /* in the order of scheduling */
} probe;

typedef struct watch {
    int64_t last_ps;
    uint64_t last_number, fired;
    probe probes[MOST];
    random_source random;
    uint64_t scheduled, until; /* so far; events to schedule in all */
    uint64_t swapped;          /* fired at one instant behind one that was scheduled later */
} watch;

static void schedule(watch *w, kbs_engine *engine, probe *p, int64_t delay_ps);

static void fire(kbs_engine *engine, kbs_event *event) {
    watch *w = engine->owner;
    probe *p = (probe *)(void *)event;
    assert_int_equal(engine->now_ps, event->time_ps);
    assert_true(event->time_ps >= w->last_ps);
    if (event->time_ps == w->last_ps)
        assert_true(p->number > w->last_number);
    w->last_ps = event->time_ps;
    w->last_number = p->number;
    w->fired++;
    if (w->scheduled < w->until)
        schedule(w, engine, p, (int64_t)(random_u64(&w->random) >> (20 + random_below(&w->random, 44))));
}

static void schedule(watch *w, kbs_engine *engine, probe *p, int64_t delay_ps) {
    p->event.fire = fire;
    p->number = ++w->scheduled;
    kbs_engine_at(engine, &p->event, engine->now_ps + delay_ps);
}

/* Equal times are frequent: delays are often 0, 1 or the same small number. */
static void events_fire_by_time_then_by_order_of_scheduling(void **state) {
    (void)state;
    static watch w;
    static kbs_engine engine;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        memset(&w, 0, sizeof w);
        random_init(&w.random, seed);
        kbs_engine_init(&engine, &w);
        w.until = 50000;
        const uint64_t pending = seed % 2 == 0 ? MOST : 60;
        for (uint64_t i = 0; i < pending; i++)
            schedule(&w, &engine, &w.probes[i], (int64_t)random_below(&w.random, i % 3 == 0 ? 5 : 100000));
        while (!kbs_engine_run(&engine, INT64_MAX, 1000))
            ;
        assert_int_equal(w.fired, w.scheduled);
        assert_int_equal(engine.fired, w.fired);
    }
}

/* More than a bucket's lanes, at few instants far away, scheduled from ever nearer: each keeps its order. */
enum { CROWD = MOST / 8 };
static const int64_t far_ps = INT64_C(3) << 40U;

static void fire_tick(kbs_engine *engine, kbs_event *event) {
    watch *w = engine->owner;
    for (uint64_t i = 0; i < CROWD; i++) {
        const int64_t at_ps = far_ps + (int64_t)random_below(&w->random, 3) * (i % 2 == 0 ? 1 : 5000);
        schedule(w, engine, &w->probes[w->scheduled], at_ps - engine->now_ps);
    }
    if (w->scheduled < MOST)
        kbs_engine_at(engine, event, far_ps - ((far_ps - engine->now_ps) >> 5U));
}

static void crowds_far_away_keep_their_order(void **state) {
    (void)state;
    static watch w;
    static kbs_engine engine;
    kbs_event tick = {.fire = fire_tick};
    memset(&w, 0, sizeof w);
    random_init(&w.random, 1);
    kbs_engine_init(&engine, &w);
    kbs_engine_at(&engine, &tick, 0);
    assert_true(kbs_engine_run(&engine, INT64_MAX, 2 * MOST));
    assert_int_equal(w.fired, MOST);
}

/* All of them fire, at their times; at one instant not in the order of scheduling. */
static void fire_shuffled(kbs_engine *engine, kbs_event *event) {
    watch *w = engine->owner;
    probe *p = (probe *)(void *)event;
    assert_int_equal(engine->now_ps, event->time_ps);
    w->swapped += event->time_ps == w->last_ps && p->number < w->last_number;
    w->last_ps = event->time_ps;
    w->last_number = p->number;
    w->fired++;
}

static void a_test_may_shuffle_an_instant(void **state) {
    (void)state;
    static watch w;
    static kbs_engine engine;
    memset(&w, 0, sizeof w);
    kbs_engine_init(&engine, &w);
    engine.shuffle = 1;
    for (uint64_t i = 0; i < MOST; i++) {
        w.probes[i].event.fire = fire_shuffled;
        w.probes[i].number = i;
        kbs_engine_at(&engine, &w.probes[i].event, (int64_t)(i % 7) * 1000);
    }
    assert_true(kbs_engine_run(&engine, INT64_MAX, 2 * MOST));
    assert_int_equal(w.fired, MOST);
    assert_true(w.swapped > MOST / 4);
}

static void the_clock_stops_where_it_is_told(void **state) {
    (void)state;
    static watch w;
    kbs_engine engine;
    memset(&w, 0, sizeof w);
    kbs_engine_init(&engine, &w);
    schedule(&w, &engine, &w.probes[0], 100);
    schedule(&w, &engine, &w.probes[1], 101);
    schedule(&w, &engine, &w.probes[2], INT64_C(1) << 60);
    assert_false(kbs_engine_run(&engine, 100, 10));
    assert_int_equal(w.fired, 1);
    assert_false(kbs_engine_run(&engine, 100, 10));
    assert_int_equal(w.fired, 1);
    assert_false(kbs_engine_run(&engine, 1000, 10));
    assert_int_equal(w.fired, 2);
    assert_true(kbs_engine_run(&engine, INT64_MAX, 10));
    assert_int_equal(engine.now_ps, INT64_C(1) << 60);
    assert_true(kbs_engine_run(&engine, INT64_MAX, 10));
}

/* --- parts of an instant --------------------------------------------------------------------- */

static char trace[32];
static kbs_event a, b, soon, end, late;

static void note(const char *word) {
    strcat(trace, word);
}

static void fire_late(kbs_engine *engine, kbs_event *event) {
    (void)engine;
    (void)event;
    note("l");
}

static void fire_soon(kbs_engine *engine, kbs_event *event) {
    (void)event;
    note("s");
    late.fire = fire_late;
    kbs_engine_at(engine, &late, engine->now_ps);
}

static void fire_end(kbs_engine *engine, kbs_event *event) {
    (void)event;
    (void)engine;
    note("e");
}

static void fire_a(kbs_engine *engine, kbs_event *event) {
    (void)event;
    note("a");
    end.fire = fire_end;
    kbs_engine_at_end(engine, &end);
    soon.fire = fire_soon;
    kbs_engine_soon(engine, &soon);
}

static void fire_b(kbs_engine *engine, kbs_event *event) {
    (void)event;
    (void)engine;
    note("b");
}

static void an_instant_has_its_end_when_nothing_else_is_left(void **state) {
    (void)state;
    kbs_engine engine;
    kbs_engine_init(&engine, NULL);
    trace[0] = '\0';
    a.fire = fire_a;
    b.fire = fire_b;
    kbs_engine_at(&engine, &a, 7);
    kbs_engine_at(&engine, &b, 7);
    assert_true(kbs_engine_run(&engine, INT64_MAX, 100));
    assert_string_equal(trace, "absle");
    assert_int_equal(engine.now_ps, 7);
}

static kbs_event first_turn, second_turn;

/* Says whether it is the last of its instant: that decides about what may come still. */
static void fire_asked(kbs_engine *engine, kbs_event *event) {
    (void)event;
    note(kbs_engine_is_last(engine) ? "L" : "n");
}

static void fire_turn(kbs_engine *engine, kbs_event *event) {
    note("t");
    late.fire = fire_asked;
    if (event == &first_turn)
        kbs_engine_at(engine, &late, engine->now_ps);
    else
        kbs_engine_soon(engine, &late);
}

static void fire_turns(kbs_engine *engine, kbs_event *event) {
    (void)event;
    end.fire = fire_end;
    kbs_engine_at_end(engine, &end);
    first_turn.fire = second_turn.fire = fire_turn;
    kbs_engine_at_turn(engine, &first_turn);
    kbs_engine_at_turn(engine, &second_turn);
    note(kbs_engine_is_last(engine) ? "L" : "n");
}

/* What comes of one turn is not the last of its instant while another turn is to come. */
static void turns_come_before_the_end_and_are_not_over_before_the_last(void **state) {
    (void)state;
    kbs_engine engine;
    kbs_engine_init(&engine, NULL);
    trace[0] = '\0';
    a.fire = fire_turns;
    kbs_engine_at(&engine, &a, 7);
    assert_true(kbs_engine_run(&engine, INT64_MAX, 100));
    assert_string_equal(trace, "ntntLe");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_fire_by_time_then_by_order_of_scheduling),
        cmocka_unit_test(crowds_far_away_keep_their_order),
        cmocka_unit_test(a_test_may_shuffle_an_instant),
        cmocka_unit_test(the_clock_stops_where_it_is_told),
        cmocka_unit_test(an_instant_has_its_end_when_nothing_else_is_left),
        cmocka_unit_test(turns_come_before_the_end_and_are_not_over_before_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory at any time: what a timeline shows, wherever it came from, is what a slow replay from the start
 * shows; a far seek does not begin at the beginning; and what fails leaves a timeline that goes on.
 *
 * Given traces as arguments, it compares on those instead: tests/cli/replay_time.sh does so.
 */
#include "kbreplay/timeline.h"
#include "replayed.h"
#include "slow_moment.h"
#include "support/fail_alloc.h"
#include "support/program.h"
#include "support/random.h"

/* --- times that matter --------------------------------------------------------------------------- */

typedef struct times {
    int64_t *items;
    size_t count;
} times;

/* Every start and every done of the trace. */
static times times_of(kb_reader *reader) {
    times it = {test_malloc(sizeof(int64_t)), 0};
    kb_trail trail;
    kb_trail_init(&trail);
    size_t capacity = 1;
    for (uint32_t rank = 0; rank < kb_reader_run(reader)->ranks; rank++) {
        kb_cursor *cursor;
        const kb_op *op;
        check_ok(kb_cursor_create(reader, rank, &cursor, &trail), &trail);
        while (kb_cursor_next(cursor, &op, &trail) == KB_OK) {
            if (it.count + 2 > capacity)
                it.items = test_realloc(it.items, (capacity = 2 * capacity + 2) * sizeof(int64_t));
            it.items[it.count++] = op->start_ps;
            it.items[it.count++] = op->done_ps;
        }
        kb_cursor_destroy(cursor);
    }
    assert_int_equal(it.count, 2 * kb_reader_op_count(reader));
    return it;
}

static int64_t draw_time(const times *from, random_source *random) {
    if (random_once_in(random, 20))
        return random_once_in(random, 2) ? -1 : KB_TIME_MAX_PS;
    return from->items[random_below(random, from->count)] + random_between(random, -1, 1);
}

/* --- comparing ----------------------------------------------------------------------------------- */

/* A part of some memory, byte by byte, with what is defined of it. */
static void same_part(kbr_timeline *timeline, slow_moment *slow, const kb_defs *defs, random_source *random) {
    enum { MOST = 300 };
    uint8_t bytes[2][MOST], bits[2][MOST / 8 + 1];
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t memory = (uint32_t)random_below(random, defs->memory_count);
    uint64_t room = defs->memories[memory].size_bytes, size = random_below(random, MOST);
    if (room < MOST)
        return;
    uint64_t offset = random_below(random, random_once_in(random, 2) ? MOST : room - MOST + 1);
    offset = offset > room - size ? room - size : offset;
    check_ok(kbr_timeline_read(timeline, memory, offset, size, bytes[0], bits[0], &trail), &trail);
    check_ok(kbr_memory_read(slow->memories, memory, offset, size, bytes[1], NULL, &trail), &trail);
    check_ok(kbr_memory_get_bits(slow->memories, memory, offset, size, bits[1], &trail), &trail);
    assert_memory_equal(bytes[0], bytes[1], size);
    assert_memory_equal(bits[0], bits[1], (size + 7) / 8);
}

static void same_moment(kbr_timeline *timeline, kb_reader *reader, int64_t time_ps, random_source *random) {
    kb_trail trail;
    kb_trail_init(&trail);
    slow_moment slow;
    kb_digest here, there;
    slow_moment_make(&slow, reader, time_ps);
    check_ok(kbr_timeline_seek(timeline, time_ps, &trail), &trail);
    const kbr_moment *moment = kbr_timeline_moment(timeline);
    if (random_once_in(random, 2)) /* before the digest, or after it */
        same_part(timeline, &slow, kb_reader_defs(reader), random);
    check_ok(kbr_timeline_digest(timeline, &here, &trail), &trail);
    check_ok(kbr_memories_digest(slow.memories, &there, &trail), &trail);
    if (!kb_digest_equal(&here, &there) || moment->in_flight != slow.in_flight)
        fail_msg("at %lld ps: digests differ, or %llu in flight are not %llu", (long long)time_ps,
                 (unsigned long long)moment->in_flight, (unsigned long long)slow.in_flight);
    assert_int_equal(moment->time_ps, time_ps);
    assert_true(moment->started >= slow.done);
    for (int i = 0; i < 4; i++)
        same_part(timeline, &slow, kb_reader_defs(reader), random);
    slow_moment_fini(&slow);
}

static void same_moments(kb_reader *reader, const kbr_timeline_options *options, size_t seeks,
                         uint64_t seed) {
    kb_trail trail;
    kb_trail_init(&trail);
    random_source random;
    random_init(&random, seed);
    times all = times_of(reader);
    kbr_timeline *timeline;
    check_ok(kbr_timeline_create(reader, options, &timeline, &trail), &trail);
    for (size_t i = 0; i < seeks; i++)
        same_moment(timeline, reader, draw_time(&all, &random), &random);
    kbr_timeline_destroy(timeline);
    test_free(all.items);
}

/* The end is what a replay leaves. */
static void same_end(kb_reader *reader, kbr_replay *replay, const kbr_timeline_options *options) {
    kb_trail trail;
    kb_trail_init(&trail);
    kbr_timeline *timeline;
    kb_digest digest;
    check_ok(kbr_replay_run(replay, &trail), &trail);
    const kbr_result *result = kbr_replay_result(replay);
    check_ok(kbr_timeline_create(reader, options, &timeline, &trail), &trail);
    check_ok(kbr_timeline_seek(timeline, INT64_MAX, &trail), &trail);
    check_ok(kbr_timeline_digest(timeline, &digest, &trail), &trail);
    assert_true(kb_digest_equal(&digest, &result->memory_digest));
    const kbr_result *told;
    check_ok(kbr_timeline_result(timeline, &told, &trail), &trail);
    assert_int_equal(told->ops, result->ops);
    assert_int_equal(told->unfinished, result->unfinished);
    for (int again = 0; again < 2; again++) { /* the same, asked twice */
        assert_int_equal(told->finding_count, result->finding_count);
        assert_int_equal(told->cause_count, result->cause_count);
        for (size_t i = 0; i < told->finding_count; i++) {
            assert_string_equal(told->findings[i].rule, result->findings[i].rule);
            assert_string_equal(told->findings[i].message, result->findings[i].message);
            assert_int_equal(told->findings[i].count, result->findings[i].count);
        }
        check_ok(kbr_timeline_result(timeline, &told, &trail), &trail);
    }
    assert_true(kbr_timeline_moment(timeline)->ended);
    kbr_timeline_destroy(timeline);
}

/* --- seeks --------------------------------------------------------------------------------------- */

static const kbr_timeline_options small_steps = {.checkpoint_ops = 16, .checkpoint_count = 8};

static void a_ring_at_any_time(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        ring made;
        replayed it;
        ring_make(&made,
                  &(ring_shape){.ranks = 3 + (uint32_t)seed, .elements = 150, .slots = 2, .seed = seed});
        replayed_open(&it, &made, &(kbr_options){.verify = true});
        same_moments(it.reader, &small_steps, 150, seed);
        same_moments(it.reader, &(kbr_timeline_options){.replay = {.random = true, .seed = seed}}, 40, seed);
        same_end(it.reader, it.replay, &small_steps);
        replayed_fini(&it);
        ring_fini(&made);
    }
}

static void open_program(replayed *it, program *made) {
    fault_fs_init(&it->disk);
    made_write(&made->made, &it->disk.fs, "run.zst");
    replayed_begin(it, &(kbr_options){.verify = true});
}

static void a_program_at_any_time(void **state) {
    (void)state;
    program made;
    replayed it;
    program_make(&made);
    open_program(&it, &made);
    same_moments(it.reader, &small_steps, 400, 7);
    same_moments(it.reader, &(kbr_timeline_options){.replay = {.random = true, .seed = 8}}, 60, 8);
    same_moments(it.reader, &(kbr_timeline_options){.checkpoint_ops = 1, .checkpoint_count = 200}, 100, 9);
    same_end(it.reader, it.replay, &small_steps);
    replayed_fini(&it);
    made_fini(&made.made);
}

/* Ops that never came to an end, at each of their points. */
static void an_incomplete_trace_at_any_time(void **state) {
    (void)state;
    static const uint8_t points[] = {KB_POINT_ISSUE, KB_POINT_START, KB_POINT_SENT};
    for (size_t i = 0; i < sizeof points; i++) {
        program made;
        replayed it;
        program_make(&made);
        made_times(&made.made);
        made_op *last = made.ranks[1].adds[3];
        last->what.reached = points[i];
        if (points[i] == KB_POINT_ISSUE)
            last->op.start_ps = last->op.issue_ps;
        if (points[i] != KB_POINT_SENT)
            last->op.sent_ps = last->op.start_ps;
        last->op.done_ps = last->op.sent_ps;
        made.made.ending.outcome = KB_OUTCOME_DEADLOCK;
        open_program(&it, &made);
        same_moments(it.reader, &small_steps, 150, 20 + i);
        same_end(it.reader, it.replay, &small_steps);
        replayed_fini(&it);
        made_fini(&made.made);
    }
}

/* Tensors as values and as files are what memory holds; a chunk being written is undefined in them. */
static void tensors_at_any_time(void **state) {
    (void)state;
    enum { ELEMENTS = 150 };
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 3, .elements = ELEMENTS, .seed = 10});
    replayed_open(&it, &made, &(kbr_options){.verify = false});
    kbr_timeline *timeline;
    check_ok(kbr_timeline_create(it.reader, &small_steps, &timeline, &it.trail), &it.trail);
    times at = times_of(it.reader);
    uint64_t in_flight = 0;
    for (size_t n = 0; n < at.count; n += 5) {
        uint8_t bytes[2][2 * ELEMENTS], defined[ELEMENTS], bits[ELEMENTS / 4 + 1];
        uint32_t rank = (uint32_t)n % 3;
        uint64_t undefined, counted = 0;
        size_t size;
        check_ok(kbr_timeline_seek(timeline, at.items[n], &it.trail), &it.trail);
        check_ok(kbr_timeline_read_tensor(timeline, rank, bytes[0], defined, &it.trail), &it.trail);
        check_ok(kbr_timeline_read(timeline, rank, RING_X_AT, sizeof bytes[1], bytes[1], bits, &it.trail),
                 &it.trail);
        assert_memory_equal(bytes[0], bytes[1], sizeof bytes[0]);
        for (size_t i = 0; i < ELEMENTS; i++) {
            assert_int_equal(defined[i], bits[i / 4] >> i % 4 * 2 & 1);
            counted += !defined[i];
        }
        check_ok(kbr_timeline_dump(timeline, rank, &it.disk.fs, "x.npy", &undefined, &it.trail), &it.trail);
        const uint8_t *file = fault_fs_bytes(&it.disk, "x.npy", &size);
        assert_memory_equal(file + size - sizeof bytes[0], bytes[0], sizeof bytes[0]);
        assert_int_equal(undefined, counted);
        in_flight += counted;
    }
    assert_true(in_flight != 0);
    kbr_timeline_destroy(timeline);
    test_free(at.items);
    replayed_fini(&it);
    ring_fini(&made);
}

/* An op that may not be executed is judged once, and never executed; nor is a finding told twice. */
static void unfit_ops_stay_unfit(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 3, .elements = 90, .seed = 11});
    ring_find(&made, 1, KB_OP_MATH, 1)->offsets[0] = RING_TCM_SIZE; /* leaves its memory */
    ring_find(&made, 2, KB_OP_MATH, 0)->op.start_ps += 1;           /* its causes no longer sum */
    replayed_open(&it, &made, &(kbr_options){.verify = false});
    kbr_timeline *timeline;
    check_ok(kbr_timeline_create(it.reader, &small_steps, &timeline, &it.trail), &it.trail);
    check_ok(kbr_replay_run(it.replay, &it.trail), &it.trail);
    it.result = kbr_replay_result(it.replay);
    times at = times_of(it.reader);
    random_source random;
    random_init(&random, 12);
    for (int i = 0; i < 20; i++) {
        const kbr_result *told;
        kb_digest digest;
        check_ok(kbr_timeline_seek(timeline, draw_time(&at, &random), &it.trail), &it.trail);
        check_ok(kbr_timeline_seek(timeline, INT64_MAX, &it.trail), &it.trail);
        check_ok(kbr_timeline_digest(timeline, &digest, &it.trail), &it.trail);
        check_ok(kbr_timeline_result(timeline, &told, &it.trail), &it.trail);
        assert_true(kb_digest_equal(&digest, &it.result->memory_digest));
        assert_int_equal(told->ops, it.result->ops);
        assert_true(told->finding_count > 0);
        assert_int_equal(told->finding_count, it.result->finding_count);
        for (size_t n = 0; n < told->finding_count; n++)
            assert_int_equal(told->findings[n].count, it.result->findings[n].count);
    }
    kbr_timeline_destroy(timeline);
    test_free(at.items);
    replayed_fini(&it);
    ring_fini(&made);
}

/* --- what a seek costs --------------------------------------------------------------------------- */

static uint64_t executed(const kbr_timeline *timeline) {
    kbr_timeline_costs costs;
    kbr_timeline_measure(timeline, &costs);
    return costs.executed;
}

static void a_far_seek_begins_at_a_checkpoint(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 16, .elements = 4096, .seed = 4});
    replayed_open(&it, &made, &(kbr_options){.verify = false});
    kbr_timeline *timeline;
    kbr_timeline_options options = {.checkpoint_ops = 64, .checkpoint_count = 16};
    check_ok(kbr_timeline_create(it.reader, &options, &timeline, &it.trail), &it.trail);
    check_ok(kbr_timeline_seek(timeline, INT64_MAX, &it.trail), &it.trail);
    uint64_t all = executed(timeline), before;
    times at = times_of(it.reader);
    int64_t last_ps = 0;
    for (size_t i = 0; i < at.count; i++)
        last_ps = at.items[i] > last_ps ? at.items[i] : last_ps;
    assert_int_equal(all, kbr_timeline_moment(timeline)->started);
    assert_true(all > 1500);
    /* At worst an interval is as long as two of 16 / 2 parts of the whole. */
    for (int64_t part = 15; part >= 1; part--) {
        before = executed(timeline);
        check_ok(kbr_timeline_seek(timeline, last_ps / 16 * part, &it.trail), &it.trail);
        assert_true(executed(timeline) - before <= all / 4);
    }
    check_ok(kbr_timeline_seek(timeline, last_ps - 1, &it.trail), &it.trail);
    /* To and fro: the first step back makes fine checkpoints, and the others are short. */
    check_ok(kbr_timeline_seek(timeline, last_ps / 2, &it.trail), &it.trail);
    before = executed(timeline);
    for (int i = 1; i <= 10; i++)
        check_ok(kbr_timeline_seek(timeline, last_ps / 2 - i, &it.trail), &it.trail);
    assert_true(executed(timeline) - before <= 10 * (all / 16));
    kbr_timeline_costs costs;
    kbr_timeline_measure(timeline, &costs);
    assert_in_range(costs.checkpoints, 8, 16 + 16);
    kbr_timeline_destroy(timeline);
    test_free(at.items);
    replayed_fini(&it);
    ring_fini(&made);
}

/* Where checkpoints may hold nothing there is only the beginning, and memory is the same. */
static void checkpoints_keep_to_their_size(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 4, .elements = 512, .seed = 5});
    replayed_open(&it, &made, &(kbr_options){.verify = true});
    kbr_timeline_options options = {.checkpoint_ops = 16, .checkpoint_size = 1};
    same_moments(it.reader, &options, 40, 5);
    kbr_timeline *timeline;
    kbr_timeline_costs costs;
    check_ok(kbr_timeline_create(it.reader, &options, &timeline, &it.trail), &it.trail);
    check_ok(kbr_timeline_seek(timeline, INT64_MAX, &it.trail), &it.trail);
    kbr_timeline_measure(timeline, &costs);
    assert_int_equal(costs.checkpoints, 1);
    kbr_timeline_destroy(timeline);
    replayed_fini(&it);
    ring_fini(&made);
}

/* --- what fails ---------------------------------------------------------------------------------- */

/* Any refused allocation: the seek works all the same or says so, and the next one works. */
static void any_allocation_may_be_refused(void **state) {
    (void)state;
    program made;
    replayed it;
    program_make(&made);
    open_program(&it, &made);
    times all = times_of(it.reader);
    kb_digest want, got;
    size_t failed = 0, went = 0;
    for (size_t request = 0;; request++) {
        fail_alloc memory;
        fail_alloc_init(&memory);
        kbr_timeline_options options = {
            .replay = {.alloc = &memory.alloc}, .checkpoint_ops = 8, .checkpoint_count = 4};
        kbr_timeline *timeline;
        fail_alloc_arm(&memory, request, false);
        kb_trail_init(&it.trail);
        kb_status status = kbr_timeline_create(it.reader, &options, &timeline, &it.trail);
        if (status == KB_OK) {
            random_source random;
            random_init(&random, 3);
            for (int i = 0; i < 6 && status == KB_OK; i++)
                status = kbr_timeline_seek(timeline, draw_time(&all, &random), &it.trail);
            if (status == KB_OK)
                status = kbr_timeline_digest(timeline, &got, &it.trail);
            bool refused = memory.refused_count != 0;
            fail_alloc_arm(&memory, 0, false);
            check_ok(kbr_timeline_seek(timeline, all.items[all.count / 2], &it.trail), &it.trail);
            check_ok(kbr_timeline_digest(timeline, request == 0 ? &want : &got, &it.trail), &it.trail);
            assert_true(request == 0 || kb_digest_equal(&want, &got));
            kbr_timeline_destroy(timeline);
            went += status == KB_OK;
            if (request != 0 && !refused) {
                fail_alloc_fini(&memory);
                break;
            }
        }
        if (status != KB_OK) {
            assert_int_equal(status, KB_E_MEMORY);
            failed++;
        }
        fail_alloc_fini(&memory);
    }
    assert_true(failed > 20 && went > 20);
    test_free(all.items);
    replayed_fini(&it);
    made_fini(&made.made);
}

/* The file cannot be read for a while: a clear status, and then it goes on. */
static void a_file_may_fail(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 4, .elements = 200, .seed = 6});
    replayed_open(&it, &made, &(kbr_options){.verify = false});
    kb_digest want, got;
    for (size_t call = 0, failed = 0; call < 12; call++) {
        kbr_timeline *timeline;
        kb_reader *reader;
        const char *path = "run.zst";
        kb_reader_options reading = {.fs = &it.disk.fs};
        check_ok(kb_reader_open(&path, 1, &reading, &reader, &it.trail), &it.trail);
        kb_status status = kbr_timeline_create(reader, &small_steps, &timeline, &it.trail);
        check_ok(status, &it.trail);
        it.disk.call_count = 0;
        it.disk.faults.fail_call = call;
        it.disk.faults.from_then_on = true;
        status = kbr_timeline_seek(timeline, INT64_MAX, &it.trail);
        it.disk.faults.fail_call = 0;
        if (status != KB_OK) {
            failed++;
            assert_int_equal(status, KB_E_IO);
            assert_int_equal(kbr_timeline_digest(timeline, &got, &it.trail), KB_E_ARGUMENT);
            kb_trail_init(&it.trail);
        }
        check_ok(kbr_timeline_seek(timeline, INT64_MAX, &it.trail), &it.trail);
        check_ok(kbr_timeline_digest(timeline, call == 0 ? &want : &got, &it.trail), &it.trail);
        assert_true(call == 0 || kb_digest_equal(&want, &got));
        kbr_timeline_destroy(timeline);
        kb_reader_destroy(reader);
    }
    replayed_fini(&it);
    ring_fini(&made);
}

/* Goes on until it was asked so often. */
static bool stop_after(void *user, uint64_t ops) {
    uint64_t *left = user;
    (void)ops;
    return (*left)-- > 0;
}

/* Somebody who waits for a seek no longer wants it; another one goes on from what was reached. */
static void a_seek_may_be_stopped(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 16, .elements = 4096, .seed = 13});
    replayed_open(&it, &made, &(kbr_options){.verify = false});
    uint64_t left = 1;
    kb_digest digest;
    kbr_timeline *timeline;
    kbr_timeline_options options = {.replay = {.progress = {stop_after, &left}}, .checkpoint_ops = 200};
    check_ok(kbr_timeline_create(it.reader, &options, &timeline, &it.trail), &it.trail);
    assert_int_equal(kbr_timeline_seek(timeline, INT64_MAX, &it.trail), KB_E_INTERRUPTED);
    uint64_t reached = executed(timeline);
    assert_in_range(reached, 100, 1500);
    left = UINT64_MAX;
    kb_trail_init(&it.trail);
    check_ok(kbr_timeline_seek(timeline, INT64_MAX, &it.trail), &it.trail);
    assert_true(executed(timeline) < kbr_timeline_moment(timeline)->started + reached);
    check_ok(kbr_timeline_digest(timeline, &digest, &it.trail), &it.trail);
    check_ok(kbr_replay_run(it.replay, &it.trail), &it.trail);
    assert_true(kb_digest_equal(&digest, &kbr_replay_result(it.replay)->memory_digest));
    kbr_timeline_destroy(timeline);
    for (unsigned threads = 1; threads <= 2; threads++) { /* nor the whole replay */
        kbr_replay *replay;
        kbr_options plain = {.progress = {stop_after, &left}, .threads = threads};
        left = 1;
        check_ok(kbr_replay_create(it.reader, &plain, &replay, &it.trail), &it.trail);
        assert_int_equal(kbr_replay_run(replay, &it.trail), KB_E_INTERRUPTED);
        kb_trail_init(&it.trail);
        kbr_replay_destroy(replay);
    }
    replayed_fini(&it);
    ring_fini(&made);
}

/* A limit that memory and checkpoints do not fit in together: checkpoints give way. */
static void checkpoints_give_way_to_memory(void **state) {
    (void)state;
    ring made;
    replayed it;
    ring_make(&made, &(ring_shape){.ranks = 4, .elements = 4000, .seed = 8});
    replayed_open(&it, &made, &(kbr_options){.verify = true});
    for (uint64_t limit = (uint64_t)1 << 22; limit > 4096; limit -= limit / 4) {
        kbr_timeline_options options = {.replay = {.max_memory = limit}, .checkpoint_ops = 8};
        kbr_timeline *timeline;
        check_ok(kbr_timeline_create(it.reader, &options, &timeline, &it.trail), &it.trail);
        kb_status status = kbr_timeline_seek(timeline, INT64_MAX, &it.trail);
        kbr_options plain = {.max_memory = limit};
        kbr_replay *replay;
        kb_trail trail;
        kb_trail_init(&trail);
        check_ok(kbr_replay_create(it.reader, &plain, &replay, &trail), &trail);
        assert_int_equal(kbr_replay_run(replay, &trail), status);
        kbr_replay_destroy(replay);
        kbr_timeline_destroy(timeline);
        kb_trail_init(&it.trail);
    }
    replayed_fini(&it);
    ring_fini(&made);
}

static void wrong_questions_are_refused(void **state) {
    (void)state;
    ring made;
    replayed it;
    uint8_t byte;
    ring_make(&made, &(ring_shape){.ranks = 2, .elements = 8, .seed = 9});
    replayed_open(&it, &made, &(kbr_options){.verify = false});
    kbr_timeline *timeline;
    check_ok(kbr_timeline_create(it.reader, &small_steps, &timeline, &it.trail), &it.trail);
    assert_int_equal(kbr_timeline_read(timeline, 99, 0, 1, &byte, NULL, &it.trail), KB_E_ARGUMENT);
    assert_int_equal(kbr_timeline_read(timeline, 0, RING_TCM_SIZE, 1, &byte, NULL, &it.trail), KB_E_ARGUMENT);
    assert_int_equal(kbr_timeline_read(timeline, 0, UINT64_MAX, 2, &byte, NULL, &it.trail), KB_E_ARGUMENT);
    kb_trail_init(&it.trail);
    check_ok(kbr_timeline_read(timeline, 0, RING_TCM_SIZE, 0, &byte, NULL, &it.trail), &it.trail);
    kbr_timeline_destroy(timeline);
    replayed_fini(&it);
    ring_fini(&made);
}

/* --- traces of others ------------------------------------------------------------------------------ */

static char **given;

static void given_traces_at_any_time(void **state) {
    (void)state;
    for (char **path = given; *path != NULL; path++) {
        kb_trail trail;
        kb_trail_init(&trail);
        kb_reader *reader;
        kbr_replay *replay;
        const char *name = *path;
        check_ok(kb_reader_open(&name, 1, &(kb_reader_options){0}, &reader, &trail), &trail);
        check_ok(kbr_replay_create(reader, &(kbr_options){0}, &replay, &trail), &trail);
        same_moments(reader, &(kbr_timeline_options){.checkpoint_ops = 64, .checkpoint_count = 12}, 60, 1);
        same_moments(reader, &(kbr_timeline_options){.replay = {.random = true, .seed = 2}}, 6, 2);
        same_end(reader, replay, &small_steps);
        kbr_replay_destroy(replay);
        kb_reader_destroy(reader);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_at_any_time),
        cmocka_unit_test(a_program_at_any_time),
        cmocka_unit_test(an_incomplete_trace_at_any_time),
        cmocka_unit_test(tensors_at_any_time),
        cmocka_unit_test(unfit_ops_stay_unfit),
        cmocka_unit_test(a_far_seek_begins_at_a_checkpoint),
        cmocka_unit_test(checkpoints_keep_to_their_size),
        cmocka_unit_test(any_allocation_may_be_refused),
        cmocka_unit_test(a_file_may_fail),
        cmocka_unit_test(a_seek_may_be_stopped),
        cmocka_unit_test(checkpoints_give_way_to_memory),
        cmocka_unit_test(wrong_questions_are_refused),
    };
    const struct CMUnitTest others[] = {cmocka_unit_test(given_traces_at_any_time)};
    given = argv + 1;
    return argc > 1 ? cmocka_run_group_tests(others, NULL, NULL) : cmocka_run_group_tests(tests, NULL, NULL);
}

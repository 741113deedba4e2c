/* SPDX-License-Identifier: Apache-2.0 */
/* Records written and read again: equal, in both layouts, with the same digests and in the same bytes. */
#include <string.h>

#include "kbtrace/reader.h"
#include "kbtrace/writer.h"
#include "support/check.h"
#include "support/fault_fs.h"
#include "support/records.h"

typedef struct shape_of_run {
    uint64_t seed;
    uint32_t ranks;
    uint64_t ops; /* of rank 0; others have fewer, some none */
    bool wild;
} shape_of_run;

static uint64_t ops_of(const shape_of_run *shape, uint32_t rank) {
    return rank % 3 == 2 ? 0 : shape->ops / (1 + rank);
}

/* Every 50th op without bytes is put unfinished first, and said again later. */
static bool is_late(const kb_op *op) {
    return op->index % 50 == 7 && op->payload_size == 0;
}

typedef struct late_ops {
    records r; /* the same program, some ops behind */
    uint64_t next[1024];
} late_ops;

static void put_first(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kb_template what = *op->what;
    kb_op first = *op;
    if (is_late(op)) {
        what.reached = KB_POINT_SENT;
        first.what = &what;
        first.done_ps = first.sent_ps;
    }
    check_ok(kb_writer_put(writer, rank, &first, trail), trail);
}

/* Says again what was put up to `end`, but for the last ones. */
static void say_again(late_ops *late, kb_writer *writer, uint32_t rank, uint64_t end, kb_trail *trail) {
    for (; late->next[rank] < end; late->next[rank]++) {
        const kb_op *op = records_next(&late->r, rank);
        if (is_late(op))
            check_ok(kb_writer_amend(writer, rank, op, trail), trail);
    }
}

/* Ranks take turns, as in a simulation. */
static kb_digest write_run(const shape_of_run *shape, fault_fs *disk, const char *path, unsigned threads,
                           size_t open_bytes) {
    records r;
    kb_trail trail;
    kb_writer *writer;
    const kb_footer *footer;
    kb_ending ending = {KB_OUTCOME_COMPLETE, "", 12345};
    kb_writer_options options = {.path = path, .fs = &disk->fs, .threads = threads, .open_bytes = open_bytes};
    kb_trail_init(&trail);
    records_init(&r, shape->seed, shape->ranks, shape->wild);
    static late_ops late;
    memset(&late, 0, sizeof late);
    records_init(&late.r, shape->seed, shape->ranks, shape->wild);
    check_ok(kb_writer_create(&options, &r.run, &r.defs, &writer, &trail), &trail);
    for (uint64_t i = 0; i < shape->ops; i++)
        for (uint32_t rank = 0; rank < shape->ranks; rank++)
            if (i < ops_of(shape, rank)) {
                put_first(writer, rank, records_next(&r, rank), &trail);
                say_again(&late, writer, rank, i > 120 ? i - 120 : 0, &trail);
            }
    for (uint32_t rank = 0; rank < shape->ranks; rank++)
        say_again(&late, writer, rank, ops_of(shape, rank), &trail);
    for (int64_t i = 0; i < 100; i++)
        check_ok(kb_writer_sample(writer, (uint32_t)(i % 2) % shape->ranks, 1000 * i, i % 7 - 3, &trail),
                 &trail);
    check_ok(kb_writer_finish(writer, &ending, &footer, &trail), &trail);
    kb_digest digest = footer->record_digest;
    kb_writer_destroy(writer);
    records_fini(&late.r);
    records_fini(&r);
    return digest;
}

typedef struct sum_of_samples {
    uint64_t count;
    int64_t sum;
} sum_of_samples;

static kb_status add_sample(void *user, uint32_t counter, int64_t time_ps, int64_t value, kb_trail *trail) {
    sum_of_samples *sum = user;
    (void)trail;
    sum->count++;
    sum->sum += time_ps * (value + 5) + counter;
    return KB_OK;
}

static void check_samples(kb_reader *reader, uint32_t ranks, kb_trail *trail) {
    sum_of_samples found = {0, 0}, wanted = {0, 0};
    for (int64_t i = 0; i < 100; i++)
        (void)add_sample(&wanted, (uint32_t)(i % 2) % ranks, 1000 * i, i % 7 - 3, NULL);
    check_ok(kb_reader_samples(reader, add_sample, &found, trail), trail);
    assert_int_equal(found.count, wanted.count);
    assert_int_equal(found.sum, wanted.sum);
}

static void read_run(const shape_of_run *shape, fault_fs *disk, const char *path, unsigned threads,
                     const kb_digest *digest) {
    records r;
    kb_trail trail;
    kb_reader *reader;
    const kb_op *op;
    kb_reader_options options = {.fs = &disk->fs, .check_digests = true, .threads = threads};
    kb_cursor *cursors[1024];
    kb_trail_init(&trail);
    records_init(&r, shape->seed, shape->ranks, shape->wild);
    check_ok(kb_reader_open(&path, 1, &options, &reader, &trail), &trail);
    assert_int_equal(kb_reader_condition(reader, NULL), KB_TRACE_COMPLETE);
    assert_true(kb_digest_equal(&kb_reader_footer(reader)->record_digest, digest));
    assert_int_equal(kb_reader_run(reader)->ranks, shape->ranks);
    for (uint32_t rank = 0; rank < shape->ranks; rank++)
        check_ok(kb_cursor_create(reader, rank, &cursors[rank], &trail), &trail);
    for (uint64_t i = 0; i < shape->ops; i++)
        for (uint32_t rank = 0; rank < shape->ranks; rank++)
            if (i < ops_of(shape, rank)) {
                check_ok(kb_cursor_next(cursors[rank], &op, &trail), &trail);
                if (!records_equal(op, records_next(&r, rank)))
                    fail_msg("op %llu of rank %u is not what was written", (unsigned long long)i, rank);
            }
    for (uint32_t rank = 0; rank < shape->ranks; rank++) {
        check_status(kb_cursor_next(cursors[rank], &op, &trail), KB_END, &trail);
        kb_cursor_destroy(cursors[rank]);
    }
    check_samples(reader, shape->ranks, &trail);
    kb_reader_destroy(reader);
    records_fini(&r);
}

static void round_trip(uint64_t seed, uint32_t ranks, uint64_t ops, bool wild, size_t open_bytes) {
    shape_of_run shape = {seed, ranks, ops, wild};
    fault_fs disk;
    size_t size, again_size;
    fault_fs_init(&disk);
    kb_digest one = write_run(&shape, &disk, "one.zst", 1, open_bytes);
    kb_digest again = write_run(&shape, &disk, "again.zst", 2, open_bytes);
    kb_digest apart = write_run(&shape, &disk, "apart/", 2, open_bytes);
    assert_true(kb_digest_equal(&one, &again) && kb_digest_equal(&one, &apart));
    const uint8_t *bytes = fault_fs_bytes(&disk, "one.zst", &size);
    const uint8_t *again_bytes = fault_fs_bytes(&disk, "again.zst", &again_size);
    assert_int_equal(size, again_size);
    assert_memory_equal(bytes, again_bytes, size);
    read_run(&shape, &disk, "one.zst", 1, &one);
    read_run(&shape, &disk, "one.zst", 2, &one);
    read_run(&shape, &disk, "apart", 2, &one);
    fault_fs_fini(&disk);
}

static void counts_around_a_block(void **state) {
    (void)state;
    const uint64_t counts[] = {1, 16383, 16384, 16385};
    for (size_t i = 0; i < 4; i++)
        round_trip(10 + i, 1, counts[i], i % 2 == 1, 0);
}

static void no_ops_at_all(void **state) {
    (void)state;
    round_trip(1, 1, 0, true, 0);
    round_trip(2, 4, 0, false, 0);
}

static void extreme_values_of_every_kind(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++)
        round_trip(100 + seed, 1 + (uint32_t)seed % 5, 700, true, 1 << (10 + seed));
}

static void regular_programs(void **state) {
    (void)state;
    round_trip(7, 16, 3000, false, 1 << 14);
    round_trip(8, 3, 20000, false, 1 << 16);
}

static void many_ranks(void **state) {
    (void)state;
    round_trip(9, 1024, 40, true, 1 << 18);
}

/* More than 64 frames: everything is said again, and old templates are still known. */
static void restated(void **state) {
    (void)state;
    round_trip(21, 2, 4000, true, 4096);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_around_a_block),
        cmocka_unit_test(no_ops_at_all),
        cmocka_unit_test(extreme_values_of_every_kind),
        cmocka_unit_test(regular_programs),
        cmocka_unit_test(many_ranks),
        cmocka_unit_test(restated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Templates that a writer knows: ops that are put by them give the same bytes as ops that bring their own. */
#include <stdio.h>
#include <string.h>

#include "kbtrace/reader.h"
#include "kbtrace/writer.h"
#include "support/check.h"
#include "support/fault_fs.h"
#include "support/records.h"

enum manner { BRINGS_ITS_OWN, BY_KNOWN, BY_EITHER };

typedef struct shape_of_run {
    uint64_t seed;
    uint32_t ranks;
    uint64_t ops; /* of each rank */
    bool wild;
    size_t open_bytes;
} shape_of_run;

static void put(kb_writer *writer, uint32_t rank, const kb_op *op, bool by_known, kb_trail *trail) {
    kb_known *known;
    if (!by_known) {
        check_ok(kb_writer_put(writer, rank, op, trail), trail);
        return;
    }
    kb_op rest = *op;
    rest.what = NULL;
    check_ok(kb_writer_template(writer, rank, op->what, &known, trail), trail);
    check_ok(kb_writer_put_as(writer, known, &rest, trail), trail);
}

/* Some ops are said again, and a counter is sampled: both come between ops that are still on their way. */
static void between(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) {
    if (op->index % 23 == 7 && op->payload_size == 0)
        check_ok(kb_writer_amend(writer, rank, op, trail), trail);
    if (op->index % 31 == 5)
        check_ok(kb_writer_sample(writer, rank, (int64_t)op->index, (int64_t)op->step % 5, trail), trail);
}

static void write_run(const shape_of_run *shape, fault_fs *disk, const char *path, enum manner manner,
                      unsigned threads) {
    records r;
    random_source random;
    kb_trail trail;
    kb_writer *writer;
    const kb_ending ending = {KB_OUTCOME_COMPLETE, "", 12345};
    const kb_writer_options options = {
        .path = path, .fs = &disk->fs, .threads = threads, .open_bytes = shape->open_bytes};
    kb_trail_init(&trail);
    random_init(&random, 3);
    records_init(&r, shape->seed, shape->ranks, shape->wild);
    check_ok(kb_writer_create(&options, &r.run, &r.defs, &writer, &trail), &trail);
    for (uint64_t i = 0; i < shape->ops; i++)
        for (uint32_t rank = 0; rank < shape->ranks; rank++) {
            const kb_op *op = records_next(&r, rank);
            put(writer, rank, op, manner == BY_KNOWN || (manner == BY_EITHER && random_once_in(&random, 2)),
                &trail);
            between(writer, rank, op, &trail);
        }
    check_ok(kb_writer_finish(writer, &ending, NULL, &trail), &trail);
    kb_writer_destroy(writer);
    records_fini(&r);
}

static void check_same(fault_fs *disk, const char *a, const char *b) {
    size_t size, other_size;
    const uint8_t *bytes = fault_fs_bytes(disk, a, &size), *other = fault_fs_bytes(disk, b, &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(bytes, other, size);
}

static void same_bytes(const shape_of_run *shape) {
    fault_fs disk;
    fault_fs_init(&disk);
    write_run(shape, &disk, "own.zst", BRINGS_ITS_OWN, 1);
    write_run(shape, &disk, "known.zst", BY_KNOWN, 1);
    write_run(shape, &disk, "either.zst", BY_EITHER, 1);
    write_run(shape, &disk, "beside.zst", BY_EITHER, 2);
    check_same(&disk, "own.zst", "known.zst");
    check_same(&disk, "own.zst", "either.zst");
    check_same(&disk, "own.zst", "beside.zst");
    fault_fs_fini(&disk);
}

static void ops_by_known_templates_are_the_same(void **state) {
    (void)state;
    same_bytes(&(shape_of_run){1, 1, 3000, false, 0});
    same_bytes(&(shape_of_run){2, 7, 2500, false, 1 << 13});
    same_bytes(&(shape_of_run){3, 5, 500, true, 1 << 12});
    same_bytes(&(shape_of_run){4, 300, 30, true, 0});
}

/* --- definitions that grow -------------------------------------------------------------------- */

/* Rows come between ops, as many as one in three; strings among them move in memory as they grow. */
static void write_growing(fault_fs *disk, const char *path, unsigned threads, size_t *ret_strings) {
    records r;
    kb_trail trail;
    kb_writer *writer;
    const kb_ending ending = {KB_OUTCOME_COMPLETE, "", 12345};
    const kb_writer_options options = {
        .path = path, .fs = &disk->fs, .threads = threads, .open_bytes = 1 << 12};
    kb_trail_init(&trail);
    records_init(&r, 6, 3, false);
    check_ok(kb_writer_create(&options, &r.run, &r.defs, &writer, &trail), &trail);
    for (unsigned i = 0; i < 9000; i++) {
        const uint32_t rank = i % 3;
        put(writer, rank, records_next(&r, rank), true, &trail);
        if (i % 3 == 1) {
            char text[32];
            uint32_t id;
            snprintf(text, sizeof text, "label %u", i * 2654435761u);
            check_ok(kb_defs_add_string(&r.defs, &(kb_string){text}, &id, &trail), &trail);
        }
    }
    check_ok(kb_writer_finish(writer, &ending, NULL, &trail), &trail);
    kb_writer_destroy(writer);
    *ret_strings = r.defs.string_count;
    records_fini(&r);
}

static void rows_may_come_between_ops(void **state) {
    (void)state;
    fault_fs disk;
    size_t strings, again;
    kb_trail trail;
    kb_reader *reader;
    fault_fs_init(&disk);
    kb_trail_init(&trail);
    write_growing(&disk, "one.zst", 1, &strings);
    write_growing(&disk, "two.zst", 2, &again);
    assert_int_equal(strings, again);
    check_same(&disk, "one.zst", "two.zst");
    const char *path = "two.zst";
    const kb_reader_options options = {.fs = &disk.fs, .check_digests = true};
    check_ok(kb_reader_open(&path, 1, &options, &reader, &trail), &trail);
    assert_int_equal(kb_reader_defs(reader)->string_count, strings);
    assert_int_equal(kb_reader_condition(reader, NULL), KB_TRACE_COMPLETE);
    kb_reader_destroy(reader);
    fault_fs_fini(&disk);
}

/* --- payloads --------------------------------------------------------------------------------- */

/* Long ones and short ones mixed: the stage holds little of them at a time. */
static void payloads_of_any_size(void **state) {
    (void)state;
    static uint8_t bytes[KB_PAYLOAD_MAX];
    random_source random;
    fault_fs disk;
    fault_fs_init(&disk);
    for (unsigned threads = 1; threads <= 2; threads++) {
        records r;
        kb_trail trail;
        kb_writer *writer;
        const kb_ending ending = {KB_OUTCOME_COMPLETE, "", 12345};
        const kb_writer_options options = {
            .path = threads == 1 ? "one.zst" : "two.zst", .fs = &disk.fs, .threads = threads};
        kb_trail_init(&trail);
        random_init(&random, 8);
        random_bytes(&random, bytes, sizeof bytes);
        records_init(&r, 9, 2, false);
        check_ok(kb_writer_create(&options, &r.run, &r.defs, &writer, &trail), &trail);
        for (unsigned i = 0; i < 300; i++) {
            kb_op op = *records_next(&r, i % 2);
            op.payload = bytes;
            op.payload_size = i % 50 == 7 ? KB_PAYLOAD_MAX : random_below(&random, i % 3 == 0 ? 5000 : 3);
            put(writer, i % 2, &op, i % 4 < 2, &trail);
        }
        check_ok(kb_writer_finish(writer, &ending, NULL, &trail), &trail);
        kb_writer_destroy(writer);
        records_fini(&r);
    }
    check_same(&disk, "one.zst", "two.zst");
    fault_fs_fini(&disk);
}

/* --- one writer at a time --------------------------------------------------------------------- */

typedef struct writing {
    fault_fs disk;
    records r;
    kb_trail trail;
    kb_writer *writer;
} writing;

static void begin(writing *w, const char *path) {
    fault_fs_init(&w->disk);
    kb_trail_init(&w->trail);
    records_init(&w->r, 5, 2, false);
    const kb_writer_options options = {.path = path, .fs = &w->disk.fs};
    check_ok(kb_writer_create(&options, &w->r.run, &w->r.defs, &w->writer, &w->trail), &w->trail);
}

static void end(writing *w) {
    kb_writer_destroy(w->writer);
    records_fini(&w->r);
    fault_fs_fini(&w->disk);
}

static void equal_templates_are_known_as_one(void **state) {
    (void)state;
    writing w;
    kb_known *known, *again, *other;
    begin(&w, "run.zst");
    const kb_op *op = records_next(&w.r, 0);
    kb_template what = *op->what;
    check_ok(kb_writer_template(w.writer, 0, op->what, &known, &w.trail), &w.trail);
    check_ok(kb_writer_template(w.writer, 0, &what, &again, &w.trail), &w.trail);
    assert_ptr_equal(known, again);
    what.line++;
    check_ok(kb_writer_template(w.writer, 0, &what, &other, &w.trail), &w.trail);
    assert_ptr_not_equal(known, other);
    end(&w);
}

static void a_template_without_ops_leaves_no_trace(void **state) {
    (void)state;
    writing w;
    kb_writer_stats stats;
    kb_known *known;
    begin(&w, "run.zst");
    kb_template what = *records_next(&w.r, 0)->what;
    for (what.line = 1000; what.line < 1100; what.line++)
        check_ok(kb_writer_template(w.writer, 0, &what, &known, &w.trail), &w.trail);
    check_ok(kb_writer_finish(w.writer, &(kb_ending){KB_OUTCOME_COMPLETE, "", 1}, NULL, &w.trail), &w.trail);
    kb_writer_measure(w.writer, &stats);
    assert_int_equal(stats.templates, 0);
    assert_int_equal(stats.ops, 0);
    end(&w);
}

static void templates_are_checked_when_they_become_known(void **state) {
    (void)state;
    writing w;
    kb_known *known = NULL;
    begin(&w, "run.zst");
    kb_template what = *records_next(&w.r, 0)->what;
    check_status(kb_writer_template(w.writer, 1, &what, &known, &w.trail), KB_E_ARGUMENT, &w.trail);
    check_says(&w.trail, "not this rank's");
    assert_null(known);
    check_status(kb_writer_template(w.writer, 0, &what, &known, &w.trail), KB_E_ARGUMENT, &w.trail);
    check_says(&w.trail, "failed earlier");
    end(&w);
    begin(&w, "run.zst");
    what = *records_next(&w.r, 0)->what;
    check_status(kb_writer_template(w.writer, 2, &what, &known, &w.trail), KB_E_ARGUMENT, &w.trail);
    check_says(&w.trail, "ranks 0 to 1");
    end(&w);
}

static void numbers_are_checked_at_once(void **state) {
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        writing w;
        kb_known *known;
        begin(&w, "run.zst");
        kb_op op = *records_next(&w.r, 0);
        check_ok(kb_writer_template(w.writer, 0, op.what, &known, &w.trail), &w.trail);
        check_ok(kb_writer_put_as(w.writer, known, &op, &w.trail), &w.trail);
        op.index = i == 0 ? 0 : 1;
        if (i == 1)
            op.issue_ps--;
        if (i == 2)
            op.done_ps = KB_TIME_MAX_PS + 1;
        if (i == 3)
            op.sent_ps = -1;
        check_status(kb_writer_put_as(w.writer, known, &op, &w.trail), KB_E_ARGUMENT, &w.trail);
        check_says(&w.trail, i == 0 ? "came as op 0" : i == 1 ? "is issued at" : "has a time of");
        check_status(kb_writer_finish(w.writer, &(kb_ending){KB_OUTCOME_COMPLETE, "", 1}, NULL, &w.trail),
                     KB_E_ARGUMENT, &w.trail);
        end(&w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_by_known_templates_are_the_same),
        cmocka_unit_test(rows_may_come_between_ops),
        cmocka_unit_test(payloads_of_any_size),
        cmocka_unit_test(equal_templates_are_known_as_one),
        cmocka_unit_test(a_template_without_ops_leaves_no_trace),
        cmocka_unit_test(templates_are_checked_when_they_become_known),
        cmocka_unit_test(numbers_are_checked_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

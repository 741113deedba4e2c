/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors that go to an op or a time: they stand where reading from the start would have come to. */
#include <stdlib.h>

#include "kbtrace/reader.h"
#include "kbtrace/writer.h"
#include "support/check.h"
#include "support/fault_fs.h"
#include "support/records.h"

enum { RANKS = 3, OPS = 1500, SEEKS = 400, OPEN_BYTES = 6000, SEED = 77 };

/* Of every op of every rank, what a cursor must find there. */
typedef struct known {
    int64_t issue_ps[RANKS][OPS];
    int64_t done_ps[RANKS][OPS];
} known;

static void write_trace(fault_fs *disk, const char *path, known *all) {
    records r;
    kb_trail trail;
    kb_writer *writer;
    kb_ending ending = {KB_OUTCOME_COMPLETE, "", 0};
    kb_writer_options options = {.path = path, .fs = &disk->fs, .open_bytes = OPEN_BYTES};
    kb_trail_init(&trail);
    records_init(&r, SEED, RANKS, true);
    check_ok(kb_writer_create(&options, &r.run, &r.defs, &writer, &trail), &trail);
    for (uint64_t i = 0; i < OPS; i++)
        for (uint32_t rank = 0; rank < RANKS; rank++) {
            const kb_op *op = records_next(&r, rank);
            check_ok(kb_writer_put(writer, rank, op, &trail), &trail);
            all->issue_ps[rank][i] = op->issue_ps;
            all->done_ps[rank][i] = op->done_ps;
        }
    check_ok(kb_writer_finish(writer, &ending, NULL, &trail), &trail);
    kb_writer_destroy(writer);
    records_fini(&r);
}

/* The cursor gives op `index` and the two behind it, then ends where the rank does. */
static void expect_from(kb_cursor *cursor, const known *all, uint32_t rank, uint64_t index) {
    const kb_op *op;
    kb_trail trail;
    kb_trail_init(&trail);
    for (uint64_t i = index; i < index + 3 && i < OPS; i++) {
        check_ok(kb_cursor_next(cursor, &op, &trail), &trail);
        assert_int_equal(op->index, i);
        assert_int_equal(op->issue_ps, all->issue_ps[rank][i]);
        assert_int_equal(op->done_ps, all->done_ps[rank][i]);
    }
    if (index >= OPS)
        check_status(kb_cursor_next(cursor, &op, &trail), KB_END, &trail);
}

static uint64_t first_at(const known *all, uint32_t rank, int64_t time_ps) {
    uint64_t i = 0;
    while (i < OPS && all->issue_ps[rank][i] < time_ps)
        i++;
    return i;
}

static void seek_about(fault_fs *disk, const char *path, const known *all) {
    kb_reader *reader;
    kb_trail trail;
    random_source random;
    kb_cursor *cursors[RANKS];
    kb_reader_options options = {.fs = &disk->fs, .check_digests = true};
    kb_trail_init(&trail);
    random_init(&random, 5);
    check_ok(kb_reader_open(&path, 1, &options, &reader, &trail), &trail);
    for (uint32_t rank = 0; rank < RANKS; rank++)
        check_ok(kb_cursor_create(reader, rank, &cursors[rank], &trail), &trail);
    for (int i = 0; i < SEEKS; i++) {
        uint32_t rank = (uint32_t)random_below(&random, RANKS);
        uint64_t index = random_below(&random, OPS + 3);
        if (random_once_in(&random, 2)) {
            check_ok(kb_cursor_seek_op(cursors[rank], index, &trail), &trail);
            expect_from(cursors[rank], all, rank, index);
        } else {
            int64_t time_ps = all->issue_ps[rank][index % OPS] + random_between(&random, -1, 1);
            check_ok(kb_cursor_seek_time(cursors[rank], time_ps, &trail), &trail);
            expect_from(cursors[rank], all, rank, first_at(all, rank, time_ps));
        }
    }
    for (uint32_t rank = 0; rank < RANKS; rank++)
        kb_cursor_destroy(cursors[rank]);
    kb_reader_destroy(reader);
}

static void ops_and_times_in_both_layouts(void **state) {
    fault_fs disk;
    known *all = malloc(sizeof *all);
    (void)state;
    assert_non_null(all);
    fault_fs_init(&disk);
    write_trace(&disk, "one.zst", all);
    seek_about(&disk, "one.zst", all);
    write_trace(&disk, "apart/", all);
    seek_about(&disk, "apart", all);
    fault_fs_fini(&disk);
    free(all);
}

/* Without a seek table and an index the reader makes its own. */
static void in_a_trace_that_was_cut(void **state) {
    fault_fs disk;
    kb_trail trail;
    kb_reader *reader;
    kb_cursor *cursor;
    const kb_op *op;
    const char *path = "cut.zst";
    size_t size;
    known *all = malloc(sizeof *all);
    (void)state;
    assert_non_null(all);
    kb_trail_init(&trail);
    fault_fs_init(&disk);
    write_trace(&disk, "one.zst", all);
    const uint8_t *bytes = fault_fs_bytes(&disk, "one.zst", &size);
    fault_fs_put(&disk, path, bytes, size / 2);
    kb_reader_options options = {.fs = &disk.fs};
    check_ok(kb_reader_open(&path, 1, &options, &reader, &trail), &trail);
    assert_int_equal(kb_reader_condition(reader, NULL), KB_TRACE_CUT);
    check_ok(kb_cursor_create(reader, 1, &cursor, &trail), &trail);
    for (uint64_t index = 300; index < 310; index += 3) {
        check_ok(kb_cursor_seek_op(cursor, index, &trail), &trail);
        check_ok(kb_cursor_next(cursor, &op, &trail), &trail);
        assert_int_equal(op->issue_ps, all->issue_ps[1][index]);
    }
    kb_cursor_destroy(cursor);
    kb_reader_destroy(reader);
    fault_fs_fini(&disk);
    free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_and_times_in_both_layouts),
        cmocka_unit_test(in_a_trace_that_was_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

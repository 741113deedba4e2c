/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of several files: which belong together, what is missing, and what is there twice. */
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/read_all.h"
#include "support/small_trace.h"

enum { RANKS = 3 };

typedef struct fixture {
    small_trace t, other;
    fault_fs disk;
} fixture;

static fixture fix;

static void write_run(const small_trace *t, const char *path) {
    kb_trail trail;
    kb_trail_init(&trail);
    kb_writer_options options = {.path = path, .fs = &fix.disk.fs};
    check_ok(small_trace_write(t, &options, NULL, NULL, &trail), &trail);
}

static int set_up(void **state) {
    (void)state;
    fault_fs_init(&fix.disk);
    small_trace_init(&fix.t, 8, RANKS, 30, 500);
    small_trace_init(&fix.other, 9, RANKS, 30, 500);
    write_run(&fix.t, "run/");
    write_run(&fix.other, "other/");
    write_run(&fix.t, "one.zst");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    small_trace_fini(&fix.t);
    small_trace_fini(&fix.other);
    fault_fs_fini(&fix.disk);
    return 0;
}

static void check_record(void *user, uint32_t rank, const kb_op *op) {
    uint64_t *wrong = user;
    *wrong += !small_trace_has(&fix.t, rank, op, false);
}

static read_all_result read_paths(const char *const *paths, size_t count, bool recover, kb_trail *trail) {
    uint64_t wrong = 0;
    kb_reader_options options = {.fs = &fix.disk.fs, .check_digests = true, .recover = recover};
    kb_trail_init(trail);
    read_all_result result = read_all(paths, count, &options, UINT64_MAX, check_record, &wrong, trail);
    assert_int_equal(wrong, 0);
    assert_int_equal(fault_fs_open_count(&fix.disk), 0);
    return result;
}

static void copy(const char *from, const char *to, size_t cut) {
    size_t size;
    const unsigned char *bytes = fault_fs_bytes(&fix.disk, from, &size);
    assert_non_null(bytes);
    fault_fs_put(&fix.disk, to, bytes, size > cut ? size - cut : 0);
}

static void files_by_name_in_any_order(void **state) {
    (void)state;
    kb_trail trail;
    const char *const paths[] = {"run/rank-00002.zst", "run/rank-00000.zst", "run/rank-00001.zst"};
    read_all_result result = read_paths(paths, RANKS, false, &trail);
    check_status(result.status, KB_OK, &trail);
    assert_int_equal(result.state, KB_TRACE_COMPLETE);
    assert_int_equal(result.ops, fix.t.counts[0] + fix.t.counts[1] + fix.t.counts[2]);
}

static void refused(const char *const *paths, size_t count, kb_status status, const char *words) {
    kb_trail trail;
    for (int recover = 0; recover < 2; recover++) {
        check_status(read_paths(paths, count, recover != 0, &trail).status, status, &trail);
        check_says(&trail, words);
    }
}

static void mixed_missing_and_doubled(void **state) {
    (void)state;
    const char *const mixed[] = {"run/rank-00000.zst", "other/rank-00001.zst", "run/rank-00002.zst"};
    refused(mixed, 3, KB_E_CORRUPT, "other/rank-00001.zst is of another run");
    const char *const missing[] = {"run/rank-00000.zst", "run/rank-00002.zst"};
    refused(missing, 2, KB_E_CORRUPT, "the file of rank 1 (rank-00001.zst) is missing");
    const char *const headless[] = {"run/rank-00001.zst", "run/rank-00002.zst"};
    refused(headless, 2, KB_E_CORRUPT, "the file of rank 0 (rank-00000.zst) is missing");
    const char *const doubled[] = {"run/rank-00000.zst", "run/rank-00001.zst", "run/rank-00001.zst"};
    refused(doubled, 3, KB_E_CORRUPT,
            "run/rank-00001.zst and run/rank-00001.zst both hold the ops of rank 1");
    const char *const both[] = {"one.zst", "run"};
    refused(both, 2, KB_E_CORRUPT, "both hold the ops of rank 0");
    const char *const nothing[] = {"nowhere.zst"};
    refused(nothing, 1, KB_E_IO, "nowhere.zst");
}

static void folders(void **state) {
    (void)state;
    const char *path = "mix";
    fault_fs_put_folder(&fix.disk, "mix");
    refused(&path, 1, KB_E_ARGUMENT, "mix holds no rank's trace");
    copy("run/rank-00000.zst", "mix/rank-00000.zst", 0);
    copy("run/rank-00001.zst", "mix/rank-00001.zst", 0);
    refused(&path, 1, KB_E_CORRUPT, "the file of rank 2");
    copy("run/rank-00001.zst", "mix/rank-00002.zst", 0);
    refused(&path, 1, KB_E_CORRUPT, "mix/rank-00001.zst and mix/rank-00002.zst both hold");
    copy("other/rank-00002.zst", "mix/rank-00002.zst", 0);
    refused(&path, 1, KB_E_CORRUPT, "mix/rank-00002.zst is of another run");
    copy("run/rank-00002.zst", "mix/rank-00002.zst", 0);
    kb_trail trail;
    check_status(read_paths(&path, 1, false, &trail).status, KB_OK, &trail);
}

/* One file of several that is cut makes the whole incomplete; what the others hold is given. */
static void one_of_several_is_cut(void **state) {
    (void)state;
    kb_trail trail;
    const char *path = "run";
    for (uint32_t rank = 0; rank < RANKS; rank++) {
        char name[64], cut[64];
        size_t size;
        snprintf(name, sizeof name, "run/rank-%05u.zst", rank);
        snprintf(cut, sizeof cut, "whole-%u", rank);
        copy(name, cut, 0);
        (void)!fault_fs_bytes(&fix.disk, name, &size);
        for (size_t less = 1; less < size; less += 97) {
            copy(cut, name, less);
            for (int recover = 0; recover < 2; recover++) {
                read_all_result result = read_paths(&path, 1, recover != 0, &trail);
                if (result.status == KB_E_INCOMPLETE)
                    continue; /* not even its header, or the definitions that others name */
                check_status(result.status, KB_OK, &trail);
                assert_int_equal(result.state, KB_TRACE_CUT);
            }
        }
        copy(cut, name, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_by_name_in_any_order),
        cmocka_unit_test(mixed_missing_and_doubled),
        cmocka_unit_test(folders),
        cmocka_unit_test(one_of_several_is_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's own malloc refused while a trace is written and read: zstd and threads allocate past the
 * seam. Skipped where a sanitizer has a malloc of its own.
 */
#include <stdlib.h>

#include "support/check.h"
#include "support/malloc_fault/malloc_fault.h"
#include "support/read_all.h"
#include "support/small_trace.h"

static small_trace t;

static int set_up(void **state) {
    (void)state;
    small_trace_init(&t, 5, 2, 16, 600);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    small_trace_fini(&t);
    return 0;
}

static kb_status write_it(fault_fs *disk, unsigned threads, kb_trail *trail) {
    kb_writer_options options = {.path = "a.zst", .fs = &disk->fs, .threads = threads};
    kb_trail_init(trail);
    return small_trace_write(&t, &options, NULL, NULL, trail);
}

static kb_status read_it(fault_fs *disk, unsigned threads, kb_trail *trail) {
    const char *path = "a.zst";
    kb_reader_options options = {.fs = &disk->fs, .check_digests = true, .threads = threads};
    kb_trail_init(trail);
    return read_all(&path, 1, &options, UINT64_MAX, NULL, NULL, trail).status;
}

/* The request-th refusal, and all that follow or none. False when there are fewer requests. */
static bool sweep_once(fault_fs *disk, bool reads, unsigned threads, size_t request, bool from_then_on) {
    kb_trail trail;
    size_t refused, before = malloc_fault_live_count();
    malloc_fault_arm(request, from_then_on);
    kb_status status = reads ? read_it(disk, threads, &trail) : write_it(disk, threads, &trail);
    malloc_fault_disarm(&refused);
    if (malloc_fault_live_count() != before)
        fail_msg("%s with %u threads, request %zu refused%s: %zu blocks are left",
                 reads ? "reading" : "writing", threads, request, from_then_on ? " and all that follow" : "",
                 malloc_fault_live_count() - before);
    assert_int_equal(fault_fs_open_count(disk), 0);
    /* Without its thread the work is done all the same; zstd may do without a block as well. */
    if (status != KB_OK)
        check_status(status, KB_E_MEMORY, &trail);
    assert_true(status == KB_OK || refused > 0);
    assert_string_equal(fault_fs_names(disk), reads || status == KB_OK ? "a.zst" : "");
    return refused > 0;
}

static void every_malloc_refused(void **state) {
    (void)state;
    if (!malloc_fault_works())
        skip();
    /* The C library keeps the stack of a thread that ended, and a block with it. */
    fault_fs warm;
    kb_trail said;
    fault_fs_init(&warm);
    check_ok(write_it(&warm, 2, &said), &said);
    check_ok(read_it(&warm, 2, &said), &said);
    fault_fs_fini(&warm);
    size_t stride = getenv("KB_CAMPAIGN") != NULL ? 1 : 3;
    for (int how = 0; how < 8; how++) {
        bool reads = how % 2 != 0, from_then_on = how / 2 % 2 != 0;
        unsigned threads = how < 4 ? 1 : 2;
        fault_fs disk;
        kb_trail trail;
        for (size_t request = 1, more = 1; more; request += stride) {
            fault_fs_init(&disk);
            if (reads)
                check_ok(write_it(&disk, 1, &trail), &trail);
            more = sweep_once(&disk, reads, threads, request, from_then_on);
            fault_fs_fini(&disk);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_malloc_refused)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A system that fails: memory that is refused, disks that are full, calls that are interrupted or give an
 * error. Whatever fails, the writer leaves a former file as it was and nothing of its own, the reader
 * leaves nothing open, and both say what happened.
 *
 * By default every so many-th fault; KB_CAMPAIGN in the environment asks for all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/read_all.h"
#include "support/small_trace.h"

static small_trace t;

static size_t stride(size_t usual) {
    return getenv("KB_CAMPAIGN") != NULL ? 1 : usual;
}

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

/* --- what is tried ---------------------------------------------------------------------------------- */

typedef struct outlet {
    const char *path;
    unsigned threads;
} outlet;

static const outlet ways[] = {{"a.zst", 1}, {"a.zst", 2}, {"out/", 1}, {"out/", 2}};
enum { WAYS = 4 };

static kb_status write_it(const outlet *way, fault_fs *disk, const kb_alloc *alloc, kb_trail *trail) {
    kb_writer_options options = {.path = way->path, .fs = &disk->fs, .alloc = alloc, .threads = way->threads};
    return small_trace_write(&t, &options, NULL, NULL, trail);
}

static void count_op(void *user, uint32_t rank, const kb_op *op) {
    uint64_t *wrong = user;
    *wrong += !small_trace_has(&t, rank, op, false);
}

static read_all_result read_it(const char *path, fault_fs *disk, const kb_alloc *alloc, bool recover,
                               unsigned threads, kb_trail *trail) {
    uint64_t wrong = 0;
    kb_reader_options options = {
        .fs = &disk->fs, .alloc = alloc, .check_digests = true, .recover = recover, .threads = threads};
    read_all_result result = read_all(&path, 1, &options, UINT64_MAX, count_op, &wrong, trail);
    assert_int_equal(wrong, 0);
    return result;
}

static void check_whole(const outlet *way, fault_fs *disk) {
    kb_trail trail;
    kb_trail_init(&trail);
    read_all_result result = read_it(way->path, disk, NULL, false, way->threads, &trail);
    check_status(result.status, KB_OK, &trail);
    assert_int_equal(result.state, KB_TRACE_COMPLETE);
    assert_int_equal(result.ops, t.counts[0] + t.counts[1]);
}

/* Former files, which are no traces but must not be lost either. */
static void put_former(fault_fs *disk, const outlet *way) {
    if (strcmp(way->path, "out/") != 0) {
        fault_fs_put(disk, "a.zst", "former", 6);
        return;
    }
    fault_fs_put_folder(disk, "out");
    fault_fs_put(disk, "out/rank-00000.zst", "former", 6);
    fault_fs_put(disk, "out/rank-00001.zst", "former", 6);
    fault_fs_put(disk, "out/rank-00002.zst", "former", 6);
}

static void check_former(fault_fs *disk, const outlet *way) {
    const bool folder = strcmp(way->path, "out/") == 0;
    const char *const names[] = {"out/rank-00000.zst", "out/rank-00001.zst", "out/rank-00002.zst"};
    assert_string_equal(fault_fs_names(disk),
                        folder ? "out/ out/rank-00000.zst out/rank-00001.zst out/rank-00002.zst" : "a.zst");
    for (size_t i = 0; i < (folder ? 3 : 1); i++) {
        size_t size;
        const unsigned char *bytes = fault_fs_bytes(disk, folder ? names[i] : "a.zst", &size);
        assert_int_equal(size, 6);
        assert_memory_equal(bytes, "former", 6);
    }
}

/* --- memory ----------------------------------------------------------------------------------------- */

static kb_status write_job(const kb_alloc *alloc, void *user, kb_trail *trail) {
    const outlet *way = user;
    fault_fs disk;
    fault_fs_init(&disk);
    put_former(&disk, way);
    kb_status status = write_it(way, &disk, alloc, trail);
    if (status == KB_OK)
        check_whole(way, &disk);
    else
        check_former(&disk, way);
    fault_fs_fini(&disk);
    return status;
}

static void memory_refused_to_the_writer(void **state) {
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        size_t requests = fail_alloc_sweep(write_job, (void *)(uintptr_t)&ways[i], stride(5));
        assert_true(requests > 50);
    }
}

typedef struct reading {
    fault_fs *disk;
    const char *path;
    bool recover;
    unsigned threads;
} reading;

static kb_status read_job(const kb_alloc *alloc, void *user, kb_trail *trail) {
    const reading *how = user;
    kb_status status = read_it(how->path, how->disk, alloc, how->recover, how->threads, trail).status;
    assert_int_equal(fault_fs_open_count(how->disk), 0);
    return status;
}

static void memory_refused_to_the_reader(void **state) {
    (void)state;
    fault_fs disk;
    kb_trail trail;
    kb_trail_init(&trail);
    fault_fs_init(&disk);
    for (size_t i = 0; i < WAYS; i += 2)
        check_ok(write_it(&ways[i], &disk, NULL, &trail), &trail);
    reading hows[] = {{&disk, "a.zst", false, 1}, {&disk, "a.zst", true, 1}, {&disk, "out", false, 1}};
    for (size_t i = 0; i < 3; i++)
        assert_true(fail_alloc_sweep(read_job, &hows[i], stride(3)) > 20);
    fault_fs_fini(&disk);
}

/* --- disks ------------------------------------------------------------------------------------------ */

/* Writes with the faults that are set: a failure with a word, or the whole file. */
static kb_status write_with(const outlet *way, fault_fs *disk, kb_trail *trail) {
    kb_trail_init(trail);
    kb_status status = write_it(way, disk, NULL, trail);
    memset(&disk->faults, 0, sizeof disk->faults);
    disk->faults.space_size = disk->faults.bad_byte = disk->faults.bad_write_byte = UINT64_MAX;
    assert_int_equal(fault_fs_open_count(disk), 0);
    if (status == KB_OK) {
        check_whole(way, disk);
        return status;
    }
    assert_true(trail->count > 0);
    return status;
}

static size_t written_by(const outlet *way) {
    fault_fs disk;
    kb_trail trail;
    fault_fs_init(&disk);
    check_status(write_with(way, &disk, &trail), KB_OK, &trail);
    size_t size = (size_t)disk.written_size;
    fault_fs_fini(&disk);
    return size;
}

static void a_full_disk_at_every_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        size_t size = written_by(&ways[i]);
        for (size_t space = 0; space < size; space += stride(29)) {
            fault_fs disk;
            kb_trail trail;
            fault_fs_init(&disk);
            put_former(&disk, &ways[i]);
            disk.faults.space_size = space;
            check_status(write_with(&ways[i], &disk, &trail), KB_E_IO, &trail);
            check_says(&trail, i < 2 ? "a.zst" : "out/rank-");
            check_former(&disk, &ways[i]);
            fault_fs_fini(&disk);
        }
    }
}

static void every_call_fails_in_writing(void **state) {
    (void)state;
    for (size_t i = 0; i < WAYS; i++)
        for (size_t call = 1;; call++) {
            fault_fs disk;
            kb_trail trail;
            fault_fs_init(&disk);
            put_former(&disk, &ways[i]);
            disk.call_count = 0;
            disk.faults.fail_call = call;
            kb_status status = write_with(&ways[i], &disk, &trail);
            bool over = disk.call_count < call;
            if (status != KB_OK) {
                check_status(status, KB_E_IO, &trail);
                check_former(&disk, &ways[i]);
            }
            fault_fs_fini(&disk);
            if (over)
                break;
        }
}

static void every_call_fails_in_reading(void **state) {
    (void)state;
    fault_fs disk;
    kb_trail trail;
    kb_trail_init(&trail);
    fault_fs_init(&disk);
    for (size_t i = 0; i < WAYS; i += 2)
        check_ok(write_it(&ways[i], &disk, NULL, &trail), &trail);
    static const char *const paths[] = {"a.zst", "out"};
    for (size_t i = 0; i < 4; i++)
        for (size_t call = 1;; call++) {
            kb_trail_init(&trail);
            disk.call_count = 0;
            disk.faults.fail_call = call;
            read_all_result result = read_it(paths[i / 2], &disk, NULL, i % 2 != 0, 1, &trail);
            disk.faults.fail_call = 0;
            assert_int_equal(fault_fs_open_count(&disk), 0);
            if (result.status != KB_OK) {
                check_status(result.status, KB_E_IO, &trail);
                check_says(&trail, paths[i / 2]);
            }
            if (disk.call_count < call)
                break;
        }
    fault_fs_fini(&disk);
}

/* Interrupts and single bytes are no failures. */
static void interrupted_and_byte_by_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < WAYS; i++)
        for (unsigned every = 2; every < 5; every++) {
            fault_fs disk;
            kb_trail trail;
            fault_fs_init(&disk);
            put_former(&disk, &ways[i]);
            disk.faults.interrupt_every = every;
            disk.faults.most_write = 1;
            check_status(write_with(&ways[i], &disk, &trail), KB_OK, &trail);
            disk.faults.interrupt_every = every;
            disk.faults.most_read = 1;
            check_whole(&ways[i], &disk);
            fault_fs_fini(&disk);
        }
}

static void closing_and_renaming_fail(void **state) {
    (void)state;
    const fault_slot slots[] = {FAULT_CLOSE, FAULT_RENAME, FAULT_OPEN, FAULT_WRITE, FAULT_STAT};
    for (size_t i = 0; i < WAYS; i++)
        for (size_t s = 0; s < 5; s++) {
            fault_fs disk;
            kb_trail trail;
            fault_fs_init(&disk);
            put_former(&disk, &ways[i]);
            disk.faults.slot_errno[slots[s]] = s % 2 ? EIO : EACCES;
            kb_status status = write_with(&ways[i], &disk, &trail);
            if (status != KB_OK)
                check_former(&disk, &ways[i]);
            if (slots[s] != FAULT_STAT)
                check_status(status, KB_E_IO, &trail);
            fault_fs_fini(&disk);
        }
}

/* A folder's former files go only when all the new ones are there; a surplus one goes with them. */
static void a_folder_is_replaced_as_a_set(void **state) {
    (void)state;
    fault_fs disk;
    kb_trail trail;
    fault_fs_init(&disk);
    put_former(&disk, &ways[2]);
    check_status(write_with(&ways[2], &disk, &trail), KB_OK, &trail);
    assert_string_equal(fault_fs_names(&disk), "out/ out/rank-00000.zst out/rank-00001.zst");
    fault_fs_fini(&disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_refused_to_the_writer), cmocka_unit_test(memory_refused_to_the_reader),
        cmocka_unit_test(a_full_disk_at_every_byte),    cmocka_unit_test(every_call_fails_in_writing),
        cmocka_unit_test(every_call_fails_in_reading),  cmocka_unit_test(interrupted_and_byte_by_byte),
        cmocka_unit_test(closing_and_renaming_fail),    cmocka_unit_test(a_folder_is_replaced_as_a_set),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The doubles themselves: a fault that never comes, or an odd file system, would prove nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/fault_fs.h"
#include "support/random.h"

/* --- fail_alloc ------------------------------------------------------------------------------- */

/* Which of ten requests are refused, as a text of '.' and 'X'. */
static void pattern_of(size_t at, bool from_then_on, char ret[11]) {
    fail_alloc memory;
    fail_alloc_init(&memory);
    fail_alloc_arm(&memory, at, from_then_on);
    for (int i = 0; i < 10; i++) {
        void *block = memory.alloc.resize(memory.alloc.context, NULL, 0, 5);
        ret[i] = block != NULL ? '.' : 'X';
        if (block != NULL)
            memory.alloc.resize(memory.alloc.context, block, 5, 0);
    }
    ret[10] = '\0';
    assert_int_equal(memory.request_count, 10);
    fail_alloc_fini(&memory);
}

static void the_told_request_is_refused(void **state) {
    (void)state;
    char pattern[11];
    pattern_of(0, false, pattern);
    assert_string_equal(pattern, "..........");
    pattern_of(3, false, pattern);
    assert_string_equal(pattern, "..X.......");
    pattern_of(3, true, pattern);
    assert_string_equal(pattern, "..XXXXXXXX");
}

static void blocks_bytes_and_peak_are_counted(void **state) {
    (void)state;
    fail_alloc memory;
    fail_alloc_init(&memory);
    void *a, *b;
    check_ok(kb_new(&memory.alloc, 100, &a, NULL), NULL);
    check_ok(kb_new(&memory.alloc, 50, &b, NULL), NULL);
    kb_delete(&memory.alloc, a, 100);
    check_ok(kb_resize(&memory.alloc, 50, 60, &b, NULL), NULL);
    assert_int_equal(memory.live_count, 1);
    assert_int_equal(memory.live_size, 60);
    assert_int_equal(memory.peak_size, 150);
    kb_delete(&memory.alloc, b, 60);
    fail_alloc_fini(&memory);
}

static kb_status take_three(const kb_alloc *alloc, void *user, kb_trail *trail) {
    ++*(int *)user;
    void *blocks[3] = {NULL};
    kb_status status = KB_OK;
    for (size_t i = 0; i < 3 && status == KB_OK; i++)
        status = kb_new(alloc, 10, &blocks[i], trail);
    for (size_t i = 0; i < 3; i++)
        kb_delete(alloc, blocks[i], 10);
    return status;
}

static void a_sweep_refuses_each_in_both_ways(void **state) {
    (void)state;
    int runs = 0;
    assert_int_equal(fail_alloc_sweep(take_three, &runs, 1), 3);
    assert_int_equal(runs, 1 + 2 * (3 + 1)); /* the last of each way comes through unhindered */
}

/* --- fault_fs --------------------------------------------------------------------------------- */

static void every_slot_can_be_made_to_fail(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    fault_fs_put(&disk, "a", "abc", 3);
    const kb_fs *fs = &disk.fs;
    kb_file_type type;
    uint64_t size;
    char byte;
    int handle = fs->open(fs->context, "a", KB_OPEN_READ);
    assert_true(handle > 2);
    for (int slot = 0; slot < FAULT_SLOT_COUNT; slot++)
        disk.faults.slot_errno[slot] = 100 + slot;
    errno = 0;
    assert_true(fs->open(fs->context, "a", KB_OPEN_READ) == -1 && errno == 100 + FAULT_OPEN);
    assert_true(fs->read(fs->context, handle, &byte, 1) == -1 && errno == 100 + FAULT_READ);
    assert_true(fs->pread(fs->context, handle, &byte, 1, 0) == -1 && errno == 100 + FAULT_PREAD);
    assert_true(fs->write(fs->context, handle, &byte, 1) == -1 && errno == 100 + FAULT_WRITE);
    assert_true(fs->stat(fs->context, "a", &type, &size) == -1 && errno == 100 + FAULT_STAT);
    assert_true(fs->fstat(fs->context, handle, &type, &size) == -1 && errno == 100 + FAULT_FSTAT);
    assert_true(fs->rename(fs->context, "a", "b") == -1 && errno == 100 + FAULT_RENAME);
    assert_true(fs->unlink(fs->context, "a") == -1 && errno == 100 + FAULT_UNLINK);
    assert_true(fs->mkdir(fs->context, "c") == -1 && errno == 100 + FAULT_MKDIR);
    assert_true(fs->list(fs->context, ".", NULL, NULL) == -1 && errno == 100 + FAULT_LIST);
    assert_true(fs->close(fs->context, handle) == -1 && errno == 100 + FAULT_CLOSE);
    assert_int_equal(fault_fs_open_count(&disk), 0);
    assert_string_equal(fault_fs_names(&disk), "a");
    assert_int_equal(disk.call_count, 12);
    fault_fs_fini(&disk);
}

static void pattern_of_calls(fault_fs *disk, char ret[9]) {
    kb_file_type type;
    uint64_t size;
    disk->call_count = 0;
    for (int i = 0; i < 8; i++) {
        int result = disk->fs.stat(disk->fs.context, ".", &type, &size);
        ret[i] = result == 0 ? '.' : errno == EINTR ? 'I' : errno == EIO ? 'X' : '?';
    }
    ret[8] = '\0';
}

static void calls_fail_when_told(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    char pattern[9];
    pattern_of_calls(&disk, pattern);
    assert_string_equal(pattern, "........");
    disk.faults.interrupt_every = 2;
    pattern_of_calls(&disk, pattern);
    assert_string_equal(pattern, ".I.I.I.I");
    disk.faults.fail_call = 4;
    pattern_of_calls(&disk, pattern);
    assert_string_equal(pattern, ".I.X.I.I");
    disk.faults.from_then_on = true;
    pattern_of_calls(&disk, pattern);
    assert_string_equal(pattern, ".I.XXXXX");
    disk.faults.fail_errno = EINTR;
    pattern_of_calls(&disk, pattern);
    assert_string_equal(pattern, ".I.IIIII");
    fault_fs_fini(&disk);
}

static void space_counts_over_all_files(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    disk.faults.space_size = 10;
    const kb_fs *fs = &disk.fs;
    int a = fs->open(fs->context, "a", KB_OPEN_CREATE);
    int b = fs->open(fs->context, "b", KB_OPEN_CREATE);
    assert_int_equal(fs->write(fs->context, a, "123456", 6), 6);
    assert_int_equal(fs->write(fs->context, b, "123456", 6), 4);
    assert_int_equal(fs->write(fs->context, a, "1", 1), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(fs->write(fs->context, a, "", 0), 0);
    fs->close(fs->context, a);
    fs->close(fs->context, b);
    size_t size;
    assert_memory_equal(fault_fs_bytes(&disk, "b", &size), "1234", 4);
    assert_int_equal(size, 4);
    assert_null(fault_fs_bytes(&disk, "c", &size));
    fault_fs_fini(&disk);
}

static void handles_allow_what_they_were_opened_for(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    const kb_fs *fs = &disk.fs;
    fault_fs_put(&disk, "a", "abc", 3);
    char byte;
    int reader = fs->open(fs->context, "./a", KB_OPEN_READ);
    int writer = fs->open(fs->context, "/a", KB_OPEN_APPEND);
    assert_int_equal(fs->write(fs->context, reader, "x", 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(fs->read(fs->context, writer, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(fs->write(fs->context, writer, "d", 1), 1);
    assert_int_equal(fs->pread(fs->context, reader, &byte, 1, 3), 1);
    assert_int_equal(byte, 'd');
    assert_int_equal(fs->close(fs->context, reader), 0);
    assert_int_equal(fs->close(fs->context, reader), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(fs->close(fs->context, writer), 0);
    assert_int_equal(fs->close(fs->context, -1), -1);
    assert_int_equal(fs->close(fs->context, 1000), -1);
    fault_fs_fini(&disk);
}

static void folders_move_with_what_they_hold(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    const kb_fs *fs = &disk.fs;
    assert_int_equal(fs->mkdir(fs->context, "run.part"), 0);
    assert_int_equal(fs->mkdir(fs->context, "run.part/x"), 0);
    fault_fs_put(&disk, "run.part/x/a", "abc", 3);
    fault_fs_put(&disk, "run.partly", "", 0);
    assert_int_equal(fs->rename(fs->context, "run.part", "run.part/x/y"), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(fs->rename(fs->context, "run.part", "run.partly"), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(fs->rename(fs->context, "run.partly", "run.part"), -1);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(fs->mkdir(fs->context, "full"), 0);
    fault_fs_put(&disk, "full/z", "", 0);
    assert_int_equal(fs->rename(fs->context, "run.part", "full"), -1);
    assert_int_equal(errno, ENOTEMPTY);
    assert_int_equal(fs->unlink(fs->context, "full"), -1);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(fs->rename(fs->context, "run.part", "run"), 0);
    assert_string_equal(fault_fs_names(&disk), "full/ full/z run/ run.partly run/x/ run/x/a");
    fault_fs_fini(&disk);
}

static void pipes_give_what_they_took_once(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    const kb_fs *fs = &disk.fs;
    fault_fs_put_special(&disk, "pipe", FAULT_PIPE);
    fault_fs_put_special(&disk, "device", FAULT_DEVICE);
    int writer = fs->open(fs->context, "pipe", KB_OPEN_WRITE);
    int reader = fs->open(fs->context, "pipe", KB_OPEN_READ);
    char bytes[8];
    assert_int_equal(fs->write(fs->context, writer, "abc", 3), 3);
    assert_int_equal(fs->read(fs->context, reader, bytes, 2), 2);
    assert_int_equal(fs->write(fs->context, writer, "de", 2), 2);
    assert_int_equal(fs->read(fs->context, reader, bytes, 8), 3);
    assert_memory_equal(bytes, "cde", 3);
    assert_int_equal(fs->pread(fs->context, reader, bytes, 1, 0), -1);
    assert_int_equal(errno, ESPIPE);
    assert_int_equal(fs->open(fs->context, "pipe", KB_OPEN_CREATE), -1);
    assert_int_equal(errno, EEXIST);
    fs->close(fs->context, writer);
    fs->close(fs->context, reader);
    size_t size;
    assert_memory_equal(fault_fs_bytes(&disk, "pipe", &size), "abcde", 5); /* all that went through */
    writer = fs->open(fs->context, "device", KB_OPEN_WRITE);
    assert_int_equal(fs->write(fs->context, writer, "abc", 3), 3);
    fs->close(fs->context, writer);
    assert_memory_equal(fault_fs_bytes(&disk, "device", &size), "abc", 3);
    fault_fs_fini(&disk);
}

static void long_and_many_names_find_room(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    const kb_fs *fs = &disk.fs;
    char path[600];
    memset(path, 'p', sizeof path);
    path[599] = '\0';
    assert_int_equal(fs->mkdir(fs->context, path), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "%d", i);
        fault_fs_put(&disk, path, path, strlen(path));
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "%d", i);
        size_t size;
        const unsigned char *bytes = fault_fs_bytes(&disk, path, &size);
        assert_int_equal(size, strlen(path));
        assert_memory_equal(bytes, path, size);
        if (i != 1999)
            assert_int_equal(fs->unlink(fs->context, path), 0);
    }
    assert_string_equal(fault_fs_names(&disk), "1999");
    fault_fs_fini(&disk);
}

/* --- random ----------------------------------------------------------------------------------- */

static void the_same_seed_gives_the_same_numbers(void **state) {
    (void)state;
    random_source a, b, c;
    random_init(&a, 7);
    random_init(&b, 7);
    random_init(&c, 8);
    size_t equal = 0;
    for (int i = 0; i < 1000; i++) {
        const uint64_t value = random_u64(&a);
        assert_int_equal(value, random_u64(&b));
        equal += value == random_u64(&c) ? 1 : 0;
    }
    assert_int_equal(equal, 0);
    /* The authors' splitmix64 and xoshiro256** give these first numbers for the seed 0. */
    random_init(&a, 0);
    assert_int_equal(a.state[0], UINT64_C(0xe220a8397b1dcdaf));
    assert_int_equal(random_u64(&a), UINT64_C(0x99ec5f36cb75f2b4));
}

static void numbers_stay_in_their_range(void **state) {
    (void)state;
    random_source source;
    random_init(&source, 9);
    size_t seen[7] = {0};
    for (int i = 0; i < 7000; i++)
        seen[random_below(&source, 7)]++;
    for (size_t i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    bool low = false, high = false, zero = false, top = false;
    for (int i = 0; i < 1000; i++) {
        const int64_t value = random_between(&source, -3, 3);
        assert_true(value >= -3 && value <= 3);
        low |= value == -3;
        high |= value == 3;
        const uint64_t extreme = random_extreme_u64(&source, 1000);
        assert_true(extreme <= 1000);
        zero |= extreme == 0;
        top |= extreme == 1000;
        assert_int_equal(random_below(&source, 1), 0);
        assert_int_equal(random_between(&source, INT64_MIN, INT64_MIN), INT64_MIN);
    }
    assert_true(low && high && zero && top);
    bool least = false, most = false, negative = false, whole = false;
    for (int i = 0; i < 1000; i++) {
        const int64_t value = random_extreme_i64(&source);
        least |= value == INT64_MIN;
        most |= value == INT64_MAX;
        negative |= value < -1 && value > INT64_MIN;
        whole |= random_extreme_u64(&source, UINT64_MAX) == UINT64_MAX;
        random_between(&source, INT64_MIN, INT64_MAX);
    }
    assert_true(least && most && negative && whole);
}

static void bytes_do_not_depend_on_the_pieces_size(void **state) {
    (void)state;
    random_source a, b;
    random_init(&a, 10);
    random_init(&b, 10);
    unsigned char whole[64], part[64];
    random_bytes(&a, whole, 64);
    for (size_t i = 0; i < 64; i += 8)
        random_bytes(&b, part + i, 8);
    assert_memory_equal(whole, part, 64);
    const uint64_t next = random_u64(&a);
    assert_int_equal(next, random_u64(&b));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_told_request_is_refused),
        cmocka_unit_test(blocks_bytes_and_peak_are_counted),
        cmocka_unit_test(a_sweep_refuses_each_in_both_ways),
        cmocka_unit_test(every_slot_can_be_made_to_fail),
        cmocka_unit_test(calls_fail_when_told),
        cmocka_unit_test(space_counts_over_all_files),
        cmocka_unit_test(handles_allow_what_they_were_opened_for),
        cmocka_unit_test(folders_move_with_what_they_hold),
        cmocka_unit_test(pipes_give_what_they_took_once),
        cmocka_unit_test(long_and_many_names_find_room),
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(numbers_stay_in_their_range),
        cmocka_unit_test(bytes_do_not_depend_on_the_pieces_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Files and names above the seam: with faults from the double, and what the messages say. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/fault_fs.h"
#include "support/random.h"

#include "ground/explain.h"
#include "kbtrace/fs.h"

enum { SIZE = 1000 };

typedef struct scene {
    fault_fs disk;
    kb_trail trail;
    kb_file file;
    unsigned char bytes[SIZE]; /* random, the contents of "old" */
} scene;

static void setup(scene *s) {
    fault_fs_init(&s->disk);
    kb_trail_init(&s->trail);
    random_source source;
    random_init(&source, 3);
    random_bytes(&source, s->bytes, SIZE);
    fault_fs_put(&s->disk, "old", s->bytes, SIZE);
}

static void open_old(scene *s) {
    check_ok(kb_file_open(&s->file, &s->disk.fs, "old", KB_OPEN_READ, &s->trail), &s->trail);
}

static void create(scene *s, const char *path) {
    check_ok(kb_file_open(&s->file, &s->disk.fs, path, KB_OPEN_CREATE, &s->trail), &s->trail);
}

static void finish(scene *s) {
    check_ok(kb_file_close(&s->file, &s->trail), &s->trail);
    fault_fs_fini(&s->disk);
}

static void holds(scene *s, const char *path, const void *bytes, size_t size) {
    size_t found_size;
    const unsigned char *found = fault_fs_bytes(&s->disk, path, &found_size);
    assert_non_null(found);
    assert_int_equal(found_size, size);
    assert_memory_equal(found, bytes, size);
}

/* --- reading --------------------------------------------------------------------------------- */

static void reads_are_whole_whatever_the_pieces(void **state) {
    (void)state;
    static const struct {
        size_t most_read;
        unsigned interrupt_every;
    } ways[] = {{0, 0}, {1, 0}, {7, 0}, {0, 2}, {1, 2}, {3, 3}};
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        scene s;
        setup(&s);
        s.disk.faults.most_read = ways[way].most_read;
        s.disk.faults.interrupt_every = ways[way].interrupt_every;
        open_old(&s);
        unsigned char bytes[SIZE + 10];
        size_t size;
        check_ok(kb_file_read(&s.file, bytes, 600, &size, &s.trail), &s.trail);
        assert_int_equal(size, 600);
        assert_int_equal(s.file.offset, 600);
        check_ok(kb_file_read(&s.file, bytes + 600, SIZE, &size, &s.trail), &s.trail);
        assert_int_equal(size, 400);
        assert_memory_equal(bytes, s.bytes, SIZE);
        check_ok(kb_file_read(&s.file, bytes, SIZE, &size, &s.trail), &s.trail);
        assert_int_equal(size, 0);
        check_ok(kb_file_read(&s.file, NULL, 0, &size, &s.trail), &s.trail);
        assert_int_equal(s.file.offset, SIZE);

        memset(bytes, 0, sizeof bytes);
        check_ok(kb_file_read_at(&s.file, 123, bytes, SIZE - 123, &s.trail), &s.trail);
        assert_memory_equal(bytes, s.bytes + 123, SIZE - 123);
        check_ok(kb_file_read_at(&s.file, SIZE, NULL, 0, &s.trail), &s.trail);
        assert_int_equal(s.file.offset, SIZE);
        finish(&s);
    }
}

static void a_bad_byte_is_named_with_its_offset(void **state) {
    (void)state;
    scene s;
    setup(&s);
    s.disk.faults.bad_byte = 321;
    open_old(&s);
    unsigned char bytes[SIZE];
    size_t size = 77;
    check_status(kb_file_read(&s.file, bytes, SIZE, &size, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot read old at byte 321: Input/output error (");
    assert_int_equal(size, 77);
    check_status(kb_file_read_at(&s.file, 320, bytes, 5, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot read old at byte 321: Input/output error (");
    check_ok(kb_file_read_at(&s.file, 322, bytes, 5, &s.trail), &s.trail);
    finish(&s);
}

static void reading_past_the_end_names_the_end(void **state) {
    (void)state;
    static const uint64_t offsets[] = {SIZE - 3, SIZE, SIZE + 50, INT64_MAX - 9, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        scene s;
        setup(&s);
        s.disk.faults.most_read = 1;
        open_old(&s);
        unsigned char bytes[10];
        check_status(kb_file_read_at(&s.file, offsets[i], bytes, 10, &s.trail), KB_E_CORRUPT, &s.trail);
        check_says(&s.trail, "old ends at byte 1000, but ");
        check_says(&s.trail, i == 0 ? "7 bytes more" : "10 bytes more");
        finish(&s);
    }
}

static void a_pipe_reads_forward_only(void **state) {
    (void)state;
    scene s;
    setup(&s);
    fault_fs_put_input(&s.disk, s.bytes, 20);
    check_ok(kb_file_open(&s.file, &s.disk.fs, "-", KB_OPEN_READ, &s.trail), &s.trail);
    unsigned char bytes[30];
    size_t size;
    check_ok(kb_file_read(&s.file, bytes, 30, &size, &s.trail), &s.trail);
    assert_int_equal(size, 20);
    assert_memory_equal(bytes, s.bytes, 20);
    check_status(kb_file_read_at(&s.file, 0, bytes, 1, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot read standard input at byte 0: Illegal seek (a pipe");
    finish(&s);
    assert_int_equal(s.disk.slot_call_count[FAULT_OPEN], 0);
    assert_int_equal(s.disk.slot_call_count[FAULT_CLOSE], 0);
}

/* --- writing --------------------------------------------------------------------------------- */

static void writes_are_whole_whatever_the_pieces(void **state) {
    (void)state;
    static const struct {
        size_t most_write;
        unsigned interrupt_every;
    } ways[] = {{0, 0}, {1, 0}, {7, 0}, {0, 2}, {1, 2}, {3, 3}};
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        scene s;
        setup(&s);
        s.disk.faults.most_write = ways[way].most_write;
        s.disk.faults.interrupt_every = ways[way].interrupt_every;
        create(&s, "new");
        check_ok(kb_file_write(&s.file, s.bytes, 300, &s.trail), &s.trail);
        check_ok(kb_file_write(&s.file, NULL, 0, &s.trail), &s.trail);
        check_ok(kb_file_write(&s.file, s.bytes + 300, SIZE - 300, &s.trail), &s.trail);
        assert_int_equal(s.file.offset, SIZE);
        holds(&s, "new", s.bytes, SIZE);
        unsigned char back[10];
        check_ok(kb_file_read_at(&s.file, 500, back, 10, &s.trail), &s.trail);
        assert_memory_equal(back, s.bytes + 500, 10);
        finish(&s);
    }
}

static void a_full_disk_is_told_at_every_byte(void **state) {
    (void)state;
    for (size_t space = 0; space < 100; space++) {
        scene s;
        setup(&s);
        s.disk.faults.space_size = space;
        s.disk.faults.most_write = space % 3;
        create(&s, "run.zst");
        check_status(kb_file_write(&s.file, s.bytes, 100, &s.trail), KB_E_IO, &s.trail);
        char words[100];
        snprintf(words, sizeof words,
                 "cannot write run.zst at byte %zu: No space left on device (free some space, "
                 "or write elsewhere)",
                 space);
        check_says(&s.trail, words);
        assert_int_equal(s.file.offset, space);
        holds(&s, "run.zst", s.bytes, space);
        finish(&s);
    }
}

static ssize_t write_nothing(void *context, int file, const void *bytes, size_t size) {
    (void)context;
    (void)file;
    (void)bytes;
    (void)size;
    return 0;
}

static void a_write_that_takes_nothing_is_no_endless_loop(void **state) {
    (void)state;
    scene s;
    setup(&s);
    s.disk.fs.write = write_nothing;
    create(&s, "new");
    check_status(kb_file_write(&s.file, s.bytes, 10, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot write new at byte 0: No space left on device");
    finish(&s);
}

static void other_refusals_are_told_with_their_place(void **state) {
    (void)state;
    scene s;
    setup(&s);
    s.disk.faults.bad_write_byte = 64;
    create(&s, "new");
    check_status(kb_file_write(&s.file, s.bytes, 100, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot write new at byte 64: Input/output error");
    s.disk.faults.slot_errno[FAULT_WRITE] = EPIPE;
    check_status(kb_file_write(&s.file, s.bytes, 100, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "at byte 64: Broken pipe (whoever read the pipe has gone)");
    s.disk.faults.slot_errno[FAULT_WRITE] = ENOMEM;
    check_status(kb_file_write(&s.file, s.bytes, 100, &s.trail), KB_E_MEMORY, &s.trail);
    finish(&s);
}

static void appending_and_emptying(void **state) {
    (void)state;
    scene s;
    setup(&s);
    check_ok(kb_file_open(&s.file, &s.disk.fs, "old", KB_OPEN_APPEND, &s.trail), &s.trail);
    check_ok(kb_file_write(&s.file, "abc", 3, &s.trail), &s.trail);
    check_ok(kb_file_close(&s.file, &s.trail), &s.trail);
    size_t size;
    const unsigned char *bytes = fault_fs_bytes(&s.disk, "old", &size);
    assert_int_equal(size, SIZE + 3);
    assert_memory_equal(bytes, s.bytes, SIZE);
    assert_memory_equal(bytes + SIZE, "abc", 3);
    check_ok(kb_file_open(&s.file, &s.disk.fs, "old", KB_OPEN_WRITE, &s.trail), &s.trail);
    check_ok(kb_file_write(&s.file, "xy", 2, &s.trail), &s.trail);
    holds(&s, "old", "xy", 2);
    finish(&s);
}

static void dash_is_standard_output_and_stays_open(void **state) {
    (void)state;
    scene s;
    setup(&s);
    check_ok(kb_file_open(&s.file, &s.disk.fs, "-", KB_OPEN_WRITE, &s.trail), &s.trail);
    check_ok(kb_file_write(&s.file, s.bytes, 100, &s.trail), &s.trail);
    s.disk.faults.space_size = 0;
    check_status(kb_file_write(&s.file, s.bytes, 100, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot write standard output at byte 100: ");
    kb_file_abandon(&s.file);
    assert_int_equal(s.disk.slot_call_count[FAULT_CLOSE], 0);
    size_t size;
    assert_memory_equal(fault_fs_output(&s.disk, &size), s.bytes, 100);
    assert_int_equal(size, 100);
    finish(&s);
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void what_cannot_be_opened_is_named(void **state) {
    (void)state;
    static const struct {
        const char *path;
        kb_open_mode mode;
        const char *words;
    } cases[] = {
        {"nowhere", KB_OPEN_READ, "cannot open nowhere: No such file or directory (check the spelling"},
        {"old", KB_OPEN_CREATE, "cannot create old: File exists (remove it or choose another name)"},
        {"old/x", KB_OPEN_CREATE, "cannot create old/x: Not a directory (a part of the path is no folder)"},
        {"nowhere/x", KB_OPEN_CREATE, "cannot create nowhere/x: No such file or directory"},
        {"nowhere", KB_OPEN_APPEND, "cannot open nowhere: No such file or directory"},
        {"nowhere", KB_OPEN_WRITE, "cannot open nowhere: No such file or directory"},
        {"folder", KB_OPEN_WRITE, "cannot open folder: Is a directory (give a file, not a folder)"},
        {"nowhere", KB_OPEN_SCRATCH, "cannot create a scratch file in nowhere: No such file"},
    };
    scene s;
    setup(&s);
    fault_fs_put_folder(&s.disk, "folder");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s.file = (kb_file){.handle = -7};
        check_status(kb_file_open(&s.file, &s.disk.fs, cases[i].path, cases[i].mode, &s.trail), KB_E_IO,
                     &s.trail);
        check_says(&s.trail, cases[i].words);
        assert_int_equal(s.file.handle, -7); /* untouched */
    }
    assert_string_equal(fault_fs_names(&s.disk), "folder/ old");
    s.file.handle = -1;
    finish(&s);
}

static void a_failing_close_counts(void **state) {
    (void)state;
    scene s;
    setup(&s);
    create(&s, "new");
    s.disk.faults.slot_errno[FAULT_CLOSE] = ENOSPC;
    check_status(kb_file_close(&s.file, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot finish writing new: No space left on device (free some space");
    assert_int_equal(s.file.handle, -1);
    check_ok(kb_file_close(&s.file, &s.trail), &s.trail); /* twice does no harm */
    assert_int_equal(s.disk.slot_call_count[FAULT_CLOSE], 1);
    finish(&s);
}

static void an_interrupted_close_has_closed(void **state) {
    (void)state;
    scene s;
    setup(&s);
    create(&s, "new");
    s.disk.faults.slot_errno[FAULT_CLOSE] = EINTR;
    check_ok(kb_file_close(&s.file, &s.trail), &s.trail);
    assert_int_equal(s.disk.slot_call_count[FAULT_CLOSE], 1);
    finish(&s);
}

static void abandoning_says_nothing(void **state) {
    (void)state;
    scene s;
    setup(&s);
    create(&s, "new");
    s.disk.faults.slot_errno[FAULT_CLOSE] = EIO;
    kb_file_abandon(&s.file);
    kb_file_abandon(&s.file);
    assert_int_equal(s.file.handle, -1);
    assert_int_equal(s.trail.count, 0);
    assert_int_equal(fault_fs_open_count(&s.disk), 0);
    finish(&s);
}

static void a_scratch_file_has_no_name(void **state) {
    (void)state;
    scene s;
    setup(&s);
    check_ok(kb_file_open(&s.file, &s.disk.fs, ".", KB_OPEN_SCRATCH, &s.trail), &s.trail);
    check_ok(kb_file_write(&s.file, s.bytes, 100, &s.trail), &s.trail);
    unsigned char back[100];
    check_ok(kb_file_read_at(&s.file, 0, back, 100, &s.trail), &s.trail);
    assert_memory_equal(back, s.bytes, 100);
    assert_string_equal(fault_fs_names(&s.disk), "old");
    finish(&s);
}

/* --- names ----------------------------------------------------------------------------------- */

static void stat_knows_the_types(void **state) {
    (void)state;
    static const struct {
        const char *path;
        kb_file_type type;
        uint64_t size;
    } cases[] = {
        {"old", KB_FILE_REGULAR, SIZE}, {"folder", KB_FILE_FOLDER, 0}, {"pipe", KB_FILE_OTHER, 0},
        {"nowhere", KB_FILE_NONE, 0},   {"old/x", KB_FILE_NONE, 0},    {".", KB_FILE_FOLDER, 0},
    };
    scene s;
    setup(&s);
    fault_fs_put_folder(&s.disk, "folder");
    fault_fs_put_special(&s.disk, "pipe", FAULT_PIPE);
    kb_file_type type;
    uint64_t size;
    for (unsigned every = 0; every < 3; every += 2) {
        s.disk.faults.interrupt_every = every;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            check_ok(kb_fs_stat(&s.disk.fs, cases[i].path, &type, &size, &s.trail), &s.trail);
            assert_int_equal(type, cases[i].type);
            assert_int_equal(size, cases[i].size);
        }
    }
    s.disk.faults.interrupt_every = 0;
    s.disk.faults.slot_errno[FAULT_STAT] = EACCES;
    check_status(kb_fs_stat(&s.disk.fs, "old", &type, &size, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot look at old: Permission denied (check the permissions");
    s.file.handle = -1;
    finish(&s);
}

static void rename_replaces_and_explains(void **state) {
    (void)state;
    scene s;
    setup(&s);
    s.file.handle = -1;
    fault_fs_put(&s.disk, "run.zst", "former", 6);
    s.disk.faults.interrupt_every = 2;
    check_ok(kb_fs_rename(&s.disk.fs, "old", "run.zst", &s.trail), &s.trail);
    assert_string_equal(fault_fs_names(&s.disk), "run.zst");
    holds(&s, "run.zst", s.bytes, SIZE);
    s.disk.faults.interrupt_every = 0;
    s.disk.faults.slot_errno[FAULT_RENAME] = EROFS;
    check_status(kb_fs_rename(&s.disk.fs, "run.zst", "b.zst", &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "b.zst: Read-only file system (choose a place that can be written)");
    check_says(&s.trail, ": while renaming run.zst");
    assert_string_equal(fault_fs_names(&s.disk), "run.zst");
    finish(&s);
}

static void mkdir_takes_what_is_there(void **state) {
    (void)state;
    scene s;
    setup(&s);
    s.file.handle = -1;
    s.disk.faults.interrupt_every = 2;
    check_ok(kb_fs_mkdir(&s.disk.fs, "run", &s.trail), &s.trail);
    check_ok(kb_fs_mkdir(&s.disk.fs, "run/", &s.trail), &s.trail);
    check_ok(kb_fs_mkdir(&s.disk.fs, ".", &s.trail), &s.trail);
    assert_string_equal(fault_fs_names(&s.disk), "old run/");
    check_status(kb_fs_mkdir(&s.disk.fs, "old", &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot create the folder old: File exists");
    check_status(kb_fs_mkdir(&s.disk.fs, "a/b", &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot create the folder a/b: No such file or directory");
    finish(&s);
}

static void unlink_needs_nothing_to_be_there(void **state) {
    (void)state;
    scene s;
    setup(&s);
    s.disk.faults.interrupt_every = 2;
    open_old(&s);
    kb_fs_unlink(&s.disk.fs, "nowhere");
    kb_fs_unlink(&s.disk.fs, "old");
    kb_fs_unlink(&s.disk.fs, "old");
    assert_string_equal(fault_fs_names(&s.disk), "");
    unsigned char bytes[SIZE]; /* who has it open keeps it */
    check_ok(kb_file_read_at(&s.file, 0, bytes, SIZE, &s.trail), &s.trail);
    assert_memory_equal(bytes, s.bytes, SIZE);
    finish(&s);
}

static void lists_are_sorted(void **state) {
    (void)state;
    scene s;
    setup(&s);
    s.file.handle = -1;
    s.disk.faults.interrupt_every = 2;
    kb_arena arena;
    kb_arena_init(&arena, NULL, 0);
    fault_fs_put_folder(&s.disk, "run");
    fault_fs_put_folder(&s.disk, "run/deep");
    fault_fs_put(&s.disk, "run/deep/er", "", 0);
    static const char *const wanted[] = {"A", "deep", "rank-00001.zst", "rank-00002.zst", "z"};
    fault_fs_put(&s.disk, "run/z", "", 0);
    fault_fs_put(&s.disk, "run/rank-00002.zst", "", 0);
    fault_fs_put(&s.disk, "run/A", "", 0);
    fault_fs_put(&s.disk, "run/rank-00001.zst", "", 0);
    const char *const *names = NULL;
    size_t count = 0;
    check_ok(kb_fs_list(&s.disk.fs, "run", &arena, &names, &count, &s.trail), &s.trail);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(names[i], wanted[i]);
    fault_fs_put_folder(&s.disk, "empty");
    check_ok(kb_fs_list(&s.disk.fs, "empty", &arena, &names, &count, &s.trail), &s.trail);
    assert_int_equal(count, 0);
    check_status(kb_fs_list(&s.disk.fs, "old", &arena, &names, &count, &s.trail), KB_E_IO, &s.trail);
    check_says(&s.trail, "cannot list the folder old: Not a directory");
    kb_arena_fini(&arena);
    finish(&s);
}

static kb_status list_all(const kb_alloc *alloc, void *user, kb_trail *trail) {
    kb_arena arena;
    kb_arena_init(&arena, alloc, 0);
    const char *const *names;
    size_t count;
    kb_status status = kb_fs_list(user, ".", &arena, &names, &count, trail);
    if (status == KB_OK)
        assert_int_equal(count, 500);
    kb_arena_fini(&arena);
    return status;
}

static void every_refusal_while_listing_is_told(void **state) {
    (void)state;
    fault_fs disk;
    fault_fs_init(&disk);
    for (int i = 0; i < 500; i++) {
        char name[32];
        snprintf(name, sizeof name, "rank-%05d.zst", i);
        fault_fs_put(&disk, name, "", 0);
    }
    assert_true(fail_alloc_sweep(list_all, &disk.fs, 1) > 8);
    fault_fs_fini(&disk);
}

/* --- messages -------------------------------------------------------------------------------- */

static void a_long_path_leaves_room_for_the_reason(void **state) {
    (void)state;
    char path[4000];
    memset(path, 'p', sizeof path);
    memcpy(path + sizeof path - sizeof "/run.zst", "/run.zst", sizeof "/run.zst");
    char shown[KB_SHOWN_PATH_CHARS];
    for (size_t length = KB_SHOWN_PATH_CHARS - 3; length < KB_SHOWN_PATH_CHARS + 3; length++) {
        const char *tail = path + sizeof path - 1 - length;
        kb_shown_path(tail, shown);
        if (length < KB_SHOWN_PATH_CHARS)
            assert_string_equal(shown, tail);
        else
            assert_int_equal(strlen(shown), KB_SHOWN_PATH_CHARS - 1);
        assert_int_equal(strncmp(shown, "...", 3) == 0, length >= KB_SHOWN_PATH_CHARS);
    }
    kb_trail trail;
    kb_trail_init(&trail);
    assert_int_equal(kb_explain_at(&trail, ENOSPC, "write", path, UINT64_MAX), KB_E_IO);
    check_says(&trail,
               "pp/run.zst at byte 18446744073709551615: No space left on device (free some space, or write "
               "elsewhere)");

    memset(path, 'a', sizeof path);
    for (size_t i = 1; i + 2 < sizeof path; i += 2)
        memcpy(path + i, "\xc3\xa9", 2); /* e with an acute accent */
    for (size_t cut = 0; cut < 2; cut++) {
        path[sizeof path - 1 - cut] = '\0';
        kb_shown_path(path, shown);
        assert_int_equal((unsigned char)shown[3], 0xc3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_whole_whatever_the_pieces),
        cmocka_unit_test(a_bad_byte_is_named_with_its_offset),
        cmocka_unit_test(reading_past_the_end_names_the_end),
        cmocka_unit_test(a_pipe_reads_forward_only),
        cmocka_unit_test(writes_are_whole_whatever_the_pieces),
        cmocka_unit_test(a_full_disk_is_told_at_every_byte),
        cmocka_unit_test(a_write_that_takes_nothing_is_no_endless_loop),
        cmocka_unit_test(other_refusals_are_told_with_their_place),
        cmocka_unit_test(appending_and_emptying),
        cmocka_unit_test(dash_is_standard_output_and_stays_open),
        cmocka_unit_test(what_cannot_be_opened_is_named),
        cmocka_unit_test(a_failing_close_counts),
        cmocka_unit_test(an_interrupted_close_has_closed),
        cmocka_unit_test(abandoning_says_nothing),
        cmocka_unit_test(a_scratch_file_has_no_name),
        cmocka_unit_test(stat_knows_the_types),
        cmocka_unit_test(rename_replaces_and_explains),
        cmocka_unit_test(mkdir_takes_what_is_there),
        cmocka_unit_test(unlink_needs_nothing_to_be_there),
        cmocka_unit_test(lists_are_sorted),
        cmocka_unit_test(every_refusal_while_listing_is_told),
        cmocka_unit_test(a_long_path_leaves_room_for_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

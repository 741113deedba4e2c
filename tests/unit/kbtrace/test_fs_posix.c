/* SPDX-License-Identifier: Apache-2.0 */
/* The file seam of this process, on real files, pipes and devices in the test's own folder. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/random.h"

#include "ground/fs_posix.h"
#include "kbtrace/fs.h"

enum { SIZE = 100000 };

static unsigned char bytes[SIZE];
static char folder[] = "fs-XXXXXX";

/* Everything happens in a new folder, which is the current one while the tests run. */
static int enter_folder(void **state) {
    (void)state;
    random_source source;
    random_init(&source, 4);
    random_bytes(&source, bytes, SIZE);
    return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state) {
    (void)state;
    return chdir("..") == 0 && rmdir(folder) == 0 ? 0 : -1; /* rmdir proves that nothing is left */
}

static size_t name_count(void) {
    kb_arena arena;
    kb_arena_init(&arena, NULL, 0);
    const char *const *names;
    size_t count;
    check_ok(kb_fs_list(NULL, ".", &arena, &names, &count, NULL), NULL);
    kb_arena_fini(&arena);
    return count;
}

static void write_file(const char *path, size_t size) {
    kb_trail trail;
    kb_trail_init(&trail);
    kb_file file;
    check_ok(kb_file_open(&file, NULL, path, KB_OPEN_CREATE, &trail), &trail);
    check_ok(kb_file_write(&file, bytes, size, &trail), &trail);
    check_ok(kb_file_close(&file, &trail), &trail);
}

static void bytes_come_back(void **state) {
    (void)state;
    static unsigned char back[SIZE + 1];
    kb_trail trail;
    kb_trail_init(&trail);
    write_file("a", SIZE);
    kb_file file;
    check_ok(kb_file_open(&file, NULL, "a", KB_OPEN_READ, &trail), &trail);
    size_t size;
    check_ok(kb_file_read(&file, back, sizeof back, &size, &trail), &trail);
    assert_int_equal(size, SIZE);
    assert_memory_equal(back, bytes, SIZE);
    check_ok(kb_file_read_at(&file, 777, back, 1000, &trail), &trail);
    assert_memory_equal(back, bytes + 777, 1000);
    check_status(kb_file_read_at(&file, SIZE - 5, back, 10, &trail), KB_E_CORRUPT, &trail);
    check_says(&trail, "a ends at byte 100000, but 5 bytes more are expected at byte 100000");
    check_status(kb_file_read_at(&file, UINT64_MAX - 5, back, 10, &trail), KB_E_CORRUPT, &trail);
    check_says(&trail, "a ends at byte 100000, but 10 bytes more");
    check_status(kb_file_write(&file, bytes, 1, &trail), KB_E_IO, &trail);
    check_ok(kb_file_close(&file, &trail), &trail);
    kb_fs_unlink(NULL, "a");
}

static void create_never_overwrites(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    write_file("a", 10);
    kb_file file;
    check_status(kb_file_open(&file, NULL, "a", KB_OPEN_CREATE, &trail), KB_E_IO, &trail);
    check_says(&trail, "cannot create a: File exists");
    kb_file_type type;
    uint64_t size;
    check_ok(kb_fs_stat(NULL, "a", &type, &size, &trail), &trail);
    assert_int_equal(type, KB_FILE_REGULAR);
    assert_int_equal(size, 10);
    kb_fs_unlink(NULL, "a");
    check_status(kb_file_open(&file, NULL, "a", KB_OPEN_WRITE, &trail), KB_E_IO, &trail);
    check_status(kb_file_open(&file, NULL, "a", KB_OPEN_APPEND, &trail), KB_E_IO, &trail);
    assert_int_equal(name_count(), 0);
}

static void append_and_write(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    write_file("a", 10);
    kb_file file;
    kb_file_type type;
    uint64_t size;
    check_ok(kb_file_open(&file, NULL, "a", KB_OPEN_APPEND, &trail), &trail);
    check_ok(kb_file_write(&file, bytes, 5, &trail), &trail);
    check_ok(kb_file_close(&file, &trail), &trail);
    check_ok(kb_fs_stat(NULL, "a", &type, &size, &trail), &trail);
    assert_int_equal(size, 15);
    check_ok(kb_file_open(&file, NULL, "a", KB_OPEN_WRITE, &trail), &trail);
    check_ok(kb_file_close(&file, &trail), &trail);
    check_ok(kb_fs_stat(NULL, "a", &type, &size, &trail), &trail);
    assert_int_equal(size, 0);
    kb_fs_unlink(NULL, "a");
}

static void check_scratch(int handle) {
    unsigned char back[100];
    assert_true(handle >= 0);
    assert_int_equal(name_count(), 0);
    const kb_fs *fs = kb_fs_posix();
    assert_int_equal(fs->write(fs->context, handle, bytes, 100), 100);
    assert_int_equal(fs->pread(fs->context, handle, back, 100, 0), 100);
    assert_memory_equal(back, bytes, 100);
    assert_true(fcntl(handle, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fs->close(fs->context, handle), 0);
}

static void scratch_files_have_no_name(void **state) {
    (void)state;
    const kb_fs *fs = kb_fs_posix();
    check_scratch(fs->open(fs->context, ".", KB_OPEN_SCRATCH));
    check_scratch(kb_fs_posix_named_scratch("."));
    kb_trail trail;
    kb_trail_init(&trail);
    kb_file file;
    check_status(kb_file_open(&file, NULL, "nowhere", KB_OPEN_SCRATCH, &trail), KB_E_IO, &trail);
    check_says(&trail, "cannot create a scratch file in nowhere: No such file or directory");
    assert_int_equal(kb_fs_posix_named_scratch("nowhere"), -1);
    assert_int_equal(errno, ENOENT);
    static char path[5000];
    memset(path, 'p', sizeof path - 1);
    assert_int_equal(kb_fs_posix_named_scratch(path), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void handles_are_not_inherited(void **state) {
    (void)state;
    const kb_fs *fs = kb_fs_posix();
    static const kb_open_mode modes[] = {KB_OPEN_CREATE, KB_OPEN_READ, KB_OPEN_APPEND, KB_OPEN_WRITE};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        int handle = fs->open(fs->context, "a", modes[i]);
        assert_true(handle >= 0);
        assert_true(fcntl(handle, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(fs->close(fs->context, handle), 0);
    }
    kb_fs_unlink(NULL, "a");
    assert_int_equal(fs->open(fs->context, "a", (kb_open_mode)99), -1);
    assert_int_equal(errno, EINVAL);
}

static void a_full_device_is_told(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    kb_trail trail;
    kb_trail_init(&trail);
    kb_file file;
    check_ok(kb_file_open(&file, NULL, "/dev/full", KB_OPEN_WRITE, &trail), &trail);
    check_status(kb_file_write(&file, bytes, 100, &trail), KB_E_IO, &trail);
    check_says(
        &trail,
        "cannot write /dev/full at byte 0: No space left on device (free some space, or write elsewhere)");
    check_ok(kb_file_close(&file, &trail), &trail);
    kb_file_type type;
    uint64_t size;
    check_ok(kb_fs_stat(NULL, "/dev/full", &type, &size, &trail), &trail);
    assert_int_equal(type, KB_FILE_OTHER);
}

static void *feed(void *context) {
    (void)context;
    kb_file file;
    if (kb_file_open(&file, NULL, "pipe", KB_OPEN_WRITE, NULL) != KB_OK)
        return "open";
    if (kb_file_write(&file, bytes, SIZE, NULL) != KB_OK)
        return "write";
    return kb_file_close(&file, NULL) == KB_OK ? NULL : "close";
}

/* More than a pipe holds, so that counts are short by themselves. */
static void a_pipe_carries_all(void **state) {
    (void)state;
    static unsigned char back[SIZE + 1];
    kb_trail trail;
    kb_trail_init(&trail);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, feed, NULL), 0);
    kb_file file;
    check_ok(kb_file_open(&file, NULL, "pipe", KB_OPEN_READ, &trail), &trail);
    size_t size;
    check_ok(kb_file_read(&file, back, sizeof back, &size, &trail), &trail);
    void *failed;
    assert_int_equal(pthread_join(writer, &failed), 0);
    assert_null(failed);
    assert_int_equal(size, SIZE);
    assert_memory_equal(back, bytes, SIZE);
    check_status(kb_file_read_at(&file, 0, back, 1, &trail), KB_E_IO, &trail);
    check_says(&trail,
               "cannot read pipe at byte 0: Illegal seek (a pipe can only be read from front to back");
    kb_file_type type;
    uint64_t length;
    check_ok(kb_fs_stat(NULL, "pipe", &type, &length, &trail), &trail);
    assert_int_equal(type, KB_FILE_OTHER);
    check_ok(kb_file_close(&file, &trail), &trail);
    kb_fs_unlink(NULL, "pipe");
}

static void folders_and_names(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kb_fs_mkdir(NULL, "run", &trail), &trail);
    check_ok(kb_fs_mkdir(NULL, "run/", &trail), &trail);
    write_file("run/b", 1);
    write_file("run/a", 2);
    write_file("run/.c", 3);
    check_status(kb_fs_mkdir(NULL, "run/a", &trail), KB_E_IO, &trail);
    check_says(&trail, "cannot create the folder run/a: File exists");
    check_ok(kb_fs_rename(NULL, "run/b", "run/a", &trail), &trail);
    check_status(kb_fs_rename(NULL, "run/b", "run/a", &trail), KB_E_IO, &trail);
    check_says(&trail, "No such file or directory");
    check_says(&trail, ": while renaming run/b");

    kb_arena arena;
    kb_arena_init(&arena, NULL, 0);
    const char *const *names;
    size_t count;
    check_ok(kb_fs_list(NULL, "run", &arena, &names, &count, &trail), &trail);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], ".c");
    assert_string_equal(names[1], "a");
    check_status(kb_fs_list(NULL, "nowhere", &arena, &names, &count, &trail), KB_E_IO, &trail);
    check_says(&trail, "cannot list the folder nowhere: No such file or directory");
    kb_arena_fini(&arena);

    kb_file_type type;
    uint64_t size;
    check_ok(kb_fs_stat(NULL, "run/a", &type, &size, &trail), &trail);
    assert_int_equal(size, 1);
    check_ok(kb_fs_stat(NULL, "run", &type, &size, &trail), &trail);
    assert_int_equal(type, KB_FILE_FOLDER);
    check_ok(kb_fs_stat(NULL, "run/a/x", &type, &size, &trail), &trail);
    assert_int_equal(type, KB_FILE_NONE);
    kb_file file;
    check_ok(kb_file_open(&file, NULL, "run", KB_OPEN_READ, &trail), &trail);
    check_status(kb_file_read(&file, bytes, 1, &count, &trail), KB_E_IO, &trail);
    check_says(&trail, "cannot read run at byte 0: Is a directory (give a file, not a folder)");
    kb_file_abandon(&file);
    kb_fs_unlink(NULL, "run/a");
    kb_fs_unlink(NULL, "run/.c");
    kb_fs_unlink(NULL, "run"); /* a folder stays */
    assert_int_equal(rmdir("run"), 0);
}

static int stop_at_second(void *user, const char *name) {
    (void)name;
    return ++*(int *)user == 2 ? 42 : 0;
}

static void a_listing_can_be_stopped(void **state) {
    (void)state;
    write_file("a", 1);
    write_file("b", 1);
    write_file("c", 1);
    const kb_fs *fs = kb_fs_posix();
    int seen = 0;
    assert_int_equal(fs->list(fs->context, ".", stop_at_second, &seen), 42);
    assert_int_equal(seen, 2);
    kb_fs_unlink(NULL, "a");
    kb_fs_unlink(NULL, "b");
    kb_fs_unlink(NULL, "c");
}

static void fstat_follows_the_handle(void **state) {
    (void)state;
    write_file("a", 33);
    const kb_fs *fs = kb_fs_posix();
    int handle = fs->open(fs->context, "a", KB_OPEN_READ);
    kb_fs_unlink(NULL, "a");
    kb_file_type type;
    uint64_t size;
    assert_int_equal(fs->fstat(fs->context, handle, &type, &size), 0);
    assert_int_equal(type, KB_FILE_REGULAR);
    assert_int_equal(size, 33);
    assert_int_equal(fs->close(fs->context, handle), 0);
    assert_int_equal(fs->fstat(fs->context, handle, &type, &size), -1);
    assert_int_equal(errno, EBADF);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_back),           cmocka_unit_test(create_never_overwrites),
        cmocka_unit_test(append_and_write),          cmocka_unit_test(scratch_files_have_no_name),
        cmocka_unit_test(handles_are_not_inherited), cmocka_unit_test(a_full_device_is_told),
        cmocka_unit_test(a_pipe_carries_all),        cmocka_unit_test(folders_and_names),
        cmocka_unit_test(a_listing_can_be_stopped),  cmocka_unit_test(fstat_follows_the_handle),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The file seam of this process: each slot is one system call, with nothing retried and nothing said. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_TMPFILE, mkostemp() */
#endif
#include "ground/fs_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- open ------------------------------------------------------------------------------------- */

int kb_fs_posix_named_scratch(const char *path) {
    char name[PATH_MAX];
    int length = snprintf(name, sizeof name, "%s/.kb-scratch-XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int file = mkostemp(name, O_CLOEXEC);
    if (file >= 0)
        unlink(name); /* where this fails an empty name stays behind, and the file serves all the same */
    return file;
}

static int open_scratch(const char *path) {
    int file = open(path, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    /* What file systems and kernels without O_TMPFILE say, open(2). */
    if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        file = kb_fs_posix_named_scratch(path);
    return file;
}

/*
 * A file that is written belongs to one process: whoever comes second is told that it is busy, EBUSY, and
 * not that its bytes are mixed with another's. Where a file system has no locks it goes on without.
 */
static int alone(int file) {
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return file;
    close(file);
    errno = EBUSY;
    return -1;
}

static int posix_open(void *context, const char *path, kb_open_mode mode) {
    (void)context;
    const int always = O_CLOEXEC | O_NOCTTY;
    switch (mode) {
    case KB_OPEN_READ: return open(path, O_RDONLY | always);
    case KB_OPEN_CREATE: return alone(open(path, O_RDWR | O_CREAT | O_EXCL | always, 0666));
    case KB_OPEN_APPEND: return alone(open(path, O_WRONLY | O_APPEND | always));
    case KB_OPEN_WRITE: return open(path, O_WRONLY | O_TRUNC | always);
    case KB_OPEN_SCRATCH: return open_scratch(path);
    }
    errno = EINVAL;
    return -1;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static ssize_t posix_read(void *context, int file, void *bytes, size_t size) {
    (void)context;
    return read(file, bytes, size);
}

static ssize_t posix_pread(void *context, int file, void *bytes, size_t size, uint64_t offset) {
    (void)context;
    if (offset > INT64_MAX) { /* off_t has a sign */
        errno = EINVAL;
        return -1;
    }
    return pread(file, bytes, size, (off_t)offset);
}

static ssize_t posix_write(void *context, int file, const void *bytes, size_t size) {
    (void)context;
    return write(file, bytes, size);
}

static int posix_close(void *context, int file) {
    (void)context;
    return close(file);
}

/* --- names ------------------------------------------------------------------------------------ */

static void describe(const struct stat *facts, kb_file_type *ret_type, uint64_t *ret_size) {
    if (S_ISREG(facts->st_mode))
        *ret_type = KB_FILE_REGULAR;
    else if (S_ISDIR(facts->st_mode))
        *ret_type = KB_FILE_FOLDER;
    else
        *ret_type = KB_FILE_OTHER;
    *ret_size = facts->st_size > 0 ? (uint64_t)facts->st_size : 0;
}

static int posix_stat(void *context, const char *path, kb_file_type *ret_type, uint64_t *ret_size) {
    (void)context;
    struct stat facts;
    if (stat(path, &facts) != 0)
        return -1;
    describe(&facts, ret_type, ret_size);
    return 0;
}

static int posix_fstat(void *context, int file, kb_file_type *ret_type, uint64_t *ret_size) {
    (void)context;
    struct stat facts;
    if (fstat(file, &facts) != 0)
        return -1;
    describe(&facts, ret_type, ret_size);
    return 0;
}

static int posix_rename(void *context, const char *from, const char *to) {
    (void)context;
    return rename(from, to);
}

static int posix_unlink(void *context, const char *path) {
    (void)context;
    return unlink(path);
}

static int posix_mkdir(void *context, const char *path) {
    (void)context;
    return mkdir(path, 0777);
}

static int posix_list(void *context, const char *path, int (*each)(void *user, const char *name),
                      void *user) {
    (void)context;
    DIR *folder = opendir(path);
    if (folder == NULL)
        return -1;
    int result = 0;
    while (result == 0) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            result = errno != 0 ? -1 : 0;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = each(user, entry->d_name);
    }
    int error = errno;
    closedir(folder);
    errno = error;
    return result;
}

const kb_fs *kb_fs_posix(void) {
    static const kb_fs posix = {
        .open = posix_open,
        .read = posix_read,
        .pread = posix_pread,
        .write = posix_write,
        .close = posix_close,
        .stat = posix_stat,
        .fstat = posix_fstat,
        .rename = posix_rename,
        .unlink = posix_unlink,
        .mkdir = posix_mkdir,
        .list = posix_list,
        .context = NULL,
    };
    return &posix;
}

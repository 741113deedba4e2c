/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: the seam below, and whole reads and writes above it.
 *
 * A kb_fs is the handful of system calls that kb makes. The one of this process is kb_fs_posix();
 * tests put one in its place that is short of space, interrupts, or hands out a byte at a time.
 * Above it stand calls that finish what they begin and say which file, where, and why not.
 */
#ifndef KBTRACE_FS_H
#define KBTRACE_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kbtrace/memory.h"
#include "kbtrace/status.h"

/* --- the seam --------------------------------------------------------------------------------- */

typedef enum kb_open_mode {
    KB_OPEN_READ,   /* an existing file */
    KB_OPEN_CREATE, /* a new file, readable too; fails where the name is taken */
    KB_OPEN_APPEND, /* an existing file, writes go to its end; like CREATE, EBUSY while another writes */
    KB_OPEN_WRITE,  /* an existing pipe, device or file; a file is emptied */
    KB_OPEN_SCRATCH /* a nameless file for reading and writing in the folder `path` */
} kb_open_mode;

typedef enum kb_file_type { KB_FILE_NONE, KB_FILE_REGULAR, KB_FILE_FOLDER, KB_FILE_OTHER } kb_file_type;

/*
 * Each slot behaves as the system call of its name: -1 and errno on failure, short counts allowed.
 * list() calls `each` with every name in a folder but "." and "..", in any order, until it returns
 * something other than 0; that is what list() returns then.
 */
typedef struct kb_fs {
    int (*open)(void *context, const char *path, kb_open_mode mode);
    ssize_t (*read)(void *context, int file, void *bytes, size_t size);
    ssize_t (*pread)(void *context, int file, void *bytes, size_t size, uint64_t offset);
    ssize_t (*write)(void *context, int file, const void *bytes, size_t size);
    int (*close)(void *context, int file);
    int (*stat)(void *context, const char *path, kb_file_type *ret_type, uint64_t *ret_size);
    int (*fstat)(void *context, int file, kb_file_type *ret_type, uint64_t *ret_size);
    int (*rename)(void *context, const char *from, const char *to);
    int (*unlink)(void *context, const char *path);
    int (*mkdir)(void *context, const char *path);
    int (*list)(void *context, const char *path, int (*each)(void *user, const char *name), void *user);
    void *context;
} kb_fs;

/* Wherever a kb_fs is asked for, NULL means this one. */
const kb_fs *kb_fs_posix(void);

/* --- one open file ---------------------------------------------------------------------------- */

typedef struct kb_file {
    const kb_fs *fs;
    int handle;       /* -1 when closed */
    const char *path; /* for messages and for unlinking; the caller keeps it alive */
    uint64_t offset;  /* bytes read or written so far through this kb_file */
} kb_file;

/* "-" as a path means standard input (READ) or standard output (WRITE), which close() leaves open. */
kb_status kb_file_open(kb_file *file, const kb_fs *fs, const char *path, kb_open_mode mode,
                       kb_trail *trail) KB_MUST_USE;

/* Reads until `size` bytes or the end; *ret_size tells how many came. */
kb_status kb_file_read(kb_file *file, void *bytes, size_t size, size_t *ret_size,
                       kb_trail *trail) KB_MUST_USE;

/* All `size` bytes from `offset`, or KB_E_CORRUPT that names where the file ends. */
kb_status kb_file_read_at(kb_file *file, uint64_t offset, void *bytes, size_t size,
                          kb_trail *trail) KB_MUST_USE;

/* All of it, or a failure that says how far it came. */
kb_status kb_file_write(kb_file *file, const void *bytes, size_t size, kb_trail *trail) KB_MUST_USE;

/* What close() says counts: a full disk may show itself here only. Safe to call twice. */
kb_status kb_file_close(kb_file *file, kb_trail *trail) KB_MUST_USE;

/* For paths out of a failure: closes, and forgets what close() says. */
void kb_file_abandon(kb_file *file);

/* --- names ------------------------------------------------------------------------------------ */

/* A name that is not there is KB_FILE_NONE, and no failure. */
kb_status kb_fs_stat(const kb_fs *fs, const char *path, kb_file_type *ret_type, uint64_t *ret_size,
                     kb_trail *trail) KB_MUST_USE;
kb_status kb_fs_rename(const kb_fs *fs, const char *from, const char *to, kb_trail *trail) KB_MUST_USE;
kb_status kb_fs_mkdir(const kb_fs *fs, const char *path, kb_trail *trail) KB_MUST_USE; /* existing is fine */
void kb_fs_unlink(const kb_fs *fs, const char *path); /* what is not there is fine */

/* The names in a folder but "." and "..", in byte order, in an array of the arena. */
kb_status kb_fs_list(const kb_fs *fs, const char *path, kb_arena *arena, const char *const **ret_names,
                     size_t *ret_count, kb_trail *trail) KB_MUST_USE;

#endif

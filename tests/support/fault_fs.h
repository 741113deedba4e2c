/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system in memory that misbehaves on demand.
 *
 *   fault_fs disk;
 *   fault_fs_init(&disk);
 *   fault_fs_put(&disk, "run.zst", bytes, size);
 *   disk.faults.most_read = 1;                       every read is one byte long
 *   disk.faults.space_size = 100;                    the 101st byte written is ENOSPC
 *   ... something with &disk.fs ...
 *   assert_string_equal(fault_fs_names(&disk), "run.zst");
 *   fault_fs_fini(&disk);                            fails the test if a file is still open
 *
 * Without faults it behaves as Linux does, as far as kb_fs reaches. Folders are made by mkdir or
 * fault_fs_put_folder(); ".", "" and "/" are the root, and all paths start there. The handles 0 and
 * 1 are open from the start: the files "<stdin>" and "<stdout>", so "-" works too. Several threads
 * may use it at once; its own memory does not come from malloc.
 */
#ifndef KB_TESTS_FAULT_FS_H
#define KB_TESTS_FAULT_FS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kbtrace/fs.h"

/* In the order of the slots of kb_fs. */
typedef enum fault_slot {
    FAULT_OPEN,
    FAULT_READ,
    FAULT_PREAD,
    FAULT_WRITE,
    FAULT_CLOSE,
    FAULT_STAT,
    FAULT_FSTAT,
    FAULT_RENAME,
    FAULT_UNLINK,
    FAULT_MKDIR,
    FAULT_LIST,
    FAULT_SLOT_COUNT
} fault_slot;

/* All zero but the UINT64_MAX ones after fault_fs_init(); a test sets and clears them when it likes. */
typedef struct fault_switches {
    size_t most_read;         /* bytes that one read or pread gives at most; 0: no bound */
    size_t most_write;        /* bytes that one write takes at most; 0: no bound */
    unsigned interrupt_every; /* each so many-th call of any slot is EINTR; 0: none, never 1 */
    uint64_t space_size;      /* bytes that can be written in all; what comes then is ENOSPC */
    uint64_t bad_byte;        /* offset in every file that cannot be read: EIO */
    uint64_t bad_write_byte;  /* offset in every file that cannot be written: EIO */
    size_t fail_call;         /* this call, counted over all slots from 1, fails with fail_errno; 0: none */
    bool from_then_on;        /* and so do all that follow */
    int fail_errno;           /* 0: EIO */
    int slot_errno[FAULT_SLOT_COUNT]; /* not 0: every call of this slot fails with it */
} fault_switches;

/* KB_FILE_OTHER comes in two kinds. */
typedef enum fault_special { FAULT_PIPE, FAULT_DEVICE } fault_special;

typedef struct fault_fs {
    kb_fs fs; /* hand this one out */
    fault_switches faults;
    size_t call_count;                        /* of all slots; a test may set it back to 0 */
    size_t slot_call_count[FAULT_SLOT_COUNT]; /* of each */
    uint64_t written_size;                    /* bytes written in all; counts against space_size */

    /* What follows is the double's own. */
    pthread_mutex_t lock;
    void *nodes; /* fault_node[], of fault_tree.h */
    size_t node_count, node_capacity;
    void *handles; /* fault_handle[], index = handle */
    size_t handle_count, handle_capacity;
    void *names; /* text that fault_fs_names() made */
    size_t names_capacity;
} fault_fs;

void fault_fs_init(fault_fs *disk);
void fault_fs_fini(fault_fs *disk);

/* --- setting the scene: no faults, no counting ------------------------------------------------ */

/* A regular file with these bytes, in place of what has the name. Its folder must exist. */
void fault_fs_put(fault_fs *disk, const char *path, const void *bytes, size_t size);
void fault_fs_put_folder(fault_fs *disk, const char *path);
/* A pipe or device. What is put into a pipe or written to it is read from its front. */
void fault_fs_put_special(fault_fs *disk, const char *path, fault_special special);
/* What reading "-" gives. */
void fault_fs_put_input(fault_fs *disk, const void *bytes, size_t size);

/* --- looking at the outcome -------------------------------------------------------------------- */

/* The bytes of a file, valid until it changes; NULL when there is none of that name. */
const unsigned char *fault_fs_bytes(fault_fs *disk, const char *path, size_t *ret_size);
/* What was written to "-". */
const unsigned char *fault_fs_output(fault_fs *disk, size_t *ret_size);
/* All names in byte order with a space between, folders with "/" behind: "out/ out/a run.zst". */
const char *fault_fs_names(fault_fs *disk);
/* Files that are open now, without the two standard ones. */
size_t fault_fs_open_count(const fault_fs *disk);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a folder of one file a rank: which are ours, which are left of a former run. */
#ifndef KBTRACE_SRC_FOLDER_H
#define KBTRACE_SRC_FOLDER_H

#include "kbtrace/fs.h"

#define KB_PARTIAL_SUFFIX ".partial" /* of a file that is being written */
#define KB_RANK_FILE_FORMAT "rank-%05u.zst"

/* FOLDER/rank-00012.zst; the caller deletes it with kb_path_delete. */
kb_status kb_path_of_rank(const kb_alloc *alloc, const char *folder, uint32_t rank, char **ret_path,
                          kb_trail *trail) KB_MUST_USE;
void kb_path_delete(const kb_alloc *alloc, char *path);

/* Whether `name` is a rank's file, and whose. */
bool kb_rank_of_name(const char *name, uint32_t *ret_rank);

/* Makes the folder where there is none; KB_E_ARGUMENT names a file in it that is not a trace's. */
kb_status kb_folder_prepare(const kb_alloc *alloc, const kb_fs *fs, const char *folder,
                            kb_trail *trail) KB_MUST_USE;

/* The ranks that have a file there, sorted, in an array of the arena. */
kb_status kb_folder_ranks(kb_arena *arena, const kb_fs *fs, const char *folder, uint32_t **ret_ranks,
                          size_t *ret_count, kb_trail *trail) KB_MUST_USE;

/*
 * A former run's files while new ones take their place: first all are set aside under other names, and
 * come back if a new one cannot get its name.
 */
typedef struct kb_former_file {
    const char *path; /* NULL: it was set aside by a run that was killed */
    const char *aside;
} kb_former_file;

typedef struct kb_former {
    const kb_fs *fs;
    const char *folder;
    kb_arena arena;
    kb_former_file *files;
    size_t count, moved;
} kb_former;

/* After a failure all is as it was and `former` needs no end; else exactly one of the others ends it. */
kb_status kb_former_set_aside(kb_former *former, const kb_alloc *alloc, const kb_fs *fs, const char *folder,
                              kb_trail *trail) KB_MUST_USE;
void kb_former_put_back(kb_former *former);
/* Removes them, and what is left of such of a run that was killed. */
void kb_former_forget(kb_former *former);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a folder of one file a rank: which are ours, which are left of a former run. */
#ifndef KBTRACE_SRC_FOLDER_H
#define KBTRACE_SRC_FOLDER_H

#include "kbtrace/fs.h"

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

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Rank files in a folder: see folder.h. */
#include "wire/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMER ".former" /* what a rank's file of the former run is called until the new set is whole */

kb_status kb_path_of_rank(const kb_alloc *alloc, const char *folder, uint32_t rank, char **ret_path,
                          kb_trail *trail) {
    size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    char name[32];
    snprintf(name, sizeof name, KB_RANK_FILE_FORMAT, rank);
    size_t size = length + strlen(slash) + strlen(name) + 1;
    void *path;
    KB_TRY(kb_new(alloc, size, &path, trail));
    snprintf(path, size, "%s%s%s", folder, slash, name);
    *ret_path = path;
    return KB_OK;
}

void kb_path_delete(const kb_alloc *alloc, char *path) {
    if (path != NULL)
        kb_delete(alloc, path, strlen(path) + 1);
}

bool kb_rank_of_name(const char *name, uint32_t *ret_rank) {
    char expected[32];
    unsigned rank;
    if (sscanf(name, "rank-%9u", &rank) != 1)
        return false;
    snprintf(expected, sizeof expected, KB_RANK_FILE_FORMAT, rank);
    if (strcmp(name, expected) != 0)
        return false;
    *ret_rank = rank;
    return true;
}

/* A rank's file with this suffix behind its name. */
static bool is_rank_with(const char *name, const char *suffix) {
    char bare[64];
    uint32_t rank;
    size_t length = strlen(name), more = strlen(suffix);
    if (length < more || length - more >= sizeof bare || strcmp(name + length - more, suffix) != 0)
        return false;
    memcpy(bare, name, length - more);
    bare[length - more] = '\0';
    return kb_rank_of_name(bare, &rank);
}

static bool is_ours(const char *name) {
    return is_rank_with(name, "") || is_rank_with(name, KB_PARTIAL_SUFFIX) || is_rank_with(name, FORMER);
}

kb_status kb_folder_prepare(const kb_alloc *alloc, const kb_fs *fs, const char *folder, kb_trail *trail) {
    kb_arena arena;
    const char *const *names;
    size_t count;
    kb_arena_init(&arena, alloc, 0);
    kb_status status = kb_fs_mkdir(fs, folder, trail);
    if (status == KB_OK)
        status = kb_fs_list(fs, folder, &arena, &names, &count, trail);
    for (size_t i = 0; status == KB_OK && i < count; i++)
        if (!is_ours(names[i]))
            status =
                kb_fail(trail, KB_E_ARGUMENT,
                        "%s holds %s, which is no rank's trace: choose an empty folder, or move that file",
                        folder, names[i]);
    kb_arena_fini(&arena);
    return status;
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

kb_status kb_folder_ranks(kb_arena *arena, const kb_fs *fs, const char *folder, uint32_t **ret_ranks,
                          size_t *ret_count, kb_trail *trail) {
    const char *const *names;
    size_t name_count, count = 0;
    void *block;
    KB_TRY(kb_fs_list(fs, folder, arena, &names, &name_count, trail));
    KB_TRY(kb_arena_new(arena, name_count * sizeof(uint32_t), &block, trail));
    uint32_t *ranks = block;
    for (size_t i = 0; i < name_count; i++)
        count += kb_rank_of_name(names[i], &ranks[count]);
    if (count > 1) /* names sort as ranks do up to 99999 only */
        qsort(ranks, count, sizeof *ranks, by_value);
    *ret_ranks = ranks;
    *ret_count = count;
    return KB_OK;
}

/* --- the former run --------------------------------------------------------------------------- */

static kb_status join(kb_former *former, const char *name, const char *suffix, const char **ret_path,
                      kb_trail *trail) {
    size_t length = strlen(former->folder), size = length + strlen(name) + strlen(suffix) + 2;
    const char *slash = length > 0 && former->folder[length - 1] == '/' ? "" : "/";
    void *path;
    KB_TRY(kb_arena_new(&former->arena, size, &path, trail));
    snprintf(path, size, "%s%s%s%s", former->folder, slash, name, suffix);
    *ret_path = path;
    return KB_OK;
}

/* All names are made before anything is moved: there must be a way back without memory. */
static kb_status find_former(kb_former *former, kb_trail *trail) {
    const char *const *names;
    size_t count;
    void *block;
    KB_TRY(kb_fs_list(former->fs, former->folder, &former->arena, &names, &count, trail));
    KB_TRY(kb_arena_new(&former->arena, count * sizeof *former->files, &block, trail));
    former->files = block;
    for (size_t i = 0; i < count; i++) {
        kb_former_file *file = &former->files[former->count];
        bool stale = is_rank_with(names[i], FORMER);
        if (!stale && !is_rank_with(names[i], ""))
            continue;
        if (!stale)
            KB_TRY(join(former, names[i], "", &file->path, trail));
        KB_TRY(join(former, names[i], stale ? "" : FORMER, &file->aside, trail));
        former->count++;
    }
    return KB_OK;
}

static kb_status set_all_aside(kb_former *former, kb_trail *trail) {
    KB_TRY(find_former(former, trail));
    for (size_t i = 0; i < former->count; i++, former->moved++)
        if (former->files[i].path != NULL)
            KB_TRY(kb_fs_rename(former->fs, former->files[i].path, former->files[i].aside, trail));
    return KB_OK;
}

kb_status kb_former_set_aside(kb_former *former, const kb_alloc *alloc, const kb_fs *fs, const char *folder,
                              kb_trail *trail) {
    *former = (kb_former){.fs = fs, .folder = folder};
    kb_arena_init(&former->arena, alloc, 0);
    kb_status status = set_all_aside(former, trail);
    if (status != KB_OK)
        kb_former_put_back(former);
    return status;
}

void kb_former_put_back(kb_former *former) {
    for (; former->moved > 0; former->moved--) {
        const kb_former_file *file = &former->files[former->moved - 1];
        if (file->path != NULL)
            (void)!kb_fs_rename(former->fs, file->aside, file->path, NULL);
    }
    kb_arena_fini(&former->arena);
}

void kb_former_forget(kb_former *former) {
    for (size_t i = 0; i < former->count; i++)
        kb_fs_unlink(former->fs, former->files[i].aside);
    kb_arena_fini(&former->arena);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rank files in a folder: see folder.h. */
#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

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

static bool is_ours(const char *name) {
    char bare[64];
    uint32_t rank;
    size_t length = strlen(name), suffix = strlen(KB_PARTIAL_SUFFIX);
    if (length > suffix && strcmp(name + length - suffix, KB_PARTIAL_SUFFIX) == 0)
        length -= suffix;
    if (length >= sizeof bare)
        return false;
    memcpy(bare, name, length);
    bare[length] = '\0';
    return kb_rank_of_name(bare, &rank);
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

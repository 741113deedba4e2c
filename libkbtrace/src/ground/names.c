/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on the names of files and folders that say which name and why not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ground/explain.h"
#include "kbtrace/fs.h"

kb_status kb_fs_stat(const kb_fs *fs, const char *path, kb_file_type *ret_type, uint64_t *ret_size,
                     kb_trail *trail) {
    if (fs == NULL)
        fs = kb_fs_posix();
    kb_file_type type;
    uint64_t size;
    int result;
    do
        result = fs->stat(fs->context, path, &type, &size);
    while (result != 0 && errno == EINTR);
    if (result != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        type = KB_FILE_NONE;
        size = 0;
    } else if (result != 0) {
        return kb_explain(trail, errno, "look at", path);
    }
    *ret_type = type;
    *ret_size = size;
    return KB_OK;
}

kb_status kb_fs_rename(const kb_fs *fs, const char *from, const char *to, kb_trail *trail) {
    if (fs == NULL)
        fs = kb_fs_posix();
    int result;
    do
        result = fs->rename(fs->context, from, to);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return KB_OK;
    int error = errno;
    kb_status status = kb_explain(trail, error, "give a file its name", to);
    char shown[KB_SHOWN_PATH_CHARS];
    return kb_while(trail, status, "renaming %s", kb_shown_path(from, shown));
}

kb_status kb_fs_mkdir(const kb_fs *fs, const char *path, kb_trail *trail) {
    if (fs == NULL)
        fs = kb_fs_posix();
    int result;
    do
        result = fs->mkdir(fs->context, path);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return KB_OK;
    if (errno != EEXIST)
        return kb_explain(trail, errno, "create the folder", path);
    kb_file_type type;
    uint64_t size;
    KB_TRY(kb_fs_stat(fs, path, &type, &size, trail));
    return type == KB_FILE_FOLDER ? KB_OK : kb_explain(trail, EEXIST, "create the folder", path);
}

void kb_fs_unlink(const kb_fs *fs, const char *path) {
    if (fs == NULL)
        fs = kb_fs_posix();
    while (fs->unlink(fs->context, path) != 0 && errno == EINTR)
        ;
}

/* --- listing ---------------------------------------------------------------------------------- */

typedef struct listing {
    kb_arena *arena;
    const kb_alloc *alloc;
    void *names; /* const char *[], in a block that can grow */
    size_t capacity;
    size_t count;
    kb_status status;
    kb_trail *trail;
} listing;

static kb_status add_name(listing *list, const char *name) {
    KB_TRY(kb_grow(list->alloc, sizeof(const char *), list->count + 1, &list->capacity, &list->names,
                   list->trail));
    const char *copy;
    KB_TRY(kb_arena_text(list->arena, name, strlen(name), &copy, list->trail));
    ((const char **)list->names)[list->count++] = copy;
    return KB_OK;
}

static int each_name(void *user, const char *name) {
    listing *list = user;
    list->status = add_name(list, name);
    return list->status == KB_OK ? 0 : 1;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

kb_status kb_fs_list(const kb_fs *fs, const char *path, kb_arena *arena, const char *const **ret_names,
                     size_t *ret_count, kb_trail *trail) {
    if (fs == NULL)
        fs = kb_fs_posix();
    listing list = {.arena = arena, .alloc = arena->alloc, .status = KB_OK, .trail = trail};
    int result;
    do {
        list.count = 0;
        result = fs->list(fs->context, path, each_name, &list);
    } while (result == -1 && errno == EINTR && list.status == KB_OK);
    kb_status status = list.status;
    if (status == KB_OK && result != 0)
        status = kb_explain(trail, errno, "list the folder", path);
    void *names = NULL;
    if (status == KB_OK) {
        if (list.count > 1)
            qsort(list.names, list.count, sizeof(const char *), compare_names);
        status = kb_arena_copy(arena, list.names, list.count * sizeof(const char *), &names, trail);
    }
    kb_delete(list.alloc, list.names, list.capacity * sizeof(const char *));
    if (status != KB_OK)
        return status;
    *ret_names = names;
    *ret_count = list.count;
    return KB_OK;
}

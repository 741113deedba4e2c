/* SPDX-License-Identifier: Apache-2.0 */
/* Names and nodes of the file system in memory; see fault_tree.h. Its memory does not come from malloc. */
#include "support/fault_tree.h"

#include <errno.h>
#include <string.h>

#include "support/pages.h"

fault_node *fault_node_at(const fault_fs *disk, size_t index) {
    return (fault_node *)disk->nodes + index;
}

/* False when it is too long. */
static bool clean_path(const char *path, char ret[FAULT_PATH_CHARS]) {
    size_t used = 0;
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length > 0 && !(length == 1 && path[0] == '.')) {
            if (used + length + 2 > FAULT_PATH_CHARS) {
                ret[0] = '\0';
                return false;
            }
            if (used > 0)
                ret[used++] = '/';
            memcpy(ret + used, path, length);
            used += length;
        }
        path += length + (path[length] == '/' ? 1 : 0);
    }
    ret[used] = '\0';
    return true;
}

static int find_clean(const fault_fs *disk, const char *clean) {
    for (size_t i = 0; i < disk->node_count; i++)
        if (fault_node_at(disk, i)->used && fault_node_at(disk, i)->named &&
            strcmp(fault_node_at(disk, i)->path, clean) == 0)
            return (int)i;
    return FAULT_NO_NODE;
}

int fault_check_parent(const fault_fs *disk, const char *clean) {
    char folder[FAULT_PATH_CHARS];
    memcpy(folder, clean, strlen(clean) + 1);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return 0;
    *slash = '\0';
    int parent = find_clean(disk, folder);
    if (parent != FAULT_NO_NODE)
        return fault_node_at(disk, (size_t)parent)->type == KB_FILE_FOLDER ? 0 : ENOTDIR;
    int above = fault_check_parent(disk, folder);
    return above != 0 ? above : ENOENT;
}

int fault_find(const fault_fs *disk, const char *path, char ret_clean[FAULT_PATH_CHARS]) {
    ret_clean[0] = '\0';
    if (!clean_path(path, ret_clean)) {
        errno = ENAMETOOLONG;
        return FAULT_NO_NODE;
    }
    int node = find_clean(disk, ret_clean);
    if (node == FAULT_NO_NODE) {
        int error = fault_check_parent(disk, ret_clean);
        errno = error != 0 ? error : ENOENT;
    }
    return node;
}

size_t fault_add_node(fault_fs *disk, const char *clean, kb_file_type type) {
    size_t index = 0;
    while (index < disk->node_count && fault_node_at(disk, index)->used)
        index++;
    if (index == disk->node_count)
        pages_grow(&disk->nodes, &disk->node_capacity, sizeof(fault_node), ++disk->node_count);
    fault_node *node = fault_node_at(disk, index);
    memset(node, 0, sizeof *node);
    node->used = true;
    node->type = type;
    node->named = clean != NULL;
    if (clean != NULL)
        memcpy(node->path, clean, strlen(clean) + 1);
    return index;
}

void fault_drop_if_dead(fault_node *node) {
    if (node->named || node->open_count > 0)
        return;
    pages_free(node->bytes, node->capacity, 1);
    memset(node, 0, sizeof *node);
}

void fault_take_name(fault_node *node) {
    node->named = false;
    fault_drop_if_dead(node);
}

void fault_append(fault_node *node, const void *bytes, size_t size) {
    pages_grow(&node->bytes, &node->capacity, 1, node->size + size);
    if (size > 0)
        memcpy((char *)node->bytes + node->size, bytes, size);
    node->size += size;
}

bool fault_lies_in(const char *path, const char *folder) {
    const size_t length = strlen(folder);
    return length == 0 || (strncmp(path, folder, length) == 0 && path[length] == '/');
}

bool fault_is_empty(const fault_fs *disk, const char *folder) {
    for (size_t i = 0; i < disk->node_count; i++)
        if (fault_node_at(disk, i)->used && fault_node_at(disk, i)->named &&
            fault_lies_in(fault_node_at(disk, i)->path, folder))
            return false;
    return true;
}

const fault_node *fault_next_name(const fault_fs *disk, const char *after) {
    const fault_node *best = NULL;
    for (size_t i = 0; i < disk->node_count; i++) {
        const fault_node *node = fault_node_at(disk, i);
        if (node->used && node->named && strcmp(node->path, after) > 0 &&
            (best == NULL || strcmp(node->path, best->path) < 0))
            best = node;
    }
    return best;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files, folders and names of a fault_fs, and nothing of its faults or its open handles.
 *
 * Private to fault_fs.c. Nodes are spoken of by index: their array moves when it grows.
 */
#ifndef KB_TESTS_FAULT_TREE_H
#define KB_TESTS_FAULT_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "support/fault_fs.h"

enum { FAULT_PATH_CHARS = 512, FAULT_NO_NODE = -1 };

typedef struct fault_node {
    bool used;
    bool named; /* false: unlinked or scratch, lives until it is closed */
    kb_file_type type;
    fault_special special; /* of KB_FILE_OTHER */
    char path[FAULT_PATH_CHARS];
    void *bytes;
    size_t size, capacity;
    size_t front;      /* of a pipe: bytes that were read */
    size_t open_count; /* handles on it */
} fault_node;

fault_node *fault_node_at(const fault_fs *disk, size_t index);

/*
 * The node of a path, or FAULT_NO_NODE with errno; `ret_clean` is set in both cases. It is the one
 * spelling of the path: "./a//b/" and "/a/b" are "a/b", the root is "" and has no node.
 */
int fault_find(const fault_fs *disk, const char *path, char ret_clean[FAULT_PATH_CHARS]);
/* Whether the folder that a clean path lies in is there: 0, ENOENT or ENOTDIR. */
int fault_check_parent(const fault_fs *disk, const char *clean);
/* Whether a clean path lies in the folder, at any depth. */
bool fault_lies_in(const char *clean, const char *folder);
/* The first name after `after` in byte order, or NULL. */
const fault_node *fault_next_name(const fault_fs *disk, const char *after);
bool fault_is_empty(const fault_fs *disk, const char *folder);

/* A new node; nameless where clean is NULL. */
size_t fault_add_node(fault_fs *disk, const char *clean, kb_file_type type);
/* Frees a node that has neither a name nor a handle any more. */
void fault_drop_if_dead(fault_node *node);
void fault_take_name(fault_node *node);
void fault_append(fault_node *node, const void *bytes, size_t size);

#endif

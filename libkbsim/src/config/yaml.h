/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of settings as a tree, every node with its line and column.
 *
 * It is YAML without what settings do not need: tags, several documents in a file, keys that are not
 * words, merge keys. Size, depth and the number of nodes are bounded; an alias is the anchored node
 * itself, so that nothing grows.
 */
#ifndef KBSIM_SRC_YAML_H
#define KBSIM_SRC_YAML_H

#include "kbsim/machine.h"
#include "kbtrace/memory.h"

typedef enum kbs_yaml_kind { KBS_YAML_SCALAR, KBS_YAML_MAP, KBS_YAML_LIST } kbs_yaml_kind;

typedef struct kbs_yaml kbs_yaml;
struct kbs_yaml {
    kbs_yaml_kind kind;
    kbs_origin at, key_at; /* where it begins, and where its key does; without `by` */
    const char *key;       /* as a member of a map, else NULL */
    const char *text;      /* of a scalar; without control characters but the ends of lines */
    const kbs_yaml *first; /* of a map's or list's members */
    const kbs_yaml *next;  /* member of the same */
};

/* The root, which is a map. `name` stands in all places of the tree, which lives in `arena`. */
kb_status kbs_yaml_parse(const char *name, const char *text, size_t size, kb_arena *arena,
                         const kbs_yaml **ret, kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binary tree with a root of one's choice.
 *
 * Ranks stand around a ring that is cut across from the root. The middle of what is in between, the root,
 * is the tree's; those before it and those behind it are trees of their own, each under its own middle one.
 * So neighbours in number are neighbours in the tree, its depth is ⌊lg n⌋, and nobody has more than two
 * children.
 */
#ifndef KBSIM_SRC_BINARY_H
#define KBSIM_SRC_BINARY_H

#include "coll/parts/tree.h"

typedef struct kbs_binary {
    kbs_node node;
    uint32_t children[2];
} kbs_binary;

static inline uint32_t kbs_middle(uint32_t first, uint32_t end) {
    return first + (end - first) / 2;
}

/* Where the recorded rank stands; `tree` stays where it is while its node is used. */
static inline void kbs_binary_init(kbs_binary *tree, const kb_coll *c, uint32_t root) {
    const uint32_t ranks = c->ranks, cut = root + ranks - ranks / 2; /* who stands first */
    const uint32_t mine = (c->rank + 2 * ranks - cut) % ranks;
    uint32_t first = 0, end = ranks;
    tree->node = (kbs_node){.parent = KB_NONE, .children = tree->children};
    for (uint32_t at = kbs_middle(first, end); at != mine; at = kbs_middle(first, end)) {
        tree->node.parent = (at + cut) % ranks;
        if (mine < at)
            end = at;
        else
            first = at + 1;
    }
    if (first < mine)
        tree->children[tree->node.child_count++] = (kbs_middle(first, mine) + cut) % ranks;
    if (mine + 1 < end)
        tree->children[tree->node.child_count++] = (kbs_middle(mine + 1, end) + cut) % ranks;
}

#endif

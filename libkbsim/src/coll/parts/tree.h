/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rank does with one segment of a tensor in a tree: up, sums go from the leaves to the root; down, the
 * root's goes to all. Segments of a slot follow one another, so that all levels work at once.
 *
 * Going up a rank waits for its children and for credits from its parent only, and uses what comes in one
 * fixed order, segment by segment; a leaf waits for credits alone. So the lowest segment that is not yet up
 * can always move, whatever the slots. Going down the same holds with parent and children exchanged.
 */
#ifndef KBSIM_SRC_TREE_H
#define KBSIM_SRC_TREE_H

#include "coll/parts/share.h"

typedef struct kbs_node {
    uint32_t parent; /* KB_NONE at the root */
    const uint32_t *children;
    uint32_t child_count;
} kbs_node;

/* What the children send is added in their order, and the sum goes to the parent. */
static inline void kbs_segment_up(kb_coll *c, const kbs_node *node, tl_view segment) {
    for (uint32_t i = 0; i < node->child_count; i++) {
        const tl_queue from = tl_queue_from(c, node->children[i]);
        tl_view in = tl_recv(c, from);
        tl_reduce(c, segment, in);
        tl_release(c, from);
    }
    if (node->parent != KB_NONE)
        tl_send(c, tl_queue_to(c, node->parent), segment);
}

/* Takes it from the parent, and ... */
static inline void kbs_segment_take(kb_coll *c, const kbs_node *node, tl_view segment) {
    if (node->parent == KB_NONE)
        return;
    const tl_queue from = tl_queue_from(c, node->parent);
    tl_view in = tl_recv(c, from);
    tl_copy(c, segment, in);
    tl_release(c, from);
}

/* ... passes it to the children: the way up backwards. */
static inline void kbs_segment_pass(kb_coll *c, const kbs_node *node, tl_view segment) {
    for (uint32_t i = node->child_count; i-- > 0;)
        tl_send(c, tl_queue_to(c, node->children[i]), segment);
}

#endif

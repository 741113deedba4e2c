/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A long view down a tree and up a tree, in segments of a slot: what has come is sent on while the next one
 * is on its way.
 *
 * Down, a segment is sent on out of the slot that it lies in, and copied into the view beside that. A slot
 * is held until both are over: what a rank holds while it waits for the next segment cannot be on its way,
 * so it holds few. Up, a sum is sent out of the view while the next one is made. With h levels below the
 * root, m segments and k children of a rank at most, either way takes about
 *     (h + m - 1) (α + S/m · k β),  and up (h + m - 1) S/m · k γ more,
 * where α is the whole way for the first segment of each level, and for those behind it what keeps a PE
 * busy.
 *
 * They cannot hang, whatever the slots. Down, who takes a segment holds fewer before it than there are
 * slots, and gives each back when it was copied and sent, which needs credits of children only; who has no
 * children gives back what it has copied. Up, a rank waits for its children, and for credits of its parent,
 * which gives one for each segment as soon as it has summed it; who has no children waits for credits
 * alone. So the least segment that is not yet through the tree can always move.
 */
#ifndef KBSIM_SRC_PIPELINE_H
#define KBSIM_SRC_PIPELINE_H

#include "coll/parts/tree.h"

/* Segments that are on their way out of the view while the next one is made or looked at. */
enum { KBS_PIPELINE_SENDS = 4 };

/* Slots that a rank holds: two, so that it takes a segment while another is copied; of a short ring one. */
static inline uint64_t kbs_pipeline_held(const kb_coll *c, const kbs_node *node) {
    if (node->parent == KB_NONE)
        return KBS_PIPELINE_SENDS; /* out of the view */
    return kb_coll_slots(c) >= 8 ? 2 : 1;
}

/* A segment has been sent and, by the last of its tokens, copied: its slot is given back. */
static inline void kbs_pipeline_end(kb_coll *c, const kbs_node *node, const tl_token *tokens) {
    for (uint32_t i = 0; i < node->child_count; i++)
        tl_wait_sent(c, tokens[i]);
    tl_wait(c, tokens[node->child_count]);
    if (node->parent != KB_NONE)
        tl_release(c, tl_queue_from(c, node->parent));
}

/* The root's view becomes everybody's. */
static inline void kbs_pass_down(kb_coll *c, const kbs_node *node, tl_view view) {
    const uint64_t held = kbs_pipeline_held(c, node);
    uint64_t taken = 0;
    tl_token tokens[held][node->child_count + 1];
    for (uint64_t done = 0; done < view.elements; taken++) {
        const tl_view segment = kbs_segment(c, view, done);
        tl_view source = segment;
        tl_token *mine = tokens[taken % held];
        tl_step(c, "broadcast", taken);
        if (taken >= held)
            kbs_pipeline_end(c, node, mine);
        mine[node->child_count] = (tl_token){0};
        if (node->parent != KB_NONE) {
            source = tl_recv(c, tl_queue_from(c, node->parent));
            mine[node->child_count] = tl_copy_async(c, segment, source);
        }
        for (uint32_t i = 0; i < node->child_count; i++)
            mine[i] = tl_send_async(c, tl_queue_to(c, node->children[i]), source);
        done += segment.elements;
    }
    for (uint64_t s = taken > held ? taken - held : 0; s < taken; s++)
        kbs_pipeline_end(c, node, tokens[s % held]);
}

/* The root's view becomes the reduction of all; those of others become that of their own trees. */
static inline void kbs_sum_up(kb_coll *c, const kbs_node *node, tl_view view) {
    tl_token sent[KBS_PIPELINE_SENDS] = {{0}};
    uint64_t segments = 0;
    for (uint64_t done = 0; done < view.elements; segments++) {
        const tl_view segment = kbs_segment(c, view, done);
        tl_step(c, "reduce", segments);
        for (uint32_t i = 0; i < node->child_count; i++) {
            const tl_queue from = tl_queue_from(c, node->children[i]);
            tl_view in = tl_recv(c, from);
            tl_reduce(c, segment, in);
            tl_release(c, from);
        }
        tl_wait_sent(c, sent[segments % KBS_PIPELINE_SENDS]);
        if (node->parent != KB_NONE)
            sent[segments % KBS_PIPELINE_SENDS] = tl_send_async(c, tl_queue_to(c, node->parent), segment);
        done += segment.elements;
    }
    for (uint64_t s = 0; s < KBS_PIPELINE_SENDS && s < segments; s++)
        tl_wait_sent(c, sent[s]);
}

#endif

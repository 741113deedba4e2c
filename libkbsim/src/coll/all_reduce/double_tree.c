/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce by two binary trees, each for half of the tensor.
 *
 * In a tree half of the ranks are leaves, which send and never receive on the way up, and the other way
 * down. So there are two trees, and each rank is inner node of one of them at most: it takes half of the
 * tensor from its children in the one and gives the other half to its parent in the other, and its links
 * are busy both ways. Going up both trees sum their halves in segments of a slot, then both go down.
 *
 * The first tree is the one that ranks 1, 2, ... n form as numbers: the lowest bit that is set tells the
 * level, so odd ones are leaves. The second one is the first in reverse where n is even, and shifted by
 * one where it is odd; either way who was even is odd. (Then with n odd one rank is a leaf of both.)
 *
 * With S bytes a rank, α a message, β a byte on a link and γ a reduced byte it takes
 *     2 lg n · α  +  2 S β  +  S γ
 * and, for the levels that are not yet or no longer busy, 2 lg n segments of a slot.
 *
 * Whoever is inner node of one tree is a leaf of the other, so the way down has a timetable: a segment
 * goes one level down in as many steps as half of a ring has slots, and in each step a rank takes what has
 * come to its place in either tree, and passes on what it took as inner node. In any other order the two
 * trees would wait for each other segment by segment.
 *
 * It cannot hang, whatever the slots. Going up, what a rank sends as a leaf is handed over as a whole before
 * anything is waited for, so each tree goes up as if it was alone (tree.h). Going down, take the lowest step
 * that somebody is in. What is taken in it was passed on in an earlier one. What is passed on in it needs
 * the slot of a segment that the receiver took in this step or in an earlier one, because a level is not more
 * steps deep than a ring has slots; and a rank takes before it passes on.
 *
 * P. Sanders, J. Speck, J. L. Träff: Two-tree algorithms for full bandwidth broadcast, reduction and scan,
 * Parallel Computing 35 (2009).
 */
#include "coll/algorithms.h"
#include "coll/parts/tree.h"

enum { TREES = 2, CHILDREN = 2 };

typedef struct place {
    kbs_node node;
    uint32_t children[CHILDREN];
    uint32_t level; /* below the root */
} place;

/* The number from 1 that a rank has in a tree, and back: either is its own inverse, or the shift undone. */
static uint32_t number_of(uint32_t rank, uint32_t ranks, int tree) {
    if (tree == 0)
        return rank + 1;
    return ranks % 2 == 0 ? ranks - rank : (rank + ranks - 1) % ranks + 1;
}

static uint32_t rank_of(uint32_t number, uint32_t ranks, int tree) {
    if (tree == 0)
        return number - 1;
    return ranks % 2 == 0 ? ranks - number : number % ranks;
}

/* The number above: the next level's that is nearest and exists, or the highest below. 0 at the root. */
static uint32_t above(uint32_t number, uint32_t ranks) {
    const uint32_t bit = number & -number, far = (number ^ bit) | bit << 1;
    return far <= ranks ? far : number ^ bit;
}

static void place_of(const kb_coll *c, int tree, place *p) {
    const uint32_t number = number_of(c->rank, c->ranks, tree), bit = number & -number;
    const uint32_t up = above(number, c->ranks);
    p->node = (kbs_node){.parent = up == 0 ? KB_NONE : rank_of(up, c->ranks, tree), .children = p->children};
    if (bit > 1)
        p->children[p->node.child_count++] = rank_of(number - bit / 2, c->ranks, tree);
    p->level = 0;
    for (uint32_t at = up; at != 0; at = above(at, c->ranks))
        p->level++;
    uint32_t step = bit / 2;
    while (step > 0 && number + step > c->ranks)
        step /= 2;
    if (step > 0)
        p->children[p->node.child_count++] = rank_of(number + step, c->ranks, tree);
}

static void go_up(kb_coll *c, const place *inner, tl_view half, const place *leaf, tl_view other) {
    tl_token sent = {0};
    tl_step(c, "reduce", 0);
    if (leaf->node.parent != KB_NONE)
        sent = tl_send_async(c, tl_queue_to(c, leaf->node.parent), other);
    uint64_t done = 0;
    for (uint64_t s = 0; done < half.elements; s++) {
        const tl_view segment = kbs_segment(c, half, done);
        tl_step(c, "reduce", s);
        kbs_segment_up(c, &inner->node, segment);
        done += segment.elements;
    }
    tl_wait_sent(c, sent);
}

/* The segment that is at a place in a step; without elements where there is none. */
static tl_view segment_at(kb_coll *c, const place *p, tl_view half, uint64_t step, uint64_t lag) {
    const uint64_t first = lag * p->level;
    return kbs_segment(c, half, step < first ? half.elements : (step - first) * kb_coll_slot_elements(c));
}

/* A segment takes `lag` steps from one level to the next: what a step takes was passed on before it. */
static void go_down(kb_coll *c, const place *inner, tl_view half, const place *leaf, tl_view other) {
    const uint64_t slots = kb_coll_slots(c), lag = slots > 1 ? slots / 2 : 1;
    const uint64_t longer = half.elements > other.elements ? half.elements : other.elements;
    const uint64_t deeper = inner->level > leaf->level ? inner->level : leaf->level;
    const uint64_t steps = longer / kb_coll_slot_elements(c) + 1 + lag * deeper;
    for (uint64_t s = 0; s < steps; s++) {
        const tl_view got = segment_at(c, leaf, other, s, lag);
        const tl_view passed = segment_at(c, inner, half, s, lag);
        tl_step(c, "broadcast", s);
        if (got.elements > 0)
            kbs_segment_take(c, &leaf->node, got);
        if (passed.elements > 0) {
            kbs_segment_take(c, &inner->node, passed);
            kbs_segment_pass(c, &inner->node, passed);
        }
    }
}

static void double_tree(kb_coll *c) {
    place places[TREES];
    if (c->ranks == 1)
        return;
    for (int i = 0; i < TREES; i++)
        place_of(c, i, &places[i]);
    const int inner = places[1].node.child_count > 0 ? 1 : 0, leaf = 1 - inner;
    const tl_view half = kbs_share(c, c->buffer, TREES, (uint32_t)inner);
    const tl_view other = kbs_share(c, c->buffer, TREES, (uint32_t)leaf);
    go_up(c, &places[inner], half, &places[leaf], other);
    go_down(c, &places[inner], half, &places[leaf], other);
}

const kbs_algorithm kbs_algorithm_all_reduce_double_tree = {
    .name = "double_tree",
    .collective = KB_COLL_ALL_REDUCE,
    .help = "two binary trees, each for half of the tensor",
    .record = double_tree,
    .by_slots = true};

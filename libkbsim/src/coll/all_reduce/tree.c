/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All-reduce up and down a binary tree, pipelined in segments.
 *
 * The middle rank is the root; the ranks before it and those behind it are trees of their own, each under
 * its own middle one. Neighbours in number are neighbours in the tree then, and its depth is lg n. Each
 * rank adds the segments of its children to its own and sends the sums to its parent; the root's finished
 * segments go down the same way.
 *
 * With S bytes a rank in m segments, α a message, β a byte on a link and γ a reduced byte it takes
 *     2 (lg n + m - 2) (α + S/m · β)  +  lg n · S/m · γ.
 * A segment is what one slot holds: queues move slots one by one anyway, and keep several on their way, so
 * that a small segment costs the PE's own work and no latency, while each level waits for a segment's end.
 *
 * It cannot hang, whatever the slots: going up a rank waits for its children and for credits from its
 * parent only, and uses what comes in one fixed order, segment by segment. A leaf waits for credits alone.
 * So the first segment that is not yet up can always move, and everybody comes to the way down, where the
 * same holds with parent and children exchanged.
 */
#include "coll/algorithms.h"
#include "kbsim/coll.h"

enum { PARENT, LEFT, RIGHT, NEIGHBOURS };

typedef struct tree {
    bool has[NEIGHBOURS];
    uint32_t rank[NEIGHBOURS];
} tree;

static uint32_t middle(uint32_t first, uint32_t end) {
    return first + (end - first) / 2;
}

static tree place_of(uint32_t rank, uint32_t ranks) {
    tree t = {{false}, {0}};
    uint32_t first = 0, end = ranks;
    for (uint32_t at = middle(first, end); at != rank; at = middle(first, end)) {
        t.has[PARENT] = true;
        t.rank[PARENT] = at;
        if (rank < at)
            end = at;
        else
            first = at + 1;
    }
    t.has[LEFT] = first < rank;
    t.rank[LEFT] = middle(first, rank);
    t.has[RIGHT] = rank + 1 < end;
    t.rank[RIGHT] = middle(rank + 1, end);
    return t;
}

/* What of the buffer is left behind `done` elements, but a slot's worth at most. */
static tl_view segment(kb_coll *c, uint64_t done) {
    const uint64_t left = c->buffer.elements - done, most = kb_coll_slot_elements(c);
    return tl_slice(c, c->buffer, done, left < most ? left : most);
}

static void reduce_up(kb_coll *c, const tree *t) {
    uint64_t done = 0;
    for (uint64_t s = 0; done < c->buffer.elements; s++) {
        tl_view mine = segment(c, done);
        tl_step(c, "reduce", s);
        for (int child = LEFT; child <= RIGHT; child++) {
            if (!t->has[child])
                continue;
            tl_view in = tl_recv(c, tl_queue_from(c, t->rank[child]));
            tl_reduce(c, mine, in);
            tl_release(c, tl_queue_from(c, t->rank[child]));
        }
        if (t->has[PARENT])
            tl_send(c, tl_queue_to(c, t->rank[PARENT]), mine);
        done += mine.elements;
    }
}

static void broadcast_down(kb_coll *c, const tree *t) {
    uint64_t done = 0;
    for (uint64_t s = 0; done < c->buffer.elements; s++) {
        tl_view mine = segment(c, done);
        tl_step(c, "broadcast", s);
        if (t->has[PARENT]) {
            tl_view in = tl_recv(c, tl_queue_from(c, t->rank[PARENT]));
            tl_copy(c, mine, in);
            tl_release(c, tl_queue_from(c, t->rank[PARENT]));
        }
        for (int child = LEFT; child <= RIGHT; child++)
            if (t->has[child])
                tl_send(c, tl_queue_to(c, t->rank[child]), mine);
        done += mine.elements;
    }
}

static void up_and_down(kb_coll *c) {
    const tree t = place_of(c->rank, c->ranks);
    if (c->ranks == 1 || kb_coll_slot_elements(c) == 0)
        return;
    reduce_up(c, &t);
    broadcast_down(c, &t);
}

const kbs_algorithm kbs_algorithm_all_reduce_tree = {.name = "tree",
                                                     .collective = KB_COLL_ALL_REDUCE,
                                                     .help = "up and down a binary tree, slot by slot",
                                                     .record = up_and_down,
                                                     .by_slots = true};

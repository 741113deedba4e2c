/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk by time: what comes next, and going there; see walk.h.
 *
 * Events are a heap. At one time what is done comes first, so that who waited for it can begin; then what is
 * issued; then what starts. A rank has one event for the next of its ops, so every op that is issued by now
 * was read before one that starts now runs.
 */
#include <assert.h>

#include "walk/state.h"

/* In the order in which they come at one time. */
enum { EVENT_DONE, EVENT_ISSUE, EVENT_START };

/* --- the heap ---------------------------------------------------------------------------------- */

static bool comes_before(const kbr_event *a, const kbr_event *b) {
    if (a->at_ps != b->at_ps)
        return a->at_ps < b->at_ps;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return a->rank != b->rank ? a->rank < b->rank : a->index < b->index;
}

static kb_status add(kbr_walk_state *walk, const kbr_event *event, kb_trail *trail) {
    void *block = walk->events;
    KB_TRY(kb_grow(walk->pass->alloc, sizeof *walk->events, walk->event_count + 1, &walk->event_capacity,
                   &block, trail));
    walk->events = block;
    size_t at = walk->event_count++;
    for (; at > 0 && comes_before(event, &walk->events[(at - 1) / 2]); at = (at - 1) / 2)
        walk->events[at] = walk->events[(at - 1) / 2];
    walk->events[at] = *event;
    return KB_OK;
}

static kbr_event take_first(kbr_walk_state *walk) {
    kbr_event first = walk->events[0], last = walk->events[--walk->event_count];
    size_t at = 0, count = walk->event_count;
    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && comes_before(&walk->events[child + 1], &walk->events[child]))
            child++;
        if (!comes_before(&walk->events[child], &last))
            break;
        walk->events[at] = walk->events[child];
        at = child;
    }
    if (count > 0)
        walk->events[at] = last;
    return first;
}

kb_status kbr_walk_await_time(kbr_walk_state *walk, kbr_parked *it, kb_trail *trail) {
    bool ran = it->phase == KBR_RAN;
    kbr_event event = {.at_ps = ran ? it->op.done_ps : it->op.start_ps,
                       .kind = ran ? EVENT_DONE : EVENT_START,
                       .rank = it->node.rank,
                       .index = it->node.index,
                       .it = it};
    if (!ran)
        it->phase = KBR_READY;
    return add(walk, &event, trail);
}

kb_status kbr_walk_fetch(kbr_walk_state *walk, uint32_t rank, kb_trail *trail) {
    kbr_walk_rank *in = &walk->ranks[rank];
    in->next = NULL;
    kb_status status = kb_cursor_next(in->cursor, &in->next, trail);
    if (status == KB_END)
        in->ended = true;
    else if (status != KB_OK)
        return status;
    else
        in->last_issue_ps = in->next->issue_ps;
    if (in->readers.head != NULL && (in->ended || in->last_issue_ps > in->readers_ps))
        kbr_walk_wake(walk, &in->readers);
    if (in->ended)
        return KB_OK;
    kbr_event event = {
        .at_ps = in->next->issue_ps, .kind = EVENT_ISSUE, .rank = rank, .index = in->next->index};
    return add(walk, &event, trail);
}

/* --- going on ---------------------------------------------------------------------------------- */

static kb_status happen(kbr_walk_state *walk, const kbr_event *event, kb_trail *trail) {
    if (event->kind == EVENT_ISSUE) {
        bool parked;
        KB_TRY(kbr_walk_take(walk, event->rank, walk->ranks[event->rank].next, &parked, trail));
        KB_TRY(kbr_walk_fetch(walk, event->rank, trail));
    } else if (event->kind == EVENT_DONE) {
        kbr_walk_unpark(walk, event->it);
    } else if (walk->pass->random) {
        KB_TRY(kbr_walk_ready(walk, event->it, trail));
    } else {
        KB_TRY(kbr_walk_begin(walk, event->it, trail));
    }
    return kbr_walk_settle(walk, trail);
}

/* In the order of times. */
static kb_status advance(kbr_walk_state *walk, int64_t until_ps, uint64_t until_ops, bool *ret_arrived,
                         kb_trail *trail) {
    while (walk->event_count > 0 && walk->events[0].at_ps <= until_ps) {
        if (walk->events[0].at_ps > walk->now_ps) {
            if (walk->pass->result->ops >= until_ops) {
                *ret_arrived = false;
                return KB_OK;
            }
            walk->now_ps = walk->events[0].at_ps;
        }
        kbr_event event = take_first(walk);
        KB_TRY(happen(walk, &event, trail));
    }
    walk->now_ps = until_ps;
    *ret_arrived = true;
    return KB_OK;
}

static bool is_due(const kbr_walk_state *walk) {
    return walk->event_count > 0 && walk->events[0].at_ps <= walk->now_ps;
}

/* Some of what comes until then, and some of what may run drawn from it, again and again. */
static kb_status advance_drawn(kbr_walk_state *walk, int64_t until_ps, kb_trail *trail) {
    enum { ROUND = 256 };
    walk->now_ps = until_ps;
    while (is_due(walk) || walk->ready_count > 0) {
        for (int i = 0; i < ROUND && is_due(walk); i++) {
            kbr_event event = take_first(walk);
            KB_TRY(happen(walk, &event, trail));
        }
        KB_TRY(kbr_walk_run_drawn(walk, trail));
    }
    return KB_OK;
}

kb_status kbr_walk_advance(kbr_walk_state *walk, int64_t until_ps, uint64_t until_ops, bool *ret_arrived,
                           kb_trail *trail) {
    assert(until_ps >= walk->now_ps);
    if (!walk->pass->random)
        return advance(walk, until_ps, until_ops, ret_arrived, trail);
    *ret_arrived = true;
    return advance_drawn(walk, until_ps, trail);
}

int64_t kbr_walk_now(const kbr_walk_state *walk) {
    return walk->now_ps;
}

bool kbr_walk_exhausted(const kbr_walk_state *walk) {
    return walk->event_count == 0;
}

kb_status kbr_walk_changing(const kbr_walk_state *walk, kbr_changing_fn each, void *user, kb_trail *trail) {
    for (uint32_t rank = 0; rank < walk->pass->run->ranks; rank++)
        for (const kbr_parked *it = walk->ranks[rank].first; it != NULL; it = it->rank_next)
            if (it->phase >= KBR_LEFT)
                KB_TRY(each(user, rank, &it->op, trail));
    return KB_OK;
}

/* --- life -------------------------------------------------------------------------------------- */

kb_status kbr_walk_create(kbr_pass *pass, const kbr_visitor *visitor, kbr_walk_state **ret_walk,
                          kb_trail *trail) {
    void *block;
    KB_TRY(kb_new(pass->alloc, sizeof(kbr_walk_state), &block, trail));
    kbr_walk_state *walk = block;
    kb_status status = kbr_walk_init(walk, pass, visitor, trail);
    walk->timed = true;
    walk->parks_all = true;
    walk->now_ps = INT64_MIN;
    for (uint32_t rank = 0; status == KB_OK && rank < pass->run->ranks; rank++)
        status = kbr_walk_fetch(walk, rank, trail);
    if (status != KB_OK) {
        kbr_walk_destroy(walk);
        return status;
    }
    *ret_walk = walk;
    return KB_OK;
}

void kbr_walk_destroy(kbr_walk_state *walk) {
    if (walk == NULL)
        return;
    const kb_alloc *alloc = walk->pass->alloc;
    kbr_walk_fini(walk);
    kb_delete(alloc, walk->events, walk->event_capacity * sizeof *walk->events);
    kb_delete(alloc, walk, sizeof *walk);
}

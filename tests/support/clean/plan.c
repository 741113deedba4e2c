/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing a whole program: its machine, its phases, and which action comes next; see plan.h. */
#include "support/clean/plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/clean/host.h"
#include "support/clean/machine.h"
#include "support/clean/messages.h"
#include "support/clean/waits.h"
#include "support/clean/works.h"

/* --- memory and calls ------------------------------------------------------------------------ */

void *clean_new(clean_plan *plan, size_t size) {
    void *memory;
    kb_trail trail;
    kb_trail_init(&trail);
    if (kb_arena_new(&plan->arena, size, &memory, &trail) != KB_OK)
        abort();
    memset(memory, 0, size);
    return memory;
}

clean_call *clean_add_call(clean_plan *plan, uint32_t rank, clean_call_kind kind) {
    clean_call *call = clean_new(plan, sizeof *call);
    call->kind = kind;
    call->number = plan->call_count++;
    if (plan->first[rank] == NULL)
        plan->first[rank] = call;
    else
        plan->last[rank]->next = call;
    plan->last[rank] = call;
    return call;
}

/* --- small actions --------------------------------------------------------------------------- */

static bool clean_await_any(clean_plan *plan, uint32_t rank) {
    int found = CLEAN_NONE;
    uint64_t seen = 0;
    for (int op = 0; op < plan->op_count; op++)
        if (plan->ops[op].stream == rank && plan->ops[op].is_awaitable && clean_once_in(plan, ++seen))
            found = op;
    return found != CLEAN_NONE && clean_wait(plan, found, clean_once_in(plan, 2));
}

static bool clean_fence_any(clean_plan *plan, uint32_t rank) {
    clean_fence(plan, rank);
    return true;
}

static bool clean_barrier_any(clean_plan *plan, uint32_t rank) {
    const uint32_t some = (uint32_t)clean_below(plan, clean_everybody(plan) + 1);
    const uint32_t members = clean_once_in(plan, 2) ? plan->members : (some & plan->members) | 1U << rank;
    for (uint32_t member = 0; member < plan->ranks; member++)
        if ((members >> member & 1) != 0 && clean_once_in(plan, 2))
            clean_fence(plan, member);
    clean_barrier(plan, members);
    return true;
}

static bool clean_label(clean_plan *plan, uint32_t rank) {
    static const char *const labels[] = {"load", "work", "store", "round"};
    clean_call *call = clean_add_call(plan, rank, CLEAN_STEP);
    call->word = labels[clean_below(plan, 4)];
    call->variant = (uint32_t)clean_below(plan, 1000);
    return true;
}

/* A copy of nothing, or a function of it: there is no op for it. */
static bool clean_nothing(clean_plan *plan, uint32_t rank) {
    const clean_want want = {.rank = rank, .stream = rank, .is_near = true, .may_be_undefined = true};
    clean_view view;
    if (!clean_find(plan, &want, CLEAN_ENGINE_NONE, &view))
        return false;
    view = clean_view_of(plan, view.tensor);
    if (view.dims == 0 || !clean_slice(&view, 0, 0, 0))
        return false;
    clean_call *call = clean_add_call(plan, rank, clean_once_in(plan, 2) ? CLEAN_MOVE : CLEAN_MATH);
    call->variant = 2;
    call->func = KB_FUNC_NEG;
    call->count = 2;
    call->views[0] = call->views[1] = view;
    clean_do(plan, call, rank, CLEAN_ENGINE_NONE);
    return true;
}

static bool clean_meet_hosts(clean_plan *plan, uint32_t rank) {
    (void)rank;
    clean_host_barrier(plan);
    return true;
}

/* --- what comes next ------------------------------------------------------------------------- */

enum { KERNEL, HOST };

typedef struct action {
    bool (*draw)(clean_plan *plan, uint32_t rank);
    int where;
    uint64_t weight;
} action;

static const action actions[] = {
#define CLEAN_ACTION(name, WHERE, weight, help) {clean_##name, WHERE, weight},
#include "support/clean/actions.def"
#undef CLEAN_ACTION
};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

static void act(clean_plan *plan, int where, uint32_t rank) {
    uint64_t sum = 0;
    for (size_t i = 0; i < ACTIONS; i++)
        sum += actions[i].where == where ? actions[i].weight : 0;
    uint64_t drawn = clean_below(plan, sum);
    for (size_t i = 0; i < ACTIONS; i++) {
        if (actions[i].where != where)
            continue;
        if (drawn < actions[i].weight) {
            actions[i].draw(plan, rank);
            return;
        }
        drawn -= actions[i].weight;
    }
}

/* So many ops may be drawn still. */
static bool has_room(const clean_plan *plan) {
    return plan->op_count < CLEAN_OPS - 1200 && plan->tensor_count < CLEAN_TENSORS - 600 &&
           plan->message_count < CLEAN_MESSAGES - 200 && plan->cost < plan->most_cost;
}

/* A few ranks do more than the others. */
static void draw_kernel(clean_plan *plan, bool is_last) {
    const uint64_t steps = 1 + clean_below(plan, 40 * plan->ranks);
    clean_launch(plan, is_last);
    const uint32_t busy = clean_pick_member(plan);
    for (uint64_t i = 0; i < steps && has_room(plan); i++)
        act(plan, KERNEL, clean_once_in(plan, 4) ? busy : clean_pick_member(plan));
    if (is_last)
        clean_fence(plan, busy); /* a program that does nothing is refused */
    clean_end(plan, is_last);
}

static void draw_phases(clean_plan *plan) {
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        for (uint64_t tensors = 3 + clean_below(plan, 6); tensors > 0; tensors--)
            clean_tensor_any(plan, rank);
    for (uint64_t left = 1 + clean_below(plan, 6); left > 0; left--) {
        for (uint64_t i = clean_below(plan, 4 * plan->ranks); i > 0; i--)
            act(plan, HOST, clean_pick_rank(plan));
        if (left > 1 && clean_once_in(plan, 3))
            clean_all_reduce(plan);
        else
            draw_kernel(plan, left == 1);
    }
    for (uint64_t i = clean_below(plan, 4 * plan->ranks); i > 0; i--)
        act(plan, HOST, clean_pick_rank(plan));
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        clean_wait_launches(plan, rank);
}

/* --- the whole ------------------------------------------------------------------------------- */

static void draw_extents(clean_plan *plan) {
    static const uint64_t most[CLEAN_EXTENTS] = {4, 12, 30, 60};
    for (uint32_t i = 0; i < CLEAN_EXTENTS; i++)
        plan->extents[i] = 1 + clean_below(plan, most[i]);
}

clean_plan *clean_plan_create(uint64_t seed) {
    clean_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        abort();
    plan->seed = seed;
    random_init(&plan->random, seed);
    kb_arena_init(&plan->arena, kb_alloc_heap(), SIZE_MAX);
    plan->ops = clean_new(plan, CLEAN_OPS * sizeof *plan->ops);
    plan->tensors = clean_new(plan, CLEAN_TENSORS * sizeof *plan->tensors);
    plan->messages = clean_new(plan, CLEAN_MESSAGES * sizeof *plan->messages);
    plan->queues = clean_new(plan, CLEAN_QUEUES * sizeof *plan->queues);
    plan->most_cost = 100 + clean_below(plan, 2500);
    clean_machine_draw(plan);
    plan->members = clean_everybody(plan);
    draw_extents(plan);
    draw_phases(plan);
    clean_machine_finish(plan);
    return plan;
}

void clean_plan_destroy(clean_plan *plan) {
    if (plan == NULL)
        return;
    kb_arena_fini(&plan->arena);
    free(plan);
}

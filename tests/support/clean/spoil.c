/* SPDX-License-Identifier: Apache-2.0 */
/* Taking something away from a program that was drawn; see spoil.h. */
#include "support/clean/spoil.h"

#include <assert.h>

#include "support/clean/views.h"

static const char *const names[CLEAN_FAULTS] = {[CLEAN_NO_WAIT] = "no-wait",
                                                [CLEAN_NO_HOLD] = "no-hold",
                                                [CLEAN_NO_FENCE] = "no-fence",
                                                [CLEAN_NO_BARRIER] = "no-barrier",
                                                [CLEAN_EARLY_RELEASE] = "early-release",
                                                [CLEAN_NO_WRITE] = "no-write",
                                                [CLEAN_NO_LANDING] = "no-landing"};

const char *clean_fault_name(clean_fault fault) {
    return names[fault];
}

/* --- where ----------------------------------------------------------------------------------- */

static bool is_work(const clean_call *call) {
    return call->kind == CLEAN_MATH || call->kind == CLEAN_DOT || call->kind == CLEAN_MOVE;
}

static bool uses_message(const clean_call *call, int message) {
    bool uses = false;
    for (uint32_t i = 0; i < call->count; i++)
        uses = uses || (message != CLEAN_NONE ? call->views[i].message == message
                                              : call->views[i].message != CLEAN_NONE);
    return uses;
}

/* Whether the command could have given a token that stands for something. */
static bool can_go_on(const clean_plan *plan, const clean_call *call, uint32_t rank) {
    bool all_near = true, any_near = false;
    if (call->is_async || (!is_work(call) && call->kind != CLEAN_SEND))
        return false;
    for (uint32_t i = 0; i < call->count; i++) {
        const clean_view *view = &call->views[i];
        const bool is_near = clean_is_near(plan, view, rank);
        all_near = all_near && is_near;
        any_near = any_near || is_near;
        if (view->message != CLEAN_NONE && plan->messages[view->message].slots > 1)
            return false;
    }
    return all_near || (call->kind == CLEAN_MOVE && any_near && !uses_message(call, CLEAN_NONE));
}

/* Where the release of a message could come too early: behind the last call that uses it. */
static clean_call *last_use(clean_plan *plan, const clean_call *release, uint32_t rank) {
    clean_call *last = NULL;
    if (plan->messages[release->message].slots != 1)
        return NULL;
    for (clean_call *call = plan->first[rank]; call != release; call = call->next) {
        if (uses_message(call, release->message))
            last = call;
        else if (call->kind == CLEAN_RELEASE && call->queue == release->queue)
            last = NULL; /* the one before it must stay before it */
    }
    return last != NULL && last->is_async && last->next != release ? last : NULL;
}

static bool has_place(clean_plan *plan, const clean_call *call, uint32_t rank, clean_fault fault) {
    switch (fault) {
    case CLEAN_NO_WAIT: return call->kind == CLEAN_WAIT || call->kind == CLEAN_WAIT_SENT;
    case CLEAN_NO_HOLD: return can_go_on(plan, call, rank);
    case CLEAN_NO_FENCE: return call->kind == CLEAN_FENCE;
    case CLEAN_NO_BARRIER:
        return (call->kind == CLEAN_BARRIER && (call->members & ((1U << rank) - 1)) == 0) ||
               (call->kind == CLEAN_HOST_BARRIER && rank == 0);
    case CLEAN_NO_LANDING: return call->kind == CLEAN_WAIT_LAUNCH; /* in the end all are waited for */
    case CLEAN_EARLY_RELEASE: return call->kind == CLEAN_RELEASE && last_use(plan, call, rank) != NULL;
    default: return is_work(call) && !uses_message(call, CLEAN_NONE);
    }
}

/* --- what ------------------------------------------------------------------------------------ */

static void leave_out_barrier(clean_plan *plan, uint32_t number) {
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        for (clean_call *call = plan->first[rank]; call != NULL; call = call->next)
            if ((call->kind == CLEAN_BARRIER || call->kind == CLEAN_HOST_BARRIER) && call->variant == number)
                call->is_left_out = true;
}

static void release_early(clean_plan *plan, clean_call *release, uint32_t rank) {
    clean_call *use = last_use(plan, release, rank), *before = use;
    while (before->next != release)
        before = before->next;
    before->next = release->next;
    release->next = use->next;
    use->next = release;
    if (plan->last[rank] == release)
        plan->last[rank] = before;
}

static void spoil(clean_plan *plan, clean_call *call, uint32_t rank, clean_fault fault) {
    if (fault == CLEAN_NO_BARRIER)
        leave_out_barrier(plan, call->variant);
    else if (fault == CLEAN_EARLY_RELEASE)
        release_early(plan, call, rank);
    else if (fault == CLEAN_NO_HOLD)
        call->is_async = true; /* every kernel ends with a wait for all tokens */
    else
        call->is_left_out = true;
}

uint32_t clean_spoil_count(clean_plan *plan, clean_fault fault) {
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        for (const clean_call *call = plan->first[rank]; call != NULL; call = call->next)
            count += has_place(plan, call, rank, fault);
    return count;
}

const clean_call *clean_spoil(clean_plan *plan, clean_fault fault, uint32_t number) {
    uint32_t left = number % clean_spoil_count(plan, fault);
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        for (clean_call *call = plan->first[rank]; call != NULL; call = call->next)
            if (has_place(plan, call, rank, fault) && left-- == 0) {
                spoil(plan, call, rank, fault);
                return call;
            }
    assert(false);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Making a stream know of ops; see waits.h. */
#include "support/clean/waits.h"

#include <assert.h>

#include "support/clean/host.h"
#include "support/clean/messages.h"

/* --- credits --------------------------------------------------------------------------------- */

static bool has_credits(const clean_plan *plan, const clean_message *message) {
    const clean_queue *queue = &plan->queues[message->queue];
    return message->first_slot + message->slots <= queue->released + plan->machine.at.ipcq_slots;
}

/* The consumer uses up messages until the message has its credits. */
static void give_credits(clean_plan *plan, const clean_message *message) {
    while (!has_credits(plan, message))
        clean_make_room(plan, message->queue);
}

void clean_give_credits(clean_plan *plan, uint32_t rank) {
    for (int i = 0; i < plan->message_count; i++)
        if (plan->queues[plan->messages[i].queue].from == rank)
            give_credits(plan, &plan->messages[i]);
}

/* --- within a stream ------------------------------------------------------------------------- */

static void observe(clean_plan *plan, int op, bool done) {
    plan->ops[op].is_awaitable = false;
    clean_observe(plan, plan->ops[op].stream, op, done);
}

bool clean_wait(clean_plan *plan, int op, bool done) {
    if (!plan->ops[op].is_awaitable)
        return false;
    if (plan->ops[op].message != CLEAN_NONE)
        give_credits(plan, &plan->messages[plan->ops[op].message]);
    if (!plan->ops[op].is_awaitable) /* it was waited for on the way */
        return clean_knows(&plan->streams[plan->ops[op].stream].known, op, done);
    clean_add_call(plan, plan->ops[op].stream, done ? CLEAN_WAIT : CLEAN_WAIT_SENT)->op = op;
    observe(plan, op, done);
    return true;
}

void clean_wait_all(clean_plan *plan, uint32_t rank) {
    clean_give_credits(plan, rank);
    clean_add_call(plan, rank, CLEAN_WAIT_ALL);
    for (int op = 0; op < plan->op_count; op++)
        if (plan->ops[op].stream == rank && plan->ops[op].is_awaitable)
            observe(plan, op, true);
}

void clean_fence(clean_plan *plan, uint32_t rank) {
    clean_give_credits(plan, rank);
    clean_add_call(plan, rank, CLEAN_FENCE);
    clean_join(&plan->streams[rank].known, &plan->streams[rank].all);
}

/* --- between streams ------------------------------------------------------------------------- */

void clean_barrier(clean_plan *plan, uint32_t members) {
    clean_known joined = {{0}};
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        if ((members >> rank & 1) != 0)
            clean_join(&joined, &plan->streams[rank].known);
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        if ((members >> rank & 1) != 0) {
            clean_call *call = clean_add_call(plan, rank, CLEAN_BARRIER);
            call->members = members;
            call->variant = plan->barrier_count;
            plan->streams[rank].known = joined;
        }
    plan->barrier_count++;
}

void clean_host_barrier(clean_plan *plan) {
    clean_known joined = {{0}};
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        clean_join(&joined, &plan->streams[clean_host_of(plan, rank)].known);
    for (uint32_t rank = 0; rank < plan->ranks; rank++) {
        clean_add_call(plan, rank, CLEAN_HOST_BARRIER)->variant = plan->barrier_count;
        plan->streams[clean_host_of(plan, rank)].known = joined;
    }
    plan->barrier_count++;
}

static void tell(clean_plan *plan, uint32_t from, uint32_t to) {
    if (!clean_once_in(plan, 3) && clean_notify(plan, from, to))
        return;
    clean_barrier(plan, clean_once_in(plan, 3) ? plan->members : 1U << from | 1U << to);
}

static bool settle_own(clean_plan *plan, uint32_t rank, int op, bool done) {
    if (!clean_wait(plan, op, done))
        clean_fence(plan, rank); /* nobody can wait for it any more, or it was waited for until it was sent */
    return true;
}

bool clean_settle(clean_plan *plan, uint32_t stream, int op, bool done) {
    const uint32_t other = plan->ops[op].stream;
    if (stream >= plan->ranks) {
        if (plan->is_settling || !clean_once_in(plan, 2))
            return false;
        if (other >= plan->ranks || !clean_wait_launch(plan, stream - plan->ranks))
            clean_host_barrier(plan);
        return clean_knows(&plan->streams[stream].known, op, done);
    }
    if (other == stream)
        return settle_own(plan, stream, op, done);
    if (other >= plan->ranks || !clean_takes_part(plan, other) || plan->is_settling ||
        !clean_once_in(plan, 3))
        return false;
    plan->is_settling = true;
    if (!clean_knows(&plan->streams[other].known, op, done))
        settle_own(plan, other, op, done);
    tell(plan, other, stream);
    plan->is_settling = false;
    return clean_knows(&plan->streams[stream].known, op, done);
}

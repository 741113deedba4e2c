/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a program that is being drawn; see messages.h. */
#include "support/clean/messages.h"

#include <assert.h>
#include <string.h>

#include "support/clean/uses.h"
#include "support/clean/waits.h"
#include "support/clean/works.h"

/* --- queues ---------------------------------------------------------------------------------- */

static int queue_between(clean_plan *plan, uint32_t from, uint32_t to, uint32_t channel) {
    int id = 0;
    for (; id < plan->queue_count; id++) {
        const clean_queue *queue = &plan->queues[id];
        if (queue->from == from && queue->to == to && queue->channel == channel)
            return id;
    }
    if (id == CLEAN_QUEUES)
        return CLEAN_NONE;
    plan->queue_count++;
    plan->queues[id].from = from;
    plan->queues[id].to = to;
    plan->queues[id].channel = channel;
    return id;
}

static bool has_credits(const clean_plan *plan, const clean_queue *queue, uint64_t end_slot) {
    return end_slot <= queue->released + plan->machine.at.ipcq_slots;
}

/* Messages in the queue's send FIFO that have not begun: beyond the engine's depth they hold the sender. */
static uint64_t held_back(const clean_plan *plan, const clean_queue *queue) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < queue->message_count; i++)
        count += plan->messages[queue->messages[i]].slots > 0 &&
                 !has_credits(plan, queue, plan->messages[queue->messages[i]].first_slot + 1);
    return count;
}

static uint64_t slots_of(const clean_plan *plan, uint64_t elements, uint32_t dtype) {
    const uint64_t most = plan->machine.at.ipcq_slot_bytes / kb_dtype_size(dtype);
    return (elements + most - 1) / most;
}

/* --- sending --------------------------------------------------------------------------------- */

static void define(clean_plan *plan, clean_message *message, const clean_view *view) {
    uint32_t list[CLEAN_ELEMENTS];
    const uint64_t count = clean_list(view, list);
    const uint64_t *defined = view->tensor != CLEAN_NONE ? plan->tensors[view->tensor].defined
                                                         : plan->messages[view->message].defined;
    message->defined = clean_new(plan, CLEAN_MASK_WORDS * sizeof(uint64_t));
    for (uint64_t i = 0; i < count; i++)
        clean_set(message->defined, i, clean_has(defined, list[i]));
}

static int add_message(clean_plan *plan, int queue_id, const clean_view *view) {
    clean_queue *queue = &plan->queues[queue_id];
    const int number = plan->message_count++;
    clean_message *message = &plan->messages[number];
    *message = (clean_message){.queue = queue_id,
                               .dtype = view->dtype,
                               .dims = view->dims,
                               .elements = clean_count(view),
                               .first_slot = queue->sent};
    memcpy(message->shape, view->shape, sizeof message->shape);
    message->slots = slots_of(plan, message->elements, message->dtype);
    define(plan, message, view);
    queue->messages[queue->message_count++] = number;
    queue->sent += message->slots;
    return number;
}

/* The credit that a message of one slot claims, if its release is drawn already. */
static const clean_known *credit_of(const clean_plan *plan, const clean_queue *queue, uint64_t slots) {
    const uint64_t ring = plan->machine.at.ipcq_slots;
    return slots == 1 && queue->sent >= ring ? queue->credits[queue->sent - ring] : NULL;
}

/* A copy reads it where it lies, in whichever memory of its own PE. */
static bool is_own_memory(const clean_plan *plan, const clean_view *view, uint32_t rank) {
    return view->message != CLEAN_NONE || plan->tensors[view->tensor].rank == rank;
}

/* A view that is admitted is sent, as a token or until its source is free. */
static int send(clean_plan *plan, int queue_id, const clean_view *view, bool is_async) {
    clean_queue *queue = &plan->queues[queue_id];
    const uint32_t rank = queue->from;
    const bool is_own = is_own_memory(plan, view, rank);
    clean_call *call = clean_add_call(plan, rank, CLEAN_SEND);
    call->queue = queue_id;
    call->is_async = is_async;
    call->count = 1;
    call->views[0] = *view;
    if (clean_count(view) == 0) {
        const int number = add_message(plan, queue_id, view);
        call->op = clean_issue(plan, rank, CLEAN_ENGINE_NONE); /* of no token, and no op of the trace */
        plan->ops[call->op].message = number;
        return number;
    }
    if (!is_own) { /* it is loaded into scratch by then */
        call->is_async = false;
        clean_do(plan, call, rank, CLEAN_ENGINE_NONE);
        call->is_async = is_async;
        call->op = clean_issue(plan, rank, CLEAN_ENGINE_NONE);
        plan->ops[call->op].before = plan->streams[rank].known;
        plan->ops[call->op].is_awaitable = is_async;
    } else {
        call->is_async = true; /* it is not done, whatever is waited for */
        clean_do(plan, call, rank, CLEAN_ENGINE_NONE);
        call->is_async = is_async;
        plan->ops[call->op].is_awaitable = is_async;
    }
    const int number = add_message(plan, queue_id, view);
    plan->messages[number].copy = call->op;
    plan->ops[call->op].message = number;
    plan->cost += plan->messages[number].slots * 4;
    if (!is_async)
        clean_observe(plan, rank, call->op, false);
    return number;
}

/* A blocking send that has not all its credits goes on while the consumer uses it up: it does so at once. */
static bool may_block(const clean_plan *plan, const clean_queue *queue, uint64_t slots) {
    return has_credits(plan, queue, queue->sent + slots) ||
           (queue->given_back == queue->message_count && queue->released == queue->sent);
}

static bool has_room(const clean_plan *plan, const clean_queue *queue, uint64_t slots) {
    return plan->message_count < CLEAN_MESSAGES && queue->sent + slots <= CLEAN_SLOTS;
}

static bool can_send(clean_plan *plan, int queue_id, const clean_view *view, bool is_async) {
    const clean_queue *queue = &plan->queues[queue_id];
    const uint64_t slots = slots_of(plan, clean_count(view), view->dtype);
    clean_view flat = *view;
    const uint64_t count = clean_count(view);
    if (slots > 1 && clean_is_near(plan, view, queue->from) && !clean_reshape(&flat, 1, &count))
        return false;
    return slots <= 12 && has_room(plan, queue, slots) &&
           (is_async ? held_back(plan, queue) < plan->machine.at.engine_queue_depth
                     : may_block(plan, queue, slots));
}

bool clean_send(clean_plan *plan, uint32_t rank) {
    if (plan->ranks == 1)
        return false;
    const uint32_t to = (rank + 1 + (uint32_t)clean_below(plan, plan->ranks - 1)) % plan->ranks;
    if (!clean_takes_part(plan, to))
        return false;
    const int queue =
        queue_between(plan, rank, to, clean_once_in(plan, 3) ? (uint32_t)clean_below(plan, 4) : 0);
    const bool is_async = !clean_once_in(plan, 3);
    const clean_want want = {.rank = rank,
                             .stream = rank,
                             .any_dtype = true,
                             .is_near = !clean_once_in(plan, 4),
                             .may_be_undefined = clean_once_in(plan, 8)};
    clean_view view;
    if (queue == CLEAN_NONE)
        return false;
    /* What lies elsewhere is loaded first, and that asks for no credit. */
    plan->credit = want.is_near ? credit_of(plan, &plan->queues[queue], 1) : NULL;
    const bool found = clean_find(plan, &want, CLEAN_ENGINE_NONE, &view);
    plan->credit = NULL;
    if (!found)
        return false;
    if (view.dims > 0 && clean_once_in(plan, 20))
        (void)clean_slice(&view, 0, 0, 0);
    if (slots_of(plan, clean_count(&view), view.dtype) == 1 && want.is_near)
        plan->credit = credit_of(plan, &plan->queues[queue], 1);
    const bool sends =
        clean_admit(plan, &want, CLEAN_ENGINE_NONE, &view) && can_send(plan, queue, &view, is_async);
    if (sends) {
        const int number = send(plan, queue, &view, is_async);
        if (!is_async)
            while (!has_credits(plan, &plan->queues[queue], plan->queues[queue].sent))
                clean_make_room(plan, plan->messages[number].queue);
    }
    plan->credit = NULL;
    return sends;
}

/* --- receiving ------------------------------------------------------------------------------- */

int clean_receivable(const clean_plan *plan, const clean_queue *queue) {
    if (queue->received == queue->message_count)
        return CLEAN_NONE;
    const int number = queue->messages[queue->received];
    const clean_message *message = &plan->messages[number];
    const bool comes = message->slots <= 1
                           ? has_credits(plan, queue, message->first_slot + message->slots)
                           : queue->given_back == queue->received && queue->released == message->first_slot;
    return comes ? number : CLEAN_NONE;
}

/* What uses it knows what its sender knew. */
static void meet(clean_plan *plan, int number) {
    clean_message *message = &plan->messages[number];
    clean_queue *queue = &plan->queues[message->queue];
    if (message->state != CLEAN_SENT)
        return;
    assert(queue->messages[queue->received] == number);
    clean_call *call = clean_add_call(plan, queue->to, CLEAN_RECV);
    call->message = number;
    call->queue = message->queue;
    if (message->slots > 1) {
        message->knew = clean_new(plan, sizeof *message->knew);
        *message->knew = plan->streams[queue->to].known;
    }
    if (message->slots > 0) { /* what is empty is not sent, and tells nothing */
        clean_join_done(plan, &plan->streams[queue->to].known, message->copy);
        clean_join_done(plan, &plan->streams[queue->to].all, message->copy);
    }
    message->state = CLEAN_OPEN;
    queue->received++;
}

void clean_use(clean_plan *plan, clean_call *made, int number, uint32_t engine) {
    clean_message *message = &plan->messages[number];
    const uint32_t rank = plan->queues[message->queue].to;
    meet(plan, number);
    clean_call *call = clean_add_call(plan, rank, made->kind);
    made->number = call->number;
    made->next = call->next;
    *call = *made;
    clean_do(plan, call, rank, engine);
    plan->cost += message->slots * 2;
}

static void release_oldest(clean_plan *plan, int queue_id) {
    clean_queue *queue = &plan->queues[queue_id];
    clean_message *message = &plan->messages[queue->messages[queue->given_back]];
    const uint32_t rank = queue->to;
    for (;;) {
        clean_consider(plan, rank, CLEAN_ENGINE_NONE);
        const int reader = clean_unread(plan, message);
        if (reader == CLEAN_NONE)
            break;
        clean_settle(plan, rank, reader, false);
    }
    const int op = clean_issue(plan, rank, CLEAN_ENGINE_NONE);
    clean_call *call = clean_add_call(plan, rank, CLEAN_RELEASE);
    call->queue = queue_id;
    call->message = queue->messages[queue->given_back];
    for (uint64_t i = 0; i < message->slots; i++) {
        clean_known *known = clean_new(plan, sizeof *known);
        if (message->slots == 1)
            clean_join_done(plan, known, op);
        else /* of a long one, slots are given back before the next ones come */
            clean_join(known, message->knew);
        queue->credits[message->first_slot + i] = known;
    }
    message->state = CLEAN_GONE;
    queue->released += message->slots;
    queue->given_back++;
}

/* Copies the next message into fresh scratch, and gives it back. */
static void take(clean_plan *plan, int queue_id) {
    const clean_queue *queue = &plan->queues[queue_id];
    const int number = clean_receivable(plan, queue);
    assert(number != CLEAN_NONE);
    const clean_message *message = &plan->messages[number];
    clean_call call = {.kind = CLEAN_MOVE, .variant = 2, .count = 2};
    call.views[0] = clean_scratch(plan, queue->to, message->dtype, 1, &message->elements);
    call.views[1] = clean_view_of_message(plan, number);
    clean_use(plan, &call, number, CLEAN_ENGINE_NONE);
    release_oldest(plan, queue_id);
}

void clean_make_room(clean_plan *plan, int queue_id) {
    const clean_queue *queue = &plan->queues[queue_id];
    assert(queue->given_back < queue->message_count);
    const clean_known *credit = plan->credit;
    plan->credit = NULL;
    if (queue->given_back < queue->received)
        release_oldest(plan, queue_id);
    else
        take(plan, queue_id);
    plan->credit = credit;
}

bool clean_notify(clean_plan *plan, uint32_t from, uint32_t to) {
    const int queue = queue_between(plan, from, to, clean_once_in(plan, 3) ? 1 : 0);
    if (queue == CLEAN_NONE || !has_room(plan, &plan->queues[queue], 1))
        return false;
    const clean_view view =
        clean_filled(plan, from, KB_DTYPE_I8, 1, (const uint64_t[]){1 + clean_below(plan, 4)});
    const clean_want want = {.rank = from, .stream = from};
    if (!clean_admit(plan, &want, CLEAN_ENGINE_NONE, &view))
        return false;
    while (held_back(plan, &plan->queues[queue]) >= plan->machine.at.engine_queue_depth)
        clean_make_room(plan, queue);
    clean_consider(plan, from, CLEAN_ENGINE_NONE);
    const int number = send(plan, queue, &view, true);
    while (plan->messages[number].state == CLEAN_SENT)
        clean_make_room(plan, queue);
    return true;
}

/* --- drawn ----------------------------------------------------------------------------------- */

/* A message that can be used now: a new one, or one that is held. */
static int any_message(clean_plan *plan, bool is_new) {
    int found[CLEAN_QUEUES];
    uint64_t count = 0;
    for (int id = 0; id < plan->queue_count; id++) {
        const clean_queue *queue = &plan->queues[id];
        if (!clean_takes_part(plan, queue->to))
            continue;
        if (is_new) {
            found[count] = clean_receivable(plan, queue);
            count += found[count] != CLEAN_NONE;
        } else if (queue->given_back < queue->received) {
            found[count++] =
                queue->messages[queue->given_back + clean_below(plan, queue->received - queue->given_back)];
        }
    }
    return count > 0 ? found[clean_below(plan, count)] : CLEAN_NONE;
}

bool clean_receive(clean_plan *plan, uint32_t rank) {
    const int number = any_message(plan, true);
    (void)rank; /* who is next is whom a message waits for */
    if (number == CLEAN_NONE)
        return false;
    const clean_message *message = &plan->messages[number];
    if (message->elements == 0)
        take(plan, message->queue);
    else if (!clean_use_once(plan, number))
        return false;
    while (message->slots > 1 && message->state != CLEAN_GONE)
        release_oldest(plan, message->queue);
    return true;
}

bool clean_use_again(clean_plan *plan, uint32_t rank) {
    const int number = any_message(plan, false);
    (void)rank;
    return number != CLEAN_NONE && plan->messages[number].reader_count < CLEAN_READERS - 1 &&
           clean_use_once(plan, number);
}

/* Only what can be sent at once: else two PEs that send on what they got from each other could hang. */
bool clean_forward(clean_plan *plan, uint32_t any) {
    const int number = any_message(plan, false);
    (void)any;
    if (number == CLEAN_NONE)
        return false;
    const clean_message *message = &plan->messages[number];
    const uint32_t rank = plan->queues[message->queue].to,
                   to = (rank + 1 + (uint32_t)clean_below(plan, plan->ranks - 1)) % plan->ranks;
    if (!clean_takes_part(plan, to))
        return false;
    const int queue_id = queue_between(plan, rank, to, (uint32_t)clean_below(plan, 2));
    if (queue_id == CLEAN_NONE || message->reader_count >= CLEAN_READERS - 1)
        return false;
    const clean_queue *queue = &plan->queues[queue_id];
    if (!has_room(plan, queue, 1) || !has_credits(plan, queue, queue->sent + 1))
        return false;
    const clean_view view = clean_view_of_message(plan, number);
    clean_consider(plan, rank, CLEAN_ENGINE_NONE);
    send(plan, queue_id, &view, clean_once_in(plan, 2));
    return true;
}

bool clean_release(clean_plan *plan, uint32_t rank) {
    const int number = any_message(plan, false);
    (void)rank;
    if (number == CLEAN_NONE)
        return false;
    release_oldest(plan, plan->messages[number].queue);
    return true;
}

void clean_use_up(clean_plan *plan, bool all) {
    for (int id = 0; id < plan->queue_count; id++) {
        const clean_queue *queue = &plan->queues[id];
        if (!clean_takes_part(plan, queue->to))
            continue;
        while (queue->given_back < queue->received)
            release_oldest(plan, id);
        /* Collectives use channel 0; on the others messages may wait for a later kernel. */
        while ((all || queue->channel == 0 || clean_once_in(plan, 2)) &&
               queue->given_back < queue->message_count)
            clean_make_room(plan, id);
    }
}

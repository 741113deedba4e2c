/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a program that was spoilt works on what nothing wrote: its calls, once more. See spoil.h. */
#include <stdlib.h>
#include <string.h>

#include "support/clean/spoil.h"
#include "support/clean/views.h"

typedef struct contents {
    const clean_plan *plan;
    uint64_t (*tensors)[CLEAN_MASK_WORDS], (*messages)[CLEAN_MASK_WORDS]; /* what of each is defined */
    bool is_found;
} contents;

/* Where an operand's elements are, and which of them are defined. */
static uint64_t *find(contents *it, const clean_view *view, uint32_t list[CLEAN_ELEMENTS],
                      uint64_t *ret_count) {
    if (view->message == CLEAN_NONE) {
        *ret_count = clean_list(view, list);
        return it->tensors[view->tensor];
    }
    *ret_count = it->plan->messages[view->message].elements;
    for (uint32_t i = 0; i < *ret_count; i++)
        list[i] = i;
    return it->messages[view->message];
}

static void look(contents *it, const clean_view *view) {
    uint32_t list[CLEAN_ELEMENTS];
    uint64_t count;
    const uint64_t *defined = find(it, view, list, &count);
    for (uint64_t i = 0; i < count; i++)
        it->is_found = it->is_found || !clean_has(defined, list[i]);
}

static void define(contents *it, const clean_view *view) {
    uint32_t list[CLEAN_ELEMENTS];
    uint64_t count;
    uint64_t *defined = find(it, view, list, &count);
    for (uint64_t i = 0; i < count; i++)
        clean_set(defined, list[i], true);
}

/* `into` becomes defined where `from` is; all of it is read before. */
static void carry(contents *it, uint64_t *into, const uint32_t *places, const clean_view *from) {
    uint32_t list[CLEAN_ELEMENTS];
    bool states[CLEAN_ELEMENTS];
    uint64_t count;
    const uint64_t *defined = find(it, from, list, &count);
    for (uint64_t i = 0; i < count; i++)
        states[i] = clean_has(defined, list[i]);
    for (uint64_t i = 0; i < count; i++)
        clean_set(into, places[i], states[i]);
}

static void move(contents *it, const clean_call *call) {
    uint32_t list[CLEAN_ELEMENTS];
    uint64_t count;
    uint64_t *into = find(it, &call->views[0], list, &count);
    carry(it, into, list, &call->views[1]);
}

static void send(contents *it, const clean_call *call) {
    const int message = it->plan->ops[call->op].message;
    const clean_view into = clean_view_of_message(it->plan, message);
    uint32_t list[CLEAN_ELEMENTS];
    uint64_t count;
    uint64_t *defined = find(it, &into, list, &count);
    carry(it, defined, list, &call->views[0]);
}

static void begin(contents *it, int tensor) {
    const bool is_defined = it->plan->tensors[tensor].recipe != 0;
    memset(it->tensors[tensor], is_defined ? 0xFF : 0, sizeof it->tensors[tensor]);
}

static void go_through(contents *it, const clean_call *call) {
    switch (call->kind) {
    case CLEAN_TENSOR:
    case CLEAN_SCRATCH: begin(it, call->tensor); break;
    case CLEAN_HOST_WRITE: define(it, &call->views[0]); break;
    case CLEAN_HOST_READ:
    case CLEAN_PEEK: look(it, &call->views[0]); break;
    case CLEAN_MOVE: move(it, call); break;
    case CLEAN_SEND: send(it, call); break;
    case CLEAN_ALL_REDUCE: look(it, &call->views[0]); break;
    case CLEAN_MATH:
    case CLEAN_DOT:
        for (uint32_t i = call->adds ? 0 : 1; i < call->count; i++)
            look(it, &call->views[i]);
        define(it, &call->views[0]);
        break;
    default: break;
    }
}

bool clean_is_undefined(const clean_plan *plan) {
    const clean_call *at[CLEAN_RANKS];
    contents it = {.plan = plan};
    it.tensors = calloc((size_t)plan->tensor_count + 1, sizeof *it.tensors);
    it.messages = calloc((size_t)plan->message_count + 1, sizeof *it.messages);
    if (it.tensors == NULL || it.messages == NULL)
        abort();
    memcpy(at, plan->first, sizeof at);
    for (uint32_t next = 0; next < CLEAN_RANKS;) { /* by number: each comes behind what it depends on */
        next = CLEAN_RANKS;
        for (uint32_t rank = 0; rank < plan->ranks; rank++)
            if (at[rank] != NULL && (next == CLEAN_RANKS || at[rank]->number < at[next]->number))
                next = rank;
        if (next == CLEAN_RANKS)
            break;
        if (!at[next]->is_left_out)
            go_through(&it, at[next]);
        at[next] = at[next]->next;
    }
    free(it.tensors);
    free(it.messages);
    return it.is_found;
}

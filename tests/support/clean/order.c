/* SPDX-License-Identifier: Apache-2.0 */
/* What is ordered in a program that is being drawn; see order.h. */
#include "support/clean/order.h"

#include <assert.h>
#include <string.h>

void clean_join(clean_known *into, const clean_known *from) {
    for (size_t i = 0; i < CLEAN_KNOWN_WORDS; i++)
        into->bits[i] |= from->bits[i];
}

bool clean_knows(const clean_known *known, int op, bool done) {
    return clean_has(known->bits, 2 * (uint64_t)op + done);
}

static void know(clean_known *known, int op, bool done) {
    clean_set(known->bits, 2 * (uint64_t)op, true);
    if (done)
        clean_set(known->bits, 2 * (uint64_t)op + 1, true);
}

void clean_consider(clean_plan *plan, uint32_t stream, uint32_t engine) {
    plan->now = plan->streams[stream].known;
    if (engine != CLEAN_ENGINE_NONE)
        clean_join(&plan->now, &plan->streams[stream].engines[engine]);
    if (plan->credit != NULL)
        clean_join(&plan->now, plan->credit);
}

int clean_conflict(const clean_plan *plan, const clean_tensor *tensor, const uint64_t *elements, bool writes,
                   bool *ret_done) {
    const uint64_t words = (tensor->elements + 63) / 64;
    for (const clean_access *access = tensor->accesses; access != NULL; access = access->next) {
        if ((!writes && !access->writes) || clean_knows(&plan->now, access->op, access->writes))
            continue;
        for (uint64_t i = 0; i < words; i++)
            if ((access->elements[i] & elements[i]) != 0) {
                *ret_done = access->writes;
                return access->op;
            }
    }
    return CLEAN_NONE;
}

int clean_unread(const clean_plan *plan, const clean_message *message) {
    for (uint32_t i = 0; i < message->reader_count; i++)
        if (!clean_knows(&plan->now, message->readers[i], false))
            return message->readers[i];
    return CLEAN_NONE;
}

int clean_issue(clean_plan *plan, uint32_t stream, uint32_t engine) {
    assert(plan->op_count < CLEAN_OPS);
    const int number = plan->op_count++;
    clean_op *op = &plan->ops[number];
    op->before = plan->now;
    op->stream = stream;
    op->message = CLEAN_NONE;
    clean_join_done(plan, &plan->streams[stream].all, number);
    if (engine != CLEAN_ENGINE_NONE)
        clean_join_done(plan, &plan->streams[stream].engines[engine], number);
    return number;
}

/* What is ordered behind `writer` need not be compared with what that one came after. */
static bool is_covered(const clean_access *access, const uint64_t *elements, uint64_t words) {
    for (uint64_t i = 0; i < words; i++)
        if ((access->elements[i] & ~elements[i]) != 0)
            return false;
    return true;
}

void clean_touch(clean_plan *plan, int op, clean_tensor *tensor, const uint64_t *elements, bool writes) {
    const uint64_t words = (tensor->elements + 63) / 64;
    for (clean_access **at = &tensor->accesses; writes && *at != NULL;) {
        if ((*at)->op != op && is_covered(*at, elements, words))
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    clean_access *access = clean_new(plan, sizeof *access + words * sizeof(uint64_t));
    access->op = op;
    access->writes = writes;
    memcpy(access->elements, elements, words * sizeof(uint64_t));
    access->next = tensor->accesses;
    tensor->accesses = access;
}

void clean_observe(clean_plan *plan, uint32_t stream, int op, bool done) {
    clean_known *known = &plan->streams[stream].known;
    clean_join(known, &plan->ops[op].before);
    know(known, op, done);
}

void clean_join_done(const clean_plan *plan, clean_known *into, int op) {
    clean_join(into, &plan->ops[op].before);
    know(into, op, true);
}

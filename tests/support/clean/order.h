/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is ordered in a program that is being drawn: what each stream has observed, op by op, and who touched
 * what. It knows of fewer edges than there are, and never of more: a message of several slots brings no
 * credits' knowledge, and a call that moves through scratch is one op.
 */
#ifndef KB_TESTS_CLEAN_ORDER_H
#define KB_TESTS_CLEAN_ORDER_H

#include "support/clean/plan.h"

void clean_join(clean_known *into, const clean_known *from);
bool clean_knows(const clean_known *known, int op, bool done);

/* plan->now becomes what an op of that stream, issued now to that engine, comes after. */
void clean_consider(clean_plan *plan, uint32_t stream, uint32_t engine);

/* The first op that touches one of the elements and is not known to come before plan->now; or CLEAN_NONE. */
int clean_conflict(const clean_plan *plan, const clean_tensor *tensor, const uint64_t *elements, bool writes,
                   bool *ret_done);
/* The same of a message's readers, before it is released. */
int clean_unread(const clean_plan *plan, const clean_message *message);

/* The op that was considered is issued: nobody has observed it yet. */
int clean_issue(clean_plan *plan, uint32_t stream, uint32_t engine);
/* It touches these elements. */
void clean_touch(clean_plan *plan, int op, clean_tensor *tensor, const uint64_t *elements, bool writes);
/* Its stream comes to know that it is sent, or done. */
void clean_observe(clean_plan *plan, uint32_t stream, int op, bool done);
/* What comes after it is done: `into` grows. */
void clean_join_done(const clean_plan *plan, clean_known *into, int op);

/* --- elements -------------------------------------------------------------------------------- */

enum { CLEAN_MASK_WORDS = CLEAN_ELEMENTS / 64 };

static inline bool clean_has(const uint64_t *mask, uint64_t element) {
    return (mask[element / 64] >> element % 64 & 1) != 0;
}
static inline void clean_set(uint64_t *mask, uint64_t element, bool value) {
    const uint64_t bit = UINT64_C(1) << element % 64;
    mask[element / 64] = value ? mask[element / 64] | bit : mask[element / 64] & ~bit;
}

#endif

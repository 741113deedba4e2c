/* SPDX-License-Identifier: Apache-2.0 */
/* Making a stream know of ops: by waits, fences, barriers and messages. */
#ifndef KB_TESTS_CLEAN_WAITS_H
#define KB_TESTS_CLEAN_WAITS_H

#include "support/clean/order.h"

/* Waits for a token's op; false where the op has no token any more, or may never end. */
bool clean_wait(clean_plan *plan, int op, bool done);
/* Others take messages until all that a PE has sent has its credits. */
void clean_give_credits(clean_plan *plan, uint32_t rank);
void clean_fence(clean_plan *plan, uint32_t rank);
/* A bit a rank. */
void clean_barrier(clean_plan *plan, uint32_t members);
void clean_host_barrier(clean_plan *plan);
/* For every token of a PE. */
void clean_wait_all(clean_plan *plan, uint32_t rank);

/* Makes a stream know that an op is sent, or done, by what takes least; false where that is too much. */
bool clean_settle(clean_plan *plan, uint32_t stream, int op, bool done);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a program that is being drawn: sending, using, sending on, releasing. */
#ifndef KB_TESTS_CLEAN_MESSAGES_H
#define KB_TESTS_CLEAN_MESSAGES_H

#include "support/clean/views.h"

/* Each draws one, and returns false where there is nothing to be done. */
bool clean_send(clean_plan *plan, uint32_t rank);
bool clean_receive(clean_plan *plan, uint32_t rank);
bool clean_use_again(clean_plan *plan, uint32_t rank);
bool clean_forward(clean_plan *plan, uint32_t rank);
bool clean_release(clean_plan *plan, uint32_t rank);

/* Sends a small message, which is received at once: the one knows what the other knew. */
bool clean_notify(clean_plan *plan, uint32_t from, uint32_t to);

/* The consumer uses up the oldest message of a queue that holds a slot, or would need one next. */
void clean_make_room(clean_plan *plan, int queue);

/* A kernel is about to end: messages that were received are released; `all` are received before. */
void clean_use_up(clean_plan *plan, bool all);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a kernel does with a message that it received; messages.h receives and releases. */
#ifndef KB_TESTS_CLEAN_USES_H
#define KB_TESTS_CLEAN_USES_H

#include "support/clean/views.h"

/* Draws a copy of it, or work on it; false where nothing fits. */
bool clean_use_once(clean_plan *plan, int message);

/* A call that was drawn uses a message: its first use receives it. */
void clean_use(clean_plan *plan, clean_call *made, int message, uint32_t engine);
/* The next message of a queue, if its slot has its credit, or if it is long and alone in its ring. */
int clean_receivable(const clean_plan *plan, const clean_queue *queue);

#endif

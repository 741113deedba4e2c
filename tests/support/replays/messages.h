/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange over messages: each rank has memories of its own, as if it were a process, and what crosses
 * is put into a message on one side and taken out of it on the other.
 *
 * Nothing reaches a foreign byte around it: in a rank's memories those of others hold what they began
 * with, so whoever looked there would see old bytes, and what it wrote there would be lost.
 */
#ifndef KB_TESTS_MESSAGES_H
#define KB_TESTS_MESSAGES_H

#include <stdatomic.h>

#include "exchange/exchange.h"

typedef struct messages {
    kbr_exchange exchange;
    const kb_run *run;
    const kb_defs *defs;
    kbr_memories **memories; /* [ranks + 1]: the last holds what belongs to no rank */
    uint64_t *high;          /* [memories of the trace]: nothing beyond this offset was touched */
    atomic_size_t count;     /* of messages */
} messages;

kb_status messages_init(messages *it, kb_reader *reader, uint64_t limit_size, kb_trail *trail) KB_MUST_USE;
void messages_fini(messages *it);
/* Puts what all ranks hold at the end into `into`, which nobody has touched. */
kb_status messages_collect(messages *it, kbr_memories *into, kb_trail *trail) KB_MUST_USE;

#endif

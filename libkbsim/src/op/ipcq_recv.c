/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_recv in time: it starts, and is done, when its message is there. */
#include <inttypes.h>
#include <stdio.h>

#include "op/kind.h"
#include "pe/ipcq.h"

static void explain(const kbs_pe *pe, const kbs_op *op, char *buffer, size_t buffer_size) {
    const kbs_ipcq *q = kbs_ipcq_of(pe->sim, op);
    snprintf(buffer, buffer_size,
             "waits for message slot %" PRIu64 " of queue pe%u>pe%u: rank %u has sent %" PRIu64
             " of the %" PRIu64 " that its program holds",
             op->sequence, q->queue->producer, q->queue->consumer, q->queue->producer, q->copies,
             q->queue->sent);
}

const kbs_kind kbs_kind_ipcq_recv = {.engine = KB_ENGINE_IPCQ, .begin = kbs_ipcq_receive, .explain = explain};

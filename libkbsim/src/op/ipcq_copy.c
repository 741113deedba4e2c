/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_copy in time: its turn in its queue, its credit, its packets, and settling in the slot. */
#include <inttypes.h>
#include <stdio.h>

#include "op/kind.h"
#include "pe/ipcq.h"

static void explain(const kbs_pe *pe, const kbs_op *op, char *buffer, size_t buffer_size) {
    const kbs_ipcq *q = kbs_ipcq_of(pe->sim, op);
    const kbs_queue *queue = q->queue;
    if (op->start_ps != KBS_UNKNOWN)
        snprintf(buffer, buffer_size, "is on its way");
    else if (op->sequence < queue->slots || op->sequence - queue->slots < q->credits)
        snprintf(buffer, buffer_size, "waits for the copies before it on queue pe%u>pe%u", queue->producer,
                 queue->consumer);
    else
        snprintf(
            buffer, buffer_size,
            "waits for a free slot of queue pe%u>pe%u: all %u are full, and rank %u has released %" PRIu64
            " of the %" PRIu64 " messages that slot %" PRIu64 " needs",
            queue->producer, queue->consumer, queue->slots, queue->consumer, q->credits,
            op->sequence - queue->slots + 1, op->sequence);
}

const kbs_kind kbs_kind_ipcq_copy = {.engine = KB_ENGINE_IPCQ, .begin = kbs_ipcq_send, .explain = explain};

/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_recv in time: it starts, and is done, when its message is there. */
#include <inttypes.h>
#include <stdio.h>

#include "op/kind.h"
#include "pe/ipcq.h"

static void explain(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret) {
    const kbs_ipcq *q = kbs_ipcq_of(pe->sim, op);
    const kbs_queue *queue = q->queue;
    char name[KBS_QUEUE_NAME_CHARS];
    kbs_queue_name(queue, name);
    if (op->record.sequence >= queue->sent) {
        snprintf(ret->text, sizeof ret->text,
                 "waits for message slot %" PRIu64 " of queue %s, which nobody sends: the program of "
                 "rank %u sends %" PRIu64,
                 op->record.sequence, name, queue->producer, queue->sent);
        return;
    }
    snprintf(ret->text, sizeof ret->text, "waits for message slot %" PRIu64 " of queue %s from rank %u",
             op->record.sequence, name, queue->producer);
    for (const kbs_op *copy = q->first; copy != NULL && ret->op == NULL; copy = copy->behind)
        if (copy->record.sequence == op->record.sequence)
            ret->op = copy;
    ret->on = &pe->sim->pes[queue->producer];
}

const kbs_kind kbs_kind_ipcq_recv = {.engine = KB_ENGINE_IPCQ, .begin = kbs_ipcq_receive, .explain = explain};

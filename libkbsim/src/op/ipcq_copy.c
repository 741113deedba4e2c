/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_copy in time: its turn in its queue, its credit, its packets, and settling in the slot. */
#include <inttypes.h>
#include <stdio.h>

#include "op/kind.h"
#include "pe/ipcq.h"

static void explain(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret) {
    const kbs_ipcq *q = kbs_ipcq_of(pe->sim, op);
    const kbs_queue *queue = q->queue;
    char name[KBS_QUEUE_NAME_CHARS];
    kbs_queue_name(queue, name);
    if (op != q->first) {
        snprintf(ret->text, sizeof ret->text, "waits for the copies before it on queue %s", name);
        ret->op = q->first;
        return;
    }
    const uint64_t needed = op->record.sequence - queue->slots;
    if (needed >= queue->received) {
        snprintf(ret->text, sizeof ret->text,
                 "waits for a credit of queue %s (slots: %u, all full), and the program of rank %u receives "
                 "only %" PRIu64 " of its messages",
                 name, queue->slots, queue->consumer, queue->received);
        return;
    }
    snprintf(
        ret->text, sizeof ret->text,
        "waits for a credit of queue %s (slots: %u, all full): rank %u must release message slot %" PRIu64,
        name, queue->slots, queue->consumer, needed);
    ret->on = &pe->sim->pes[queue->consumer];
}

const kbs_kind kbs_kind_ipcq_copy = {.engine = KB_ENGINE_IPCQ, .begin = kbs_ipcq_send, .explain = explain};

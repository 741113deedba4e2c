/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_copy in time: its turn in its queue, its credit, its packets, and settling in the slot. */
#include "op/kind.h"
#include "pe/ipcq.h"

static void explain(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret) {
    const kbs_ipcq *q = kbs_ipcq_of(pe->sim, op);
    const uint32_t id = op->shape->common.queue;
    if (op != q->first) {
        kbs_words_line(&ret->words, pe->sim->program, id);
        ret->op = q->first;
        return;
    }
    bool ever;
    kbs_words_credit(&ret->words, pe->sim->program, id, q->queue->slots, op->record.sequence, &ever);
    if (ever)
        ret->on = &pe->sim->pes[q->queue->consumer];
}

const kbs_kind kbs_kind_ipcq_copy = {.engine = KB_ENGINE_IPCQ, .begin = kbs_ipcq_send, .explain = explain};

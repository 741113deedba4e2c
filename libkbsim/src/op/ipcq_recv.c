/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_recv in time: it starts, and is done, when its message is there. */
#include "op/kind.h"
#include "pe/ipcq.h"

static void explain(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret) {
    const kbs_ipcq *q = kbs_ipcq_of(pe->sim, op);
    bool ever;
    kbs_words_message(&ret->words, pe->sim->program, op->shape->common.queue, op->record.sequence, &ever);
    if (!ever)
        return;
    for (const kbs_op *copy = q->first; copy != NULL && ret->op == NULL; copy = copy->behind)
        if (copy->record.sequence == op->record.sequence)
            ret->op = copy;
    ret->on = &pe->sim->pes[q->queue->producer];
}

const kbs_kind kbs_kind_ipcq_recv = {.engine = KB_ENGINE_IPCQ, .begin = kbs_ipcq_receive, .explain = explain};

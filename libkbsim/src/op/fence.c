/* SPDX-License-Identifier: Apache-2.0 */
/* fence in time: it starts, and is done, when every earlier op of its stream is done. */
#include "op/kind.h"

void kbs_fence_finish(kbs_pe *pe) {
    kbs_sim *sim = pe->sim;
    kbs_op *op = pe->fence;
    pe->fence = NULL;
    op->record.start_ps = kbs_later(op->ready_ps, pe->noticed_ps);
    kbs_op_note_awaited(sim, op, pe->noticed, pe->noticed_late_ps);
    kbs_op_end(sim, op, op->record.start_ps);
}

static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_op_claim(pe->sim, op, &(kb_claim){pe->rank, KB_ROLE_AWAITED, KB_POINT_DONE, KB_SET_STREAM, 0}, 0);
    pe->fence = op;
    if (pe->unfinished == 1)
        kbs_fence_finish(pe);
    return true;
}

static void explain(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret) {
    kbs_op *first = pe->sim->ranks[pe->rank].first;
    while (first != op && (first->finished || first->pe != pe))
        first = first->next;
    kbs_words_fence(&ret->words, pe->unfinished - 1);
    ret->op = first;
}

const kbs_kind kbs_kind_fence = {.engine = KB_ENGINE_SEQUENCER, .begin = begin, .explain = explain};

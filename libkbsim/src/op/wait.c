/* SPDX-License-Identifier: Apache-2.0 */
/* wait in time: it starts, and is done, when all ops that it names have come to the point that it names. */
#include "op/kind.h"

static kbs_numbered *awaited(const kbs_pe *pe, const kbs_op *wait, uint32_t i) {
    return &pe->numbered[(wait->number + i) & (pe->numbered_capacity - 1)];
}

static int64_t time_of(const kbs_op *wait, const kbs_numbered *numbered) {
    return wait->shape->common.point == KB_POINT_SENT ? numbered->sent_ps : numbered->done_ps;
}

static void finish(kbs_pe *pe, kbs_op *op, const kbs_numbered *latest) {
    kbs_sim *sim = pe->sim;
    op->record.start_ps = kbs_later(op->ready_ps, time_of(op, latest));
    const bool of_done = op->shape->common.point != KB_POINT_SENT;
    kbs_op_note_awaited(sim, op, (kbs_who){pe->rank, latest->op}, of_done ? latest->late_ps : 0);
    for (uint32_t i = 0; i < op->shape->common.awaited; i++) {
        kbs_numbered *numbered = awaited(pe, op, i);
        const kb_claim claim = {pe->rank, KB_ROLE_AWAITED, op->shape->common.point, KB_SET_ONE, 0};
        kbs_op_claim(sim, op, &claim, numbered->op);
        numbered->waited = true;
    }
    while (pe->numbered_low < pe->numbered_high &&
           pe->numbered[pe->numbered_low & (pe->numbered_capacity - 1)].waited)
        pe->numbered_low++;
    kbs_op_end(sim, op, op->record.start_ps);
}

void kbs_wait_check(kbs_pe *pe) {
    kbs_op *op = pe->waiter;
    if (op == NULL)
        return;
    const kbs_numbered *latest = awaited(pe, op, 0);
    for (uint32_t i = 0; i < op->shape->common.awaited; i++) {
        const kbs_numbered *numbered = awaited(pe, op, i);
        if (time_of(op, numbered) == KBS_UNKNOWN)
            return;
        if (time_of(op, numbered) >= time_of(op, latest))
            latest = numbered;
    }
    pe->waiter = NULL;
    finish(pe, op, latest);
}

static bool begin(kbs_pe *pe, kbs_op *op) {
    pe->waiter = op;
    kbs_wait_check(pe);
    return true;
}

/* An op that is not done: in no case forgotten, but a launch stands among the rank's launches alone. */
static kbs_op *find(const kbs_rank *rank, uint64_t index) {
    kbs_op *op = NULL;
    for (const kbs_launched *it = rank->launches; it != NULL && op == NULL; it = it->next)
        if (it->op->record.index == index)
            op = it->op;
    for (kbs_op *it = rank->first; op == NULL; it = it->next)
        if (it->record.index == index)
            op = it;
    return op;
}

static void explain(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret) {
    uint32_t missing = 0;
    uint64_t first = 0;
    for (uint32_t i = op->shape->common.awaited; i-- > 0;)
        if (time_of(op, awaited(pe, op, i)) == KBS_UNKNOWN) {
            missing++;
            first = awaited(pe, op, i)->op;
        }
    ret->op = find(&pe->sim->ranks[pe->rank], first);
    const kbs_named named = {ret->op->shape->common.kind, true, first};
    kbs_words_wait(&ret->words, op->shape->common.point, op->shape->common.awaited, missing, &named);
}

const kbs_kind kbs_kind_wait = {.engine = KB_ENGINE_SEQUENCER, .begin = begin, .explain = explain};

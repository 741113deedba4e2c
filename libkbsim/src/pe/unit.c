/* SPDX-License-Identifier: Apache-2.0 */
/* Engines as service times; see unit.h. */
#include "pe/unit.h"

static void refuse(kbs_sim *sim, const kbs_op *op) {
    const kbs_common *common = &op->shape->common;
    kbs_sim_fail(sim,
                 kb_fail(&sim->trail, KB_E_PROGRAM,
                         "%s:%u: this %s of rank %u would run past the 26 days that the clock counts (is a "
                         "rate of the machine too small, or a shape too large?)",
                         kb_defs_text(&sim->program->defs, common->file), common->line,
                         kb_word_name(KB_VOC_KIND, common->kind), op->rank));
}

bool kbs_unit_serve(kbs_pe *pe, kbs_op *op, const kbs_job *job) {
    kbs_sim *sim = pe->sim;
    kbs_unit *unit = job->unit;
    if (!kbs_line_enter(&unit->line, pe, op->ready_ps))
        return false;
    const kbs_unit *busy = unit;
    if (job->beside != NULL && job->beside->free_ps > unit->free_ps)
        busy = job->beside;
    op->record.start_ps = kbs_later(op->ready_ps, busy->free_ps);
    if (job->took_ps > KB_TIME_MAX_PS - op->record.start_ps) {
        refuse(sim, op);
        return true;
    }
    kbs_line_begin(&unit->line, pe, op->record.start_ps);
    if (job->is_total && unit->used)
        kbs_op_claim(sim, op, &(kb_claim){op->rank, KB_ROLE_ENGINE, KB_POINT_DONE, KB_SET_ONE, 0},
                     unit->holder.op);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->record.start_ps - op->ready_ps,
                            .cause = KB_CAUSE_ENGINE_BUSY,
                            .resource = KB_RESOURCE_ENGINE,
                            .blames = true,
                            .id = op->engine,
                            .who = busy->holder});
    kbs_op_took(sim, op, job->fixed_cause, job->fixed_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = job->took_ps - job->fixed_ps,
                            .cause = job->cause,
                            .resource = KB_RESOURCE_ENGINE,
                            .id = op->engine});
    unit->used = true;
    unit->holder = (kbs_who){op->rank, op->record.index};
    unit->free_ps = op->record.start_ps + job->took_ps;
    kbs_op_end(sim, op, unit->free_ps);
    return true;
}

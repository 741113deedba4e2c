/* SPDX-License-Identifier: Apache-2.0 */
/* Engines as service times; see unit.h. */
#include "pe/unit.h"

bool kbs_unit_serve(kbs_pe *pe, kbs_op *op, const kbs_job *job) {
    kbs_sim *sim = pe->sim;
    kbs_unit *unit = job->unit;
    if (!kbs_line_enter(&unit->line, pe, op->ready_ps))
        return false;
    const kbs_unit *busy = unit;
    if (job->beside != NULL && job->beside->free_ps > unit->free_ps)
        busy = job->beside;
    op->start_ps = kbs_later(op->ready_ps, busy->free_ps);
    kbs_line_begin(&unit->line, pe, op->start_ps);
    if (job->is_total && unit->used)
        kbs_op_claim(sim, op, &(kb_claim){op->rank, KB_ROLE_ENGINE, KB_POINT_DONE, KB_SET_ONE, 0},
                     unit->holder.op);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->start_ps - op->ready_ps,
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
    unit->holder = (kbs_who){op->rank, op->index};
    unit->free_ps = op->start_ps + job->took_ps;
    kbs_op_end(sim, op, unit->free_ps);
    return true;
}

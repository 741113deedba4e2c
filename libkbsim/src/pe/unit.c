/* SPDX-License-Identifier: Apache-2.0 */
/* Engines as service times; see unit.h. */
#include "pe/unit.h"

#include <assert.h>
#include <string.h>

/* --- the line -------------------------------------------------------------------------------- */

static bool grow(kbs_sim *sim, kbs_unit *unit) {
    void *memory;
    const uint32_t places = unit->places > 0 ? unit->places * 2 : 8;
    const kb_status status = kb_arena_new(&sim->arena, places * sizeof(int64_t), &memory, &sim->trail);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return false;
    }
    int64_t *line = memory;
    for (uint32_t i = 0; i < unit->count; i++)
        line[i] = unit->line[(unit->first + i) & (unit->places - 1)];
    unit->line = line;
    unit->places = places;
    unit->first = 0;
    return true;
}

static int64_t pop(kbs_unit *unit) {
    const int64_t start_ps = unit->line[unit->first];
    unit->first = (unit->first + 1) & (unit->places - 1);
    unit->count--;
    return start_ps;
}

/* When the line takes one more: at ready_ps, or when the first that stands in it begins. */
static int64_t room_at(kbs_unit *unit, uint32_t depth, int64_t ready_ps) {
    while (unit->count > 0 && unit->line[unit->first] <= ready_ps)
        pop(unit);
    return unit->count < depth ? ready_ps : pop(unit);
}

static void stand(kbs_sim *sim, kbs_unit *unit, int64_t start_ps) {
    if (unit->count == unit->places && !grow(sim, unit))
        return;
    unit->line[(unit->first + unit->count++) & (unit->places - 1)] = start_ps;
}

/* --- service --------------------------------------------------------------------------------- */

void kbs_unit_serve(kbs_pe *pe, kbs_op *op, const kbs_job *job) {
    kbs_sim *sim = pe->sim;
    kbs_unit *unit = job->unit;
    const int64_t ready_ps = op->ready_ps, room_ps = room_at(unit, sim->costs.depth, ready_ps);
    const kbs_unit *busy = unit;
    if (job->beside != NULL && job->beside->free_ps > unit->free_ps)
        busy = job->beside;
    op->ready_ps = room_ps;
    pe->clock_ps = kbs_later(pe->clock_ps, room_ps);
    op->start_ps = kbs_later(room_ps, busy->free_ps);
    if (op->start_ps > room_ps)
        stand(sim, unit, op->start_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->start_ps - ready_ps,
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
    kbs_op_sent(sim, op, unit->free_ps);
    kbs_op_done(sim, op, unit->free_ps);
}

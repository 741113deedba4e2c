/* SPDX-License-Identifier: Apache-2.0 */
/*
 * barrier in time. PEs: each tells the group's first member that it has come, over the path of credits, and
 * that one tells all others when it has heard everybody. With there(j) and back(j) the sums of hops from
 * member j to the first and from that to j, t(j) the time of ipcq.credit_bytes at the narrowest link on that
 * way, and all three 0 for the first itself:
 *
 *   start(i) = max over j (ready(j) + there(j) + t(j)) + back(i) + t(i)
 *
 * Hosts come together host.barrier_ns after the last of them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "op/join.h"
#include "op/kind.h"

static kbs_join *join_of(const kbs_pe *pe, const kbs_op *op) {
    const kbs_sim *sim = pe->sim;
    return &(pe->is_host ? sim->host_barriers : sim->barriers)[op->shape->common.group];
}

static void leave(kbs_sim *sim, const kbs_join *join, uint32_t place) {
    kbs_op *op = join->ops[place];
    const kbs_join_way none = {0, 0, 0}, *way = join->ways != NULL ? &join->ways[place] : &none;
    const int64_t host_ps = join->ways == NULL ? sim->costs.host_barrier_ps : 0;
    op->record.start_ps = join->latest_ps + host_ps + way->back_ps + way->time_ps;
    const int64_t own_ps = way->there_ps + way->back_ps + 2 * way->time_ps + host_ps;
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->record.start_ps - op->ready_ps - own_ps,
                            .cause = KB_CAUSE_BARRIER,
                            .resource = KB_RESOURCE_NONE,
                            .blames = true,
                            .id = KB_NONE,
                            .who = join->latest});
    kbs_op_took(sim, op, KB_CAUSE_HOST, host_ps);
    kbs_op_took(sim, op, KB_CAUSE_SERIALISATION, 2 * way->time_ps);
    kbs_op_took(sim, op, KB_CAUSE_HOP, way->there_ps + way->back_ps);
    kbs_op_end(sim, op, op->record.start_ps);
}

static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_join *join = join_of(pe, op);
    int64_t there_ps = op->ready_ps;
    if (join->ways != NULL) {
        const kbs_join_way *way = &join->ways[kbs_join_place(join, pe->rank)];
        there_ps += way->there_ps + way->time_ps;
    }
    if (!kbs_join_come(join, op, there_ps))
        return true;
    for (uint32_t i = 0; i < join->count; i++)
        leave(pe->sim, join, i);
    kbs_join_reset(join);
    return true;
}

static void explain(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret) {
    const kbs_join *join = join_of(pe, op);
    const uint32_t missing = kbs_join_missing(join);
    snprintf(ret->text, sizeof ret->text, "waits at barrier %" PRIu64 " for rank %u (%u of %u have come)",
             op->record.id, missing, join->come, join->count);
    ret->on = pe->is_host ? &pe->sim->hosts[missing] : &pe->sim->pes[missing];
}

const kbs_kind kbs_kind_barrier = {.engine = KB_ENGINE_SEQUENCER, .begin = begin, .explain = explain};

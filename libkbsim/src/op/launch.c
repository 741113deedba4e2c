/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch in time. The n-th launch of every rank's host is one launch: when the last host has come to it, the
 * stamp is the latency of the host and of the processors on the way later, one and the same for all PEs. In
 * each rank it is done when all that its PE does for it is, and the host goes on.
 *
 *   sent = max over hosts (issue) + host.launch_ns + io_cpu.ns + m_cpu.ns
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "op/join.h"
#include "op/kind.h"
#include "run/outbox.h"

static void start(kbs_sim *sim, kbs_op *op, int64_t stamp_ps) {
    const kbs_join *join = &sim->launching;
    kbs_rank *rank = &sim->ranks[op->rank];
    kbs_op_note(sim, op,
                &(kbs_note){.ps = join->latest_ps - op->record.issue_ps,
                            .cause = KB_CAUSE_BARRIER,
                            .resource = KB_RESOURCE_NONE,
                            .blames = true,
                            .id = KB_NONE,
                            .who = join->latest});
    kbs_op_took(sim, op, KB_CAUSE_HOST, sim->costs.host_launch_ps);
    kbs_op_took(sim, op, KB_CAUSE_LAUNCH, sim->costs.launch_ps - sim->costs.host_launch_ps);
    kbs_op_claim(sim, op, &(kb_claim){op->rank, KB_ROLE_COMPLETION, KB_POINT_DONE, KB_SET_LAUNCHED, 0}, 0);
    kbs_op_sent(sim, op, stamp_ps);
    /* It is put before what it starts, though it ends behind that: the rank's ops need not wait for it. */
    kbs_outbox_flush(sim, op->rank);
    assert(rank->first == op && rank->last == op && rank->launch == NULL);
    rank->first = rank->last = NULL;
    rank->launch = op;
    kbs_outbox_put_launch(sim, op);
    kbs_pe_begin_launch(&sim->pes[op->rank], op->record.id, stamp_ps);
    kbs_launch_check(sim, op->rank);
}

static bool begin(kbs_pe *host, kbs_op *op) {
    kbs_sim *sim = host->sim;
    kbs_join *join = &sim->launching;
    op->record.start_ps = op->record.issue_ps;
    if (!kbs_join_come(join, op, op->record.issue_ps))
        return true;
    for (uint32_t i = 0; i < join->count && sim->status == KB_OK; i++)
        start(sim, join->ops[i], join->latest_ps + sim->costs.launch_ps);
    kbs_join_reset(join);
    return true;
}

void kbs_launch_check(kbs_sim *sim, uint32_t number) {
    kbs_rank *rank = &sim->ranks[number];
    const kbs_pe *pe = &sim->pes[number];
    kbs_op *op = rank->launch;
    if (op == NULL || !(pe->resting || pe->finished) || pe->unfinished > 0)
        return;
    rank->launch = NULL;
    kbs_outbox_flush(sim, number);
    const int64_t done_ps = kbs_later(pe->latest_ps, op->record.sent_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = done_ps - op->record.sent_ps,
                            .cause = KB_CAUSE_AWAITED,
                            .resource = KB_RESOURCE_NONE,
                            .blames = true,
                            .id = KB_NONE,
                            .who = pe->latest});
    kbs_op_done(sim, op, done_ps);
    kbs_outbox_amend_launch(sim, op);
}

static void explain(const kbs_pe *host, const kbs_op *op, kbs_reason *ret) {
    const kbs_sim *sim = host->sim;
    if (op->record.sent_ps != KBS_UNKNOWN) {
        snprintf(ret->text, sizeof ret->text, "waits until its rank is done with launch %" PRIu64,
                 op->record.id);
        ret->on = &sim->pes[op->rank];
        return;
    }
    const uint32_t missing = kbs_join_missing(&sim->launching);
    snprintf(ret->text, sizeof ret->text, "waits until the host of rank %u comes to launch %" PRIu64, missing,
             op->record.id);
    ret->on = &sim->hosts[missing];
}

const kbs_kind kbs_kind_launch = {
    .engine = KB_ENGINE_HOST, .is_free = true, .begin = begin, .explain = explain};

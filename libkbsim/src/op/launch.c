/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch in time. The n-th launch of every rank's host is one launch: when the last host of its group has
 * come to it, a message without bytes goes from the host to the IO_CPU of each package, from there to the
 * M_CPU of each cube that has a part in it, from there to the PEs. The PE that is the j-th in its cube, and
 * in the i-th cube of its package, of those that take part, hears of it after
 *
 *   path = hops + i * io_cpu.ns + j * m_cpu.ns
 *
 * and with launch.mode = stamped all of them begin at one stamp, with on_arrival each at its own:
 *
 *   sent = max over hosts (issue) + host.launch_ns + max over PEs (path), or its own path
 *
 * Several of a rank may be in flight: its PE begins one at its stamp, and no earlier than all that it does
 * for the one before is done. In each rank a launch is done when all that its PE does for it is.
 */
#include <assert.h>

#include "op/join.h"
#include "op/kind.h"
#include "run/outbox.h"

/* The PE goes on with the rank's next launch, if it has nothing on and knows the stamp. */
static void begin_next(kbs_sim *sim, uint32_t number) {
    kbs_rank *rank = &sim->ranks[number];
    const kbs_op *op = rank->launches;
    if (rank->plays || op == NULL || op->record.sent_ps == KBS_UNKNOWN)
        return;
    kbs_pe *pe = &sim->pes[number];
    rank->plays = true;
    kbs_pe_begin_launch(pe, op->record.id, kbs_later(op->record.sent_ps, pe->latest_ps));
}

/* What is left until the longest path is through takes the op's time too: who hears early waits. */
static void start(kbs_sim *sim, const kbs_join *join, uint32_t place) {
    const kbs_launch_path *path = &join->paths[place];
    const int64_t own_ps = path->hops_ps + path->io_cpu_ps + path->m_cpu_ps;
    const int64_t took_ps = sim->costs.on_arrival ? own_ps : join->longest_ps;
    kbs_op *op = join->ops[place];
    kbs_op_note(sim, op,
                &(kbs_note){.ps = join->latest_ps - op->record.issue_ps,
                            .cause = KB_CAUSE_BARRIER,
                            .resource = KB_RESOURCE_NONE,
                            .blames = true,
                            .id = KB_NONE,
                            .who = join->latest});
    kbs_op_took(sim, op, KB_CAUSE_HOST, sim->costs.host_launch_ps);
    kbs_op_took(sim, op, KB_CAUSE_HOP, path->hops_ps);
    kbs_op_took(sim, op, KB_CAUSE_IO_CPU, path->io_cpu_ps);
    kbs_op_took(sim, op, KB_CAUSE_M_CPU, path->m_cpu_ps);
    kbs_op_took(sim, op, KB_CAUSE_LAUNCH, took_ps - own_ps);
    kbs_op_claim(sim, op, &(kb_claim){op->rank, KB_ROLE_COMPLETION, KB_POINT_DONE, KB_SET_LAUNCHED, 0}, 0);
    kbs_op_sent(sim, op, join->latest_ps + sim->costs.host_launch_ps + took_ps);
    kbs_outbox_flush(sim, op->rank);
    begin_next(sim, op->rank);
}

static void line_up(kbs_rank *rank, kbs_op *op) {
    op->behind = NULL;
    if (rank->launches == NULL)
        rank->launches = op;
    else
        rank->last_launch->behind = op;
    rank->last_launch = op;
}

static bool begin(kbs_pe *host, kbs_op *op) {
    kbs_sim *sim = host->sim;
    kbs_join *join = kbs_launching_of(sim, op);
    op->record.start_ps = op->record.issue_ps;
    line_up(&sim->ranks[op->rank], op);
    if (join == NULL || !kbs_join_come(join, op, op->record.issue_ps))
        return true;
    for (uint32_t i = 0; i < join->count && sim->status == KB_OK; i++)
        start(sim, join, i);
    kbs_launching_end(sim, op);
    return true;
}

void kbs_launch_check(kbs_sim *sim, uint32_t number) {
    kbs_rank *rank = &sim->ranks[number];
    const kbs_pe *pe = &sim->pes[number];
    kbs_op *op = rank->launches;
    if (!rank->plays || !(pe->resting || pe->finished) || pe->unfinished > 0)
        return;
    rank->plays = false;
    rank->launches = op->behind;
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
    if (op->told)
        kbs_outbox_amend_launch(sim, op);
    begin_next(sim, number);
}

static void explain(const kbs_pe *host, const kbs_op *op, kbs_reason *ret) {
    const kbs_sim *sim = host->sim;
    if (op->record.sent_ps != KBS_UNKNOWN) {
        kbs_words_launched(&ret->words, op->record.id);
        ret->on = &sim->pes[op->rank];
        return;
    }
    const uint32_t missing = kbs_join_missing(sim->launchings[op->record.id]);
    kbs_words_launch(&ret->words, op->record.id, missing);
    ret->on = &sim->hosts[missing];
}

const kbs_kind kbs_kind_launch = {
    .engine = KB_ENGINE_HOST, .is_free = true, .begin = begin, .explain = explain};

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
 * or, of a rank of several PEs, the shortest of theirs. Several of a rank may be in flight: each of its PEs
 * begins one at its stamp, and no earlier than all that it does for the one before is done. When it is over
 * with a launch it says so to the M_CPU of its cube, that to the IO_CPU of its package, and that to the host.
 * Either processor counts what it hears, and takes its time once, when it hands on that all have come. In
 * each rank a launch is done when its host hears that:
 *
 *   done = max over the rank's PEs (over + hops back) + m_cpu.ns + io_cpu.ns
 */
#include "fabric/way.h"
#include "op/join.h"
#include "op/kind.h"
#include "run/outbox.h"

static int64_t path_ps(const kbs_launch_path *path) {
    return path->hops_ps + path->io_cpu_ps + path->m_cpu_ps;
}

/* When the PE may begin it, if it has nothing else on. */
static int64_t heard_ps(const kbs_pe *pe, const kbs_launched *it) {
    const kbs_sim *sim = pe->sim;
    if (!sim->costs.on_arrival)
        return it->op->record.sent_ps;
    return it->told_ps + path_ps(&it->paths[pe->pe % sim->program->rank_pes]);
}

/* The PE goes on with its next launch, if it has nothing on and knows when that begins. */
static void begin_next(kbs_pe *pe) {
    const kbs_sim *sim = pe->sim;
    kbs_launched *it = sim->ranks[pe->rank].launches;
    if (pe->plays != NULL || !pe->resting)
        return;
    while (it != NULL && it->op->record.id != pe->next_launch)
        it = it->next;
    if (it == NULL || it->op->record.sent_ps == KBS_UNKNOWN)
        return;
    pe->plays = it;
    kbs_pe_begin_launch(pe, kbs_later(heard_ps(pe, it), pe->over_ps));
}

static void begin_next_of_all(kbs_sim *sim, uint32_t rank) {
    const uint32_t pes = sim->program->rank_pes;
    for (uint32_t i = 0; i < pes; i++)
        begin_next(&sim->pes[rank * pes + i]);
}

/* The way that the op tells of: with a stamp to the rank's last PE, else to its first. */
static const kbs_launch_path *told_path(const kbs_sim *sim, const kbs_launched *it) {
    const kbs_launch_path *path = it->paths;
    for (uint32_t i = 1; i < sim->program->rank_pes; i++) {
        const int64_t longer_ps = path_ps(&it->paths[i]) - path_ps(path);
        if (sim->costs.on_arrival ? longer_ps < 0 : longer_ps > 0)
            path = &it->paths[i];
    }
    return path;
}

/* What is left until the longest path is through takes the op's time too: who hears early waits. */
static void start(kbs_sim *sim, const kbs_join *join, uint32_t place) {
    kbs_op *op = join->ops[place];
    kbs_launched *it = sim->ranks[op->rank].launches;
    while (it->op != op)
        it = it->next;
    it->paths = &join->paths[(size_t)place * sim->program->rank_pes];
    it->told_ps = join->latest_ps + sim->costs.host_launch_ps;
    const kbs_launch_path *path = told_path(sim, it);
    const int64_t took_ps = sim->costs.on_arrival ? path_ps(path) : join->longest_ps;
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
    kbs_op_took(sim, op, KB_CAUSE_LAUNCH, took_ps - path_ps(path));
    kbs_op_claim(sim, op, &(kb_claim){op->rank, KB_ROLE_COMPLETION, KB_POINT_DONE, KB_SET_LAUNCHED, 0}, 0);
    kbs_op_sent(sim, op, it->told_ps + took_ps);
    kbs_outbox_flush(sim, op->rank);
    begin_next_of_all(sim, op->rank);
}

/* Takes its place among the rank's; false when memory has run out. */
static bool line_up(kbs_sim *sim, kbs_op *op) {
    kbs_rank *rank = &sim->ranks[op->rank];
    kbs_launched *it = sim->free_launched;
    if (it != NULL) {
        sim->free_launched = it->next;
    } else {
        void *memory;
        const kb_status status = kb_arena_new(&sim->arena, sizeof(kbs_launched), &memory, &sim->trail);
        if (status != KB_OK) {
            kbs_sim_fail(sim, status);
            return false;
        }
        it = memory;
    }
    *it = (kbs_launched){.op = op, .left = sim->program->rank_pes};
    if (rank->launches == NULL)
        rank->launches = it;
    else
        rank->last_launch->next = it;
    rank->last_launch = it;
    return true;
}

static bool begin(kbs_pe *host, kbs_op *op) {
    kbs_sim *sim = host->sim;
    kbs_join *join = kbs_launching_of(sim, op);
    op->record.start_ps = op->record.issue_ps;
    if (!line_up(sim, op) || join == NULL || !kbs_join_come(join, op, op->record.issue_ps))
        return true;
    for (uint32_t i = 0; i < join->count && sim->status == KB_OK; i++)
        start(sim, join, i);
    kbs_launching_end(sim, op);
    return true;
}

/* Hops of the PE's response to its host. */
static int64_t back_ps(kbs_pe *pe) {
    if (pe->back_ps == 0) {
        kbs_launch_way way;
        kbs_way_of_launch(&pe->sim->program->fabric, pe->pe, &way);
        pe->back_ps = way.back_ps;
    }
    return pe->back_ps;
}

/* All PEs of the rank are over with its oldest launch: none is with a later one before. */
static void finish(kbs_sim *sim, kbs_rank *rank) {
    kbs_launched *it = rank->launches;
    kbs_op *op = it->op;
    kbs_outbox_flush(sim, op->rank);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = it->over_ps - op->record.sent_ps,
                            .cause = KB_CAUSE_AWAITED,
                            .resource = KB_RESOURCE_NONE,
                            .blames = true,
                            .id = KB_NONE,
                            .who = it->last_op});
    kbs_op_took(sim, op, KB_CAUSE_HOP, it->last->back_ps);
    kbs_op_took(sim, op, KB_CAUSE_M_CPU, sim->costs.m_cpu_ps);
    kbs_op_took(sim, op, KB_CAUSE_IO_CPU, sim->costs.io_cpu_ps);
    const int64_t done_ps = it->over_ps + it->last->back_ps + sim->costs.m_cpu_ps + sim->costs.io_cpu_ps;
    rank->launches = it->next;
    it->next = sim->free_launched;
    sim->free_launched = it;
    kbs_op_done(sim, op, done_ps);
    if (op->told)
        kbs_outbox_amend_launch(sim, op);
}

void kbs_launch_check(kbs_pe *pe) {
    kbs_sim *sim = pe->sim;
    kbs_launched *it = pe->plays;
    if (it == NULL || !(pe->resting || pe->finished) || pe->unfinished > 0)
        return;
    const int64_t over_ps = kbs_later(pe->latest_ps, heard_ps(pe, it));
    const int64_t known_ps = over_ps + back_ps(pe);
    const int64_t later_ps = it->last != NULL ? known_ps - it->over_ps - it->last->back_ps : 1;
    if (later_ps > 0 || (later_ps == 0 && pe->pe > it->last->pe)) {
        it->last = pe;
        it->last_op = pe->latest;
        it->over_ps = over_ps;
    }
    pe->plays = NULL;
    pe->over_ps = over_ps;
    if (--it->left == 0)
        finish(sim, &sim->ranks[pe->rank]);
    begin_next(pe);
}

/* A PE of the rank that is not over with the launch, which has begun. */
static kbs_pe *who_plays(const kbs_sim *sim, const kbs_op *op) {
    const uint32_t pes = sim->program->rank_pes;
    kbs_pe *pe = &sim->pes[op->rank * pes];
    while (pe->plays == NULL || pe->plays->op->record.id > op->record.id)
        pe++;
    return pe;
}

static void explain(const kbs_pe *host, const kbs_op *op, kbs_reason *ret) {
    const kbs_sim *sim = host->sim;
    if (op->record.sent_ps != KBS_UNKNOWN) {
        kbs_words_launched(&ret->words, op->record.id);
        ret->on = who_plays(sim, op);
        return;
    }
    const uint32_t missing = kbs_join_missing(sim->launchings[op->record.id]);
    kbs_words_launch(&ret->words, op->record.id, missing);
    ret->on = &sim->hosts[missing];
}

const kbs_kind kbs_kind_launch = {
    .engine = KB_ENGINE_HOST, .is_free = true, .begin = begin, .explain = explain};

/* SPDX-License-Identifier: Apache-2.0 */
/* Setting up the machine's state, and driving the clock; see simulate.h. */
#include "run/simulate.h"

#include <assert.h>
#include <string.h>

#include "op/kind.h"
#include "pe/dma.h"
#include "pe/ipcq.h"
#include "run/outbox.h"

static void find_costs(kbs_costs *costs, const kbs_machine *machine) {
    costs->dispatch_ps = kbs_ps_of_ns(machine->at.pe_cpu_dispatch_ns);
    costs->dma_setup_ps = kbs_ps_of_ns(machine->at.dma_setup_ns);
    costs->launch_ps = kbs_ps_of_ns(machine->at.host_launch_ns) + kbs_ps_of_ns(machine->at.io_cpu_ns) +
                       kbs_ps_of_ns(machine->at.m_cpu_ns);
    costs->cycle_ps = (int64_t)((1000 * KBS_MILLION + machine->at.clock_ghz - 1) / machine->at.clock_ghz);
    costs->packet_bytes = machine->at.fabric_packet_bytes;
    costs->math_bytes = machine->at.math_bytes_per_cycle;
    costs->tcm_read_rate = kbs_rate_of_gbps(machine->at.tcm_read_gbps);
    costs->tcm_write_rate = kbs_rate_of_gbps(machine->at.tcm_write_gbps);
    costs->dma_outstanding = (uint32_t)machine->at.dma_reads_outstanding;
    costs->depth = (uint32_t)machine->at.engine_queue_depth;
}

static kb_status init_pes(kbs_sim *sim, kb_trail *trail) {
    kbs_program *program = sim->program;
    void *memory;
    KB_TRY(kb_arena_new(&sim->arena, program->ranks * sizeof(kbs_pe), &memory, trail));
    sim->pes = memory;
    KB_TRY(kb_arena_new(&sim->arena, program->ranks * sizeof(kbs_rank), &memory, trail));
    sim->ranks = memory;
    for (uint32_t rank = 0; rank < program->ranks; rank++) {
        kbs_pe *pe = &sim->pes[rank];
        pe->sim = sim;
        pe->rank = rank;
        pe->stream = &program->streams[rank];
        pe->numbered_low = pe->numbered_high = 1;
        KB_TRY(kbs_reading_init(&pe->reading, &pe->stream->commands, &sim->arena, trail));
        const kbs_route *own;
        KB_TRY(kbs_fabric_route(&program->fabric, kbs_tcm_of(rank), kbs_tcm_of(rank), KBS_CHANNEL_DMA, &own,
                                trail));
        kbs_dma_init(&pe->dma, pe, own);
    }
    return KB_OK;
}

static kb_status init(kbs_sim *sim, kbs_program *program, const kbs_sink *sink, kb_trail *trail) {
    kbs_engine_init(&sim->engine, sim);
    sim->program = program;
    sim->sink = sink;
    kb_trail_init(&sim->trail);
    kb_arena_init(&sim->arena, program->alloc, 0);
    find_costs(&sim->costs, program->machine);
    sim->packets = (kbs_packets){&sim->arena, NULL, program->fabric.most_links};
    KB_TRY(init_pes(sim, trail));
    KB_TRY(kbs_fabric_settle(&program->fabric, true, trail));
    void *memory;
    KB_TRY(kb_arena_new(&sim->arena, program->queue_count * sizeof(kbs_ipcq), &memory, trail));
    sim->queues = memory;
    for (uint32_t id = 0; id < program->queue_count; id++)
        KB_TRY(kbs_ipcq_init(sim, id, trail));
    return KB_OK;
}

/* --- launches -------------------------------------------------------------------------------- */

/* One launch over all ranks: a record in each, all with one number and one stamp. */
static kb_status launch(kbs_sim *sim, kb_trail *trail) {
    kbs_program *program = sim->program;
    void *memory;
    KB_TRY(kb_arena_new(&sim->arena, sizeof(kbs_shape), &memory, trail));
    kbs_shape *shape = memory;
    shape->common.kind = KB_OP_LAUNCH;
    shape->common.blocks = KB_BLOCKS_DONE;
    shape->common.queue = KB_NONE;
    shape->common.group = program->group;
    shape->common.step = KB_NONE;
    shape->common.kernel = program->launch_kernel;
    shape->common.file = program->launch_file;
    shape->common.line = program->launch_line;
    for (uint32_t rank = 0; rank < program->ranks && sim->status == KB_OK; rank++) {
        kbs_op *op = kbs_op_new(sim, rank, shape);
        if (op == NULL)
            break;
        op->engine = kbs_host_engine(program, rank);
        sim->ranks[rank].launch = op;
        kbs_kind_of(KB_OP_LAUNCH)->begin(&sim->pes[rank], op);
        sim->ranks[rank].latest_ps = op->sent_ps;
        kbs_outbox_put_launch(sim, op);
    }
    return KB_OK;
}

void kbs_rank_check(kbs_sim *sim, uint32_t number) {
    kbs_rank *rank = &sim->ranks[number];
    kbs_op *op = rank->launch;
    if (!sim->pes[number].finished || rank->unfinished > 0)
        return;
    assert(!op->finished);
    kbs_outbox_flush(sim, number);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = rank->latest_ps - op->sent_ps,
                            .cause = KB_CAUSE_AWAITED,
                            .resource = KB_RESOURCE_NONE,
                            .blames = true,
                            .id = KB_NONE,
                            .who = rank->latest});
    op->done_ps = rank->latest_ps;
    op->finished = true;
    kbs_outbox_amend_launch(sim, op);
}

static bool all_done(const kbs_sim *sim) {
    for (uint32_t rank = 0; rank < sim->program->ranks; rank++)
        if (!sim->ranks[rank].launch->finished)
            return false;
    return true;
}

/* --- the clock ------------------------------------------------------------------------------- */

/* True when nothing is left to happen; false when the run was interrupted or has failed. */
static bool drive(kbs_sim *sim, const kbs_limits *limits) {
    enum { EVENTS_A_TURN = 65536 }; /* between looks at the outside: a few milliseconds */
    const int64_t until_ps = limits->max_time_ps > 0 ? limits->max_time_ps : KB_TIME_MAX_PS;
    bool empty = false;
    while (!empty && sim->status == KB_OK) {
        if (limits->stop != NULL && *limits->stop != 0)
            return false;
        const uint64_t before = sim->engine.fired;
        empty = kbs_engine_run(&sim->engine, until_ps, EVENTS_A_TURN);
        if (!empty && sim->engine.fired - before < EVENTS_A_TURN)
            return false; /* what is left comes after until_ps */
        if (limits->progress != NULL)
            limits->progress(limits->progress_context,
                             &(kbs_progress){sim->engine.now_ps, sim->engine.fired});
    }
    return empty;
}

static kb_status finish(kbs_sim *sim, bool empty, kbs_result *ret_result, kb_trail *trail) {
    kbs_result result = {.outcome = KB_OUTCOME_COMPLETE, .alloc = sim->program->alloc};
    if (sim->status == KB_OK && !all_done(sim))
        result.outcome = empty ? KB_OUTCOME_DEADLOCK : KB_OUTCOME_INTERRUPTED;
    if (result.outcome == KB_OUTCOME_DEADLOCK)
        KB_TRY(kbs_explain_deadlock(sim, &result.explanation, trail));
    kbs_outbox_flush_all(sim);
    if (sim->status != KB_OK) {
        kbs_result_fini(&result);
        if (trail != NULL)
            *trail = sim->trail;
        return sim->status;
    }
    for (uint32_t rank = 0; rank < sim->program->ranks; rank++)
        if (sim->ranks[rank].latest.op > 0 || sim->ranks[rank].launch->finished)
            result.time_ps = kbs_later(result.time_ps, sim->ranks[rank].latest_ps);
    result.events = sim->engine.fired + sim->engine.spared;
    memcpy(result.ops, sim->ops, sizeof result.ops);
    *ret_result = result;
    return KB_OK;
}

kb_status kbs_simulate(kbs_program *program, const kbs_limits *limits, const kbs_sink *sink,
                       kbs_result *ret_result, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_new_zeroed(program->alloc, sizeof(kbs_sim), &memory, trail));
    kbs_sim *sim = memory;
    kb_status status = init(sim, program, sink, trail);
    if (status == KB_OK)
        status = launch(sim, trail);
    if (status == KB_OK) {
        const bool empty = drive(sim, limits);
        status = finish(sim, empty, ret_result, trail);
    }
    kb_arena_fini(&sim->arena);
    kb_delete(program->alloc, sim, sizeof *sim);
    return status;
}

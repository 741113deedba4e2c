/* SPDX-License-Identifier: Apache-2.0 */
/* Setting up the machine's state, and driving the clock; see simulate.h. */
#include "run/simulate.h"

#include <string.h>

#include "op/join.h"
#include "pe/dma.h"
#include "pe/fault.h"
#include "pe/ipcq.h"
#include "run/costs.h"
#include "run/counters.h"
#include "run/deadlock.h"
#include "run/outbox.h"
#include "run/stays.h"

/* --- setting up ------------------------------------------------------------------------------ */

/* The component that is made in the i-th place: the i-th, or turned and mirrored by a test's seed. */
static uint32_t made(uint64_t seed, uint32_t i, uint32_t count) {
    const uint32_t turned = (uint32_t)((i + seed) % count);
    return seed % 2 == 0 ? turned : count - 1 - turned;
}

static kb_status init_streams(kbs_sim *sim, kb_trail *trail) {
    kbs_program *program = sim->program;
    const uint32_t ranks = program->ranks, pes = program->pes;
    void *memory;
    KB_TRY(kb_arena_new_in_lines(&sim->arena, kbs_stream_count(sim) * sizeof(kbs_pe), &memory, trail));
    sim->pes = memory;
    sim->hosts = sim->pes + pes;
    KB_TRY(kb_arena_new(&sim->arena, ranks * sizeof(kbs_rank), &memory, trail));
    sim->ranks = memory;
    for (uint32_t i = 0; i < pes; i++) {
        kbs_pe *pe = &sim->pes[made(sim->engine.shuffle, i, pes)];
        KB_TRY(kbs_pe_init(pe, sim, &program->streams[pe - sim->pes], trail));
        kbs_pe_find_faults(pe);
        kbs_dma_init(&pe->dma, pe);
    }
    for (uint32_t i = 0; i < ranks; i++) {
        const uint32_t rank = made(sim->engine.shuffle, i, ranks);
        KB_TRY(kbs_pe_init(&sim->hosts[rank], sim, &program->hosts[rank], trail));
        sim->ranks[rank].in_turn = program->hosts[rank].overlaps || program->rank_pes > 1;
        KB_TRY(kb_arena_new(&sim->arena, (program->rank_pes / 64 + 1) * sizeof(uint64_t), &memory, trail));
        sim->ranks[rank].ready = memory;
        kbs_dma_init(&sim->hosts[rank].dma, &sim->hosts[rank]);
    }
    return KB_OK;
}

static kb_status init_queues(kbs_sim *sim, kb_trail *trail) {
    const kbs_program *program = sim->program;
    void *memory;
    KB_TRY(kb_arena_new_in_lines(&sim->arena, program->queue_count * sizeof(kbs_ipcq), &memory, trail));
    sim->queues = memory;
    for (uint32_t i = 0; i < program->queue_count; i++)
        KB_TRY(kbs_ipcq_init(sim, made(sim->engine.shuffle, i, (uint32_t)program->queue_count), trail));
    return KB_OK;
}

static kb_status init(kbs_sim *sim, kbs_program *program, uint64_t shuffle, const kbs_sink *sink,
                      kb_trail *trail) {
    kbs_engine_init(&sim->engine, sim);
    sim->engine.shuffle = shuffle;
    sim->program = program;
    sim->sink = sink;
    kb_trail_init(&sim->trail);
    kb_arena_init(&sim->arena, program->alloc, 0);
    kbs_costs_find(&sim->costs, program->machine);
    KB_TRY(init_streams(sim, trail));
    KB_TRY(kbs_fabric_settle(&program->fabric, true, trail));
    void *memory;
    KB_TRY(kb_arena_new(&sim->arena, program->fabric.most_steps * sizeof(kbs_slope), &memory, trail));
    sim->slopes = memory;
    sim->packets = (kbs_packets){&sim->arena, NULL, program->fabric.most_steps};
    KB_TRY(init_queues(sim, trail));
    KB_TRY(kbs_counters_init(sim, trail));
    KB_TRY(kbs_stays_init(sim, trail));
    KB_TRY(kbs_joins_init(sim, trail)); /* its ways carry no packets: they need not be settled */
    for (uint32_t i = 0; i < program->ranks; i++)
        kbs_pe_start(&sim->hosts[made(sim->engine.shuffle, i, program->ranks)], 0);
    return KB_OK;
}

static bool all_done(const kbs_sim *sim) {
    for (uint32_t rank = 0; rank < sim->program->ranks; rank++)
        if (!sim->hosts[rank].finished || sim->hosts[rank].unfinished > 0)
            return false;
    return true;
}

/* --- the clock ------------------------------------------------------------------------------- */

static void tell_progress(const kbs_sim *sim, const kbs_limits *limits) {
    if (limits->progress == NULL)
        return;
    kbs_progress progress = {.time_ps = sim->engine.now_ps, .events = sim->engine.fired + sim->engine.spared};
    for (uint32_t i = 0; i < kbs_stream_count(sim); i++) {
        progress.all_commands += sim->pes[i].stream->commands.count;
        progress.commands += sim->pes[i].stream->commands.count - sim->pes[i].reading.left;
    }
    limits->progress(limits->context, &progress);
}

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
        tell_progress(sim, limits);
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
    kbs_counters_flush(sim);
    if (sim->status != KB_OK) {
        kbs_result_fini(&result);
        if (trail != NULL)
            *trail = sim->trail;
        return sim->status;
    }
    for (uint32_t i = 0; i < kbs_stream_count(sim); i++)
        result.time_ps = kbs_later(result.time_ps, sim->pes[i].latest_ps);
    result.events = sim->engine.fired + sim->engine.spared;
    memcpy(result.ops, sim->ops, sizeof result.ops);
    const kb_status status = kbs_stays_tell(sim, &result, trail);
    if (status != KB_OK) {
        kbs_result_fini(&result);
        return status;
    }
    *ret_result = result;
    return KB_OK;
}

kb_status kbs_simulate(kbs_program *program, const kbs_limits *limits, const kbs_sink *sink,
                       kbs_result *ret_result, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_new_zeroed(program->alloc, sizeof(kbs_sim), &memory, trail));
    kbs_sim *sim = memory;
    kb_status status = init(sim, program, limits->shuffle, sink, trail);
    if (status == KB_OK) {
        const bool empty = drive(sim, limits);
        status = finish(sim, empty, ret_result, trail);
    }
    kb_arena_fini(&sim->arena);
    kb_delete(program->alloc, sim, sizeof *sim);
    return status;
}

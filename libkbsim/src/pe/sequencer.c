/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PE's sequencer, or a host program: takes the commands of its stream one after another and hands them to
 * engines.
 *
 * It runs ahead of the clock while the times that it needs are known, and stops where a command blocks it
 * until a time that is not, or where an engine's line is full.
 *
 * A rank's ops are numbered by their issues, and where two are equal by stream, the host's first. A host
 * and its only PE mostly take turns: while one issues ops the other waits. Where several streams of a rank
 * play at a time, each issues an op when the clock is there, and when all that happens at that instant has
 * told who could: the first of these does, then the next. So nothing that is issued earlier comes later.
 */
#include <assert.h>

#include "op/kind.h"
#include "pe/fault.h"

static void fire_wake(kbs_engine *engine, kbs_event *event);

void kbs_pe_wake(kbs_pe *pe) {
    if (pe->stepping || pe->waking || pe->finished)
        return;
    pe->waking = true;
    pe->wake.fire = fire_wake;
    __builtin_prefetch(pe->reading.in.at); /* where its next command is */
    kbs_engine_soon(&pe->sim->engine, &pe->wake);
}

void kbs_pe_room(kbs_pe *pe, const void *line, int64_t at_ps) {
    if (pe->full != line)
        return;
    pe->full = NULL;
    pe->room_ps = at_ps;
    kbs_pe_wake(pe);
}

/* --- one command ----------------------------------------------------------------------------- */

static bool keep_number(kbs_pe *pe, kbs_op *op) {
    kbs_sim *sim = pe->sim;
    const uint64_t kept = pe->numbered_high - pe->numbered_low;
    if (kept == pe->numbered_capacity) {
        void *memory;
        const size_t capacity = pe->numbered_capacity > 0 ? pe->numbered_capacity * 2 : 8;
        const kb_status status =
            kb_arena_new(&sim->arena, capacity * sizeof(kbs_numbered), &memory, &sim->trail);
        if (status != KB_OK) {
            kbs_sim_fail(sim, status);
            return false;
        }
        kbs_numbered *grown = memory;
        for (uint64_t i = pe->numbered_low; i < pe->numbered_high; i++)
            grown[i & (capacity - 1)] = pe->numbered[i & (pe->numbered_capacity - 1)];
        pe->numbered = grown;
        pe->numbered_capacity = capacity;
    }
    op->number = pe->numbered_high++;
    pe->numbered[op->number & (pe->numbered_capacity - 1)] =
        (kbs_numbered){.op = op->record.index, .sent_ps = KBS_UNKNOWN, .done_ps = KBS_UNKNOWN};
    return true;
}

/* A command's op, behind all others of its rank; NULL when memory has run out. */
static kbs_op *take_op(kbs_pe *pe, const kbs_command *command) {
    kbs_rank *rank = &pe->sim->ranks[pe->rank];
    kbs_op *op = kbs_op_new(pe->sim, pe->rank, command->shape);
    if (op == NULL)
        return NULL;
    op->pe = pe;
    op->record.step = command->step;
    op->record.id = command->id;
    op->record.value = command->value;
    op->number = command->awaited;
    for (unsigned i = 0; i < command->shape->common.operand_count; i++)
        op->offsets[i] = command->offsets[i];
    if (rank->first == NULL)
        rank->first = op;
    else
        rank->last->next = op;
    rank->last = op;
    return op;
}

/* The first op of a launch says so, and that all of the launch before is over. */
static void claim_launch(kbs_pe *pe, kbs_op *op) {
    kbs_sim *sim = pe->sim;
    pe->is_first = false;
    kbs_op_claim(sim, op, &(kb_claim){pe->rank, KB_ROLE_LAUNCH, KB_POINT_SENT, KB_SET_ONE, 0},
                 pe->plays->op->record.index);
    if (pe->played)
        kbs_op_claim(sim, op, &(kb_claim){pe->rank, KB_ROLE_OBSERVED, KB_POINT_DONE, KB_SET_STREAM, 0}, 0);
    pe->played = true;
}

/* The op of a command, issued now; NULL when memory has run out. */
static kbs_op *issue(kbs_pe *pe, const kbs_command *command, const kbs_kind *kind) {
    kbs_sim *sim = pe->sim;
    const kbs_common *common = &command->shape->common;
    kbs_op *op = take_op(pe, command);
    if (op == NULL)
        return NULL;
    pe->unfinished++;
    op->engine = pe->engines[kind->engine];
    if (common->numbered && !keep_number(pe, op))
        return NULL;
    const bool is_late = common->joined && sim->ranks[pe->rank].in_turn; /* when the first was handed over */
    const int64_t dispatch_ps = kind->is_free || pe->is_host || is_late ? 0 : sim->costs.dispatch_ps;
    if (!common->joined || is_late) {
        pe->joined_issue_ps = pe->clock_ps;
        pe->joined_held_ps =
            pe->faults.any && !kind->is_free && !is_late ? kbs_fault_held_ps(pe, command, dispatch_ps) : 0;
        pe->joined_ready_ps = pe->clock_ps + dispatch_ps + pe->joined_held_ps;
    }
    op->record.issue_ps = pe->joined_issue_ps;
    op->ready_ps = pe->joined_ready_ps;
    if (pe->is_first)
        claim_launch(pe, op);
    kbs_op_took(sim, op, KB_CAUSE_DISPATCH, dispatch_ps);
    kbs_op_took(sim, op, KB_CAUSE_FAULT, pe->joined_held_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->ready_ps - op->record.issue_ps - dispatch_ps - pe->joined_held_ps,
                            .cause = KB_CAUSE_ENGINE_BUSY,
                            .resource = KB_RESOURCE_ENGINE,
                            .id = op->engine});
    return op;
}

static bool hand_over_again(kbs_pe *pe);

/* False where the engine's line is full. `op` may be gone afterwards. */
static bool hand_over(kbs_pe *pe, kbs_op *op, const kbs_kind *kind) {
    pe->clock_ps = kbs_later(pe->clock_ps, op->ready_ps);
    if (kind->begin(pe, op))
        return true;
    pe->refused = op;
    return hand_over_again(pe); /* where it is known already when there is room */
}

/* The line had room at room_ps: what was refused goes in then. */
static bool hand_over_again(kbs_pe *pe) {
    kbs_op *op = pe->refused;
    if (pe->full != NULL)
        return false;
    pe->refused = NULL;
    if (pe->room_ps > op->ready_ps) {
        kbs_op_note(pe->sim, op,
                    &(kbs_note){.ps = pe->room_ps - op->ready_ps,
                                .cause = KB_CAUSE_ENGINE_BUSY,
                                .resource = KB_RESOURCE_ENGINE,
                                .id = op->engine});
        op->ready_ps = pe->joined_ready_ps = pe->room_ps;
    }
    return hand_over(pe, op, kbs_kind_of(op->shape->common.kind));
}

/* The stream's end, or the mark before its next launch. */
static void rest(kbs_pe *pe, bool more, const kbs_command *mark) {
    assert(!more || mark->shape->common.kind == KBS_BEGIN_LAUNCH);
    pe->finished = !more;
    pe->resting = more;
    pe->next_launch = more ? mark->id : 0;
}

static bool next_command(kbs_pe *pe, kbs_command *ret) {
    if (!pe->keeps)
        return kbs_reading_next(&pe->reading, ret);
    pe->keeps = false;
    *ret = pe->kept;
    return true;
}

static void fire_turn(kbs_engine *engine, kbs_event *event);

static void ask_for_turn(kbs_sim *sim, kbs_rank *rank) {
    if (rank->turn_asked)
        return;
    rank->turn_asked = true;
    rank->turn.fire = fire_turn;
    kbs_engine_at_turn(&sim->engine, &rank->turn);
}

/* Where several streams of a rank play: may this one issue an op now? If not it goes on when it may. */
static bool has_turn(kbs_pe *pe, const kbs_command *command) {
    kbs_sim *sim = pe->sim;
    kbs_rank *rank = &sim->ranks[pe->rank];
    const bool is_due = pe->clock_ps <= sim->engine.now_ps;
    if (is_due && rank->turn_of == pe)
        return true;
    pe->keeps = true;
    pe->kept = *command;
    if (!is_due) {
        kbs_pe_start(pe, pe->clock_ps);
        return false;
    }
    const uint32_t place = pe->is_host ? 0 : 1 + pe->pe % sim->program->rank_pes;
    rank->ready[place / 64] |= UINT64_C(1) << place % 64;
    ask_for_turn(sim, rank);
    return false;
}

static bool take_next(kbs_pe *pe) {
    kbs_command command;
    const bool more = next_command(pe, &command);
    if (!more || command.shape->common.kind == KBS_BEGIN_LAUNCH) {
        rest(pe, more, &command);
        kbs_launch_check(pe);
        return false;
    }
    if (pe->sim->ranks[pe->rank].in_turn && !has_turn(pe, &command))
        return false;
    const kbs_kind *kind = kbs_kind_of(command.shape->common.kind);
    kbs_op *op = issue(pe, &command, kind);
    if (op == NULL)
        return false;
    if (command.shape->common.blocks != KB_BLOCKS_NO)
        pe->blocked_on = op;
    return hand_over(pe, op, kind);
}

static void go_on(kbs_pe *pe) {
    kbs_sim *sim = pe->sim;
    pe->stepping = true;
    bool goes_on = true;
    if (pe->refused != NULL)
        goes_on = hand_over_again(pe);
    while (goes_on && pe->blocked_on == NULL && sim->status == KB_OK)
        goes_on = take_next(pe);
    pe->stepping = false;
    kbs_outbox_flush(sim, pe->rank); /* what a PE did in one go is best written in one go */
}

static void fire_wake(kbs_engine *engine, kbs_event *event) {
    kbs_pe *pe = (kbs_pe *)(void *)((char *)event - offsetof(kbs_pe, wake));
    (void)engine;
    pe->waking = false;
    go_on(pe);
}

/* The first of the streams that could issue does, all that it can; the others are asked for again. */
static void fire_turn(kbs_engine *engine, kbs_event *event) {
    kbs_sim *sim = engine->owner;
    kbs_rank *rank = (kbs_rank *)(void *)((char *)event - offsetof(kbs_rank, turn));
    const uint32_t number = (uint32_t)(rank - sim->ranks), pes = sim->program->rank_pes;
    uint32_t word = 0;
    while (rank->ready[word] == 0)
        word++;
    const uint32_t place = word * 64 + (uint32_t)__builtin_ctzll(rank->ready[word]);
    rank->ready[word] &= rank->ready[word] - 1;
    kbs_pe *pe = place == 0 ? &sim->hosts[number] : &sim->pes[number * pes + place - 1];
    rank->turn_asked = false;
    rank->turn_of = pe;
    go_on(pe);
    rank->turn_of = NULL;
    for (uint32_t i = 0; i <= pes / 64; i++)
        if (rank->ready[i] != 0)
            ask_for_turn(sim, rank);
}

void kbs_pe_start(kbs_pe *pe, int64_t at_ps) {
    pe->clock_ps = kbs_later(pe->clock_ps, at_ps);
    pe->waking = true;
    pe->wake.fire = fire_wake;
    kbs_engine_at(&pe->sim->engine, &pe->wake, at_ps);
}

/* --- launches -------------------------------------------------------------------------------- */

kb_status kbs_pe_init(kbs_pe *pe, kbs_sim *sim, tl_stream *stream, kb_trail *trail) {
    pe->sim = sim;
    pe->stream = stream;
    pe->rank = stream->rank;
    pe->pe = stream->pe;
    pe->is_host = stream->is_host;
    pe->numbered_low = pe->numbered_high = 1;
    for (uint32_t kind = 1; kind < KBS_ENGINES; kind++)
        pe->engines[kind] = pe->is_host              ? kbs_host_engine(sim->program, pe->rank)
                            : kind != KB_ENGINE_HOST ? kbs_pe_engine(pe->pe, kind)
                                                     : KB_NONE;
    KB_TRY(kbs_reading_init(&pe->reading, &stream->commands, &sim->arena, trail));
    kbs_command mark;
    if (!pe->is_host)
        rest(pe, kbs_reading_next(&pe->reading, &mark), &mark);
    return KB_OK;
}

void kbs_pe_begin_launch(kbs_pe *pe, int64_t begin_ps) {
    pe->resting = false;
    pe->is_first = true;
    kbs_pe_start(pe, begin_ps);
}

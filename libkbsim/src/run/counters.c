/* SPDX-License-Identifier: Apache-2.0 */
/* Changes gathered by microsecond, samples in the order of counters; see counters.h. */
#include "run/counters.h"

#include <assert.h>

#define SPAN_PS INT64_C(1000000) /* one sample a counter and span at most */

typedef struct change {
    int64_t span; /* number of the microsecond */
    int64_t latest_ps, difference;
} change;

typedef struct kbs_counter {
    uint32_t id; /* in the trace; KB_NONE: nothing counts here */
    uint32_t count, capacity;
    change *changes; /* by rising span */
    int64_t value, told;
} kbs_counter;

static kbs_counter *counter_of(const kbs_sim *sim, size_t index) {
    return &sim->counters.all[index];
}

/* --- setting up ------------------------------------------------------------------------------ */

static kb_status define(kbs_sim *sim, size_t index, const kb_counter *row, kb_trail *trail) {
    kbs_counter *counter = counter_of(sim, index);
    if (counter->id != KB_NONE)
        return KB_OK;
    return kb_defs_add_counter(&sim->program->defs, row, &counter->id, trail);
}

/* Of the memories that a stream allocates from. */
static kb_status define_memories(kbs_sim *sim, const tl_stream *stream, kb_trail *trail) {
    for (size_t i = 0; i < stream->commands.shape_count; i++) {
        const kbs_common *common = &stream->commands.shapes[i]->common;
        if (common->kind != KB_OP_ALLOC && common->kind != KB_OP_FREE)
            continue;
        const uint32_t memory = common->operands[0].memory;
        const kb_counter row = {"in use", "bytes", sim->program->defs.memories[memory].rank,
                                KB_RESOURCE_MEMORY, memory};
        KB_TRY(define(sim, sim->program->queue_count + memory, &row, trail));
    }
    return KB_OK;
}

/* What lies in memories when the run begins: initial contents and rings. */
static void add_first(kbs_sim *sim) {
    const kb_defs *defs = &sim->program->defs;
    const size_t queues = sim->program->queue_count;
    for (size_t i = 0; i < defs->initial_count; i++)
        counter_of(sim, queues + defs->initials[i].memory)->value +=
            (int64_t)(defs->initials[i].elements * kb_dtype_size(defs->initials[i].dtype));
    for (size_t i = 0; i < defs->queue_count; i++)
        counter_of(sim, queues + defs->queues[i].memory)->value +=
            (int64_t)(defs->queues[i].slots * defs->queues[i].slot_bytes);
    for (size_t i = queues; i < sim->counters.count; i++)
        if (counter_of(sim, i)->value != 0)
            kbs_count_bytes(sim, (uint32_t)(i - queues), 0, 0);
}

kb_status kbs_counters_init(kbs_sim *sim, kb_trail *trail) {
    kbs_program *program = sim->program;
    kbs_counters *counters = &sim->counters;
    if (sim->sink->sample == NULL)
        return KB_OK;
    const size_t count = program->queue_count + program->defs.memory_count;
    void *memory;
    KB_TRY(kb_arena_new(&sim->arena, count * sizeof(kbs_counter), &memory, trail));
    counters->all = memory;
    counters->count = count;
    KB_TRY(kb_arena_new(&sim->arena, (count + 63) / 64 * sizeof(uint64_t), &memory, trail));
    counters->changed = memory;
    for (size_t i = 0; i < count; i++)
        counters->all[i] = (kbs_counter){.id = KB_NONE, .told = INT64_MIN};
    for (uint32_t i = 0; i < program->queue_count; i++) {
        const kb_counter row = {"occupancy", "slots", program->queues[i].consumer_rank, KB_RESOURCE_QUEUE, i};
        KB_TRY(define(sim, i, &row, trail));
    }
    for (uint32_t rank = 0; rank < program->ranks; rank++) {
        for (uint32_t i = 0; i < program->rank_pes; i++)
            KB_TRY(define_memories(sim, &program->streams[rank * program->rank_pes + i], trail));
        KB_TRY(define_memories(sim, &program->hosts[rank], trail));
    }
    add_first(sim);
    return KB_OK;
}

/* --- samples --------------------------------------------------------------------------------- */

/* A counter's changes before span `end` become samples. */
static void tell(kbs_sim *sim, kbs_counter *counter, int64_t end) {
    uint32_t done = 0;
    for (; done < counter->count && counter->changes[done].span < end; done++) {
        const change *next = &counter->changes[done];
        counter->value += next->difference;
        if (counter->value == counter->told || sim->status != KB_OK)
            continue;
        counter->told = counter->value;
        const kb_status status =
            sim->sink->sample(sim->sink->context, counter->id, next->latest_ps, counter->value, &sim->trail);
        if (status != KB_OK)
            kbs_sim_fail(sim, status);
    }
    counter->count -= done;
    memmove(counter->changes, counter->changes + done, counter->count * sizeof(change));
}

static void tell_all(kbs_sim *sim, int64_t end) {
    kbs_counters *counters = &sim->counters;
    for (size_t i = 0; i * 64 < counters->count; i++)
        for (uint64_t left = counters->changed[i]; left != 0; left &= left - 1) {
            const unsigned bit = (unsigned)__builtin_ctzll(left);
            kbs_counter *counter = &counters->all[i * 64 + bit];
            tell(sim, counter, end);
            if (counter->count == 0)
                counters->changed[i] &= ~(UINT64_C(1) << bit);
        }
    counters->span = end;
}

void kbs_counters_flush(kbs_sim *sim) {
    if (sim->counters.count > 0)
        tell_all(sim, INT64_MAX);
}

/* --- changes --------------------------------------------------------------------------------- */

static bool grow(kbs_sim *sim, kbs_counter *counter) {
    void *memory;
    const uint32_t capacity = counter->capacity > 0 ? counter->capacity * 2 : 4;
    const kb_status status = kb_arena_new(&sim->arena, capacity * sizeof(change), &memory, &sim->trail);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return false;
    }
    if (counter->count > 0)
        memcpy(memory, counter->changes, counter->count * sizeof(change));
    counter->changes = memory;
    counter->capacity = capacity;
    return true;
}

/* The change of a span, new or known; NULL when memory has run out. */
static change *change_of(kbs_sim *sim, kbs_counter *counter, int64_t span) {
    uint32_t at = counter->count;
    while (at > 0 && counter->changes[at - 1].span > span)
        at--;
    if (at > 0 && counter->changes[at - 1].span == span)
        return &counter->changes[at - 1];
    if (counter->count == counter->capacity && !grow(sim, counter))
        return NULL;
    memmove(counter->changes + at + 1, counter->changes + at, (counter->count - at) * sizeof(change));
    counter->count++;
    counter->changes[at] = (change){.span = span};
    return &counter->changes[at];
}

/* Most changes are of the span of the last one. */
static bool add_to_last(kbs_counter *counter, int64_t at_ps, int64_t difference) {
    if (counter->count == 0)
        return false;
    change *last = &counter->changes[counter->count - 1];
    const int64_t begin_ps = last->span * SPAN_PS;
    if (at_ps < begin_ps || at_ps >= begin_ps + SPAN_PS)
        return false;
    last->difference += difference;
    last->latest_ps = kbs_later(last->latest_ps, at_ps);
    return true;
}

static void count(kbs_sim *sim, size_t index, int64_t at_ps, int64_t difference) {
    kbs_counters *counters = &sim->counters;
    if (counters->count == 0)
        return;
    assert(at_ps >= counters->span * SPAN_PS);
    if (sim->engine.now_ps >= (counters->span + 1) * SPAN_PS)
        tell_all(sim, sim->engine.now_ps / SPAN_PS);
    kbs_counter *counter = &counters->all[index];
    if (counter->id == KB_NONE || add_to_last(counter, at_ps, difference))
        return;
    change *of = change_of(sim, counter, at_ps / SPAN_PS);
    if (of == NULL)
        return;
    of->difference += difference;
    of->latest_ps = kbs_later(of->latest_ps, at_ps);
    counters->changed[index / 64] |= UINT64_C(1) << index % 64;
}

void kbs_count_slots(kbs_sim *sim, uint32_t queue, int64_t at_ps, int64_t difference) {
    count(sim, queue, at_ps, difference);
}

void kbs_count_bytes(kbs_sim *sim, uint32_t memory, int64_t at_ps, int64_t difference) {
    count(sim, sim->program->queue_count + memory, at_ps, difference);
}

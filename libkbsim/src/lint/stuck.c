/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an execution without time stands still; see stuck.h. What the execution did not keep of a command,
 * its step and its place, is read again from its stream.
 */
#include "lint/stuck.h"

#include <assert.h>

/* A node: what it is, and two numbers. Never 0. */
enum { HELD = 1, COPY, LAUNCH };
enum { SECOND_BITS = 38, FIRST_BITS = 24 };

static uint64_t node_of(uint64_t what, uint64_t first, uint64_t second) {
    assert(first >> FIRST_BITS == 0 && second >> SECOND_BITS == 0);
    return what << (FIRST_BITS + SECOND_BITS) | first << SECOND_BITS | second;
}

static uint32_t what_of(uint64_t node) {
    return (uint32_t)(node >> (FIRST_BITS + SECOND_BITS));
}

static uint32_t first_of(uint64_t node) {
    return (uint32_t)(node >> SECOND_BITS & ((UINT64_C(1) << FIRST_BITS) - 1));
}

static uint64_t second_of(uint64_t node) {
    return node & ((UINT64_C(1) << SECOND_BITS) - 1);
}

void kbs_stuck_init(kbs_stuck *stuck, const kbs_timeless *t) {
    stuck->t = t;
    kb_arena_init(&stuck->scratch, t->program->alloc, 0);
}

void kbs_stuck_fini(kbs_stuck *stuck) {
    kb_arena_fini(&stuck->scratch);
}

/* --- commands, read again -------------------------------------------------------------------- */

/* The n-th command of a stream for which `is_it` says so. */
typedef bool (*is_it_fn)(const kbs_command *command, uint64_t place, const uint64_t *wanted);

static bool is_place(const kbs_command *command, uint64_t place, const uint64_t *wanted) {
    (void)command;
    return place == *wanted;
}

static bool is_launch(const kbs_command *command, uint64_t place, const uint64_t *wanted) {
    (void)place;
    return command->shape->common.kind == KB_OP_LAUNCH && command->id == *wanted;
}

static bool is_copy(const kbs_command *command, uint64_t place, const uint64_t *wanted) {
    (void)place;
    return command->shape->common.kind == KB_OP_IPCQ_COPY && command->shape->common.queue == *wanted;
}

static kb_status find(kbs_stuck *stuck, const tl_stream *stream, is_it_fn is_it, uint64_t wanted,
                      uint64_t which, kbs_stand *ret, kb_trail *trail) {
    kbs_reading reading;
    kbs_command command;
    kb_arena_reset(&stuck->scratch);
    KB_TRY(kbs_reading_init(&reading, &stream->commands, &stuck->scratch, trail));
    uint64_t place = 0;
    for (;; place++) {
        const bool more = kbs_reading_next(&reading, &command);
        assert(more);
        (void)more;
        if (is_it(&command, place, &wanted) && which-- == 0)
            break;
    }
    ret->common = &command.shape->common;
    ret->step = command.step;
    ret->stream = stream;
    ret->order = place;
    return KB_OK;
}

/* The first copy of a PE that has no credit, in the order of its program; it has one. */
static kb_status find_first_copy(kbs_stuck *stuck, const kbs_player *pe, uint64_t *ret_node,
                                 kb_trail *trail) {
    const kbs_timeless *t = stuck->t;
    void *memory;
    kbs_reading reading;
    kbs_command command;
    kb_arena_reset(&stuck->scratch);
    KB_TRY(kbs_reading_init(&reading, &pe->stream->commands, &stuck->scratch, trail));
    KB_TRY(kb_arena_new(&stuck->scratch, t->program->queue_count * sizeof(uint64_t), &memory, trail));
    uint64_t *sequences = memory, sequence = 0;
    uint32_t queue;
    do {
        do {
            const bool more = kbs_reading_next(&reading, &command);
            assert(more);
            (void)more;
        } while (command.shape->common.kind != KB_OP_IPCQ_COPY);
        queue = command.shape->common.queue;
        sequence = sequences[queue]++;
    } while (sequence < t->courses[queue].started);
    *ret_node = node_of(COPY, queue, sequence);
    return KB_OK;
}

static uint32_t place_of(const kbs_timeless *t, const kbs_player *p) {
    return (uint32_t)(p - t->players);
}

/* --- what streams stand at ------------------------------------------------------------------- */

static kb_status stands_at(void *context, uint32_t stream, uint64_t *ret, kb_trail *trail) {
    kbs_stuck *stuck = context;
    const kbs_player *p = &stuck->t->players[stream];
    const kbs_common *common = p->command.common;
    *ret = KBS_NOWHERE;
    if (p->holds && common->kind == KB_OP_IPCQ_COPY && p->issued)
        *ret = node_of(COPY, common->queue, p->turn);
    else if (p->holds && common->kind == KB_OP_LAUNCH)
        *ret = node_of(LAUNCH, stream, p->command.id);
    else if (p->holds)
        *ret = node_of(HELD, stream, 0);
    else if (p->waiting > 0)
        return find_first_copy(stuck, p, ret, trail);
    return KB_OK;
}

/* The stream must go on: that which holds it up. A PE that is done with its launches so far has its host. */
static kb_status goes_by(kbs_stuck *stuck, uint32_t stream, kbs_stand *stand, kb_trail *trail) {
    const kbs_timeless *t = stuck->t;
    const kbs_player *p = &t->players[stream];
    KB_TRY(stands_at(stuck, stream, &stand->next, trail));
    if (stand->next == KBS_NOWHERE && p->resting)
        KB_TRY(stands_at(stuck, t->program->pes + p->stream->rank, &stand->next, trail));
    if (stand->next == KBS_NOWHERE)
        stand->end = p->stream;
    return KB_OK;
}

/* --- what ops wait for ----------------------------------------------------------------------- */

static kb_status look_at_copy(kbs_stuck *stuck, uint32_t queue, uint64_t sequence, kbs_stand *ret,
                              kb_trail *trail) {
    const kbs_timeless *t = stuck->t;
    const kbs_queue *recorded = &t->program->queues[queue];
    const kbs_course *q = &t->courses[queue];
    KB_TRY(
        find(stuck, kbs_player_of_pe(t, recorded->producer)->stream, is_copy, queue, sequence, ret, trail));
    if (sequence != q->started) {
        kbs_words_line(&ret->words, t->program, queue);
        ret->next = node_of(COPY, queue, q->started);
        return KB_OK;
    }
    bool ever;
    kbs_words_credit(&ret->words, t->program, queue, q->slots, sequence, &ever);
    return ever ? goes_by(stuck, recorded->consumer, ret, trail) : KB_OK;
}

/* A copy whose queue's line is full. */
static kb_status look_at_refused(kbs_stuck *stuck, const kbs_player *p, kbs_stand *ret, kb_trail *trail) {
    (void)trail;
    const uint32_t queue = p->command.common->queue;
    kbs_words_line(&ret->words, stuck->t->program, queue);
    ret->next = node_of(COPY, queue, stuck->t->courses[queue].started);
    return KB_OK;
}

static kb_status look_at_receive(kbs_stuck *stuck, const kbs_player *p, kbs_stand *ret, kb_trail *trail) {
    const kbs_timeless *t = stuck->t;
    const uint32_t queue = p->command.common->queue;
    const kbs_course *q = &t->courses[queue];
    bool ever;
    kbs_words_message(&ret->words, t->program, queue, q->received, &ever);
    if (!ever)
        return KB_OK;
    if (q->received < q->issued) {
        ret->next = node_of(COPY, queue, q->received);
        return KB_OK;
    }
    return goes_by(stuck, t->program->queues[queue].producer, ret, trail);
}

static kb_status look_at_wait(kbs_stuck *stuck, const kbs_player *p, kbs_stand *ret, kb_trail *trail) {
    (void)trail;
    const kbs_common *common = p->command.common;
    const uint64_t end = p->command.awaited + common->awaited;
    kbs_named named = {0};
    uint32_t missing = 0;
    for (uint64_t i = kbs_timeless_find(p, p->command.awaited); i < p->pending_count; i++) {
        const kbs_pending *what = kbs_pending_at(p, i);
        if (what->number >= end)
            break;
        if (kbs_timeless_is_over(stuck->t, p, what, common->point))
            continue;
        const bool is_launch = what->queue == KBS_PENDING_LAUNCH;
        if (missing++ > 0)
            continue;
        named.kind = is_launch ? KB_OP_LAUNCH : KB_OP_IPCQ_COPY;
        ret->next = is_launch ? node_of(LAUNCH, place_of(stuck->t, p), what->sequence)
                              : node_of(COPY, what->queue, what->sequence);
    }
    ret->is_quiet = p->stream->is_host;
    kbs_words_wait(&ret->words, common->point, common->awaited, missing, &named);
    return KB_OK;
}

static kb_status look_at_fence(kbs_stuck *stuck, const kbs_player *p, kbs_stand *ret, kb_trail *trail) {
    kbs_words_fence(&ret->words, p->waiting);
    return find_first_copy(stuck, p, &ret->next, trail);
}

static bool has_come(const kbs_player *p, const kbs_meeting *place, uint32_t group) {
    return p->holds && p->issued && p->command.common->kind == KB_OP_BARRIER &&
           p->command.common->group == group && p->turn == place->times;
}

/* Of its members the first that has not come. */
static kb_status look_at_barrier(kbs_stuck *stuck, const kbs_player *p, kbs_stand *ret, kb_trail *trail) {
    const kbs_timeless *t = stuck->t;
    const uint32_t id = p->command.common->group;
    const kb_group *group = &t->program->defs.groups[id];
    const kbs_meeting *place = kbs_meeting_of(t, p, id);
    size_t i = 0;
    while (has_come(kbs_player_like(t, p, group->ranks[i]), place, id))
        i++;
    kbs_words_barrier(&ret->words, p->command.id, group->ranks[i], place->come, group->rank_count);
    return goes_by(stuck, place_of(t, kbs_player_like(t, p, group->ranks[i])), ret, trail);
}

/* Of a rank's PEs the first that is not done with the launch. */
static uint32_t busy_pe(const kbs_timeless *t, uint32_t rank, uint64_t launch) {
    uint32_t pe = rank * t->program->rank_pes;
    while (kbs_timeless_is_done(t, pe, launch))
        pe++;
    return pe;
}

static kb_status look_at_launch(kbs_stuck *stuck, uint32_t host, uint64_t number, kbs_stand *ret,
                                kb_trail *trail) {
    const kbs_timeless *t = stuck->t;
    const kbs_player *p = &t->players[host];
    KB_TRY(find(stuck, p->stream, is_launch, number, 0, ret, trail));
    if (kbs_timeless_is_launched(t, number)) {
        ret->is_quiet = true;
        kbs_words_launched(&ret->words, number);
        return goes_by(stuck, busy_pe(t, p->stream->rank, number), ret, trail);
    }
    const kb_group *group = &t->program->defs.groups[ret->common->group];
    size_t i = 0;
    while (kbs_player_of_host(t, group->ranks[i])->launch > number)
        i++;
    kbs_words_launch(&ret->words, number, group->ranks[i]);
    return goes_by(stuck, t->program->pes + group->ranks[i], ret, trail);
}

typedef kb_status (*look_fn)(kbs_stuck *stuck, const kbs_player *p, kbs_stand *ret, kb_trail *trail);
static const look_fn looks[KB_OP_LIMIT] = {
    [KB_OP_IPCQ_COPY] = look_at_refused, [KB_OP_IPCQ_RECV] = look_at_receive, [KB_OP_WAIT] = look_at_wait,
    [KB_OP_FENCE] = look_at_fence,       [KB_OP_BARRIER] = look_at_barrier,
};

/* What a stream stands at, but for copies that were handed over and launches. */
static kb_status look_at_held(kbs_stuck *stuck, uint32_t stream, kbs_stand *ret, kb_trail *trail) {
    const kbs_player *p = &stuck->t->players[stream];
    const uint64_t place = p->stream->commands.count - p->skim.left - 1;
    KB_TRY(find(stuck, p->stream, is_place, place, 0, ret, trail));
    return looks[p->command.common->kind](stuck, p, ret, trail);
}

static kb_status look(void *context, uint64_t node, kbs_stand *ret, kb_trail *trail) {
    kbs_stuck *stuck = context;
    switch (what_of(node)) {
    case COPY: return look_at_copy(stuck, first_of(node), second_of(node), ret, trail);
    case LAUNCH: return look_at_launch(stuck, first_of(node), second_of(node), ret, trail);
    default: return look_at_held(stuck, first_of(node), ret, trail);
    }
}

kbs_standing kbs_stuck_standing(kbs_stuck *stuck) {
    return (kbs_standing){stuck->t->program, stuck, stands_at, look};
}

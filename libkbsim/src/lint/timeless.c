/* SPDX-License-Identifier: Apache-2.0 */
/* Programs without time; see timeless.h. */
#include "lint/timeless.h"

#include <assert.h>
#include <string.h>

/* Who plays looks for itself. */
static void list(kbs_timeless *t, kbs_player *p) {
    if (p->listed || p == t->playing)
        return;
    p->listed = true;
    const size_t end = t->list_first + t->list_count++;
    t->list[end < t->player_count ? end : end - t->player_count] = p;
}

/* Lists a stream that stands at a command of that kind on the queue. */
static void list_at(kbs_timeless *t, kbs_player *p, kb_kind kind, uint32_t queue) {
    if (p->holds && p->command.common->kind == kind && p->command.common->queue == queue)
        list(t, p);
}

/* --- queues ---------------------------------------------------------------------------------- */

static void begin_launch(kbs_timeless *t, kbs_player *pe);

/* A PE has fewer copies that wait: who may go on for that? */
static void list_for_fewer(kbs_timeless *t, kbs_player *pe) {
    if (pe->holds)
        list(t, pe);
    if (pe->waiting > 0 || !(pe->resting || pe->ended))
        return;
    begin_launch(t, pe);
    list(t, kbs_player_of_host(t, pe->stream->rank));
}

/* Starts the copies that have their credit. */
static void start_copies(kbs_timeless *t, uint32_t id) {
    kbs_course *q = &t->courses[id];
    const uint64_t before = q->started, most = q->released + q->slots;
    q->started = q->issued < most ? q->issued : most;
    if (q->started == before)
        return;
    while (q->head_count > 0 && q->heads[q->head_first] < q->started) {
        q->head_first = q->head_first + 1 < q->places ? q->head_first + 1 : 0;
        q->head_count--;
    }
    const kbs_queue *recorded = &t->program->queues[id];
    kbs_player *producer = kbs_player_of_pe(t, recorded->producer);
    producer->waiting -= q->started - before;
    list_for_fewer(t, producer);
    list_at(t, kbs_player_of_pe(t, recorded->consumer), KB_OP_IPCQ_RECV, id);
}

bool kbs_timeless_is_done(const kbs_timeless *t, uint32_t pe, uint64_t launch) {
    const kbs_player *p = kbs_player_of_pe(t, pe);
    return p->launch > launch + 1 || (p->launch == launch + 1 && (p->resting || p->ended) && p->waiting == 0);
}

static bool is_behind(const kbs_timeless *t, uint32_t rank, uint64_t launch) {
    const uint32_t pes = t->program->rank_pes;
    uint32_t done = 0;
    while (done < pes && kbs_timeless_is_done(t, rank * pes + done, launch))
        done++;
    return done == pes;
}

bool kbs_timeless_is_launched(const kbs_timeless *t, uint64_t launch) {
    return t->coming[launch] == UINT32_MAX;
}

bool kbs_timeless_is_over(const kbs_timeless *t, const kbs_player *p, const kbs_pending *what,
                          uint8_t point) {
    if (what->queue != KBS_PENDING_LAUNCH)
        return t->courses[what->queue].started > what->sequence;
    if (point == KB_POINT_SENT)
        return kbs_timeless_is_launched(t, what->sequence);
    return is_behind(t, p->stream->rank, what->sequence);
}

static void keep(kbs_timeless *t, kbs_player *p, kbs_pending what) {
    while (p->pending_count > 0 && kbs_timeless_is_over(t, p, kbs_pending_at(p, 0), KB_POINT_DONE)) {
        p->pending_first++;
        p->pending_count--;
    }
    if (p->pending_count == p->pending_capacity) {
        void *memory;
        const uint64_t capacity = p->pending_capacity > 0 ? p->pending_capacity * 2 : 8;
        t->status = kb_arena_new(&t->arena, capacity * sizeof(kbs_pending), &memory, t->trail);
        if (t->status != KB_OK)
            return;
        kbs_pending *grown = memory;
        for (uint64_t i = 0; i < p->pending_count; i++)
            grown[i] = *kbs_pending_at(p, i);
        p->pending = grown;
        p->pending_first = 0;
        p->pending_capacity = capacity;
    }
    *kbs_pending_at(p, p->pending_count++) = what;
}

static bool copy(kbs_timeless *t, kbs_player *p) {
    const kbs_common *common = p->command.common;
    kbs_course *q = &t->courses[common->queue];
    if (!p->issued) {
        if (!common->continues) {
            if (q->head_count == t->depth)
                return false;
            const uint64_t end = q->head_first + q->head_count++;
            q->heads[end < q->places ? end : end - q->places] = q->issued;
        }
        p->issued = true;
        p->turn = q->issued++;
        p->waiting++;
        start_copies(t, common->queue);
        if (common->numbered && q->started <= p->turn)
            keep(t, p, (kbs_pending){p->command.number, common->queue, p->turn});
    }
    return common->blocks == KB_BLOCKS_NO || q->started > p->turn;
}

static bool receive(kbs_timeless *t, kbs_player *p) {
    kbs_course *q = &t->courses[p->command.common->queue];
    if (q->started <= q->received)
        return false;
    q->received++;
    return true;
}

static bool release(kbs_timeless *t, kbs_player *p) {
    const uint32_t id = p->command.common->queue;
    t->courses[id].released++;
    start_copies(t, id);
    return true;
}

/* --- waiting --------------------------------------------------------------------------------- */

uint64_t kbs_timeless_find(const kbs_player *p, uint64_t number) {
    uint64_t low = 0, high = p->pending_count;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (kbs_pending_at(p, middle)->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool wait(kbs_timeless *t, kbs_player *p) {
    const kbs_common *common = p->command.common;
    const uint64_t end = p->command.awaited + common->awaited;
    for (uint64_t i = kbs_timeless_find(p, p->command.awaited); i < p->pending_count; i++) {
        const kbs_pending *what = kbs_pending_at(p, i);
        if (what->number >= end)
            break;
        if (!kbs_timeless_is_over(t, p, what, common->point))
            return false;
    }
    return true;
}

static bool fence(kbs_timeless *t, kbs_player *p) {
    (void)t;
    return p->waiting == 0;
}

/* All members have come once the last has; that one lists the others. */
static bool barrier(kbs_timeless *t, kbs_player *p) {
    const uint32_t id = p->command.common->group;
    const kb_group *group = &t->program->defs.groups[id];
    kbs_meeting *place = kbs_meeting_of(t, p, id);
    if (!p->issued) {
        p->issued = true;
        p->turn = place->times;
        if (++place->come == group->rank_count) {
            place->come = 0;
            place->times++;
            for (size_t i = 0; i < group->rank_count; i++)
                list(t, kbs_player_like(t, p, group->ranks[i]));
        }
    }
    return place->times > p->turn;
}

/* A PE that rests goes on when all hosts have come to its next launch and it is done with the one before. */
static void begin_launch(kbs_timeless *t, kbs_player *pe) {
    if (!pe->resting || pe->waiting > 0 || !kbs_timeless_is_launched(t, pe->next - 1))
        return;
    pe->resting = false;
    pe->launch = pe->next;
    list(t, pe);
}

static bool launch(kbs_timeless *t, kbs_player *p) {
    const kbs_common *common = p->command.common;
    const kb_group *group = &t->program->defs.groups[common->group];
    const uint64_t number = p->command.id;
    if (!p->issued) {
        p->issued = true;
        p->launch = number + 1;
        if (common->numbered)
            keep(t, p, (kbs_pending){p->command.number, KBS_PENDING_LAUNCH, number});
        if (++t->coming[number] == group->rank_count) {
            t->coming[number] = UINT32_MAX; /* all */
            for (size_t i = 0; i < group->rank_count; i++) {
                for (uint32_t pe = 0; pe < t->program->rank_pes; pe++)
                    begin_launch(t, kbs_player_of_pe(t, group->ranks[i] * t->program->rank_pes + pe));
                list(t, kbs_player_of_host(t, group->ranks[i])); /* who waits until it is sent */
            }
        }
    }
    return common->blocks == KB_BLOCKS_NO || is_behind(t, p->stream->rank, number);
}

/* --- playing --------------------------------------------------------------------------------- */

/* The command that is on: false where it holds its stream up. Other kinds always come to their end. */
typedef bool (*step_fn)(kbs_timeless *t, kbs_player *p);
static const step_fn steps[KB_OP_LIMIT] = {
    [KB_OP_IPCQ_COPY] = copy, [KB_OP_IPCQ_RECV] = receive, [KB_OP_IPCQ_RELEASE] = release,
    [KB_OP_WAIT] = wait,      [KB_OP_FENCE] = fence,       [KB_OP_BARRIER] = barrier,
    [KB_OP_LAUNCH] = launch,
};

/* The stream's end, or the mark before its next launch: whoever waits for the one before may go on. */
static void rest(kbs_timeless *t, kbs_player *p, bool more) {
    p->ended = !more;
    p->resting = more;
    p->next = more ? p->command.id + 1 : 0;
    begin_launch(t, p);
    list(t, kbs_player_of_host(t, p->stream->rank));
}

static void play(kbs_timeless *t, kbs_player *p) {
    const uint64_t before = p->skim.left;
    t->playing = p;
    while (t->status == KB_OK && !p->ended && !p->resting) {
        if (!p->holds) {
            const bool more = kbs_skim_next(&p->skim, &p->command);
            if (!more || p->command.common->kind == KBS_BEGIN_LAUNCH) {
                rest(t, p, more);
                continue;
            }
            p->holds = true;
            p->issued = false;
        }
        if (!steps[p->command.common->kind](t, p))
            break;
        p->holds = false;
    }
    t->playing = NULL;
    t->played += before - p->skim.left;
}

/* PEs as well: a host may go its way once its launch is sent. */
static bool all_ended(const kbs_timeless *t) {
    for (size_t i = 0; i < t->player_count; i++)
        if (!t->players[i].ended || t->players[i].waiting > 0)
            return false;
    return true;
}

/* --- setting up ------------------------------------------------------------------------------ */

static kb_status take(kbs_timeless *t, size_t count, size_t size, void **ret, kb_trail *trail) {
    return kb_arena_new(&t->arena, count * size, ret, trail);
}

/* Of each group one for each place in a rank, and one for hosts. */
static size_t meeting_count(const kbs_program *program) {
    return (program->rank_pes + 1) * program->defs.group_count;
}

static kb_status init_queues(kbs_timeless *t, kb_trail *trail) {
    const kbs_program *program = t->program;
    void *memory;
    KB_TRY(take(t, program->queue_count, sizeof(kbs_course), &memory, trail));
    t->courses = memory;
    for (size_t i = 0; i < program->queue_count; i++) {
        kbs_course *q = &t->courses[i];
        const uint64_t sent = program->queues[i].sent;
        q->places = sent < t->depth ? sent + 1 : t->depth;
        KB_TRY(take(t, q->places, sizeof q->heads[0], &memory, trail));
        q->heads = memory;
    }
    return KB_OK;
}

static kb_status init_players(kbs_timeless *t, kb_trail *trail) {
    const kbs_program *program = t->program;
    bool wanted[KB_OP_LIMIT];
    void *memory;
    for (uint32_t kind = 0; kind < KB_OP_LIMIT; kind++)
        wanted[kind] = steps[kind] != NULL || kind == KBS_BEGIN_LAUNCH;
    KB_TRY(take(t, t->player_count, sizeof(kbs_player *), &memory, trail));
    t->list = memory;
    KB_TRY(take(t, t->player_count, sizeof(kbs_player), &memory, trail));
    t->players = memory;
    for (size_t i = 0; i < t->player_count; i++) {
        kbs_player *p = &t->players[i];
        p->stream = i < program->pes ? &program->streams[i] : &program->hosts[i - program->pes];
        KB_TRY(kbs_skim_init(&p->skim, &p->stream->commands, wanted, &t->arena, trail));
    }
    return KB_OK;
}

kb_status kbs_timeless_init(kbs_timeless *t, const kbs_program *program, kb_trail *trail) {
    *t = (kbs_timeless){.program = program,
                        .depth = (uint32_t)program->machine->at.engine_queue_depth,
                        .player_count = (size_t)program->pes + program->ranks};
    kb_arena_init(&t->arena, program->alloc, 0);
    void *memory;
    KB_TRY(take(t, meeting_count(program), sizeof(kbs_meeting), &memory, trail));
    t->barriers = memory;
    KB_TRY(take(t, program->launch_count, sizeof(uint32_t), &memory, trail));
    t->coming = memory;
    KB_TRY(init_queues(t, trail));
    return init_players(t, trail);
}

void kbs_timeless_fini(kbs_timeless *t) {
    kb_arena_fini(&t->arena);
}

/* --- one execution --------------------------------------------------------------------------- */

static void rewind_queues(kbs_timeless *t, const uint64_t *slots) {
    for (size_t i = 0; i < t->program->queue_count; i++) {
        kbs_course *q = &t->courses[i];
        q->slots = slots != NULL ? slots[i] : t->program->queues[i].slots;
        q->issued = q->started = q->released = q->received = 0;
        q->head_first = q->head_count = 0;
    }
}

static void rewind_players(kbs_timeless *t) {
    t->list_first = t->list_count = 0;
    for (size_t i = 0; i < t->player_count; i++) {
        kbs_player *p = &t->players[i];
        kbs_skim_rewind(&p->skim);
        p->holds = p->issued = p->ended = p->resting = p->listed = false;
        p->launch = p->next = p->turn = p->waiting = 0;
        p->pending_first = p->pending_count = 0;
        list(t, p);
    }
}

kb_status kbs_timeless_play(kbs_timeless *t, const uint64_t *slots, bool *ret_ends, kb_trail *trail) {
    t->trail = trail;
    t->status = KB_OK;
    rewind_queues(t, slots);
    rewind_players(t);
    memset(t->coming, 0, t->program->launch_count * sizeof t->coming[0]);
    memset(t->barriers, 0, meeting_count(t->program) * sizeof t->barriers[0]);
    while (t->status == KB_OK && t->list_count > 0) {
        if (t->stop != NULL && *t->stop != 0)
            return kb_fail(trail, KB_E_INTERRUPTED,
                           "stopped while looking for deadlocks: there is no trace yet");
        kbs_player *p = t->list[t->list_first];
        t->list_first = t->list_first + 1 < t->player_count ? t->list_first + 1 : 0;
        t->list_count--;
        p->listed = false;
        play(t, p);
    }
    if (t->status == KB_OK)
        *ret_ends = all_ended(t);
    return t->status;
}

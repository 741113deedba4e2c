/* SPDX-License-Identifier: Apache-2.0 */
/* Programs without time; see timeless.h. Streams run in turn, each until something holds it up. */
#include "run/timeless.h"

#include <assert.h>
#include <string.h>

typedef struct timeless timeless;
typedef struct player player;

typedef struct queue {
    uint64_t slots, issued, started, released, received;
    uint64_t *heads; /* sequences of messages in line, as a ring: what engine.queue_depth counts */
    uint64_t head_first, head_count, places;
} queue;

/* An op that a wait may name: a copy, a launch, or what is done as soon as it is issued. */
typedef struct numbered {
    uint32_t queue; /* KB_NONE: done; LAUNCH */
    uint64_t sequence;
} numbered;

enum { LAUNCH = KB_NONE - 1 };

typedef struct meeting {
    uint32_t come;
    uint64_t times; /* that all have come */
} meeting;

struct player {
    const tl_stream *stream;
    kbs_reading reading;
    kbs_command command; /* the one that is on, if `holds` */
    bool holds, issued, ended, resting, listed;
    uint64_t launch;  /* a PE: 1 + number of the one that it is in; 0: it has begun none */
    uint64_t next;    /* a PE that rests: 1 + number of the one before which it does */
    uint64_t turn;    /* meetings before this one */
    uint64_t waiting; /* its copies that have not started */
    numbered *ring;
    size_t capacity;
    uint64_t low, high; /* numbers kept */
};

struct timeless {
    const kbs_program *program;
    kb_arena arena;
    kb_trail *trail;
    kb_status status;
    uint32_t depth;
    queue *queues;
    player *players; /* PEs, then hosts */
    player **list;   /* those that may go on, as a ring of all players */
    size_t list_first, list_count;
    bool *launched;    /* all hosts of its group have come, by the launch's number */
    uint32_t *coming;  /* how many have */
    meeting *barriers; /* by group; hosts' behind PEs' */
};

static void list(timeless *t, player *p) {
    if (p->listed)
        return;
    const size_t players = 2 * (size_t)t->program->ranks;
    p->listed = true;
    t->list[(t->list_first + t->list_count++) % players] = p;
}

static player *pe_of(const timeless *t, uint32_t rank) {
    return &t->players[rank];
}

static player *host_of(const timeless *t, uint32_t rank) {
    return &t->players[t->program->ranks + rank];
}

/* --- queues ---------------------------------------------------------------------------------- */

static void begin_launch(timeless *t, player *pe);

/* Starts the copies that have their credit. */
static void start_copies(timeless *t, uint32_t id) {
    queue *q = &t->queues[id];
    const kbs_queue *recorded = &t->program->queues[id];
    player *producer = pe_of(t, recorded->producer);
    while (q->started < q->issued && q->started < q->released + q->slots) {
        if (q->head_count > 0 && q->heads[q->head_first % q->places] == q->started) {
            q->head_first++;
            q->head_count--;
        }
        q->started++;
        producer->waiting--;
        begin_launch(t, producer);
        list(t, producer);
        list(t, pe_of(t, recorded->consumer));
        list(t, host_of(t, recorded->producer));
    }
}

static bool is_over(const player *pe, uint64_t launch);

/* Has what a wait may name come to its end? */
static bool has_ended(const timeless *t, const player *p, const numbered *what) {
    if (what->queue == KB_NONE)
        return true;
    if (what->queue == LAUNCH)
        return is_over(pe_of(t, p->stream->rank), what->sequence);
    return t->queues[what->queue].started > what->sequence;
}

static void keep_number(timeless *t, player *p, numbered what) {
    while (p->low < p->high) { /* what has come to its end is forgotten */
        const numbered *oldest = &p->ring[p->low & (p->capacity - 1)];
        if (!has_ended(t, p, oldest))
            break;
        p->low++;
    }
    if (p->high - p->low == p->capacity) {
        void *memory;
        const size_t capacity = p->capacity > 0 ? p->capacity * 2 : 8;
        t->status = kb_arena_new(&t->arena, capacity * sizeof(numbered), &memory, t->trail);
        if (t->status != KB_OK)
            return;
        numbered *grown = memory;
        for (uint64_t i = p->low; i < p->high; i++)
            grown[i & (capacity - 1)] = p->ring[i & (p->capacity - 1)];
        p->ring = grown;
        p->capacity = capacity;
    }
    p->ring[p->high++ & (p->capacity - 1)] = what;
}

static bool copy(timeless *t, player *p) {
    const kbs_common *common = &p->command.shape->common;
    queue *q = &t->queues[common->queue];
    if (!p->issued) {
        if (!common->continues) {
            if (q->head_count == t->depth)
                return false;
            q->heads[(q->head_first + q->head_count++) % q->places] = q->issued;
        }
        p->issued = true;
        p->turn = q->issued++;
        p->waiting++;
        if (common->numbered)
            keep_number(t, p, (numbered){common->queue, p->turn});
        start_copies(t, common->queue);
    }
    return common->blocks == KB_BLOCKS_NO || q->started > p->turn;
}

static bool receive(timeless *t, player *p) {
    queue *q = &t->queues[p->command.shape->common.queue];
    if (q->started <= q->received)
        return false;
    q->received++;
    return true;
}

static bool release(timeless *t, player *p) {
    const uint32_t id = p->command.shape->common.queue;
    t->queues[id].released++;
    start_copies(t, id);
    return true;
}

/* --- waiting --------------------------------------------------------------------------------- */

static bool wait(timeless *t, player *p) {
    for (uint32_t i = 0; i < p->command.shape->common.awaited; i++) {
        const uint64_t number = p->command.awaited + i;
        if (number < p->low)
            continue;
        const numbered *what = &p->ring[number & (p->capacity - 1)];
        if (!has_ended(t, p, what))
            return false;
    }
    return true;
}

static bool fence(timeless *t, player *p) {
    (void)t;
    return p->waiting == 0;
}

/* Returns true once all `count` have come; whoever comes last lists the members. */
static bool meet(timeless *t, player *p, meeting *place, const kb_group *group, bool hosts) {
    if (!p->issued) {
        p->issued = true;
        p->turn = place->times;
        if (++place->come == group->rank_count) {
            place->come = 0;
            place->times++;
            for (size_t i = 0; i < group->rank_count; i++)
                list(t, hosts ? host_of(t, group->ranks[i]) : pe_of(t, group->ranks[i]));
        }
    }
    return place->times > p->turn;
}

static bool barrier(timeless *t, player *p) {
    const kb_defs *defs = &t->program->defs;
    const uint32_t group = p->command.shape->common.group;
    const bool is_host = p->stream->is_host;
    return meet(t, p, &t->barriers[(is_host ? defs->group_count : 0) + group], &defs->groups[group], is_host);
}

/* A PE is done with a launch when it has come behind it, and its copies have started. */
static bool is_over(const player *pe, uint64_t launch) {
    return pe->launch > launch + 1 ||
           (pe->launch == launch + 1 && (pe->resting || pe->ended) && pe->waiting == 0);
}

/* A PE that rests goes on when all hosts have come to its next launch and it is done with the one before. */
static void begin_launch(timeless *t, player *pe) {
    if (!pe->resting || pe->waiting > 0)
        return;
    if (!t->launched[pe->next - 1])
        return;
    pe->resting = false;
    pe->launch = pe->next;
    list(t, pe);
}

static bool launch(timeless *t, player *p) {
    const kbs_common *common = &p->command.shape->common;
    const kb_group *group = &t->program->defs.groups[common->group];
    const uint64_t number = p->command.id;
    if (!p->issued) {
        p->issued = true;
        if (common->numbered)
            keep_number(t, p, (numbered){LAUNCH, number});
        t->launched[number] = ++t->coming[number] == group->rank_count;
        for (size_t i = 0; t->launched[number] && i < group->rank_count; i++)
            begin_launch(t, pe_of(t, group->ranks[i]));
    }
    return common->blocks == KB_BLOCKS_NO || is_over(pe_of(t, p->stream->rank), number);
}

/* --- playing --------------------------------------------------------------------------------- */

/* The command that is on: false where it holds its stream up. Other kinds always come to their end. */
typedef bool (*step_fn)(timeless *t, player *p);
static const step_fn steps[KB_OP_LIMIT] = {
    [KB_OP_IPCQ_COPY] = copy, [KB_OP_IPCQ_RECV] = receive, [KB_OP_IPCQ_RELEASE] = release,
    [KB_OP_WAIT] = wait,      [KB_OP_FENCE] = fence,       [KB_OP_BARRIER] = barrier,
    [KB_OP_LAUNCH] = launch,
};

static void take(timeless *t, player *p) {
    if (!kbs_reading_next(&p->reading, &p->command)) {
        p->ended = true;
        list(t, host_of(t, p->stream->rank));
        return;
    }
    const kbs_common *common = &p->command.shape->common;
    if (common->kind == KBS_BEGIN_LAUNCH) {
        p->resting = true;
        p->next = p->command.id + 1;
        list(t, host_of(t, p->stream->rank));
        begin_launch(t, p);
        return;
    }
    p->holds = true;
    p->issued = false;
}

static void play(timeless *t, player *p) {
    while (t->status == KB_OK && !p->ended && !p->resting) {
        if (!p->holds) {
            take(t, p);
            continue;
        }
        const kbs_common *common = &p->command.shape->common;
        if (steps[common->kind] != NULL) {
            if (!steps[common->kind](t, p))
                return;
        } else if (common->numbered) {
            keep_number(t, p, (numbered){KB_NONE, 0});
        }
        p->holds = false;
    }
}

/* --- setting up ------------------------------------------------------------------------------ */

static kb_status init_queues(timeless *t, uint64_t slots) {
    const kbs_program *program = t->program;
    void *memory;
    KB_TRY(kb_arena_new(&t->arena, program->queue_count * sizeof(queue), &memory, t->trail));
    t->queues = memory;
    for (size_t i = 0; i < program->queue_count; i++) {
        queue *q = &t->queues[i];
        const uint64_t sent = program->queues[i].sent;
        q->slots = slots > 0 ? slots : program->queues[i].slots;
        q->places = sent < t->depth ? sent + 1 : t->depth;
        KB_TRY(kb_arena_new(&t->arena, q->places * sizeof q->heads[0], &memory, t->trail));
        q->heads = memory;
    }
    return KB_OK;
}

static kb_status init(timeless *t, uint64_t slots) {
    const kbs_program *program = t->program;
    const size_t players = 2 * (size_t)program->ranks;
    void *memory;
    KB_TRY(init_queues(t, slots));
    KB_TRY(kb_arena_new(&t->arena, 2 * program->defs.group_count * sizeof(meeting), &memory, t->trail));
    t->barriers = memory;
    KB_TRY(kb_arena_new(&t->arena, program->launch_count * sizeof(uint32_t), &memory, t->trail));
    t->coming = memory;
    KB_TRY(kb_arena_new(&t->arena, program->launch_count * sizeof(bool), &memory, t->trail));
    t->launched = memory;
    KB_TRY(kb_arena_new(&t->arena, players * sizeof(player *), &memory, t->trail));
    t->list = memory;
    KB_TRY(kb_arena_new(&t->arena, players * sizeof(player), &memory, t->trail));
    t->players = memory;
    for (size_t i = 0; i < players; i++) {
        player *p = &t->players[i];
        p->stream = i < program->ranks ? &program->streams[i] : &program->hosts[i - program->ranks];
        p->low = p->high = 1;
        KB_TRY(kbs_reading_init(&p->reading, &p->stream->commands, &t->arena, t->trail));
        list(t, p);
    }
    return KB_OK;
}

static bool all_ended(const timeless *t) {
    for (uint32_t rank = 0; rank < t->program->ranks; rank++)
        if (!host_of(t, rank)->ended)
            return false;
    return true;
}

kb_status kbs_timeless_ends(const kbs_program *program, uint64_t slots, bool *ret_ends, kb_trail *trail) {
    timeless t = {
        .program = program, .trail = trail, .depth = (uint32_t)program->machine->at.engine_queue_depth};
    kb_arena_init(&t.arena, program->alloc, 0);
    t.status = init(&t, slots);
    while (t.status == KB_OK && t.list_count > 0) {
        player *p = t.list[t.list_first];
        t.list_first = (t.list_first + 1) % (2 * (size_t)program->ranks);
        t.list_count--;
        p->listed = false;
        play(&t, p);
    }
    if (t.status == KB_OK)
        *ret_ends = all_ended(&t);
    kb_arena_fini(&t.arena);
    return t.status;
}

kb_status kbs_timeless_slots(const kbs_program *program, uint64_t *ret_slots, kb_trail *trail) {
    uint64_t low = 0, high = 1; /* more slots never hold anything up: too few, enough */
    for (size_t i = 0; i < program->queue_count; i++)
        if (program->queues[i].sent > high)
            high = program->queues[i].sent;
    bool ends;
    KB_TRY(kbs_timeless_ends(program, high, &ends, trail));
    if (!ends) {
        *ret_slots = 0;
        return KB_OK;
    }
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        KB_TRY(kbs_timeless_ends(program, middle, &ends, trail));
        if (ends)
            high = middle;
        else
            low = middle;
    }
    *ret_slots = high;
    return KB_OK;
}

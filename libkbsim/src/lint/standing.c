/* SPDX-License-Identifier: Apache-2.0 */
/* Circles of waiting ops; see standing.h. */
#include "lint/standing.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* So many circles and ends are told, each whole, and so many of those who only wait behind them. */
enum { MOST_PARTS = 8, MOST_BEHIND = 8 };

/* A node that was met, on which walk, and what is known of it. */
typedef struct met {
    uint64_t node;
    uint32_t walk;
    bool is_told;
    kbs_stand stand;
} met;

typedef struct telling {
    const kbs_standing *of;
    kb_arena *arena;
    met **table; /* hash of the nodes */
    size_t places, count;
    kbs_standstill *to;
    size_t capacity;
    kb_trail *trail;
} telling;

/* --- nodes ----------------------------------------------------------------------------------- */

static met **place_of(met **table, size_t places, uint64_t node) {
    size_t place = (size_t)(node * UINT64_C(0x9E3779B97F4A7C15) >> 20U) & (places - 1);
    while (table[place] != NULL && table[place]->node != node)
        place = (place + 1) & (places - 1);
    return &table[place];
}

static kb_status grow(telling *to) {
    const size_t places = to->places > 0 ? to->places * 2 : 64;
    void *memory;
    KB_TRY(kb_arena_new(to->arena, places * sizeof(met *), &memory, to->trail));
    met **table = memory;
    for (size_t i = 0; i < to->places; i++)
        if (to->table[i] != NULL)
            *place_of(table, places, to->table[i]->node) = to->table[i];
    to->table = table;
    to->places = places;
    return KB_OK;
}

/* What is known of a node; *ret_new: it was met for the first time. */
static kb_status meet(telling *to, uint64_t node, met **ret, bool *ret_new) {
    if (to->count * 2 >= to->places)
        KB_TRY(grow(to));
    met **place = place_of(to->table, to->places, node);
    *ret_new = *place == NULL;
    if (*place == NULL) {
        void *memory;
        KB_TRY(kb_arena_new(to->arena, sizeof(met), &memory, to->trail));
        met *found = memory;
        found->node = node;
        KB_TRY(to->of->look(to->of->context, node, &found->stand, to->trail));
        *place = found;
        to->count++;
    }
    *ret = *place;
    return KB_OK;
}

/* One that was met before. */
static met *known(const telling *to, uint64_t node) {
    met *found = *place_of(to->table, to->places, node);
    assert(found != NULL);
    return found;
}

/* --- telling --------------------------------------------------------------------------------- */

static kb_status keep_text(telling *to, const char *text, const char **ret) {
    return kb_arena_text(to->arena, text, strlen(text), ret, to->trail);
}

static kb_status describe(telling *to, const kbs_stand *stand, kbs_waiting *ret) {
    const kbs_program *program = to->of->program;
    const kbs_common *common = stand->common;
    char name[KBS_PE_NAME_CHARS] = "host", queue[KBS_QUEUE_NAME_CHARS], end[48];
    if (!stand->stream->is_host)
        kbs_pe_name(program->machine, stand->stream->pe, name);
    *ret = (kbs_waiting){.rank = stand->stream->rank,
                         .is_host = stand->stream->is_host,
                         .kind = kb_word_name(KB_VOC_KIND, common->kind),
                         .line = common->line,
                         .step_number = stand->step,
                         .slot = stand->words.sequence,
                         .of_credit = stand->words.of_credit,
                         .has_number = stand->has_number,
                         .number = stand->number};
    KB_TRY(keep_text(to, name, &ret->pe));
    KB_TRY(keep_text(to, kb_defs_text(&program->defs, common->file), &ret->file));
    KB_TRY(keep_text(to, stand->words.text, &ret->reason));
    if (common->step != KB_NONE)
        KB_TRY(keep_text(to, kb_defs_text(&program->defs, common->step), &ret->step));
    if (stand->words.queue != KB_NONE)
        KB_TRY(keep_text(to, kbs_queue_name(&program->queues[stand->words.queue], queue), &ret->queue));
    if (stand->end == NULL)
        return KB_OK;
    snprintf(end, sizeof end, "%s of rank %u", stand->end->is_host ? "host" : "program", stand->end->rank);
    return keep_text(to, end, &ret->who_ends);
}

static kb_status tell(telling *to, met *one, kbs_wait_place place) {
    one->is_told = true;
    if (place != KBS_WAIT_BEHIND && to->to->part_count >= MOST_PARTS)
        return KB_OK;
    if (to->to->waiting_count == to->capacity) {
        const size_t capacity = to->capacity > 0 ? to->capacity * 2 : 16;
        void *memory;
        KB_TRY(kb_arena_new(to->arena, capacity * sizeof(kbs_waiting), &memory, to->trail));
        if (to->capacity > 0)
            memcpy(memory, to->to->waiting, to->capacity * sizeof(kbs_waiting));
        to->to->waiting = memory;
        to->capacity = capacity;
    }
    kbs_waiting *waiting = &to->to->waiting[to->to->waiting_count];
    KB_TRY(describe(to, &one->stand, waiting));
    waiting->place = place;
    waiting->part = (uint32_t)to->to->part_count;
    to->to->waiting_count++;
    return KB_OK;
}

/* By rank, PEs before hosts, by PE, then in the order of their stream. */
static bool comes_before(const kbs_stand *a, const kbs_stand *b) {
    if (a->stream->rank != b->stream->rank)
        return a->stream->rank < b->stream->rank;
    if (a->stream->is_host != b->stream->is_host)
        return b->stream->is_host;
    if (a->stream->pe != b->stream->pe)
        return a->stream->pe < b->stream->pe;
    return a->order < b->order;
}

/* A circle, from its first op on. */
static kb_status tell_circle(telling *to, met *in) {
    met *first = in, *one = in;
    do {
        if (comes_before(&one->stand, &first->stand))
            first = one;
        one = known(to, one->stand.next);
    } while (one != in);
    one = first;
    do {
        KB_TRY(tell(to, one, KBS_WAIT_CIRCLE));
        one = known(to, one->stand.next);
    } while (one != first);
    to->to->part_count++;
    return KB_OK;
}

/* Follows the waiting from a stream on; tells what is met for the first time at its end. */
static kb_status walk(telling *to, uint32_t stream) {
    uint64_t node = KBS_NOWHERE;
    KB_TRY(to->of->stands_at(to->of->context, stream, &node, to->trail));
    met *last = NULL;
    while (node != KBS_NOWHERE) {
        met *one;
        bool is_new;
        KB_TRY(meet(to, node, &one, &is_new));
        if (!is_new)
            return one->walk == stream ? tell_circle(to, one) : KB_OK;
        one->walk = stream;
        last = one;
        node = one->stand.next;
    }
    if (last == NULL)
        return KB_OK;
    KB_TRY(tell(to, last, KBS_WAIT_END));
    to->to->part_count++;
    return KB_OK;
}

static kb_status tell_behind(telling *to) {
    for (uint32_t i = 0; i < to->of->program->pes + to->of->program->ranks; i++) {
        uint64_t node = KBS_NOWHERE;
        KB_TRY(to->of->stands_at(to->of->context, i, &node, to->trail));
        if (node == KBS_NOWHERE)
            continue;
        met *one = known(to, node);
        if (one->is_told || one->stand.is_quiet)
            continue;
        if (to->to->behind_count++ < MOST_BEHIND)
            KB_TRY(tell(to, one, KBS_WAIT_BEHIND));
    }
    return KB_OK;
}

kb_status kbs_standing_explain(const kbs_standing *standing, kb_arena *arena, kbs_standstill *ret,
                               kb_trail *trail) {
    kbs_standstill found = {0};
    telling to = {.of = standing, .arena = arena, .to = &found, .trail = trail};
    for (uint32_t i = 0; i < standing->program->pes + standing->program->ranks; i++)
        KB_TRY(walk(&to, i));
    KB_TRY(tell_behind(&to));
    *ret = found;
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Fences, barriers and groups, as kernels and host programs record them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/stream.h"

void tl_fence_at(tl_stream *stream, tl_where where) {
    if (!kbs_is_kernel(stream, where))
        return;
    kbs_common common;
    kbs_common_init(stream, &common, KB_OP_FENCE, KB_BLOCKS_DONE, where);
    kbs_append(stream, &common, NULL, 0);
}

/* --- groups ---------------------------------------------------------------------------------- */

/* In a collective, of its group's members: their positions. */
static bool are_ranks(tl_stream *stream, const uint32_t *ranks, uint32_t count, tl_where where) {
    const kbs_program *program = stream->program;
    const size_t all =
        stream->group == KB_NONE ? program->ranks : program->defs.groups[stream->group].rank_count;
    if (count == 0 || ranks == NULL) {
        kbs_mistake(stream, where, "a group without ranks");
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        if (ranks[i] >= all) {
            kbs_mistake(stream, where, "there is no rank %u to be in a group: the %s has %zu", ranks[i],
                        stream->group == KB_NONE ? "run" : "collective", all);
            return false;
        }
    return true;
}

/* Groups have their ranks by number. Where the rank is, or would be. */
uint32_t kbs_group_position(const kb_group *group, uint32_t rank) {
    size_t low = 0, high = group->rank_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (group->ranks[middle] < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

bool kbs_group_has(const kb_group *group, uint32_t rank) {
    const uint32_t position = kbs_group_position(group, rank);
    return position < group->rank_count && group->ranks[position] == rank;
}

/* Lets the rank at a place of a heap, of which only it may be too small, sink to where it belongs. */
static void sink(uint32_t *ranks, uint32_t at, uint32_t count) {
    const uint32_t rank = ranks[at];
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && ranks[child + 1] > ranks[child])
            child++;
        if (ranks[child] <= rank)
            break;
        ranks[at] = ranks[child];
    }
    ranks[at] = rank;
}

/* By number, so that a group does not depend on who named it first: every rank may name all of them. */
static void sort(uint32_t *ranks, uint32_t count) {
    for (uint32_t i = count / 2; i-- > 0;)
        sink(ranks, i, count);
    for (uint32_t left = count; left-- > 1;) {
        const uint32_t largest = ranks[0];
        ranks[0] = ranks[left];
        ranks[left] = largest;
        sink(ranks, 0, left);
    }
}

/* The group of ranks by number, which is added where it is new. */
static uint32_t find_group(tl_stream *stream, const uint32_t *ranks, uint32_t count, tl_where where) {
    kbs_program *program = stream->program;
    const kb_defs *defs = &program->defs;
    uint32_t id = 0;
    char name[32];
    void *kept;
    for (uint32_t i = 1; i < count; i++)
        if (ranks[i - 1] == ranks[i]) {
            kbs_mistake(stream, where, "rank %u is named twice in one group", ranks[i]);
            return KB_NONE;
        }
    for (; id < defs->group_count; id++)
        if (defs->groups[id].rank_count == count &&
            memcmp(defs->groups[id].ranks, ranks, count * sizeof(uint32_t)) == 0)
            return id;
    program->status = kb_arena_copy(&program->arena, ranks, count * sizeof(uint32_t), &kept, &program->trail);
    if (program->status != KB_OK)
        return KB_NONE;
    snprintf(name, sizeof name, "group%zu", defs->group_count);
    const kb_group row = {name, kept, count};
    program->status = kb_defs_add_group(&program->defs, &row, &id, &program->trail);
    return id;
}

tl_group tl_group_of_at(tl_stream *stream, const uint32_t *ranks, uint32_t count, tl_where where) {
    kbs_program *program = stream->program;
    const size_t size = count * sizeof(uint32_t);
    void *copy;
    uint32_t in_order = 1;
    if (!kbs_is_ok(stream) || !are_ranks(stream, ranks, count, where))
        return (tl_group){KB_NONE};
    while (in_order < count && ranks[in_order - 1] < ranks[in_order])
        in_order++;
    if (in_order == count && stream->group == KB_NONE) /* nearly always */
        return (tl_group){find_group(stream, ranks, count, where)};
    program->status = kb_new(program->alloc, size, &copy, &program->trail);
    if (program->status != KB_OK)
        return (tl_group){KB_NONE};
    uint32_t *sorted = copy;
    memcpy(sorted, ranks, size);
    sort(sorted, count);
    for (uint32_t i = 0; stream->group != KB_NONE && i < count; i++)
        sorted[i] = program->defs.groups[stream->group].ranks[sorted[i]];
    const tl_group group = {find_group(stream, sorted, count, where)};
    kb_delete(program->alloc, sorted, size);
    return group;
}

/* --- barriers -------------------------------------------------------------------------------- */

static kbs_barriers *barriers_of(tl_stream *stream, uint32_t group) {
    kbs_program *program = stream->program;
    const size_t before = stream->barrier_capacity;
    void *barriers = stream->barriers;
    program->status = kb_grow(program->alloc, sizeof(kbs_barriers), (size_t)group + 1,
                              &stream->barrier_capacity, &barriers, &program->trail);
    if (program->status != KB_OK)
        return NULL;
    stream->barriers = barriers;
    for (size_t i = before; i < stream->barrier_capacity; i++)
        stream->barriers[i] = (kbs_barriers){0};
    return &stream->barriers[group];
}

void tl_barrier_of_at(tl_stream *stream, tl_group group, tl_where where) {
    const kb_defs *defs = &stream->program->defs;
    if (!kbs_is_ok(stream))
        return;
    if (group.id >= defs->group_count) {
        kbs_mistake(stream, where, "this is no group: it did not come from tl_group_of");
        return;
    }
    if (!kbs_group_has(&defs->groups[group.id], stream->rank)) {
        kbs_mistake(stream, where, "rank %u is not in %s, whose barrier this is", stream->rank,
                    defs->groups[group.id].name);
        return;
    }
    kbs_barriers *barriers = barriers_of(stream, group.id);
    if (barriers == NULL)
        return;
    kbs_common common;
    kbs_common_init(stream, &common, KB_OP_BARRIER, KB_BLOCKS_DONE, where);
    common.group = group.id;
    /* Hosts have barriers of their own, and PEs of each number: theirs tell them apart. */
    const uint64_t pes = stream->program->rank_pes, number = barriers->count * pes + stream->pe % pes;
    kbs_command command = {.id = number * 2 + stream->is_host};
    kbs_append_command(stream, &common, &command);
    barriers->count++;
    barriers->where = where;
}

void tl_barrier_at(tl_stream *stream, tl_where where) {
    const uint32_t group = stream->group == KB_NONE ? stream->program->group : stream->group;
    tl_barrier_of_at(stream, (tl_group){group}, where);
}

/* --- do they match? -------------------------------------------------------------------------- */

static const kbs_barriers *reached(const tl_stream *stream, uint32_t group) {
    static const kbs_barriers none = {0, {"", 0}};
    return group < stream->barrier_capacity ? &stream->barriers[group] : &none;
}

/* A rank's stream is the one at rank * apart. */
static kb_status check_group(const kbs_program *program, const tl_stream *streams, uint32_t apart,
                             uint32_t id, kb_trail *trail) {
    const kb_group *group = &program->defs.groups[id];
    const kbs_barriers *first = reached(&streams[group->ranks[0] * apart], id);
    for (size_t i = 1; i < group->rank_count; i++) {
        const kbs_barriers *other = reached(&streams[group->ranks[i] * apart], id);
        if (other->count == first->count)
            continue;
        const bool less = other->count < first->count;
        const kbs_barriers *more = less ? first : other;
        const uint32_t coming = group->ranks[less ? 0 : i], missing = group->ranks[less ? i : 0];
        return kb_fail(trail, KB_E_PROGRAM,
                       "%s:%u: rank %u comes to %" PRIu64 " barriers of group %s, the last here, and rank %u "
                       "to %" PRIu64 ": they would wait for ever",
                       kbs_base_name(more->where.file), more->where.line, coming, more->count, group->name,
                       missing, (less ? other : first)->count);
    }
    return KB_OK;
}

kb_status kbs_check_barriers(const kbs_program *program, kb_trail *trail) {
    for (uint32_t id = 0; id < program->defs.group_count; id++) {
        for (uint32_t i = 0; i < program->rank_pes; i++)
            KB_TRY(check_group(program, program->streams + i, program->rank_pes, id, trail));
        KB_TRY(check_group(program, program->hosts, 1, id, trail));
    }
    return KB_OK;
}

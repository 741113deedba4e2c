/* SPDX-License-Identifier: Apache-2.0 */
/* Members that come together; see join.h. */
#include "op/join.h"

#include <assert.h>
#include <string.h>

#include "fabric/way.h"

/* --- setting up ------------------------------------------------------------------------------ */

/* `ranks` are the members', and outlive it. */
static kb_status init(kbs_join *join, const uint32_t *ranks, uint32_t count, kb_arena *arena,
                      kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(arena, count * sizeof(kbs_op *), &memory, trail));
    *join = (kbs_join){.ranks = ranks, .count = count, .ops = memory, .latest_ps = KBS_UNKNOWN};
    return KB_OK;
}

/* Members of a PEs' barrier, of that number in their ranks, speak as credits travel. */
static kb_status find_ways(kbs_sim *sim, kbs_join *join, uint32_t number, kb_trail *trail) {
    kbs_program *program = sim->program;
    const uint32_t pes = program->rank_pes;
    const uint64_t bytes = program->machine->at.ipcq_credit_bytes;
    void *memory;
    while ((join->count - 1) >> join->rounds > 0)
        join->rounds++;
    const size_t messages = (size_t)join->rounds * join->count;
    KB_TRY(kb_arena_new(&sim->arena, messages * sizeof(kbs_join_way), &memory, trail));
    join->ways = memory;
    KB_TRY(kb_arena_new(&sim->arena, 2 * (size_t)join->count * sizeof(kbs_join_word), &memory, trail));
    join->words = memory;
    for (uint32_t round = 0; round < join->rounds; round++)
        for (uint32_t i = 0; i < join->count; i++) {
            kbs_join_way *way = &join->ways[(size_t)round * join->count + i];
            const uint32_t from = join->ranks[kbs_join_tells(join, round, i)] * pes + number;
            const uint32_t to = join->ranks[i] * pes + number;
            kbs_fabric_idle(&program->fabric, kbs_tcm_of(from), kbs_tcm_of(to), bytes, &way->hops_ps,
                            &way->time_ps);
        }
    return KB_OK;
}

kbs_join *kbs_join_of(const kbs_sim *sim, const tl_stream *stream, uint32_t group) {
    const size_t pes = sim->program->rank_pes;
    return stream->is_host ? &sim->host_barriers[group] : &sim->barriers[group * pes + stream->pe % pes];
}

/* The barriers of a stream: each group that it names gets its join. */
static kb_status init_named(kbs_sim *sim, const tl_stream *stream, kb_trail *trail) {
    for (size_t i = 0; i < stream->commands.shape_count; i++) {
        const kbs_common *common = &stream->commands.shapes[i]->common;
        if (common->kind != KB_OP_BARRIER)
            continue;
        const kb_group *group = &sim->program->defs.groups[common->group];
        kbs_join *join = kbs_join_of(sim, stream, common->group);
        if (join->count > 0)
            continue;
        KB_TRY(init(join, group->ranks, (uint32_t)group->rank_count, &sim->arena, trail));
        if (!stream->is_host)
            KB_TRY(find_ways(sim, join, stream->pe % sim->program->rank_pes, trail));
    }
    return KB_OK;
}

kb_status kbs_joins_init(kbs_sim *sim, kb_trail *trail) {
    const kbs_program *program = sim->program;
    void *memory;
    const size_t groups = program->defs.group_count, pes = program->rank_pes;
    KB_TRY(kb_arena_new(&sim->arena, groups * (pes + 1) * sizeof(kbs_join), &memory, trail));
    sim->barriers = memory;
    sim->host_barriers = sim->barriers + groups * pes;
    for (uint32_t i = 0; i < kbs_stream_count(sim); i++)
        KB_TRY(init_named(sim, &program->streams[i], trail)); /* hosts lie behind the PEs */
    KB_TRY(kb_arena_new(&sim->arena, program->launch_count * sizeof(kbs_join *), &memory, trail));
    sim->launchings = memory;
    KB_TRY(kb_arena_new(&sim->arena, program->defs.group_count * sizeof(kbs_join *), &memory, trail));
    sim->spare_launchings = memory;
    return KB_OK;
}

/* --- launches -------------------------------------------------------------------------------- */

/* Processors tell one after another: the i-th cube of a package, the j-th PE of a cube, by their numbers. */
static kb_status find_paths(kbs_sim *sim, kbs_join *join) {
    const kbs_machine *machine = sim->program->machine;
    const uint64_t of_cube = machine->at.cube_pes, of_sip = kbs_machine_pes_of_sip(machine);
    const uint32_t rank_pes = sim->program->rank_pes, count = join->count * rank_pes;
    int64_t cubes = 0, pes = 0;
    uint32_t former = 0;
    void *memory;
    KB_TRY(kb_arena_new(&sim->arena, count * sizeof(kbs_launch_path), &memory, &sim->trail));
    join->paths = memory;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t pe = join->ranks[i / rank_pes] * rank_pes + i % rank_pes;
        assert(i == 0 || pe > former);
        if (i == 0 || pe / of_sip != former / of_sip)
            cubes = 0;
        if (cubes == 0 || pe / of_cube != former / of_cube) {
            cubes++;
            pes = 0;
        }
        pes++;
        kbs_launch_way way;
        kbs_way_of_launch(&sim->program->fabric, pe, &way);
        const kbs_launch_path path = {way.there_ps, cubes * sim->costs.io_cpu_ps, pes * sim->costs.m_cpu_ps};
        join->paths[i] = path;
        join->longest_ps = kbs_later(join->longest_ps, path.hops_ps + path.io_cpu_ps + path.m_cpu_ps);
        former = pe;
    }
    return KB_OK;
}

kbs_join *kbs_launching_of(kbs_sim *sim, const kbs_op *launch) {
    const uint32_t id = launch->shape->common.group;
    kbs_join **join = &sim->launchings[launch->record.id], **spare = &sim->spare_launchings[id];
    if (*join == NULL && *spare != NULL) {
        *join = *spare;
        *spare = (*join)->next;
    } else if (*join == NULL) {
        const kb_group *group = &sim->program->defs.groups[id];
        void *memory;
        kb_status status = kb_arena_new(&sim->arena, sizeof(kbs_join), &memory, &sim->trail);
        if (status == KB_OK)
            status = init(memory, group->ranks, (uint32_t)group->rank_count, &sim->arena, &sim->trail);
        if (status == KB_OK)
            status = find_paths(sim, memory);
        if (status == KB_OK)
            *join = memory;
        else
            kbs_sim_fail(sim, status);
    }
    return *join;
}

void kbs_launching_end(kbs_sim *sim, const kbs_op *launch) {
    kbs_join **join = &sim->launchings[launch->record.id];
    kbs_join **spare = &sim->spare_launchings[launch->shape->common.group];
    kbs_join_reset(*join);
    (*join)->next = *spare;
    *spare = *join;
    *join = NULL;
}

/* --- coming and going ------------------------------------------------------------------------ */

uint32_t kbs_join_place(const kbs_join *join, uint32_t rank) {
    if (rank < join->count && join->ranks[rank] == rank) /* most groups are of all ranks */
        return rank;
    uint32_t place = 0;
    while (join->ranks[place] != rank) {
        place++;
        assert(place < join->count);
    }
    return place;
}

bool kbs_join_come(kbs_join *join, kbs_op *op, int64_t at_ps) {
    const uint32_t place = kbs_join_place(join, op->rank);
    assert(join->ops[place] == NULL);
    join->ops[place] = op;
    join->come++;
    /* Of several at one moment the one with the highest rank is to blame, whoever was looked at last. */
    if (at_ps > join->latest_ps || (at_ps == join->latest_ps && op->rank > join->latest.rank)) {
        join->latest_ps = at_ps;
        join->latest = (kbs_who){op->rank, op->record.index};
    }
    return join->come == join->count;
}

void kbs_join_reset(kbs_join *join) {
    memset(join->ops, 0, join->count * sizeof join->ops[0]);
    join->come = 0;
    join->latest_ps = KBS_UNKNOWN;
}

uint32_t kbs_join_missing(const kbs_join *join) {
    for (uint32_t i = 0; i < join->count; i++)
        if (join->ops[i] == NULL)
            return join->ranks[i];
    return KB_NONE;
}

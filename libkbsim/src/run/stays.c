/* SPDX-License-Identifier: Apache-2.0 */
/* Collectives in time; see stays.h. Sizes and bandwidths as nccl-tests counts them. */
#include "run/stays.h"

#include <stdio.h>

kb_status kbs_stays_init(kbs_sim *sim, kb_trail *trail) {
    const size_t count = sim->program->defs.collective_count;
    void *memory;
    KB_TRY(kb_arena_new(&sim->arena, count * sizeof(kbs_stay), &memory, trail));
    sim->stays = memory;
    for (size_t i = 0; i < count; i++)
        sim->stays[i] = (kbs_stay){KBS_UNKNOWN, KBS_UNKNOWN, 0};
    return KB_OK;
}

/*
 * What a link of a rank would have to carry for the algorithm's bandwidth, as a multiple of it, if nothing
 * went twice: nccl-tests, doc/PERFORMANCE.md. In n-ths.
 */
static uint64_t bus_share(uint32_t kind, uint32_t ranks) {
    static const uint8_t rounds[] = {[KB_COLL_ALL_REDUCE] = 2,
                                     [KB_COLL_REDUCE_SCATTER] = 1,
                                     [KB_COLL_ALL_GATHER] = 1,
                                     [KB_COLL_ALL_TO_ALL] = 1};
    const uint64_t count = kind < sizeof rounds ? rounds[kind] : 0;
    return count > 0 ? count * (ranks - 1) : ranks;
}

static kbs_result_collective told(const kbs_sim *sim, size_t id) {
    const kb_defs *defs = &sim->program->defs;
    const kb_collective *row = &defs->collectives[id];
    const kbs_stay *stay = &sim->stays[id];
    kbs_result_collective said = {.kind = kb_word_name(KB_VOC_COLL, row->kind),
                                  .cut = row->cut != 0 ? kb_word_name(KB_VOC_CUT, row->cut) : NULL,
                                  .ranks = (uint32_t)defs->groups[row->group].rank_count,
                                  .size_bytes = row->elements * kb_dtype_size(row->dtype),
                                  .time_ps = -1,
                                  .bound_ps = row->bound_ps};
    snprintf(said.algorithm, sizeof said.algorithm, "%s", defs->strings[row->algorithm].text);
    if (row->kind == KB_COLL_ALL_GATHER)
        said.size_bytes *= said.ranks;
    if (stay->left == row->part_count)
        said.time_ps = stay->last_ps - stay->first_ps;
    if (said.time_ps > 0) {
        said.algbw_gbps = (double)said.size_bytes * 1000 / (double)said.time_ps;
        said.busbw_gbps = said.algbw_gbps * (double)bus_share(row->kind, said.ranks) / (double)said.ranks;
    }
    return said;
}

kb_status kbs_stays_tell(const kbs_sim *sim, kbs_result *result, kb_trail *trail) {
    const size_t count = sim->program->defs.collective_count;
    void *memory;
    if (count == 0)
        return KB_OK;
    KB_TRY(kb_new(sim->program->alloc, count * sizeof(kbs_result_collective), &memory, trail));
    result->collectives = memory;
    result->collective_count = count;
    for (size_t i = 0; i < count; i++)
        result->collectives[i] = told(sim, i);
    return KB_OK;
}

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

static uint64_t size_of(const kb_collective *row, uint32_t ranks) {
    const uint64_t own = row->elements * kb_dtype_size(row->dtype);
    return row->kind == KB_COLL_ALL_GATHER ? own * ranks : own;
}

/* What a rank of several PEs does with each of them as one: the sum of sizes, and the whole time. */
static kbs_result_collective told(const kbs_sim *sim, const kbs_call *call) {
    const kb_defs *defs = &sim->program->defs;
    const kb_collective *row = &defs->collectives[call->collective];
    const uint32_t ranks = (uint32_t)defs->groups[row->group].rank_count;
    kbs_stay all = sim->stays[call->collective];
    bool is_over = true;
    kbs_result_collective said = {.kind = kb_word_name(KB_VOC_COLL, row->kind),
                                  .cut =
                                      call->bound.cut != 0 ? kb_word_name(KB_VOC_CUT, call->bound.cut) : NULL,
                                  .ranks = ranks,
                                  .time_ps = -1,
                                  .bound_ps = call->bound.ps};
    snprintf(said.algorithm, sizeof said.algorithm, "%s", defs->strings[row->algorithm].text);
    for (uint32_t i = 0; i < call->collectives; i++) {
        const kbs_stay *stay = &sim->stays[call->collective + i];
        is_over = is_over && stay->left == row[i].part_count;
        all.first_ps = stay->first_ps < all.first_ps ? stay->first_ps : all.first_ps;
        all.last_ps = kbs_later(all.last_ps, stay->last_ps);
        said.size_bytes += size_of(&row[i], ranks);
    }
    if (is_over)
        said.time_ps = all.last_ps - all.first_ps;
    if (said.time_ps > 0) {
        said.algbw_gbps = (double)said.size_bytes * 1000 / (double)said.time_ps;
        said.busbw_gbps = said.algbw_gbps * (double)bus_share(row->kind, ranks) / (double)ranks;
    }
    return said;
}

kb_status kbs_stays_tell(const kbs_sim *sim, kbs_result *result, kb_trail *trail) {
    const kbs_program *program = sim->program;
    size_t count = 0;
    void *memory;
    for (size_t i = 0; i < program->call_count; i++)
        count += program->calls[i].kernel == NULL;
    if (count == 0)
        return KB_OK;
    KB_TRY(kb_new(program->alloc, count * sizeof(kbs_result_collective), &memory, trail));
    result->collectives = memory;
    for (size_t i = 0; i < program->call_count; i++)
        if (program->calls[i].kernel == NULL)
            result->collectives[result->collective_count++] = told(sim, &program->calls[i]);
    return KB_OK;
}

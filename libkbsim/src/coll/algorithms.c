/* SPDX-License-Identifier: Apache-2.0 */
/* The table of algorithms, and the shares that they work on; see algorithms.h. */
#include "coll/algorithms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kbsim/run.h"
#include "kbtrace/nearest.h"
#include "record/view.h"

static const kbs_algorithm *const algorithms[] = {
#define KBS_ALGORITHM(kind, name) &kbs_algorithm_##kind##_##name,
#include "coll/algorithms.def"
#undef KBS_ALGORITHM
};

size_t kbs_algorithm_count(void) {
    return sizeof algorithms / sizeof algorithms[0];
}

const kbs_algorithm *kbs_algorithm_describe(size_t index) {
    return algorithms[index];
}

kb_status kbs_algorithm_find(uint32_t collective, const char *name, const kbs_algorithm **ret,
                             kb_trail *trail) {
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    for (size_t i = 0; i < kbs_algorithm_count(); i++) {
        if (algorithms[i]->collective != collective)
            continue;
        if (strcmp(algorithms[i]->name, name) == 0) {
            *ret = algorithms[i];
            return KB_OK;
        }
        kb_nearest_offer(&nearest, algorithms[i]->name);
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "unknown algorithm '%s' for %s (did you mean '%s'?)", name,
                       kb_word_name(KB_VOC_COLL, collective), best);
    return kb_fail(trail, KB_E_ARGUMENT, "unknown algorithm '%s' for %s (kb-sim list algorithms)", name,
                   kb_word_name(KB_VOC_COLL, collective));
}

kb_status kbs_algorithm_serves(const kbs_algorithm *algorithm, uint32_t ranks, kb_trail *trail) {
    if (algorithm->serves == NULL || algorithm->serves(ranks))
        return KB_OK;
    /* Nobody has more ranks than the largest machine, and who serves none of that many serves none at all. */
    enum { FARTHEST = 1 << 20 };
    uint32_t less = ranks - 1, more = ranks + 1;
    char nearest[64] = "no other count does either";
    while (less > 0 && !algorithm->serves(less))
        less--;
    while (more < FARTHEST && !algorithm->serves(more) && (less == 0 || more - ranks < ranks - less))
        more++;
    const bool has_more = more < FARTHEST && algorithm->serves(more);
    if (less > 0 && has_more && ranks - less == more - ranks)
        snprintf(nearest, sizeof nearest, "the nearest are %u and %u", less, more);
    else if (less > 0 || has_more)
        snprintf(nearest, sizeof nearest, "the nearest is %u",
                 less > 0 && (!has_more || ranks - less < more - ranks) ? less : more);
    return kb_fail(trail, KB_E_ARGUMENT, "%s by %s works among %s, and not among %u: %s",
                   kb_word_name(KB_VOC_COLL, algorithm->collective), algorithm->name,
                   algorithm->counts != NULL ? algorithm->counts : "certain counts of ranks", ranks, nearest);
}

/* --- shares ---------------------------------------------------------------------------------- */

/* Elements of a view from `first` on, which it has. */
static tl_view part(const kb_coll *c, const tl_view *view, uint64_t first, uint64_t count) {
    tl_view part = *view;
    kbs_view_slice(c->stream, &part, 0, first, count, TL_HERE);
    return part;
}

/* Parts that differ by one at most. */
static tl_view even_part(const kb_coll *c, uint32_t rank) {
    const uint64_t least = c->buffer.elements / c->ranks, longer = c->buffer.elements % c->ranks;
    const uint64_t before = rank < longer ? rank : longer;
    return part(c, &c->buffer, rank * least + before, least + (rank < longer ? 1 : 0));
}

typedef struct block {
    uint64_t first, count;
} block;

/* Of elements in blocks that are rounded up. */
static block block_of(uint64_t elements, uint32_t ranks, uint32_t rank) {
    const uint64_t most = elements / ranks + (elements % ranks != 0), first = rank * most;
    if (first >= elements)
        return (block){elements, 0};
    return (block){first, elements - first < most ? elements - first : most};
}

tl_view kb_coll_chunk(const kb_coll *c, uint32_t rank) {
    if (c->kind != KB_COLL_REDUCE_SCATTER && c->kind != KB_COLL_ALL_GATHER)
        return even_part(c, rank);
    const block share = block_of(c->buffer.elements, c->ranks, rank);
    return part(c, &c->buffer, share.first, share.count);
}

tl_view kb_coll_in_block(const kb_coll *c, uint32_t to) {
    const block share = block_of(c->in.elements, c->ranks, to);
    return part(c, &c->in, share.first, share.count);
}

tl_view kb_coll_out_block(const kb_coll *c, uint32_t from) {
    const uint64_t count = block_of(c->in.elements, c->ranks, c->rank).count;
    return part(c, &c->out, from * count, count);
}

uint64_t kbs_coll_share(uint64_t elements, uint32_t ranks, uint32_t rank) {
    return block_of(elements, ranks, rank).count;
}

uint64_t kb_coll_slot_elements(const kb_coll *c) {
    const uint64_t most = c->stream->program->machine->at.ipcq_slot_bytes / kb_dtype_size(c->dtype);
    return most > 0 ? most : 1;
}

bool kb_coll_needs_peers_at(const kb_coll *c, uint32_t peers, tl_where where) {
    const uint64_t most = c->stream->program->machine->at.ipcq_max_queues;
    if (peers > most)
        kbs_mistake(c->stream, where,
                    "a PE sends to %u others here, and ipcq.max_queues allows %" PRIu64
                    " queues in one direction: raise it (--set ipcq.max_queues=%u), or take %" PRIu64
                    " ranks at most",
                    peers, most, peers, most + 1);
    return peers <= most;
}

uint64_t kb_coll_slots(const kb_coll *c) {
    const kbs_machine *machine = c->stream->program->machine;
    uint64_t least = machine->at.ipcq_slots;
    for (size_t i = 0; i < machine->ring_slots_count; i++)
        least = machine->ring_slots[i].slots < least ? machine->ring_slots[i].slots : least;
    return least;
}

kb_place kb_coll_place(const kb_coll *c, uint32_t rank) {
    const kbs_program *program = c->stream->program;
    const kb_group *group = &program->defs.groups[c->stream->group];
    const uint64_t pes = program->machine->at.cube_pes, grid = program->machine->at.sip_cubes;
    const uint64_t cubes = (uint64_t)kbs_columns(grid) * kbs_rows(grid);
    /* of several PEs of a rank the counterpart of this one */
    const uint64_t pe = (uint64_t)group->ranks[rank] * program->rank_pes + c->stream->pe % program->rank_pes;
    const uint64_t cube = pe / pes;
    return (kb_place){.sip = (uint32_t)(cube / cubes),
                      .x = (uint32_t)(cube % cubes % kbs_columns(grid)),
                      .y = (uint32_t)(cube % cubes / kbs_columns(grid)),
                      .pe = (uint32_t)(pe % pes)};
}

uint64_t kb_coll_scratch_elements(const kb_coll *c) {
    static const uint64_t lost_bytes = 256; /* each piece takes whole lines of 64 bytes: four pieces */
    const uint64_t bytes = c->stream->program->machine->at.scratch_bytes;
    return bytes > lost_bytes ? (bytes - lost_bytes) / kb_dtype_size(c->dtype) : 0;
}

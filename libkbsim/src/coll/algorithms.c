/* SPDX-License-Identifier: Apache-2.0 */
/* The table of algorithms, and the shares that they work on; see algorithms.h. */
#include "coll/algorithms.h"

#include <inttypes.h>
#include <string.h>

#include "kbsim/run.h"
#include "kbtrace/nearest.h"
#include "record/view.h"

static const kbs_algorithm *const algorithms[] = {
#define KBS_ALGORITHM(name) &kbs_algorithm_##name,
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

tl_view kb_coll_chunk(const kb_coll *c, uint32_t rank) {
    const uint64_t least = c->buffer.elements / c->ranks, longer = c->buffer.elements % c->ranks;
    const uint64_t before = rank < longer ? rank : longer;
    tl_view view = c->buffer;
    kbs_view_slice(c->stream, &view, 0, rank * least + before, least + (rank < longer ? 1 : 0), TL_HERE);
    return view;
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

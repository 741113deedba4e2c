/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of each kind of collective, one row each; see reference.h. */
#include "reference.h"

/* Whose inputs count, and where they go. */
typedef enum spread {
    OVERLAID, /* all inputs lie over one another */
    JOINED    /* one after another, by rank */
} spread;

/* Who has an output, and which part of the reference it is. */
typedef enum taking { WHOLE, SHARE, TRANSPOSED, NOTHING } taking;

typedef struct meaning {
    bool known, reduces;
    spread inputs;
    taking outputs;
    bool root_gives; /* the root's input alone counts */
    bool root_takes; /* the root alone has an output */
} meaning;

static const meaning meanings[] = {
    [KB_COLL_ALL_REDUCE] = {true, true, OVERLAID, WHOLE, false, false},
    [KB_COLL_REDUCE_SCATTER] = {true, true, OVERLAID, SHARE, false, false},
    [KB_COLL_ALL_GATHER] = {true, false, JOINED, WHOLE, false, false},
    [KB_COLL_BROADCAST] = {true, false, OVERLAID, WHOLE, true, false},
    [KB_COLL_REDUCE] = {true, true, OVERLAID, WHOLE, false, true},
    [KB_COLL_ALL_TO_ALL] = {true, false, JOINED, TRANSPOSED, false, false},
    [KB_COLL_BARRIER] = {true, false, OVERLAID, NOTHING, true, true},
};

static const meaning *meaning_of(const kb_collective *collective) {
    return collective->kind < sizeof meanings / sizeof meanings[0] ? &meanings[collective->kind]
                                                                   : &meanings[0];
}

bool kbr_reference_init(kbr_reference *reference, const kb_defs *defs, const kb_collective *collective) {
    const meaning *means = meaning_of(collective);
    if (!means->known || collective->group >= defs->group_count)
        return false;
    size_t ranks = defs->groups[collective->group].rank_count;
    bool rooted = means->root_gives || means->root_takes;
    if (ranks == 0 || ranks > UINT32_MAX ||
        (rooted && means->outputs != NOTHING && collective->root >= ranks))
        return false;
    if (means->reduces != (collective->reduce > KB_REDUCE_NONE))
        return false;
    uint64_t elements = means->outputs == NOTHING ? 0 : collective->elements, count = elements;
    if (means->inputs == JOINED && __builtin_mul_overflow(elements, ranks, &count))
        return false;
    *reference = (kbr_reference){.collective = collective,
                                 .ranks = (uint32_t)ranks,
                                 .count = count,
                                 .block = elements / ranks + (elements % ranks != 0),
                                 .inputs = means->reduces ? (uint32_t)ranks : 1};
    return true;
}

bool kbr_reference_position(const kb_defs *defs, const kb_collective *collective, uint32_t rank,
                            uint32_t *ret_position) {
    const kb_group *group = &defs->groups[collective->group];
    for (size_t i = 0; i < group->rank_count; i++)
        if (group->ranks[i] == rank) {
            *ret_position = (uint32_t)i;
            return true;
        }
    return false;
}

/* Elements of a member's share. */
static uint64_t share(const kbr_reference *reference, uint32_t position) {
    uint64_t elements = reference->collective->elements, first;
    if (__builtin_mul_overflow(reference->block, (uint64_t)position, &first) || first >= elements)
        return 0;
    return elements - first < reference->block ? elements - first : reference->block;
}

uint64_t kbr_reference_inputs(const kbr_reference *reference, uint32_t position) {
    const meaning *means = meaning_of(reference->collective);
    bool counts =
        means->outputs != NOTHING && (!means->root_gives || position == reference->collective->root);
    return counts ? reference->collective->elements : 0;
}

uint64_t kbr_reference_outputs(const kbr_reference *reference, uint32_t position) {
    const meaning *means = meaning_of(reference->collective);
    if (means->outputs == NOTHING || (means->root_takes && position != reference->collective->root))
        return 0;
    if (means->outputs == WHOLE)
        return reference->count;
    return means->outputs == SHARE ? share(reference, position)
                                   : share(reference, position) * reference->ranks;
}

uint64_t kbr_reference_of_input(const kbr_reference *reference, uint32_t position, uint64_t element) {
    bool joined = meaning_of(reference->collective)->inputs == JOINED;
    return element + (joined ? position * reference->collective->elements : 0);
}

uint64_t kbr_reference_run_of_output(const kbr_reference *reference, uint32_t position, uint64_t element,
                                     uint64_t *ret_count) {
    taking takes = meaning_of(reference->collective)->outputs;
    uint64_t first = takes == WHOLE ? 0 : reference->block * position;
    if (takes != TRANSPOSED) {
        *ret_count = kbr_reference_outputs(reference, position) - element;
        return first + element;
    }
    uint64_t size = share(reference, position), from = element / size;
    *ret_count = size - element % size;
    return from * reference->collective->elements + first + element % size;
}

uint64_t kbr_reference_of_output(const kbr_reference *reference, uint32_t position, uint64_t element) {
    uint64_t count;
    return kbr_reference_run_of_output(reference, position, element, &count);
}

bool kbr_reference_contributes(const kbr_reference *reference, uint32_t position, uint64_t element) {
    uint64_t inputs = kbr_reference_inputs(reference, position);
    if (inputs == 0)
        return false;
    uint64_t first = kbr_reference_of_input(reference, position, 0);
    return element >= first && element - first < inputs;
}

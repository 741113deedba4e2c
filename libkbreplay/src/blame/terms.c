/* SPDX-License-Identifier: Apache-2.0 */
/* Counting from the leaves up; see terms.h. */
#include "blame/terms.h"

#include <stdlib.h>

/* Counters in all, two bytes each. */
#define COUNTS_MOST ((uint64_t)1 << 26)

typedef struct place {
    size_t entry;
    uint32_t node;
} place;

/* Leaves first, then ops as they ran: each comes after what it was made of. */
static int by_entry(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->entry != y->entry)
        return x->entry < y->entry ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* The function that joins what a collective reduces; 0 where nothing may be joined. */
static uint32_t joining(uint32_t reduce) {
    static const uint32_t funcs[] = {[KB_REDUCE_SUM] = KB_FUNC_ADD,
                                     [KB_REDUCE_PROD] = KB_FUNC_MUL,
                                     [KB_REDUCE_MIN] = KB_FUNC_MIN,
                                     [KB_REDUCE_MAX] = KB_FUNC_MAX};
    return reduce < sizeof funcs / sizeof funcs[0] ? funcs[reduce] : 0;
}

static bool keeps(const kbr_entry *entry, uint32_t reduce) {
    return entry->flow == KBR_FLOW_MOVE || entry->func == KB_FUNC_COPY || entry->func == KB_FUNC_CAST ||
           entry->func == joining(reduce);
}

static void count_node(const kbr_origins *origins, uint32_t node, kbr_terms *terms) {
    const kbr_origin *it = &origins->nodes[node];
    uint16_t *counts = &terms->counts[(size_t)node * terms->ranks];
    if (it->kind == KBR_NODE_INPUT)
        counts[it->position] = 1;
    if (it->kind == KBR_NODE_FOREIGN && terms->foreign == KB_NONE)
        terms->foreign = node;
    if (it->kind != KBR_NODE_OP)
        return;
    for (uint32_t position = 0; position < terms->ranks; position++) {
        unsigned sum = 0, most = 0;
        for (uint32_t i = 0; i < it->child_count; i++) {
            unsigned count = terms->counts[(size_t)it->children[i] * terms->ranks + position];
            sum += count;
            most = count > most ? count : most;
        }
        counts[position] = sum < UINT16_MAX ? (uint16_t)sum : UINT16_MAX;
        if (sum > 1 && most <= 1 && terms->doubled == KB_NONE) {
            terms->doubled = node;
            terms->twice = position;
        }
    }
    const kbr_entry *entry = &origins->writers->log->entries[it->entry];
    if (terms->mixed == KB_NONE && !keeps(entry, origins->reference->collective->reduce))
        terms->mixed = node;
    for (uint32_t i = 0; entry->flow == KBR_FLOW_MAP && terms->retyped == KB_NONE && i < entry->touch_count;
         i++)
        if (entry->touches[i].view->dtype != origins->reference->collective->dtype)
            terms->retyped = node;
}

kb_status kbr_terms_count(const kbr_origins *origins, kb_arena *arena, kbr_terms *ret_terms,
                          kb_trail *trail) {
    kbr_terms terms = {.ranks = origins->reference->ranks,
                       .node_count = origins->count,
                       .foreign = KB_NONE,
                       .mixed = KB_NONE,
                       .doubled = KB_NONE,
                       .retyped = KB_NONE};
    *ret_terms = terms;
    if ((uint64_t)terms.ranks * terms.node_count > COUNTS_MOST)
        return KB_OK;
    void *block;
    KB_TRY(kb_arena_new(arena, (size_t)terms.ranks * terms.node_count * sizeof(uint16_t), &block, trail));
    terms.counts = block;
    KB_TRY(kb_arena_new(arena, terms.node_count * sizeof(place), &block, trail));
    place *order = block;
    for (uint32_t i = 0; i < terms.node_count; i++)
        order[i] = (place){origins->nodes[i].kind == KBR_NODE_OP ? origins->nodes[i].entry + 1 : 0, i};
    qsort(order, terms.node_count, sizeof *order, by_entry);
    for (size_t i = 0; i < terms.node_count; i++)
        count_node(origins, order[i].node, &terms);
    terms.counted = true;
    *ret_terms = terms;
    return KB_OK;
}

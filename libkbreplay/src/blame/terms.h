/* SPDX-License-Identifier: Apache-2.0 */
/* How often each member's input is in an element, as the graph of its origins says. */
#ifndef KBREPLAY_SRC_TERMS_H
#define KBREPLAY_SRC_TERMS_H

#include "blame/trace.h"

typedef struct kbr_terms {
    uint16_t *counts; /* [nodes][ranks]; saturates */
    uint32_t ranks;
    size_t node_count;
    bool counted;     /* false: too many to count */
    uint32_t foreign; /* the node of the first foreign leaf, or KB_NONE */
    uint32_t mixed;   /* of the first op with another function than the reduction's, or KB_NONE */
    uint32_t doubled; /* of the first op that has an input twice, and its operands do not, or KB_NONE */
    uint32_t twice;   /* that input's position */
    uint32_t retyped; /* of the first that computes with another dtype than the collective's, or KB_NONE */
} kbr_terms;

/* "First" is by the order in which ops ran. */
kb_status kbr_terms_count(const kbr_origins *origins, kb_arena *arena, kbr_terms *ret_terms,
                          kb_trail *trail) KB_MUST_USE;

/* Of the whole element, which is node 0. */
static inline unsigned kbr_terms_of(const kbr_terms *terms, uint32_t position) {
    return terms->counts[position];
}

#endif

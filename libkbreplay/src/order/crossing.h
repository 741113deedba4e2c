/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Barriers that are collectives, whatever their algorithm: who leaves one comes after all who enter it, by
 * the edges of the memory model.
 */
#ifndef KBREPLAY_SRC_CROSSING_H
#define KBREPLAY_SRC_CROSSING_H

#include "order/past.h"
#include "pass.h"

/* One collective. What a part has not issued yet is no place at all. */
typedef struct kbr_crossing {
    kbr_place *places;   /* by part: the issue of its begin; position 0: none yet */
    kbr_mention *begins; /* by part */
    size_t entered;
    uint64_t since; /* a time before the first of them */
} kbr_crossing;

typedef struct kbr_crossings {
    const kbr_pass *pass;
    kbr_crossing *items; /* by collective */
} kbr_crossings;

kb_status kbr_crossings_init(kbr_crossings *crossings, const kbr_pass *pass, kb_trail *trail) KB_MUST_USE;
void kbr_crossings_fini(kbr_crossings *crossings);

/*
 * An op was issued. Where it leaves a barrier before somebody has entered it: that one's part, and else the
 * count of parts.
 */
typedef struct kbr_crossed {
    const kb_collective *collective; /* NULL: it leaves no barrier */
    size_t missing;
    const kbr_mention *begin; /* NULL: that part has not entered at all */
} kbr_crossed;

kb_status kbr_crossings_issue(kbr_crossings *crossings, kbr_pasts *pasts, uint32_t rank, const kb_op *op,
                              kbr_crossed *ret, kb_trail *trail) KB_MUST_USE;

#endif

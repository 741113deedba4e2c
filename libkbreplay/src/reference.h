/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a collective means, element by element, and nothing of how it is done.
 *
 * A collective has reference elements. Element i of a contributing rank's input belongs to one of
 * them, and element j of a rank's output is to hold one of them: the reduction of all that belongs
 * to it, or the one input where nothing is reduced. Shares of n ranks are blocks of ceil(elements / n),
 * the last ones shorter or empty.
 */
#ifndef KBREPLAY_SRC_REFERENCE_H
#define KBREPLAY_SRC_REFERENCE_H

#include "kbtrace/defs.h"

typedef struct kbr_reference {
    const kb_collective *collective;
    uint32_t ranks;  /* of the group */
    uint64_t count;  /* reference elements */
    uint64_t block;  /* elements of a full share */
    uint32_t inputs; /* that belong to each reference element */
} kbr_reference;

/* False where the collective is of a kind that this build does not know, or impossibly large. */
bool kbr_reference_init(kbr_reference *reference, const kb_defs *defs, const kb_collective *collective);

/* The rank's place in the group; false where it is no member. */
bool kbr_reference_position(const kb_defs *defs, const kb_collective *collective, uint32_t rank,
                            uint32_t *ret_position);

/* Elements of that member's input that count, and of its output that are to hold something. */
uint64_t kbr_reference_inputs(const kbr_reference *reference, uint32_t position);
uint64_t kbr_reference_outputs(const kbr_reference *reference, uint32_t position);

/* The reference element of one that kbr_reference_inputs() or _outputs() counts. */
uint64_t kbr_reference_of_input(const kbr_reference *reference, uint32_t position, uint64_t element);
uint64_t kbr_reference_of_output(const kbr_reference *reference, uint32_t position, uint64_t element);
/* Likewise, and how many outputs from this one on are to hold reference elements that follow each other. */
uint64_t kbr_reference_run_of_output(const kbr_reference *reference, uint32_t position, uint64_t element,
                                     uint64_t *ret_count);

/* Does that member's input contribute to a reference element? */
bool kbr_reference_contributes(const kbr_reference *reference, uint32_t position, uint64_t element);

#endif

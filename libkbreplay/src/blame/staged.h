/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scratch memory that stands for a tensor: what an op loads from an element's home, and another stores to
 * that element's home, is the element's home, too, from the one to the other. Both would have to be
 * mistaken in the same way if it were not.
 */
#ifndef KBREPLAY_SRC_BLAME_STAGED_H
#define KBREPLAY_SRC_BLAME_STAGED_H

#include "blame/trace.h"

typedef struct kbr_stretch {
    uint64_t low, high;   /* bytes of scratch memory */
    size_t since, until;  /* the entries of the load and of the store */
    uint32_t home_memory; /* what `low` stands for */
    uint64_t home;
    const struct kbr_stretch *next; /* of the same memory */
} kbr_stretch;

/* Fills in origins->staged. What it makes lives in the arena. */
kb_status kbr_find_staged(kbr_origins *origins, kb_arena *arena, kb_trail *trail) KB_MUST_USE;

/* The home for which a byte stands while entry `when` runs; false where it stands for none. */
bool kbr_staged_home(const kbr_origins *origins, uint32_t memory, uint64_t offset, size_t when,
                     uint32_t *ret_memory, uint64_t *ret_offset);

#endif

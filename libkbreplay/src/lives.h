/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ranges of a memory live: those that were allocated and not freed yet, and those that were freed
 * and not allocated since. Of bytes that no allocation ever had, nothing is known.
 */
#ifndef KBREPLAY_SRC_LIVES_H
#define KBREPLAY_SRC_LIVES_H

#include "kbreplay/finding.h"

typedef struct kbr_life {
    uint64_t low, high; /* bytes */
    uint64_t id;        /* of the allocation */
    bool live;          /* else it was freed */
    kbr_mention by;     /* who allocated, or freed it */
} kbr_life;

/* Of one memory: disjoint, by rising offset. */
typedef struct kbr_lives {
    kbr_life *items;
    size_t count, capacity;
} kbr_lives;

void kbr_lives_fini(kbr_lives *lives, const kb_alloc *alloc);

/* The first range that shares a byte with [low, high) and lives, or does not; NULL where there is none. */
const kbr_life *kbr_lives_touching(const kbr_lives *lives, uint64_t low, uint64_t high, bool live);

/* Makes [low, high) one range, whatever was there before: others are cut, or gone. It is not empty. */
kb_status kbr_lives_set(kbr_lives *lives, const kb_alloc *alloc, const kbr_life *life,
                        kb_trail *trail) KB_MUST_USE;

#endif

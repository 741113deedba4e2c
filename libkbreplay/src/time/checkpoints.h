/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints: where the walk stood and what memory held, at some times; and which of them are kept.
 *
 * Regular ones lie at least `interval` executed ops apart. When there are too many, or they hold too
 * much, the interval is doubled and those between go. Fine ones lie closer, where the timeline goes
 * to and fro; the farthest of them goes first, and none costs a regular one. The first of all, before every
 * op, stays.
 */
#ifndef KBREPLAY_SRC_CHECKPOINTS_H
#define KBREPLAY_SRC_CHECKPOINTS_H

#include "memory/memory.h"
#include "walk/walk.h"

enum { KBR_FINE_MAX = 16, KBR_FINE_PARTS = 8 }; /* fine ones; of an interval between two of them */

typedef struct kbr_checkpoint {
    int64_t at_ps;
    uint64_t ops; /* executed before it */
    bool fine;
    kbr_mark *mark;
    kbr_snapshot *memory;
} kbr_checkpoint;

typedef struct kbr_checkpoints {
    const kb_alloc *alloc;
    kbr_memories *memories;
    kbr_checkpoint *items; /* by ops; the first is the beginning */
    size_t count, capacity;
    size_t most_regular;
    uint64_t most_size; /* 0: twice as much as live memory, or 512 MiB */
    uint64_t room_size; /* that memory and checkpoints may take together */
    uint64_t interval;
    uint64_t live_size; /* when the newest was made */
} kbr_checkpoints;

void kbr_checkpoints_init(kbr_checkpoints *it, kbr_memories *memories, const kb_alloc *alloc);
/* Before the walk and the memories. */
void kbr_checkpoints_fini(kbr_checkpoints *it);

/* Keeps what is now, and drops what is too much: maybe this one. */
kb_status kbr_checkpoints_add(kbr_checkpoints *it, const kbr_walk_state *walk, uint64_t ops, bool fine,
                              kb_trail *trail) KB_MUST_USE;

/* The last one that is not after a time. */
const kbr_checkpoint *kbr_checkpoints_before(const kbr_checkpoints *it, int64_t time_ps);

/* Gives up some, to have memory for something else; false where there is only the beginning. */
bool kbr_checkpoints_thin(kbr_checkpoints *it);

/* Bytes beside live memory. */
uint64_t kbr_checkpoints_size(const kbr_checkpoints *it);

#endif

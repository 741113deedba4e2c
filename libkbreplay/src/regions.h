/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie: tensors' shards and queues' rings by memory and offset. */
#ifndef KBREPLAY_SRC_REGIONS_H
#define KBREPLAY_SRC_REGIONS_H

#include "kbtrace/defs.h"

typedef enum kbr_region_kind { KBR_REGION_SHARD, KBR_REGION_RING } kbr_region_kind;

typedef struct kbr_region {
    uint64_t low, high; /* bytes of the memory */
    uint64_t reach;     /* the largest `high` of this region and those before it in its memory */
    kbr_region_kind kind;
    uint32_t memory;
    uint32_t id;    /* of the tensor or queue */
    uint32_t shard; /* of the tensor */
} kbr_region;

typedef struct kbr_regions {
    const kb_defs *defs;
    kbr_region *items; /* by (memory, low) */
    size_t count;
    size_t *firsts; /* [memories + 1] */
} kbr_regions;

/* Refuses shards and rings that leave their memories. Rows live in the arena. */
kb_status kbr_regions_init(kbr_regions *regions, const kb_defs *defs, kb_arena *arena,
                           kb_trail *trail) KB_MUST_USE;

/*
 * The first region from *inout_cursor on that shares a byte with [low, high), or NULL. Begin with
 * *inout_cursor = 0.
 */
const kbr_region *kbr_regions_touching(const kbr_regions *regions, uint32_t memory, uint64_t low,
                                       uint64_t high, size_t *inout_cursor);

/* The tensor and its element (row-major) at a byte; false where no tensor lies. */
bool kbr_regions_element(const kbr_regions *regions, uint32_t memory, uint64_t offset, uint32_t *ret_tensor,
                         uint64_t *ret_element);

#endif

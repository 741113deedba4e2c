/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting and finding regions; see regions.h. */
#include "regions.h"

#include <stdlib.h>
#include <string.h>

/* --- building ---------------------------------------------------------------------------------- */

static kb_status leaves(const kb_defs *defs, const char *what, const char *name, uint32_t memory,
                        kb_trail *trail) {
    return kb_fail(trail, KB_E_CORRUPT, "%s `%s` leaves its memory %s", what, name,
                   memory < defs->memory_count ? defs->memories[memory].name : "(which is not defined)");
}

static kb_status add_shard(kbr_regions *regions, uint32_t id, uint32_t number, kb_trail *trail) {
    const kb_defs *defs = regions->defs;
    const kb_tensor *tensor = &defs->tensors[id];
    const kb_shard *shard = &tensor->shards[number];
    uint32_t size = kb_dtype_size(tensor->dtype);
    kb_operand view = {.memory = shard->memory, .dtype = (uint8_t)tensor->dtype};
    bool fits = size != 0 && shard->memory < defs->memory_count && shard->shape_count <= KB_DIMS_MAX &&
                shard->shape_count == tensor->shape_count && shard->stride_count == shard->shape_count &&
                shard->origin_count == shard->shape_count;
    view.dims = (uint8_t)shard->shape_count;
    for (size_t i = 0; fits && i < shard->shape_count; i++) {
        view.shape[i] = shard->shape[i];
        view.stride[i] = shard->stride[i];
        fits = shard->origin[i] <= tensor->shape[i] && shard->shape[i] <= tensor->shape[i] - shard->origin[i];
    }
    if (!fits)
        return kb_fail(trail, KB_E_CORRUPT, "shard %u of tensor `%s` does not fit its tensor", number,
                       tensor->name);
    if (kb_operand_elements(&view) == 0)
        return KB_OK;
    int64_t low, high;
    uint64_t room = defs->memories[shard->memory].size_bytes;
    if (!kb_operand_extent(&view, &low, &high) || low < 0 || shard->offset_bytes > room ||
        (uint64_t)high > room - shard->offset_bytes)
        return leaves(defs, "tensor", tensor->name, shard->memory, trail);
    regions->items[regions->count++] = (kbr_region){.low = shard->offset_bytes,
                                                    .high = shard->offset_bytes + (uint64_t)high,
                                                    .kind = KBR_REGION_SHARD,
                                                    .memory = shard->memory,
                                                    .id = id,
                                                    .shard = number};
    return KB_OK;
}

static kb_status add_ring(kbr_regions *regions, uint32_t id, kb_trail *trail) {
    const kb_defs *defs = regions->defs;
    const kb_queue *queue = &defs->queues[id];
    if (queue->memory >= defs->memory_count)
        return leaves(defs, "the ring of queue", queue->name, queue->memory, trail);
    if (queue->producer >= defs->stream_count || queue->consumer >= defs->stream_count)
        return kb_fail(trail, KB_E_CORRUPT, "queue `%s` joins streams that are not defined", queue->name);
    uint64_t room = defs->memories[queue->memory].size_bytes;
    if (queue->slots == 0 || queue->slot_bytes == 0)
        return kb_fail(trail, KB_E_CORRUPT, "queue `%s` has no slots", queue->name);
    if (queue->offset_bytes > room || queue->slots > (room - queue->offset_bytes) / queue->slot_bytes)
        return leaves(defs, "the ring of queue", queue->name, queue->memory, trail);
    regions->items[regions->count++] =
        (kbr_region){.low = queue->offset_bytes,
                     .high = queue->offset_bytes + queue->slots * queue->slot_bytes,
                     .kind = KBR_REGION_RING,
                     .memory = queue->memory,
                     .id = id};
    return KB_OK;
}

static int by_place(const void *a, const void *b) {
    const kbr_region *x = a, *y = b;
    if (x->memory != y->memory)
        return x->memory < y->memory ? -1 : 1;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->shard > y->shard) - (x->shard < y->shard);
}

/* Where each memory's regions begin, and how far those before each one reach. */
static void index_regions(kbr_regions *regions) {
    size_t at = 0;
    for (size_t memory = 0; memory <= regions->defs->memory_count; memory++) {
        while (at < regions->count && regions->items[at].memory < memory)
            at++;
        regions->firsts[memory] = at;
    }
    for (size_t i = 0; i < regions->count; i++) {
        kbr_region *it = &regions->items[i];
        bool follows = i > 0 && it[-1].memory == it->memory;
        it->reach = follows && it[-1].reach > it->high ? it[-1].reach : it->high;
    }
}

kb_status kbr_regions_init(kbr_regions *regions, const kb_defs *defs, kb_arena *arena, kb_trail *trail) {
    size_t most = defs->queue_count;
    for (size_t i = 0; i < defs->tensor_count; i++)
        most += defs->tensors[i].shard_count;
    void *items, *firsts;
    KB_TRY(kb_arena_new(arena, most * sizeof(kbr_region), &items, trail));
    KB_TRY(kb_arena_new(arena, (defs->memory_count + 1) * sizeof(size_t), &firsts, trail));
    *regions = (kbr_regions){.defs = defs, .items = items, .firsts = firsts};
    for (uint32_t id = 0; id < defs->tensor_count; id++)
        for (uint32_t number = 0; number < defs->tensors[id].shard_count; number++)
            KB_TRY(add_shard(regions, id, number, trail));
    for (uint32_t id = 0; id < defs->queue_count; id++)
        KB_TRY(add_ring(regions, id, trail));
    if (regions->count > 1)
        qsort(regions->items, regions->count, sizeof *regions->items, by_place);
    index_regions(regions);
    return KB_OK;
}

/* --- finding ----------------------------------------------------------------------------------- */

/* The first region of [first, end) whose reach passes `low`: none before it can touch. */
static size_t first_reaching(const kbr_regions *regions, size_t first, size_t end, uint64_t low) {
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (regions->items[middle].reach > low)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

const kbr_region *kbr_regions_touching(const kbr_regions *regions, uint32_t memory, uint64_t low,
                                       uint64_t high, size_t *inout_cursor) {
    size_t begin = regions->firsts[memory], end = regions->firsts[memory + 1];
    size_t at = *inout_cursor != 0 ? *inout_cursor : first_reaching(regions, begin, end, low);
    for (; at < end && regions->items[at].low < high; at++)
        if (regions->items[at].high > low) {
            *inout_cursor = at + 1;
            return &regions->items[at];
        }
    *inout_cursor = end + 1;
    return NULL;
}

/* The row-major number of the element of a shard that holds byte `within` of it. */
static bool shard_element(const kb_tensor *tensor, const kb_shard *shard, uint64_t within,
                          uint64_t *ret_element) {
    uint64_t rest = within / kb_dtype_size(tensor->dtype), element = 0;
    for (size_t i = 0; i < shard->shape_count; i++) {
        uint64_t step = shard->stride[i] > 0 ? (uint64_t)shard->stride[i] : 0;
        uint64_t at = step != 0 && shard->shape[i] > 1 ? rest / step : 0;
        if (at >= shard->shape[i])
            return false;
        rest -= at * step;
        element = element * tensor->shape[i] + shard->origin[i] + at;
    }
    if (rest != 0)
        return false;
    *ret_element = element;
    return true;
}

bool kbr_regions_element(const kbr_regions *regions, uint32_t memory, uint64_t offset, uint32_t *ret_tensor,
                         uint64_t *ret_element) {
    size_t cursor = 0;
    const kbr_region *it;
    if (memory >= regions->defs->memory_count)
        return false;
    while ((it = kbr_regions_touching(regions, memory, offset, offset + 1, &cursor)) != NULL) {
        const kb_tensor *tensor = it->kind == KBR_REGION_SHARD ? &regions->defs->tensors[it->id] : NULL;
        if (tensor != NULL &&
            shard_element(tensor, &tensor->shards[it->shard], offset - it->low, ret_element)) {
            *ret_tensor = it->id;
            return true;
        }
    }
    return false;
}

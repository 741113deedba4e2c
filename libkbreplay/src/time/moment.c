/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What memory holds at the time where a timeline stands.
 *
 * The walk executes an op whole at its start, for ops that come between its `sent` and its `done` may
 * overwrite what it reads. So when somebody looks, what ops write that are not done is made undefined, in
 * memory itself; a snapshot keeps what the walk goes on from.
 */
#include <string.h>

#include "dump.h"
#include "time/state.h"

void kbr_timeline_unmask(kbr_timeline *timeline) {
    if (timeline->unmasked == NULL)
        return;
    kbr_memories_restore(timeline->memories, timeline->unmasked);
    kbr_snapshot_destroy(timeline->unmasked);
    timeline->unmasked = NULL;
}

static kb_status undefine(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    return kbr_op_abandon(user, rank, op, trail);
}

static kb_status mask(kbr_timeline *timeline, kb_trail *trail) {
    if (timeline->lost)
        return kb_fail(trail, KB_E_ARGUMENT, "the timeline stands nowhere, for its last seek failed");
    if (timeline->moment.in_flight == 0 || timeline->unmasked != NULL)
        return KB_OK;
    KB_TRY(kbr_memories_snapshot(timeline->memories, &timeline->unmasked, trail));
    kb_status status = kbr_walk_changing(timeline->walk, undefine, &timeline->pass, trail);
    if (status != KB_OK)
        kbr_timeline_unmask(timeline);
    return status;
}

kb_status kbr_timeline_read(kbr_timeline *timeline, uint32_t memory, uint64_t offset, uint64_t size,
                            uint8_t *bytes, uint8_t *defined, kb_trail *trail) {
    const kb_defs *defs = timeline->defs;
    if (memory >= defs->memory_count)
        return kb_fail(trail, KB_E_ARGUMENT, "there is no memory %u: the trace has %zu", memory,
                       defs->memory_count);
    uint64_t room = defs->memories[memory].size_bytes;
    if (offset > room || size > room - offset)
        return kb_fail(trail, KB_E_ARGUMENT, "%llu bytes from %llu on leave %s, which has %llu",
                       (unsigned long long)size, (unsigned long long)offset, defs->memories[memory].name,
                       (unsigned long long)room);
    KB_TRY(mask(timeline, trail));
    if (defined != NULL)
        KB_TRY(kbr_memory_get_bits(timeline->memories, memory, offset, size, defined, trail));
    return kbr_memory_read(timeline->memories, memory, offset, size, bytes, NULL, trail);
}

kb_status kbr_timeline_digest(kbr_timeline *timeline, kb_digest *ret_digest, kb_trail *trail) {
    KB_TRY(mask(timeline, trail));
    KB_TRY(kbr_memories_digest(timeline->memories, ret_digest, trail));
    timeline->result.memory_digest = *ret_digest;
    return KB_OK;
}

static kbr_dumped here(const kbr_timeline *timeline) {
    return (kbr_dumped){timeline->alloc, timeline->defs, timeline->memories,
                        timeline->options.replay.max_memory};
}

kb_status kbr_timeline_read_tensor(kbr_timeline *timeline, uint32_t tensor, uint8_t *bytes, uint8_t *defined,
                                   kb_trail *trail) {
    const kb_tensor *what = &timeline->defs->tensors[tensor];
    size_t elements = 1;
    for (size_t i = 0; i < what->shape_count; i++)
        elements *= (size_t)what->shape[i];
    if (kb_dtype_size(what->dtype) == 0)
        return kb_fail(trail, KB_E_UNSUPPORTED, "tensor `%s` is of a dtype that this build does not know",
                       what->name);
    KB_TRY(mask(timeline, trail));
    memset(bytes, 0, elements * kb_dtype_size(what->dtype));
    memset(defined, 0, elements);
    kbr_dumped from = here(timeline);
    return kbr_dump_gather(&from, tensor, bytes, defined, trail);
}

kb_status kbr_timeline_dump(kbr_timeline *timeline, uint32_t tensor, const kb_fs *fs, const char *path,
                            uint64_t *ret_undefined, kb_trail *trail) {
    KB_TRY(mask(timeline, trail));
    kbr_dumped from = here(timeline);
    return kbr_dump(&from, tensor, fs, path, ret_undefined, trail);
}

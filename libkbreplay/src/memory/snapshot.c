/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: lists of pages that live memory shares until it changes them; see memory.h. */
#include <assert.h>

#include "memory/memory.h"
#include "memory/pages.h"

struct kbr_snapshot {
    kbr_memories *memories;
    size_t page_count;
    size_t *ends; /* [memories]: the pages of memory i end here, and those of the next one begin */
    kbr_page **pages;
};

static void take_pages(kbr_snapshot *snapshot) {
    const kbr_memories *memories = snapshot->memories;
    size_t count = 0;
    for (size_t i = 0; i < memories->defs->memory_count; i++) {
        const kbr_memory *it = &memories->items[i];
        for (size_t slot = 0; slot < it->slot_count; slot++)
            if (it->slots[slot] != NULL) {
                it->slots[slot]->holders++;
                snapshot->pages[count++] = it->slots[slot];
            }
        snapshot->ends[i] = count;
    }
    assert(count == snapshot->page_count);
}

kb_status kbr_memories_snapshot(kbr_memories *memories, kbr_snapshot **ret_snapshot, kb_trail *trail) {
    size_t count = 0, memory_count = memories->defs->memory_count;
    for (size_t i = 0; i < memory_count; i++)
        count += memories->items[i].page_count;
    void *block, *ends = NULL, *pages = NULL;
    KB_TRY(kb_new_zeroed(memories->alloc, sizeof(kbr_snapshot), &block, trail));
    kb_status status = kb_new(memories->alloc, memory_count * sizeof(size_t), &ends, trail);
    if (status == KB_OK)
        status = kb_new(memories->alloc, count * sizeof(kbr_page *), &pages, trail);
    if (status != KB_OK) {
        kb_delete(memories->alloc, ends, memory_count * sizeof(size_t));
        kb_delete(memories->alloc, block, sizeof(kbr_snapshot));
        return status;
    }
    kbr_snapshot *snapshot = block;
    *snapshot = (kbr_snapshot){.memories = memories, .page_count = count, .ends = ends, .pages = pages};
    take_pages(snapshot);
    *ret_snapshot = snapshot;
    return KB_OK;
}

void kbr_memories_restore(kbr_memories *memories, const kbr_snapshot *snapshot) {
    assert(snapshot->memories == memories);
    for (size_t i = 0, at = 0; i < memories->defs->memory_count; i++) {
        kbr_pages_drop(memories, (uint32_t)i);
        for (; at < snapshot->ends[i]; at++)
            kbr_pages_take(&memories->items[i], snapshot->pages[at]);
    }
}

void kbr_snapshot_destroy(kbr_snapshot *snapshot) {
    if (snapshot == NULL)
        return;
    kbr_memories *memories = snapshot->memories;
    for (size_t i = 0; i < snapshot->page_count; i++)
        kbr_pages_release(memories, snapshot->pages[i]);
    kb_delete(memories->alloc, snapshot->pages, snapshot->page_count * sizeof(kbr_page *));
    kb_delete(memories->alloc, snapshot->ends, memories->defs->memory_count * sizeof(size_t));
    kb_delete(memories->alloc, snapshot, sizeof *snapshot);
}

uint64_t kbr_snapshot_size(const kbr_snapshot *snapshot) {
    return snapshot->page_count * (uint64_t)sizeof(kbr_page);
}

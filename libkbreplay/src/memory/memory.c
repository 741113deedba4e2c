/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes of ranges, page by page; see memory.h. */
#include "memory/memory.h"

#include <assert.h>
#include <string.h>

#include "memory/bits.h"
#include "memory/pages.h"
#include "memory/recipe.h"

/* What initial contents may stand for in all: a digest has to compute every byte of them. */
#define INITIAL_LIMIT ((uint64_t)1 << 36)

/* --- life -------------------------------------------------------------------------------------- */

static kb_status check_initials(const kb_defs *defs, kb_trail *trail) {
    uint64_t sum = 0;
    for (uint32_t id = 0; id < defs->initial_count; id++) {
        KB_TRY(kbr_recipe_check(defs, id, trail));
        uint64_t size = kbr_recipe_size(&defs->initials[id]);
        if (size > INITIAL_LIMIT - sum)
            return kb_fail(trail, KB_E_LIMIT, "initial contents of more than %llu bytes",
                           (unsigned long long)INITIAL_LIMIT);
        sum += size;
    }
    return KB_OK;
}

/* Each memory's initial contents, as ids in the order of their definitions. */
static kb_status share_initials(kbr_memories *memories, kb_trail *trail) {
    const kb_defs *defs = memories->defs;
    for (size_t i = 0; i < defs->initial_count; i++)
        memories->items[defs->initials[i].memory].initial_count++;
    for (size_t i = 0; i < defs->memory_count; i++) {
        void *ids;
        KB_TRY(
            kb_arena_new(&memories->arena, memories->items[i].initial_count * sizeof(uint32_t), &ids, trail));
        memories->items[i].initials = ids;
        memories->items[i].initial_count = 0;
    }
    for (uint32_t id = 0; id < defs->initial_count; id++) {
        kbr_memory *it = &memories->items[defs->initials[id].memory];
        uint32_t *ids = (uint32_t *)(uintptr_t)it->initials;
        ids[it->initial_count++] = id;
    }
    return KB_OK;
}

/* An arena's blocks are aligned to less than these are. */
static kb_status make_items(kbr_memories *memories, kb_trail *trail) {
    size_t size = memories->defs->memory_count * sizeof(kbr_memory);
    void *block;
    KB_TRY(kb_arena_new(&memories->arena, size + _Alignof(kbr_memory), &block, trail));
    uintptr_t at = (uintptr_t)block + _Alignof(kbr_memory) - 1;
    memories->items = (kbr_memory *)(at - at % _Alignof(kbr_memory));
    return KB_OK;
}

kb_status kbr_memories_create(const kb_defs *defs, const kb_alloc *alloc, uint64_t limit_size,
                              kbr_memories **ret_memories, kb_trail *trail) {
    KB_TRY(check_initials(defs, trail));
    void *block;
    KB_TRY(kb_new_zeroed(alloc, sizeof(kbr_memories), &block, trail));
    kbr_memories *memories = block;
    memories->alloc = alloc;
    memories->defs = defs;
    memories->limit_size = limit_size;
    memories->kernels = kbr_kernels_choose();
    kb_arena_init(&memories->arena, alloc, 0);
    kb_status status = make_items(memories, trail);
    if (status == KB_OK)
        status = share_initials(memories, trail);
    if (status != KB_OK) {
        kbr_memories_destroy(memories);
        return status;
    }
    *ret_memories = memories;
    return KB_OK;
}

void kbr_memories_destroy(kbr_memories *memories) {
    if (memories == NULL)
        return;
    for (size_t i = 0; memories->items != NULL && i < memories->defs->memory_count; i++) {
        kbr_pages_drop(memories, (uint32_t)i);
        kb_delete(memories->alloc, memories->items[i].slots,
                  memories->items[i].slot_count * sizeof(kbr_page *));
    }
    kb_arena_fini(&memories->arena);
    kb_delete(memories->alloc, memories, sizeof *memories);
}

void kbr_memories_use(kbr_memories *memories, const kbr_kernels *kernels) {
    memories->kernels = kernels;
}

uint64_t kbr_memories_size(const kbr_memories *memories) {
    return atomic_load(&memories->used_size);
}

/* --- ranges in place --------------------------------------------------------------------------- */

/* One page's part of a range. */
typedef struct part {
    uint64_t number;
    uint32_t first, count; /* bytes, within the page */
} part;

static part part_at(const kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size) {
    assert(memory < memories->defs->memory_count);
    uint32_t first = (uint32_t)(offset % KBR_PAGE_SIZE), room = KBR_PAGE_SIZE - first;
    return (part){offset / KBR_PAGE_SIZE, first, size < room ? (uint32_t)size : room};
}

/* What memory reads as where nothing was ever written. */
static const uint8_t nothing[KBR_PAGE_SIZE];

kb_status kbr_memory_readable(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              kbr_span *ret_span, kb_trail *trail) {
    part at = part_at(memories, memory, offset, size);
    kbr_page *page;
    KB_TRY(kbr_pages_reading(memories, memory, at.number, &page, trail));
    if (page == NULL)
        *ret_span = (kbr_span){nothing, at.count, false};
    else
        *ret_span =
            (kbr_span){page->bytes + at.first, at.count, kbr_page_is_defined(page, at.first, at.count)};
    return KB_OK;
}

uint64_t kbr_memory_room(uint64_t offset) {
    return KBR_PAGE_SIZE - offset % KBR_PAGE_SIZE;
}

kb_status kbr_memory_writable(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              uint8_t **ret_bytes, uint64_t *ret_size, kb_trail *trail) {
    part at = part_at(memories, memory, offset, size);
    kbr_page *page;
    KB_TRY(kbr_pages_writing(memories, memory, at.number, at.first, at.count, &page, trail));
    if (!kbr_page_is_defined(page, at.first, at.count))
        KB_TRY(kbr_page_define(memories->alloc, page, at.first, at.count, trail));
    *ret_bytes = page->bytes + at.first;
    *ret_size = at.count;
    return KB_OK;
}

/* --- ranges ------------------------------------------------------------------------------------ */

kb_status kbr_memory_read(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                          uint8_t *bytes, bool *ret_defined, kb_trail *trail) {
    bool defined = true;
    for (uint64_t done = 0; done < size;) {
        kbr_span span;
        KB_TRY(kbr_memory_readable(memories, memory, offset + done, size - done, &span, trail));
        memcpy(bytes + done, span.bytes, span.size);
        defined = defined && span.defined;
        done += span.size;
    }
    if (ret_defined != NULL)
        *ret_defined = defined;
    return KB_OK;
}

kb_status kbr_memory_write(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                           const uint8_t *bytes, kb_trail *trail) {
    for (uint64_t done = 0; done < size;) {
        uint8_t *to;
        uint64_t count;
        KB_TRY(kbr_memory_writable(memories, memory, offset + done, size - done, &to, &count, trail));
        memcpy(to, bytes + done, count);
        done += count;
    }
    return KB_OK;
}

static kb_status undefine_part(kbr_memories *memories, uint32_t memory, part at, kb_trail *trail) {
    kbr_page *page = kbr_pages_find(&memories->items[memory], at.number);
    bool defined;
    if (page != NULL && kbr_page_run(page, at.first, at.first + at.count, &defined) == at.first + at.count &&
        !defined)
        return KB_OK;
    KB_TRY(kbr_pages_writing(memories, memory, at.number, at.first, at.count, &page, trail));
    memset(page->bytes + at.first, 0, at.count);
    return kbr_page_undefine(memories->alloc, page, at.first, at.count, trail);
}

static kb_status undefine_pages(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                                kb_trail *trail) {
    for (uint64_t done = 0; done < size;) {
        part at = part_at(memories, memory, offset + done, size - done);
        if (kbr_pages_known(memories, memory, at.number))
            KB_TRY(undefine_part(memories, memory, at, trail));
        done += at.count;
    }
    return KB_OK;
}

/* Of a range of many pages only those are visited that exist, or would exist with initial contents. */
kb_status kbr_memory_undefine(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              kb_trail *trail) {
    const kbr_memory *it = &memories->items[memory];
    if (size / KBR_PAGE_SIZE <= it->page_count)
        return undefine_pages(memories, memory, offset, size, trail);
    uint64_t first = offset / KBR_PAGE_SIZE, last = (offset + size - 1) / KBR_PAGE_SIZE;
    for (size_t slot = 0; slot < it->slot_count; slot++) {
        const kbr_page *page = it->slots[slot];
        if (page == NULL || page->number < first || page->number > last)
            continue;
        uint32_t low = page->number == first ? (uint32_t)(offset % KBR_PAGE_SIZE) : 0;
        uint32_t high =
            page->number == last ? (uint32_t)((offset + size - 1) % KBR_PAGE_SIZE) + 1 : KBR_PAGE_SIZE;
        KB_TRY(undefine_part(memories, memory, (part){page->number, low, high - low}, trail));
    }
    for (size_t i = 0; i < it->initial_count; i++) {
        const kb_initial *initial = &memories->defs->initials[it->initials[i]];
        uint64_t low = initial->offset_bytes, high = low + kbr_recipe_size(initial);
        low = low > offset ? low : offset;
        high = high < offset + size ? high : offset + size;
        if (low < high)
            KB_TRY(undefine_pages(memories, memory, low, high - low, trail));
    }
    return KB_OK;
}

/* --- definedness of ranges --------------------------------------------------------------------- */

kb_status kbr_memory_get_bits(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              uint8_t *bits, kb_trail *trail) {
    memset(bits, 0, (size + 7) / 8);
    for (uint64_t done = 0; done < size;) {
        part at = part_at(memories, memory, offset + done, size - done);
        kbr_page *page;
        KB_TRY(kbr_pages_reading(memories, memory, at.number, &page, trail));
        for (uint32_t low = at.first, end = at.first + at.count; page != NULL && low < end;) {
            bool defined;
            uint32_t high = kbr_page_run(page, low, end, &defined);
            if (defined)
                (void)kbr_bits_put(bits, done + low - at.first, high - low, true);
            low = high;
        }
        done += at.count;
    }
    return KB_OK;
}

kb_status kbr_memory_write_bits(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                                const uint8_t *bytes, const uint8_t *bits, kb_trail *trail) {
    for (uint64_t low = 0; low < size;) {
        uint64_t high = kbr_bits_run(bits, low, size);
        if (kbr_bit(bits, low))
            KB_TRY(kbr_memory_write(memories, memory, offset + low, high - low, bytes + low, trail));
        else
            KB_TRY(kbr_memory_undefine(memories, memory, offset + low, high - low, trail));
        low = high;
    }
    return KB_OK;
}

kb_status kbr_memory_find_undefined(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                                    uint64_t *ret_first, kb_trail *trail) {
    for (uint64_t done = 0; done < size;) {
        part at = part_at(memories, memory, offset + done, size - done);
        kbr_page *page;
        KB_TRY(kbr_pages_reading(memories, memory, at.number, &page, trail));
        bool defined = false;
        uint32_t high = page != NULL ? kbr_page_run(page, at.first, at.first + at.count, &defined) : 0;
        if (!defined || high < at.first + at.count) {
            *ret_first = done + (defined ? high - at.first : 0);
            return KB_OK;
        }
        done += at.count;
    }
    *ret_first = size;
    return KB_OK;
}

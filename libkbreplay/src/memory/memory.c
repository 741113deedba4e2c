/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes of ranges, page by page; see memory.h. */
#include "memory/memory.h"

#include <assert.h>
#include <string.h>

#include "memory/page.h"
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

kb_status kbr_memories_create(const kb_defs *defs, const kb_alloc *alloc, uint64_t limit_size,
                              kbr_memories **ret_memories, kb_trail *trail) {
    KB_TRY(check_initials(defs, trail));
    void *block;
    KB_TRY(kb_new_zeroed(alloc, sizeof(kbr_memories), &block, trail));
    kbr_memories *memories = block;
    memories->alloc = alloc;
    memories->defs = defs;
    memories->limit_size = limit_size;
    kb_arena_init(&memories->arena, alloc, 0);
    void *items;
    kb_status status = kb_arena_new(&memories->arena, defs->memory_count * sizeof(kbr_memory), &items, trail);
    if (status == KB_OK) {
        memories->items = items;
        status = share_initials(memories, trail);
    }
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

uint64_t kbr_memories_size(const kbr_memories *memories) {
    return memories->used_size;
}

/* --- ranges ------------------------------------------------------------------------------------ */

/* One page's part of a range. */
typedef struct span {
    uint64_t number;
    uint32_t first, count; /* bytes, within the page */
} span;

static span span_at(const kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size) {
    assert(memory < memories->defs->memory_count);
    uint32_t first = (uint32_t)(offset % KBR_PAGE_SIZE), room = KBR_PAGE_SIZE - first;
    return (span){offset / KBR_PAGE_SIZE, first, size < room ? (uint32_t)size : room};
}

static bool all_defined(const kbr_page *page, uint32_t first, uint32_t count, uint32_t *ret_first) {
    for (uint32_t at = first; page->undefined_count != 0 && at < first + count;) {
        if (at % 8 == 0 && first + count - at >= 8 && page->defined[at / 8] == 0xFF) {
            at += 8;
            continue;
        }
        if (!kbr_bit(page->defined, at)) {
            *ret_first = at;
            return false;
        }
        at++;
    }
    return true;
}

kb_status kbr_memory_read(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                          uint8_t *bytes, bool *ret_defined, kb_trail *trail) {
    bool defined = true;
    for (uint64_t done = 0; done < size;) {
        span at = span_at(memories, memory, offset + done, size - done);
        kbr_page *page;
        KB_TRY(kbr_page_reading(memories, memory, at.number, &page, trail));
        uint32_t first;
        if (page == NULL) {
            memset(bytes + done, 0, at.count);
            defined = false;
        } else {
            memcpy(bytes + done, page->bytes + at.first, at.count);
            defined = defined && all_defined(page, at.first, at.count, &first);
        }
        done += at.count;
    }
    if (ret_defined != NULL)
        *ret_defined = defined;
    return KB_OK;
}

kb_status kbr_memory_write(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                           const uint8_t *bytes, kb_trail *trail) {
    for (uint64_t done = 0; done < size;) {
        span at = span_at(memories, memory, offset + done, size - done);
        kbr_page *page;
        KB_TRY(kbr_page_writing(memories, memory, at.number, &page, trail));
        memcpy(page->bytes + at.first, bytes + done, at.count);
        kbr_page_define(page, at.first, at.count);
        done += at.count;
    }
    return KB_OK;
}

static kb_status undefine_pages(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                                kb_trail *trail) {
    for (uint64_t done = 0; done < size;) {
        span at = span_at(memories, memory, offset + done, size - done);
        kbr_page *page;
        KB_TRY(kbr_page_reading(memories, memory, at.number, &page, trail));
        if (page != NULL) {
            KB_TRY(kbr_page_writing(memories, memory, at.number, &page, trail));
            kbr_page_undefine(page, at.first, at.count);
        }
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
    for (size_t slot = 0; slot < it->slot_count; slot++) {
        kbr_page *page = it->slots[slot];
        uint64_t begin = page != NULL ? page->number * KBR_PAGE_SIZE : 0;
        if (page == NULL || begin + KBR_PAGE_SIZE <= offset || begin >= offset + size)
            continue;
        uint64_t low = begin > offset ? begin : offset;
        uint64_t high = begin + KBR_PAGE_SIZE < offset + size ? begin + KBR_PAGE_SIZE : offset + size;
        KB_TRY(kbr_page_writing(memories, memory, page->number, &page, trail));
        kbr_page_undefine(page, (uint32_t)(low - begin), (uint32_t)(high - low));
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

static void set_bits(uint8_t *bits, uint64_t first, uint64_t count) {
    for (uint64_t at = first; at < first + count; at++)
        bits[at / 8] |= (uint8_t)(1u << at % 8);
}

kb_status kbr_memory_get_bits(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              uint8_t *bits, kb_trail *trail) {
    memset(bits, 0, (size + 7) / 8);
    for (uint64_t done = 0; done < size;) {
        span at = span_at(memories, memory, offset + done, size - done);
        kbr_page *page;
        KB_TRY(kbr_page_reading(memories, memory, at.number, &page, trail));
        if (page != NULL && page->undefined_count == 0)
            set_bits(bits, done, at.count);
        for (uint32_t i = 0; page != NULL && page->undefined_count != 0 && i < at.count; i++)
            if (kbr_bit(page->defined, at.first + i))
                set_bits(bits, done + i, 1);
        done += at.count;
    }
    return KB_OK;
}

kb_status kbr_memory_write_bits(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                                const uint8_t *bytes, const uint8_t *bits, kb_trail *trail) {
    for (uint64_t low = 0; low < size;) {
        uint64_t high = low + 1;
        bool defined = kbr_bit(bits, low);
        while (high < size && kbr_bit(bits, high) == defined)
            high++;
        if (defined)
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
        span at = span_at(memories, memory, offset + done, size - done);
        kbr_page *page;
        KB_TRY(kbr_page_reading(memories, memory, at.number, &page, trail));
        uint32_t first = at.first;
        if (page == NULL || !all_defined(page, at.first, at.count, &first)) {
            *ret_first = done + first - at.first;
            return KB_OK;
        }
        done += at.count;
    }
    *ret_first = size;
    return KB_OK;
}

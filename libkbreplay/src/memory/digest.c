/* SPDX-License-Identifier: Apache-2.0 */
/* The memory digest; its canonical form stands in memory.h. */
#define XXH_INLINE_ALL /* hash states live on the stack: the library's own would bypass kb_alloc */
#include <xxhash.h>

#include <stdlib.h>
#include <string.h>

#include "memory/memory.h"
#include "memory/pages.h"
#include "memory/recipe.h"

typedef struct digesting {
    XXH3_state_t all, run;
    uint64_t memory, offset, length; /* of the open run; length 0: none is open */
} digesting;

static void put_u64(uint64_t value, uint8_t *bytes) {
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static void close_run(digesting *it) {
    if (it->length == 0)
        return;
    uint8_t bytes[40];
    put_u64(it->memory, bytes);
    put_u64(it->offset, bytes + 8);
    put_u64(it->length, bytes + 16);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&it->run));
    memcpy(bytes + 24, canonical.digest, 16);
    (void)XXH3_128bits_update(&it->all, bytes, sizeof bytes);
    it->length = 0;
}

static void take(digesting *it, uint64_t offset, const uint8_t *bytes, uint64_t size) {
    if (it->length == 0 || it->offset + it->length != offset) {
        close_run(it);
        (void)XXH3_128bits_reset(&it->run);
        it->offset = offset;
    }
    (void)XXH3_128bits_update(&it->run, bytes, size);
    it->length += size;
}

static void take_page(digesting *it, const kbr_page *page) {
    for (uint32_t low = 0; low < KBR_PAGE_SIZE;) {
        bool defined;
        uint32_t high = kbr_page_run(page, low, KBR_PAGE_SIZE, &defined);
        if (defined)
            take(it, page->number * KBR_PAGE_SIZE + low, page->bytes + low, high - low);
        low = high;
    }
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The first page from `from` on that initial contents of the memory cover, or UINT64_MAX. */
static uint64_t next_initial(const kbr_memories *memories, uint32_t memory, uint64_t from) {
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < memories->items[memory].initial_count; i++) {
        const kb_initial *initial = &memories->defs->initials[memories->items[memory].initials[i]];
        uint64_t size = kbr_recipe_size(initial);
        if (size == 0)
            continue;
        uint64_t first = initial->offset_bytes / KBR_PAGE_SIZE;
        uint64_t last = (initial->offset_bytes + size - 1) / KBR_PAGE_SIZE;
        uint64_t next = from > first ? from : first;
        if (next <= last && next < best)
            best = next;
    }
    return best;
}

/* A page that nobody touched: what initial contents say about it. */
static kb_status take_untouched(digesting *it, const kbr_memories *memories, uint32_t memory, uint64_t number,
                                kb_trail *trail) {
    kbr_page *page;
    KB_TRY(kbr_page_create(memories->alloc, number, &page, trail));
    kb_status status = kbr_pages_fill(memories, memory, 0, 0, page, trail);
    if (status == KB_OK)
        take_page(it, page);
    kbr_page_destroy(memories->alloc, page);
    return status;
}

/* All pages of one memory by number: those that exist, and those that only initial contents make. */
static kb_status take_memory(digesting *it, kbr_memories *memories, uint32_t memory, const uint64_t *numbers,
                             kb_trail *trail) {
    kbr_memory *source = &memories->items[memory];
    it->memory = memory;
    size_t at = 0;
    for (uint64_t from = 0;;) {
        uint64_t initial = next_initial(memories, memory, from);
        uint64_t touched = at < source->page_count ? numbers[at] : UINT64_MAX;
        if (initial == UINT64_MAX && touched == UINT64_MAX)
            break;
        if (touched <= initial) {
            take_page(it, kbr_pages_find(source, touched));
            at++;
        } else {
            KB_TRY(take_untouched(it, memories, memory, initial, trail));
        }
        from = (touched <= initial ? touched : initial) + 1;
    }
    close_run(it);
    return KB_OK;
}

static kb_status digest_memory(digesting *it, kbr_memories *memories, uint32_t memory, kb_trail *trail) {
    kbr_memory *source = &memories->items[memory];
    size_t size = source->page_count * sizeof(uint64_t), count = 0;
    void *block;
    KB_TRY(kb_new(memories->alloc, size, &block, trail));
    uint64_t *numbers = block;
    for (size_t slot = 0; slot < source->slot_count; slot++)
        if (source->slots[slot] != NULL)
            numbers[count++] = source->slots[slot]->number;
    if (count > 1)
        qsort(numbers, count, sizeof *numbers, by_number);
    kb_status status = take_memory(it, memories, memory, numbers, trail);
    kb_delete(memories->alloc, numbers, size);
    return status;
}

kb_status kbr_memories_digest(kbr_memories *memories, kb_digest *ret_digest, kb_trail *trail) {
    digesting it = {.length = 0};
    (void)XXH3_128bits_reset(&it.all);
    for (uint32_t i = 0; i < memories->defs->memory_count; i++)
        KB_TRY(digest_memory(&it, memories, i, trail));
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&it.all));
    memcpy(ret_digest->bytes, canonical.digest, sizeof ret_digest->bytes);
    return KB_OK;
}

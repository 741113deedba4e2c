/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, making and marking pages; see page.h. */
#include "memory/page.h"

#include <assert.h>
#include <string.h>

#include "memory/recipe.h"

/* --- definedness ------------------------------------------------------------------------------- */

void kbr_page_define(kbr_page *page, uint32_t first, uint32_t count) {
    if (page->undefined_count == 0)
        return;
    for (uint32_t at = first; at < first + count;) {
        if (at % 8 == 0 && first + count - at >= 8) {
            page->undefined_count -= 8u - (uint32_t)__builtin_popcount(page->defined[at / 8]);
            page->defined[at / 8] = 0xFF;
            at += 8;
            continue;
        }
        page->undefined_count -= !kbr_bit(page->defined, at);
        page->defined[at / 8] |= (uint8_t)(1u << at % 8);
        at++;
    }
}

void kbr_page_undefine(kbr_page *page, uint32_t first, uint32_t count) {
    for (uint32_t at = first; at < first + count; at++) {
        page->undefined_count += kbr_bit(page->defined, at);
        page->defined[at / 8] &= (uint8_t) ~(1u << at % 8);
    }
    memset(page->bytes + first, 0, count);
}

/* --- initial contents -------------------------------------------------------------------------- */

/* The part of page `number` that the contents cover, within the page; false where there is none. */
static bool overlap(const kb_initial *initial, uint64_t number, uint32_t *ret_low, uint32_t *ret_high) {
    uint64_t low = initial->offset_bytes, high = low + kbr_recipe_size(initial);
    uint64_t begin = number * KBR_PAGE_SIZE, end = begin + KBR_PAGE_SIZE;
    if (low == high || low >= end || high <= begin)
        return false;
    *ret_low = low > begin ? (uint32_t)(low - begin) : 0;
    *ret_high = high < end ? (uint32_t)(high - begin) : KBR_PAGE_SIZE;
    return true;
}

void kbr_page_fill(const struct kbr_memories *memories, uint32_t memory, uint64_t number, kbr_page *page) {
    const kbr_memory *it = &memories->items[memory];
    memset(page, 0, sizeof *page);
    page->number = number;
    page->undefined_count = KBR_PAGE_SIZE;
    for (size_t i = 0; i < it->initial_count; i++) {
        const kb_initial *initial = &memories->defs->initials[it->initials[i]];
        uint32_t low, high;
        if (!overlap(initial, number, &low, &high))
            continue;
        uint64_t first = number * KBR_PAGE_SIZE + low - initial->offset_bytes;
        kbr_recipe_fill(initial, first, high - low, page->bytes + low);
        kbr_page_define(page, low, high - low);
    }
}

/* Do initial contents cover a byte of it? */
static bool has_initial(const struct kbr_memories *memories, uint32_t memory, uint64_t number) {
    const kbr_memory *it = &memories->items[memory];
    for (size_t i = 0; i < it->initial_count; i++) {
        uint32_t low, high;
        if (overlap(&memories->defs->initials[it->initials[i]], number, &low, &high))
            return true;
    }
    return false;
}

/* --- the hash ---------------------------------------------------------------------------------- */

static size_t slot_of(uint64_t number, size_t slot_count) {
    return (size_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (slot_count - 1);
}

kbr_page *kbr_page_find(kbr_memory *memory, uint64_t number) {
    if (memory->last != NULL && memory->last->number == number)
        return memory->last;
    if (memory->slot_count == 0)
        return NULL;
    for (size_t slot = slot_of(number, memory->slot_count);; slot = (slot + 1) & (memory->slot_count - 1)) {
        kbr_page *page = memory->slots[slot];
        if (page == NULL)
            return NULL;
        if (page->number == number)
            return memory->last = page;
    }
}

static void insert(kbr_page **slots, size_t slot_count, kbr_page *page) {
    size_t slot = slot_of(page->number, slot_count);
    while (slots[slot] != NULL)
        slot = (slot + 1) & (slot_count - 1);
    slots[slot] = page;
}

static kb_status make_room(const kb_alloc *alloc, kbr_memory *memory, kb_trail *trail) {
    if (2 * (memory->page_count + 1) <= memory->slot_count)
        return KB_OK;
    size_t wider = memory->slot_count == 0 ? 16 : 2 * memory->slot_count;
    void *slots;
    KB_TRY(kb_new_zeroed(alloc, wider * sizeof(kbr_page *), &slots, trail));
    for (size_t i = 0; i < memory->slot_count; i++)
        if (memory->slots[i] != NULL)
            insert(slots, wider, memory->slots[i]);
    kb_delete(alloc, memory->slots, memory->slot_count * sizeof(kbr_page *));
    memory->slots = slots;
    memory->slot_count = wider;
    return KB_OK;
}

/* --- life -------------------------------------------------------------------------------------- */

/* A page of unknown contents that nobody finds yet. */
static kb_status new_page(struct kbr_memories *memories, kbr_page **ret_page, kb_trail *trail) {
    if (memories->used_size + sizeof(kbr_page) > memories->limit_size)
        return kb_fail(trail, KB_E_LIMIT,
                       "the trace touches more than %llu bytes of memory, the limit for what is rebuilt",
                       (unsigned long long)memories->limit_size);
    void *block;
    KB_TRY(kb_new(memories->alloc, sizeof(kbr_page), &block, trail));
    memories->used_size += sizeof(kbr_page);
    *ret_page = block;
    return KB_OK;
}

void kbr_page_release(struct kbr_memories *memories, kbr_page *page) {
    if (page == NULL || --page->holders != 0)
        return;
    kb_delete(memories->alloc, page, sizeof *page);
    memories->used_size -= sizeof *page;
}

void kbr_pages_drop(struct kbr_memories *memories, uint32_t memory) {
    kbr_memory *it = &memories->items[memory];
    for (size_t slot = 0; slot < it->slot_count; slot++) {
        kbr_page_release(memories, it->slots[slot]);
        it->slots[slot] = NULL;
    }
    it->page_count = 0;
    it->last = NULL;
}

void kbr_pages_take(kbr_memory *memory, kbr_page *page) {
    assert(memory->page_count < memory->slot_count);
    page->holders++;
    insert(memory->slots, memory->slot_count, page);
    memory->page_count++;
}

static kb_status make(struct kbr_memories *memories, uint32_t memory, uint64_t number, kbr_page **ret_page,
                      kb_trail *trail) {
    kbr_memory *it = &memories->items[memory];
    KB_TRY(make_room(memories->alloc, it, trail));
    KB_TRY(new_page(memories, ret_page, trail));
    kbr_page_fill(memories, memory, number, *ret_page);
    kbr_pages_take(it, *ret_page);
    it->last = *ret_page;
    return KB_OK;
}

/* Puts a copy in the place of a page that snapshots hold as well. */
static kb_status part(struct kbr_memories *memories, kbr_memory *it, kbr_page *page, kbr_page **ret_page,
                      kb_trail *trail) {
    KB_TRY(new_page(memories, ret_page, trail));
    memcpy(*ret_page, page, sizeof *page);
    (*ret_page)->holders = 1;
    size_t slot = slot_of(page->number, it->slot_count);
    while (it->slots[slot] != page)
        slot = (slot + 1) & (it->slot_count - 1);
    it->slots[slot] = it->last = *ret_page;
    page->holders--;
    return KB_OK;
}

kb_status kbr_page_writing(struct kbr_memories *memories, uint32_t memory, uint64_t number,
                           kbr_page **ret_page, kb_trail *trail) {
    kbr_memory *it = &memories->items[memory];
    kbr_page *page = kbr_page_find(it, number);
    if (page == NULL)
        return make(memories, memory, number, ret_page, trail);
    if (page->holders > 1)
        return part(memories, it, page, ret_page, trail);
    *ret_page = page;
    return KB_OK;
}

kb_status kbr_page_reading(struct kbr_memories *memories, uint32_t memory, uint64_t number,
                           kbr_page **ret_page, kb_trail *trail) {
    *ret_page = kbr_page_find(&memories->items[memory], number);
    if (*ret_page != NULL || !has_initial(memories, memory, number))
        return KB_OK;
    return kbr_page_writing(memories, memory, number, ret_page, trail);
}

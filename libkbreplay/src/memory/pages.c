/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of each memory; see pages.h. */
#include "memory/pages.h"

#include <assert.h>
#include <string.h>

#include "memory/recipe.h"

/* --- the hash ---------------------------------------------------------------------------------- */

static size_t slot_of(uint64_t number, size_t slot_count) {
    return (size_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (slot_count - 1);
}

kbr_page *kbr_pages_find(kbr_memory *memory, uint64_t number) {
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

/* A page that nobody finds yet. */
static kb_status new_page(struct kbr_memories *memories, uint64_t number, kbr_page **ret_page,
                          kb_trail *trail) {
    uint64_t used = atomic_fetch_add(&memories->used_size, KBR_PAGE_COST);
    kb_status status = KB_OK;
    if (used + KBR_PAGE_COST > memories->limit_size)
        status = kb_fail(trail, KB_E_LIMIT,
                         "the trace touches more than %llu bytes of memory, the limit for what is rebuilt "
                         "(--max-rebuilt)",
                         (unsigned long long)memories->limit_size);
    if (status == KB_OK)
        status = kbr_page_create(memories->alloc, number, ret_page, trail);
    if (status != KB_OK)
        (void)atomic_fetch_sub(&memories->used_size, KBR_PAGE_COST);
    return status;
}

static void end_page(struct kbr_memories *memories, kbr_page *page) {
    kbr_page_destroy(memories->alloc, page);
    (void)atomic_fetch_sub(&memories->used_size, KBR_PAGE_COST);
}

void kbr_pages_release(struct kbr_memories *memories, kbr_page *page) {
    assert(page->holders > 0);
    if (--page->holders == 0)
        end_page(memories, page);
}

void kbr_pages_drop(struct kbr_memories *memories, uint32_t memory) {
    kbr_memory *it = &memories->items[memory];
    for (size_t slot = 0; slot < it->slot_count; slot++) {
        if (it->slots[slot] != NULL)
            kbr_pages_release(memories, it->slots[slot]);
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

/* --- initial contents -------------------------------------------------------------------------- */

/* The part of bytes [low, high) of page `number` that the contents cover; false where there is none. */
static bool overlap(const kb_initial *initial, uint64_t number, uint32_t *inout_low, uint32_t *inout_high) {
    uint64_t first = initial->offset_bytes, end = first + kbr_recipe_size(initial);
    uint64_t begin = number * KBR_PAGE_SIZE;
    uint64_t low = first > begin ? first - begin : 0, high = end > begin ? end - begin : 0;
    low = low > *inout_low ? low : *inout_low;
    high = high < *inout_high ? high : *inout_high;
    if (low >= high)
        return false;
    *inout_low = (uint32_t)low;
    *inout_high = (uint32_t)high;
    return true;
}

static const kb_initial *initial_of(const struct kbr_memories *memories, uint32_t memory, size_t index) {
    return &memories->defs->initials[memories->items[memory].initials[index]];
}

/* Bytes [low, high) of a page: what the last contents say that cover them, and zeros elsewhere. */
static kb_status fill_part(const struct kbr_memories *memories, uint32_t memory, uint32_t low, uint32_t high,
                           kbr_page *page, kb_trail *trail) {
    size_t count = memories->items[memory].initial_count, from = count;
    bool whole = low == high;
    while (!whole && from > 0) { /* what lies below contents that cover all of it is never seen */
        uint32_t a = low, b = high;
        whole = overlap(initial_of(memories, memory, --from), page->number, &a, &b) && a == low && b == high;
    }
    if (!whole)
        memset(page->bytes + low, 0, high - low);
    for (; from < count; from++) {
        const kb_initial *initial = initial_of(memories, memory, from);
        uint32_t a = low, b = high;
        if (!overlap(initial, page->number, &a, &b))
            continue;
        kbr_recipe_fill(memories->kernels, initial, page->number * KBR_PAGE_SIZE + a - initial->offset_bytes,
                        b - a, page->bytes + a);
        KB_TRY(kbr_page_define(memories->alloc, page, a, b - a, trail));
    }
    return KB_OK;
}

kb_status kbr_pages_fill(const struct kbr_memories *memories, uint32_t memory, uint32_t first, uint32_t count,
                         kbr_page *page, kb_trail *trail) {
    KB_TRY(fill_part(memories, memory, 0, first, page, trail));
    return fill_part(memories, memory, first + count, KBR_PAGE_SIZE, page, trail);
}

/* Do initial contents cover a byte of it? */
static bool has_initial(const struct kbr_memories *memories, uint32_t memory, uint64_t number) {
    for (size_t i = 0; i < memories->items[memory].initial_count; i++) {
        uint32_t low = 0, high = KBR_PAGE_SIZE;
        if (overlap(initial_of(memories, memory, i), number, &low, &high))
            return true;
    }
    return false;
}

/* --- pages that are there when they are asked for -------------------------------------------------- */

static kb_status make(struct kbr_memories *memories, uint32_t memory, uint64_t number, uint32_t first,
                      uint32_t count, kbr_page **ret_page, kb_trail *trail) {
    kbr_memory *it = &memories->items[memory];
    kbr_page *page;
    KB_TRY(make_room(memories->alloc, it, trail));
    KB_TRY(new_page(memories, number, &page, trail));
    kb_status status = kbr_pages_fill(memories, memory, first, count, page, trail);
    if (status != KB_OK) {
        end_page(memories, page);
        return status;
    }
    kbr_pages_take(it, page);
    *ret_page = it->last = page;
    return KB_OK;
}

/* Puts a copy in the place of a page that snapshots hold as well. */
static kb_status part(struct kbr_memories *memories, kbr_memory *it, kbr_page *page, uint32_t first,
                      uint32_t count, kbr_page **ret_page, kb_trail *trail) {
    kbr_page *copy;
    uint32_t end = first + count;
    KB_TRY(new_page(memories, page->number, &copy, trail));
    kb_status status = kbr_page_define_as(memories->alloc, copy, page, trail);
    if (status != KB_OK) {
        end_page(memories, copy);
        return status;
    }
    memcpy(copy->bytes, page->bytes, first);
    memcpy(copy->bytes + end, page->bytes + end, KBR_PAGE_SIZE - end);
    size_t slot = slot_of(page->number, it->slot_count);
    while (it->slots[slot] != page)
        slot = (slot + 1) & (it->slot_count - 1);
    *ret_page = it->slots[slot] = it->last = copy;
    copy->holders = 1;
    page->holders--;
    return KB_OK;
}

kb_status kbr_pages_writing(struct kbr_memories *memories, uint32_t memory, uint64_t number, uint32_t first,
                            uint32_t count, kbr_page **ret_page, kb_trail *trail) {
    kbr_memory *it = &memories->items[memory];
    kbr_page *page = kbr_pages_find(it, number);
    if (page == NULL)
        return make(memories, memory, number, first, count, ret_page, trail);
    if (page->holders > 1)
        return part(memories, it, page, first, count, ret_page, trail);
    *ret_page = page;
    return KB_OK;
}

bool kbr_pages_known(struct kbr_memories *memories, uint32_t memory, uint64_t number) {
    return kbr_pages_find(&memories->items[memory], number) != NULL || has_initial(memories, memory, number);
}

kb_status kbr_pages_reading(struct kbr_memories *memories, uint32_t memory, uint64_t number,
                            kbr_page **ret_page, kb_trail *trail) {
    *ret_page = kbr_pages_find(&memories->items[memory], number);
    if (*ret_page != NULL || !has_initial(memories, memory, number))
        return KB_OK;
    return make(memories, memory, number, 0, 0, ret_page, trail);
}

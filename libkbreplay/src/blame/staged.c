/* SPDX-License-Identifier: Apache-2.0 */
/* Pairing loads with stores; see staged.h. */
#include "blame/staged.h"

/* Writers between a load and its store, and stretches of one collective. */
enum { LOADS_MOST = 4096, STRETCHES_MOST = 1 << 14 };

typedef struct search {
    kbr_origins *origins;
    kb_arena *arena;
    size_t count;
} search;

/* In one piece, its bytes as they follow each other in memory. */
static bool in_one_piece(const kbr_touch *touch) {
    uint64_t place, size = touch->high - touch->low;
    return size != 0 && kb_operand_elements(touch->view) * kb_dtype_size(touch->view->dtype) == size &&
           kbr_touch_place(touch, touch->high - 1, &place) && place == size - 1;
}

static bool moves_whole(const kbr_entry *entry) {
    return entry->flow == KBR_FLOW_MOVE && entry->touch_count == 2 && in_one_piece(&entry->touches[0]) &&
           in_one_piece(&entry->touches[1]);
}

static bool is_home(const kbr_origins *origins, const kbr_touch *touch) {
    uint64_t element;
    return kbr_home_of(origins, touch->view->memory, touch->low, KBR_NOWHERE, &element);
}

/* Do both say of the bytes from `low` on, up to `high`, that they stand for the same elements? */
static bool agree(const kbr_origins *origins, const kbr_entry *load, const kbr_entry *store, uint64_t low,
                  uint64_t high) {
    const kbr_touch *from = &load->touches[1], *to = &store->touches[0];
    for (int end = 0; end < 2; end++) {
        uint64_t at = end == 0 ? low : high - 1, loaded, stored;
        if (!kbr_home_of(origins, from->view->memory, from->low + (at - load->touches[0].low), KBR_NOWHERE,
                         &loaded) ||
            !kbr_home_of(origins, to->view->memory, to->low + (at - store->touches[1].low), KBR_NOWHERE,
                         &stored) ||
            loaded != stored)
            return false;
    }
    return load->rank == store->rank;
}

static kb_status add_stretch(search *it, size_t since, size_t until, uint64_t low, uint64_t high,
                             kb_trail *trail) {
    const kbr_entry *store = &it->origins->writers->log->entries[until];
    uint32_t memory = store->touches[1].view->memory;
    void *block;
    KB_TRY(kb_arena_new(it->arena, sizeof(kbr_stretch), &block, trail));
    kbr_stretch *made = block;
    *made = (kbr_stretch){.low = low,
                          .high = high,
                          .since = since,
                          .until = until,
                          .home_memory = store->touches[0].view->memory,
                          .home = store->touches[0].low + (low - store->touches[1].low),
                          .next = it->origins->staged[memory]};
    it->origins->staged[memory] = made;
    it->count++;
    return KB_OK;
}

static bool in_ring(const kbr_origins *origins, const kbr_touch *touch) {
    size_t cursor = 0;
    const kbr_region *it;
    while ((it = kbr_regions_touching(origins->pass->regions, touch->view->memory, touch->low, touch->high,
                                      &cursor)) != NULL)
        if (it->kind == KBR_REGION_RING)
            return true;
    return false;
}

/* Back from a store, to the loads of what it stores. */
static kb_status pair(search *it, size_t until, kb_trail *trail) {
    const kbr_writers *writers = it->origins->writers;
    const kbr_entry *store = &writers->log->entries[until];
    const kbr_touch *from = &store->touches[1];
    const size_t *entries = writers->entries[from->view->memory];
    size_t at = kbr_writers_before(writers, from->view->memory, until);
    uint64_t left = from->high - from->low;
    for (size_t tried = 0; at > 0 && tried < LOADS_MOST && left != 0; tried++) {
        const kbr_entry *load = &writers->log->entries[entries[--at]];
        const kbr_touch *to = &load->touches[0];
        uint64_t low = to->low > from->low ? to->low : from->low;
        uint64_t high = to->high < from->high ? to->high : from->high;
        if (to->view->memory != from->view->memory || low >= high)
            continue;
        if (load->flow == KBR_FLOW_UNDEFINE)
            return KB_OK;
        if (!moves_whole(load) || !is_home(it->origins, &load->touches[1]) ||
            !agree(it->origins, load, store, low, high))
            continue;
        KB_TRY(add_stretch(it, entries[at], until, low, high, trail));
        left -= left < high - low ? left : high - low;
    }
    return KB_OK;
}

kb_status kbr_find_staged(kbr_origins *origins, kb_arena *arena, kb_trail *trail) {
    const kbr_log *log = origins->writers->log;
    search it = {.origins = origins, .arena = arena};
    void *block;
    KB_TRY(kb_arena_new(arena, origins->pass->defs->memory_count * sizeof(kbr_stretch *), &block, trail));
    origins->staged = block;
    for (uint32_t i = 0; i < origins->pass->defs->memory_count; i++)
        origins->staged[i] = NULL;
    for (size_t i = 0; i < log->count && it.count < STRETCHES_MOST; i++)
        if (moves_whole(&log->entries[i]) && is_home(origins, &log->entries[i].touches[0]) &&
            !is_home(origins, &log->entries[i].touches[1]) && !in_ring(origins, &log->entries[i].touches[1]))
            KB_TRY(pair(&it, i, trail));
    return KB_OK;
}

bool kbr_staged_home(const kbr_origins *origins, uint32_t memory, uint64_t offset, size_t when,
                     uint32_t *ret_memory, uint64_t *ret_offset) {
    if (origins->staged == NULL)
        return false;
    for (const kbr_stretch *at = origins->staged[memory]; at != NULL; at = at->next)
        if (offset >= at->low && offset < at->high && when >= at->since && when <= at->until) {
            *ret_memory = at->home_memory;
            *ret_offset = at->home + (offset - at->low);
            return true;
        }
    return false;
}

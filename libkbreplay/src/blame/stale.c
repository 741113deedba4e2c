/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for the op that took the bytes first; see stale.h. */
#include "blame/stale.h"

enum { PLACES_MOST = 32, ENTRIES_MOST = 1 << 18 };

/* Places that hold the bytes, or what they went into. The first is where they were found again. */
typedef struct places {
    uint32_t memory[PLACES_MOST];
    uint64_t offset[PLACES_MOST];
    bool gone[PLACES_MOST];
    uint32_t count;
} places;

/* Follows what the op makes of a place; is it where `element` belongs? */
static bool follow(const kbr_origins *origins, size_t at, places *it, uint32_t number, uint64_t element) {
    const kbr_entry *entry = &origins->writers->log->entries[at];
    for (uint32_t touch = 0; touch < entry->touch_count; touch++) {
        const kbr_touch *with = &entry->touches[touch];
        uint64_t place, to, of;
        uint32_t where;
        if (with->view->memory != it->memory[number] || with->view->access == KB_ACCESS_WRITE ||
            !kbr_touch_place(with, it->offset[number], &place) ||
            !kbr_passes_on(entry, touch, place, &where, &to))
            continue;
        if (kbr_home_of(origins, where, to, at, &of))
            return of == element;
        if (it->count == PLACES_MOST)
            continue;
        it->memory[it->count] = where;
        it->offset[it->count] = to;
        it->gone[it->count++] = false;
    }
    return false;
}

static bool overwrites(const kbr_entry *entry, const places *it, uint32_t number) {
    uint64_t place;
    for (uint32_t touch = 0; touch < entry->touch_count; touch++)
        if (entry->flow != KBR_FLOW_NONE && entry->touches[touch].view->access != KB_ACCESS_READ &&
            entry->touches[touch].view->memory == it->memory[number] &&
            kbr_touch_place(&entry->touches[touch], it->offset[number], &place))
            return true;
    return false;
}

/* Did another op take the bytes before the reader, and did they come to where `element` belongs? */
static bool was_taken_home(const kbr_origins *origins, const kbr_origin *node, uint64_t element) {
    const kbr_log *log = origins->writers->log;
    places it = {.memory = {node->memory}, .offset = {node->offset}, .count = 1};
    for (size_t at = node->entry + 1; at < log->count && at - node->entry < ENTRIES_MOST; at++) {
        uint32_t known = it.count;
        it.gone[0] = it.gone[0] || at >= node->reader;
        for (uint32_t i = 0; i < known; i++)
            if (!it.gone[i] && follow(origins, at, &it, i, element))
                return true;
        for (uint32_t i = 0; i < known; i++)
            it.gone[i] = it.gone[i] || overwrites(&log->entries[at], &it, i);
    }
    return false;
}

bool kbr_find_stale(const kbr_origins *origins, const kbr_suspect *suspect, kbr_stale *ret_stale) {
    for (size_t i = 0; i < origins->count && !suspect->between; i++) {
        const kbr_origin *node = &origins->nodes[i];
        uint64_t of;
        if (node->kind != KBR_NODE_OP || node->entry != suspect->entry ||
            node->reader >= origins->writers->log->count ||
            kbr_home_of(origins, node->memory, node->offset, node->reader, &of) ||
            !was_taken_home(origins, node, suspect->got))
            continue;
        *ret_stale = (kbr_stale){node->reader, node->entry, node->memory, node->offset};
        return true;
    }
    return false;
}

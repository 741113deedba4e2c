/* SPDX-License-Identifier: Apache-2.0 */
/* Following an input forward; see lost.h. */
#include "blame/lost.h"

enum { PLACES_MOST = 4096 };

/* A byte that holds the input, or a value that it went into. */
typedef struct holding {
    uint32_t memory;
    uint64_t offset;
    size_t holder;
    size_t release; /* the release of its slot while it was unread, or KBR_NOWHERE */
    bool read, gone;
    size_t gone_at;
} holding;

typedef struct following {
    const kbr_log *log;
    holding *places;
    size_t count;
} following;

/* Where the op puts what it read at byte `place` of operand `touch`; false where it puts it nowhere. */
static bool passes_on(const kbr_entry *entry, uint32_t touch, uint64_t place, uint32_t *ret_memory,
                      uint64_t *ret_offset) {
    if (entry->flow != KBR_FLOW_MOVE && entry->flow != KBR_FLOW_MAP)
        return false;
    const kbr_touch *to = &entry->touches[0];
    if (entry->flow == KBR_FLOW_MAP)
        place = place / kb_dtype_size(entry->touches[touch].view->dtype) * kb_dtype_size(to->view->dtype);
    *ret_memory = to->view->memory;
    *ret_offset = kbr_touch_offset(to, place);
    return true;
}

static void note_touches(following *it, size_t at) {
    const kbr_entry *entry = &it->log->entries[at];
    size_t before = it->count;
    for (size_t i = 0; i < before; i++) {
        holding *place = &it->places[i];
        for (uint32_t touch = 0; !place->gone && touch < entry->touch_count; touch++) {
            const kbr_touch *with = &entry->touches[touch];
            uint64_t where, offset;
            uint32_t memory;
            if (with->view->memory != place->memory || with->view->access == KB_ACCESS_WRITE ||
                !kbr_touch_place(with, place->offset, &where))
                continue;
            if (entry->flow == KBR_FLOW_NONE) {
                if (entry->kind == KB_OP_IPCQ_RELEASE && !place->read && place->release == KBR_NOWHERE)
                    place->release = at;
                continue;
            }
            place->read = true;
            if (passes_on(entry, touch, where, &memory, &offset) && it->count < PLACES_MOST)
                it->places[it->count++] = (holding){memory, offset, at, KBR_NOWHERE, false, false, 0};
        }
    }
    for (size_t i = 0; i < before; i++) {
        holding *place = &it->places[i];
        uint64_t where;
        for (uint32_t touch = 0; !place->gone && touch < entry->touch_count; touch++)
            if (entry->flow != KBR_FLOW_NONE && entry->touches[touch].view->access != KB_ACCESS_READ &&
                entry->touches[touch].view->memory == place->memory &&
                kbr_touch_place(&entry->touches[touch], place->offset, &where)) {
                place->gone = true;
                place->gone_at = at;
            }
    }
}

kb_status kbr_find_loss(const kbr_writers *writers, uint32_t memory, uint64_t offset, size_t begin,
                        size_t until, kb_arena *arena, kbr_loss *ret_loss, kb_trail *trail) {
    void *block;
    KB_TRY(kb_arena_new(arena, PLACES_MOST * sizeof(holding), &block, trail));
    following it = {.log = writers->log, .places = block, .count = 1};
    it.places[0] = (holding){memory, offset, KBR_NOWHERE, KBR_NOWHERE, false, false, 0};
    for (size_t at = begin + 1; at < until; at++)
        note_touches(&it, at);
    *ret_loss = (kbr_loss){.entry = KBR_NOWHERE, .holder = KBR_NOWHERE};
    size_t first = KBR_NOWHERE;
    for (size_t i = 0; i < it.count; i++) {
        const holding *place = &it.places[i];
        size_t lost_at = place->release != KBR_NOWHERE  ? place->release
                         : place->gone                  ? place->gone_at
                         : place->holder != KBR_NOWHERE ? place->holder
                                                        : until;
        if (place->read || lost_at >= first)
            continue;
        first = lost_at;
        *ret_loss = (kbr_loss){.entry = lost_at < until ? lost_at : KBR_NOWHERE,
                               .holder = place->holder,
                               .memory = place->memory,
                               .offset = place->offset,
                               .released = place->release != KBR_NOWHERE,
                               .overwritten = place->release == KBR_NOWHERE && place->gone};
    }
    return KB_OK;
}

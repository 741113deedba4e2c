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
    const kbr_origins *origins;
    const kbr_log *log;
    uint64_t element;
    kbr_loss stray; /* entry KBR_NOWHERE: none yet */
    holding *places;
    size_t count;
} following;

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
            if (!kbr_passes_on(entry, touch, where, &memory, &offset) || it->count == PLACES_MOST)
                continue;
            uint64_t other;
            if (!kbr_home_of_another(it->origins, memory, offset, at, it->element, &other))
                it->places[it->count++] = (holding){memory, offset, at, KBR_NOWHERE, false, false, 0};
            else if (it->stray.entry == KBR_NOWHERE)
                it->stray = (kbr_loss){.entry = at,
                                       .holder = place->holder,
                                       .memory = memory,
                                       .offset = offset,
                                       .strayed = true,
                                       .other = other};
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

/* A release of what was not read: the op of its stream that read the rest of that message is nearer to it. */
static size_t reader_of_rest(const kbr_log *log, size_t release, size_t since) {
    const kbr_entry *gives = &log->entries[release];
    for (size_t at = release; at > 0 && (since == KBR_NOWHERE || at > since + 1);) {
        const kbr_entry *entry = &log->entries[--at];
        for (uint32_t touch = 0; entry->stream == gives->stream && touch < entry->touch_count; touch++) {
            const kbr_touch *with = &entry->touches[touch];
            if (entry->flow != KBR_FLOW_NONE && with->view->access != KB_ACCESS_WRITE &&
                with->view->memory == gives->touches[0].view->memory && with->low < gives->touches[0].high &&
                with->high > gives->touches[0].low)
                return at;
        }
    }
    return release;
}

/* What was left lying: an op that took other bytes of those that were written with it left it out. */
static size_t reader_of_others(const kbr_log *log, size_t holder, size_t until) {
    const kbr_touch *held = &log->entries[holder].touches[0];
    for (size_t at = holder + 1; at < until; at++) {
        const kbr_entry *entry = &log->entries[at];
        for (uint32_t touch = 0; touch < entry->touch_count; touch++) {
            const kbr_touch *with = &entry->touches[touch];
            if (entry->flow == KBR_FLOW_NONE || with->view->memory != held->view->memory ||
                with->low >= held->high || held->low >= with->high)
                continue;
            return with->view->access != KB_ACCESS_WRITE ? at : holder;
        }
    }
    return holder;
}

static size_t lost_at(const holding *place, size_t until) {
    return place->release != KBR_NOWHERE  ? place->release
           : place->gone                  ? place->gone_at
           : place->holder != KBR_NOWHERE ? place->holder
                                          : until;
}

/* Of what was not read by `until`, that which was lost first; `late` leaves out what was read afterwards. */
static kbr_loss first_loss(const following *it, const bool *read_late, bool late, size_t until) {
    kbr_loss found = {.entry = KBR_NOWHERE};
    size_t first = until;
    for (size_t i = 0; i < it->count; i++) {
        const holding *place = &it->places[i];
        if (place->read || (late && read_late[i]) || lost_at(place, until) >= first)
            continue;
        first = lost_at(place, until);
        bool released = place->release != KBR_NOWHERE;
        bool lies = !released && !place->gone && first == place->holder;
        size_t others = lies ? reader_of_others(it->log, first, until) : first;
        found = (kbr_loss){.entry = released ? reader_of_rest(it->log, first, place->holder) : others,
                           .holder = place->holder,
                           .memory = place->memory,
                           .offset = place->offset,
                           .released = released,
                           .overwritten = !released && place->gone,
                           .left_out = others != first};
    }
    return found;
}

/* Which of the places are read after `until`, before they are written: their time had not come. */
static void look_ahead(const following *it, size_t until, bool *read_late) {
    for (size_t i = 0; i < it->count; i++) {
        const holding *place = &it->places[i];
        bool over = place->read || place->gone || place->release != KBR_NOWHERE;
        for (size_t at = until; at < it->log->count && !over; at++) {
            const kbr_entry *entry = &it->log->entries[at];
            uint64_t where;
            for (uint32_t touch = 0; touch < entry->touch_count && entry->flow != KBR_FLOW_NONE; touch++) {
                const kbr_touch *with = &entry->touches[touch];
                if (with->view->memory != place->memory || !kbr_touch_place(with, place->offset, &where))
                    continue;
                over = true;
                read_late[i] = read_late[i] || with->view->access != KB_ACCESS_WRITE;
            }
        }
    }
}

kb_status kbr_find_loss(const kbr_origins *origins, uint32_t memory, uint64_t offset, uint64_t element,
                        size_t begin, size_t until, kb_arena *arena, kbr_loss *ret_loss, kb_trail *trail) {
    void *block, *late;
    KB_TRY(kb_arena_new(arena, PLACES_MOST * sizeof(holding), &block, trail));
    KB_TRY(kb_arena_new(arena, PLACES_MOST * sizeof(bool), &late, trail));
    following it = {.origins = origins,
                    .log = origins->writers->log,
                    .element = element,
                    .stray = {.entry = KBR_NOWHERE},
                    .places = block,
                    .count = 1};
    it.places[0] = (holding){memory, offset, KBR_NOWHERE, KBR_NOWHERE, false, false, 0};
    for (size_t at = begin + 1; at < until && it.stray.entry == KBR_NOWHERE; at++)
        note_touches(&it, at);
    *ret_loss = it.stray;
    if (it.stray.strayed)
        return KB_OK;
    look_ahead(&it, until, late);
    *ret_loss = first_loss(&it, late, true, until);
    if (ret_loss->entry == KBR_NOWHERE)
        *ret_loss = first_loss(&it, late, false, until);
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Segments by pages; see history.h. */
#include "order/history.h"

#include <string.h>

enum { PAGE = 4096 };

typedef struct map_page {
    kbr_node node;
    uint32_t count, capacity;
    kbr_segment *items; /* the first begins at 0 */
} map_page;

/* --- readers ----------------------------------------------------------------------------------- */

kb_status kbr_readers_new(kbr_histories *map, kbr_event *event, kbr_readers *next, kbr_readers **ret_list,
                          kb_trail *trail) {
    kbr_readers *it = map->spare;
    if (it != NULL) {
        map->spare = it->next;
    } else {
        void *block;
        KB_TRY(kb_new(map->order->pass->alloc, sizeof *it, &block, trail));
        it = block;
    }
    *it = (kbr_readers){.next = next, .event = event, .refs = 1};
    if (next != NULL)
        next->refs++;
    kbr_event_hold(event);
    *ret_list = it;
    return KB_OK;
}

void kbr_readers_drop(kbr_histories *map, kbr_readers *list) {
    while (list != NULL && --list->refs == 0) {
        kbr_readers *next = list->next;
        kbr_event_drop(map->order, list->event);
        list->next = map->spare;
        map->spare = list;
        list = next;
    }
}

void kbr_segment_write(kbr_histories *map, kbr_segment *segment, kbr_event *event) {
    kbr_event_hold(event);
    if (segment->write != NULL)
        kbr_event_drop(map->order, segment->write);
    segment->write = event;
    kbr_readers_drop(map, segment->reads);
    segment->reads = NULL;
}

/* --- pages ------------------------------------------------------------------------------------- */

static kb_status reserve(const kbr_histories *map, map_page *page, uint32_t count, kb_trail *trail) {
    size_t capacity = page->capacity;
    void *items = page->items;
    KB_TRY(kb_grow(map->order->pass->alloc, sizeof(kbr_segment), count, &capacity, &items, trail));
    page->items = items;
    page->capacity = (uint32_t)capacity;
    return KB_OK;
}

static kb_status page_of(kbr_histories *map, uint32_t memory, uint64_t number, map_page **ret_page,
                         kb_trail *trail) {
    map_page *page = (map_page *)kbr_table_find(&map->pages, memory, number);
    if (page == NULL) {
        const kb_alloc *alloc = map->order->pass->alloc;
        void *block;
        KB_TRY(kb_new_zeroed(alloc, sizeof *page, &block, trail));
        page = block;
        page->node = (kbr_node){.rank = memory, .index = number};
        kb_status status = reserve(map, page, 4, trail);
        if (status == KB_OK)
            status = kbr_table_add(&map->pages, &page->node, trail);
        if (status != KB_OK) {
            kb_delete(alloc, page->items, page->capacity * sizeof(kbr_segment));
            kb_delete(alloc, page, sizeof *page);
            return status;
        }
        page->items[page->count++] = (kbr_segment){.low = 0};
    }
    *ret_page = page;
    return KB_OK;
}

/* The segment that holds a byte. */
static uint32_t holding(const map_page *page, uint32_t at) {
    uint32_t first = 0, end = page->count;
    while (end - first > 1) {
        uint32_t middle = first + (end - first) / 2;
        if (page->items[middle].low <= at)
            first = middle;
        else
            end = middle;
    }
    return first;
}

/* Makes a segment begin at `at`, and gives its place; PAGE is behind the last. */
static uint32_t cut(map_page *page, uint32_t at) {
    if (at == PAGE)
        return page->count;
    uint32_t place = holding(page, at);
    if (page->items[place].low == at)
        return place;
    memmove(&page->items[place + 2], &page->items[place + 1],
            (page->count - place - 1) * sizeof(kbr_segment));
    page->items[place + 1] = page->items[place];
    page->items[place + 1].low = at;
    page->count++;
    if (page->items[place].write != NULL)
        kbr_event_hold(page->items[place].write);
    if (page->items[place].reads != NULL)
        page->items[place].reads->refs++;
    return place + 1;
}

/* Joins neighbours that agree, from before `first` to `end`. */
static void merge(kbr_histories *map, map_page *page, uint32_t first, uint32_t end) {
    uint32_t to = first > 0 ? first - 1 : 0;
    end = end < page->count ? end + 1 : page->count;
    for (uint32_t from = to + 1; from < end; from++) {
        kbr_segment *last = &page->items[to], *next = &page->items[from];
        if (last->write == next->write && last->reads == next->reads) {
            if (next->write != NULL)
                kbr_event_drop(map->order, next->write);
            kbr_readers_drop(map, next->reads);
        } else {
            page->items[++to] = *next;
        }
    }
    if (++to < end) {
        memmove(&page->items[to], &page->items[end], (page->count - end) * sizeof(kbr_segment));
        page->count -= end - to;
    }
}

static kb_status touch_page(kbr_histories *map, map_page *page, uint32_t low, uint32_t high, kbr_visit *visit,
                            void *user, kb_trail *trail) {
    KB_TRY(reserve(map, page, page->count + 2, trail));
    uint32_t first = cut(page, low), end = cut(page, high);
    uint64_t base = page->node.index * PAGE;
    kb_status status = KB_OK;
    for (uint32_t i = first; i < end && status == KB_OK; i++) {
        uint32_t behind = i + 1 < page->count ? page->items[i + 1].low : PAGE;
        status = visit(user, base + page->items[i].low, base + behind, &page->items[i], trail);
    }
    merge(map, page, first, end);
    return status;
}

kb_status kbr_histories_touch(kbr_histories *map, uint32_t memory, uint64_t low, uint64_t high,
                              kbr_visit *visit, void *user, kb_trail *trail) {
    while (low < high) {
        uint64_t number = low / PAGE, rest = high - number * PAGE;
        map_page *page;
        KB_TRY(page_of(map, memory, number, &page, trail));
        KB_TRY(touch_page(map, page, (uint32_t)(low % PAGE), rest < PAGE ? (uint32_t)rest : PAGE, visit, user,
                          trail));
        low = (number + 1) * PAGE;
    }
    return KB_OK;
}

/* --- life -------------------------------------------------------------------------------------- */

void kbr_histories_init(kbr_histories *map, kbr_order *order) {
    *map = (kbr_histories){.order = order};
    kbr_table_init(&map->pages, order->pass->alloc);
}

void kbr_histories_fini(kbr_histories *map) {
    const kb_alloc *alloc = map->order->pass->alloc;
    kbr_node *node;
    while ((node = kbr_table_take(&map->pages)) != NULL) {
        map_page *page = (map_page *)node;
        for (uint32_t i = 0; i < page->count; i++) {
            if (page->items[i].write != NULL)
                kbr_event_drop(map->order, page->items[i].write);
            kbr_readers_drop(map, page->items[i].reads);
        }
        kb_delete(alloc, page->items, page->capacity * sizeof(kbr_segment));
        kb_delete(alloc, page, sizeof *page);
    }
    kbr_table_fini(&map->pages);
    for (kbr_readers *it = map->spare, *next; it != NULL; it = next) {
        next = it->next;
        kb_delete(alloc, it, sizeof *it);
    }
}

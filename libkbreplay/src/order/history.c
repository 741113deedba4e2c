/* SPDX-License-Identifier: Apache-2.0 */
/* Segments by pages; see history.h. */
#include "order/history.h"

#include <string.h>

enum { PAGE = 4096, LARGE = 64 * PAGE };

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
        KB_TRY(kb_arena_new(&map->order->arena, sizeof *it, &block, trail));
        it = block;
    }
    *it = (kbr_readers){.next = next, .event = event, .refs = 1, .count = next != NULL ? next->count + 1 : 1};
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

static kb_status reserve(kbr_histories *map, map_page *page, uint32_t count, kb_trail *trail) {
    const kbr_pass *pass = map->order->pass;
    size_t capacity = page->capacity;
    void *items = page->items;
    if (count <= capacity)
        return KB_OK;
    if (map->used_size > pass->limit_size / 4)
        return kb_fail(
            trail, KB_E_LIMIT,
            "the order of all accesses takes more than %llu bytes, a quarter of the limit for memory",
            (unsigned long long)(pass->limit_size / 4));
    KB_TRY(kb_grow(pass->alloc, sizeof(kbr_segment), count, &capacity, &items, trail));
    map->used_size += (capacity - page->capacity) * sizeof(kbr_segment);
    page->items = items;
    page->capacity = (uint32_t)capacity;
    return KB_OK;
}

static uint32_t cut(map_page *page, uint32_t at);

/* What lies in the page of large ranges. */
static kb_status begin_page(kbr_histories *map, map_page *page, kb_trail *trail) {
    const kbr_history *of = &map->items[page->node.rank];
    uint64_t base = page->node.index * PAGE;
    KB_TRY(reserve(map, page, 4, trail));
    page->items[page->count++] = (kbr_segment){.low = 0};
    for (size_t i = 0; i < of->expanse_count; i++) {
        const kbr_expanse *it = &of->expanses[i];
        if (it->high <= base || it->low >= base + PAGE)
            continue;
        KB_TRY(reserve(map, page, page->count + 2, trail));
        uint32_t first = cut(page, it->low > base ? (uint32_t)(it->low - base) : 0);
        (void)cut(page, it->high < base + PAGE ? (uint32_t)(it->high - base) : PAGE);
        kbr_segment_write(map, &page->items[first], it->event);
    }
    return KB_OK;
}

static void free_page(const kb_alloc *alloc, map_page *page) {
    kb_delete(alloc, page->items, page->capacity * sizeof(kbr_segment));
    kb_delete(alloc, page, sizeof *page);
}

static kb_status new_page(kbr_histories *map, uint32_t memory, uint64_t number, map_page **ret_page,
                          kb_trail *trail) {
    const kb_alloc *alloc = map->order->pass->alloc;
    void *block;
    KB_TRY(kb_new_zeroed(alloc, sizeof(map_page), &block, trail));
    map_page *page = block;
    page->node = (kbr_node){.rank = memory, .index = number};
    kb_status status = begin_page(map, page, trail);
    if (status == KB_OK)
        status = kbr_table_add(&map->items[memory].pages, &page->node, trail);
    if (status != KB_OK) {
        free_page(alloc, page);
        return status;
    }
    map->used_size += sizeof *page;
    *ret_page = page;
    return KB_OK;
}

static kb_status page_of(kbr_histories *map, uint32_t memory, uint64_t number, map_page **ret_page,
                         kb_trail *trail) {
    kbr_history *of = &map->items[memory];
    map_page **recent = &of->recent[number % KBR_RECENT_PAGES];
    if (*recent == NULL || (*recent)->node.index != number) {
        map_page *page = (map_page *)kbr_table_find(&of->pages, memory, number);
        if (page == NULL)
            KB_TRY(new_page(map, memory, number, &page, trail));
        *recent = page;
    }
    *ret_page = *recent;
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

/* --- large ranges ------------------------------------------------------------------------------- */

/* Makes [low, high) one range: others are cut, or gone. */
static kb_status set_expanse(kbr_histories *map, kbr_history *of, uint64_t low, uint64_t high,
                             kbr_event *event, kb_trail *trail) {
    void *items = of->expanses;
    KB_TRY(kb_grow(map->order->pass->alloc, sizeof(kbr_expanse), of->expanse_count + 2, &of->expanse_capacity,
                   &items, trail));
    of->expanses = items;
    size_t first = 0, count = 0;
    while (first < of->expanse_count && of->expanses[first].high <= low)
        first++;
    size_t end = first;
    kbr_expanse put[3];
    for (; end < of->expanse_count && of->expanses[end].low < high; end++) {
        const kbr_expanse *it = &of->expanses[end];
        if (it->low < low) {
            kbr_event_hold(it->event);
            put[count++] = (kbr_expanse){it->low, low, it->event};
        }
    }
    kbr_event_hold(event);
    put[count++] = (kbr_expanse){low, high, event};
    if (end > first && of->expanses[end - 1].high > high) {
        kbr_event_hold(of->expanses[end - 1].event);
        put[count++] = (kbr_expanse){high, of->expanses[end - 1].high, of->expanses[end - 1].event};
    }
    for (size_t i = first; i < end; i++)
        kbr_event_drop(map->order, of->expanses[i].event);
    memmove(&of->expanses[first + count], &of->expanses[end],
            (of->expanse_count - end) * sizeof(kbr_expanse));
    memcpy(&of->expanses[first], put, count * sizeof(kbr_expanse));
    of->expanse_count = of->expanse_count - (end - first) + count;
    return KB_OK;
}

/* Visits the pages of a range that were touched already. */
static kb_status touch_existing(kbr_histories *map, uint32_t memory, uint64_t low, uint64_t high,
                                kbr_visit *visit, void *user, kb_trail *trail) {
    const kbr_table *pages = &map->items[memory].pages;
    for (size_t i = 0; i < pages->bucket_count; i++)
        for (kbr_node *node = pages->buckets[i]; node != NULL; node = node->next) {
            uint64_t base = node->index * PAGE;
            if (base >= high || base + PAGE <= low)
                continue;
            uint32_t from = low > base ? (uint32_t)(low - base) : 0;
            uint32_t to = high < base + PAGE ? (uint32_t)(high - base) : PAGE;
            KB_TRY(touch_page(map, (map_page *)node, from, to, visit, user, trail));
        }
    return KB_OK;
}

kb_status kbr_histories_renew(kbr_histories *map, uint32_t memory, uint64_t low, uint64_t high,
                              kbr_event *event, kbr_visit *visit, void *user, kb_trail *trail) {
    kbr_history *of = &map->items[memory];
    if (high - low < LARGE)
        return kbr_histories_touch(map, memory, low, high, visit, user, trail);
    for (size_t i = 0; i < of->expanse_count; i++) {
        const kbr_expanse *it = &of->expanses[i];
        if (it->high <= low || it->low >= high)
            continue;
        kbr_segment whole = {.write = it->event};
        kbr_event_hold(it->event);
        kb_status status =
            visit(user, it->low > low ? it->low : low, it->high < high ? it->high : high, &whole, trail);
        kbr_event_drop(map->order, whole.write);
        kbr_readers_drop(map, whole.reads);
        KB_TRY(status);
    }
    KB_TRY(touch_existing(map, memory, low, high, visit, user, trail));
    return set_expanse(map, of, low, high, event, trail);
}

/* --- life -------------------------------------------------------------------------------------- */

kb_status kbr_histories_init(kbr_histories *map, kbr_order *order, kb_trail *trail) {
    void *block;
    size_t count = order->pass->defs->memory_count;
    *map = (kbr_histories){.order = order};
    KB_TRY(kb_new_zeroed(order->pass->alloc, (count + 1) * sizeof(kbr_history), &block, trail));
    map->items = block;
    for (size_t i = 0; i < count; i++)
        kbr_table_init(&map->items[i].pages, order->pass->alloc);
    return KB_OK;
}

void kbr_histories_fini(kbr_histories *map) {
    if (map->items == NULL) /* it never began */
        return;
    const kbr_pass *pass = map->order->pass;
    size_t count = pass->defs->memory_count;
    for (size_t i = 0; i < count; i++) {
        kbr_history *of = &map->items[i];
        for (kbr_node *node; (node = kbr_table_take(&of->pages)) != NULL;)
            free_page(pass->alloc, (map_page *)node);
        kbr_table_fini(&of->pages);
        kb_delete(pass->alloc, of->expanses, of->expanse_capacity * sizeof(kbr_expanse));
    }
    kb_delete(pass->alloc, map->items, (count + 1) * sizeof(kbr_history));
}

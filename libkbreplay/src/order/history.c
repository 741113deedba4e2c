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
    const kbr_expanses *of = &map->expanses[page->node.rank];
    uint64_t base = page->node.index * PAGE;
    KB_TRY(reserve(map, page, 4, trail));
    page->items[page->count++] = (kbr_segment){.low = 0};
    for (size_t i = 0; i < of->count; i++) {
        const kbr_expanse *it = &of->items[i];
        if (it->high <= base || it->low >= base + PAGE)
            continue;
        KB_TRY(reserve(map, page, page->count + 2, trail));
        uint32_t first = cut(page, it->low > base ? (uint32_t)(it->low - base) : 0);
        (void)cut(page, it->high < base + PAGE ? (uint32_t)(it->high - base) : PAGE);
        kbr_segment_write(map, &page->items[first], it->event);
    }
    return KB_OK;
}

static void free_page(kbr_histories *map, map_page *page) {
    const kb_alloc *alloc = map->order->pass->alloc;
    for (uint32_t i = 0; i < page->count; i++) {
        if (page->items[i].write != NULL)
            kbr_event_drop(map->order, page->items[i].write);
        kbr_readers_drop(map, page->items[i].reads);
    }
    kb_delete(alloc, page->items, page->capacity * sizeof(kbr_segment));
    kb_delete(alloc, page, sizeof *page);
}

static kb_status page_of(kbr_histories *map, uint32_t memory, uint64_t number, map_page **ret_page,
                         kb_trail *trail) {
    map_page *page = (map_page *)kbr_table_find(&map->pages, memory, number);
    if (page == NULL) {
        void *block;
        KB_TRY(kb_new_zeroed(map->order->pass->alloc, sizeof *page, &block, trail));
        page = block;
        page->node = (kbr_node){.rank = memory, .index = number};
        kb_status status = begin_page(map, page, trail);
        if (status == KB_OK)
            status = kbr_table_add(&map->pages, &page->node, trail);
        if (status != KB_OK) {
            free_page(map, page);
            return status;
        }
        map->used_size += sizeof *page;
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

/* --- large ranges ------------------------------------------------------------------------------- */

/* Makes [low, high) one range: others are cut, or gone. */
static kb_status set_expanse(kbr_histories *map, kbr_expanses *of, uint64_t low, uint64_t high,
                             kbr_event *event, kb_trail *trail) {
    void *items = of->items;
    KB_TRY(
        kb_grow(map->order->pass->alloc, sizeof(kbr_expanse), of->count + 2, &of->capacity, &items, trail));
    of->items = items;
    size_t first = 0, count = 0;
    while (first < of->count && of->items[first].high <= low)
        first++;
    size_t end = first;
    kbr_expanse put[3];
    for (; end < of->count && of->items[end].low < high; end++) {
        const kbr_expanse *it = &of->items[end];
        if (it->low < low) {
            kbr_event_hold(it->event);
            put[count++] = (kbr_expanse){it->low, low, it->event};
        }
    }
    kbr_event_hold(event);
    put[count++] = (kbr_expanse){low, high, event};
    if (end > first && of->items[end - 1].high > high) {
        kbr_event_hold(of->items[end - 1].event);
        put[count++] = (kbr_expanse){high, of->items[end - 1].high, of->items[end - 1].event};
    }
    for (size_t i = first; i < end; i++)
        kbr_event_drop(map->order, of->items[i].event);
    memmove(&of->items[first + count], &of->items[end], (of->count - end) * sizeof(kbr_expanse));
    memcpy(&of->items[first], put, count * sizeof(kbr_expanse));
    of->count = of->count - (end - first) + count;
    return KB_OK;
}

/* Visits the pages of a range that were touched already. */
static kb_status touch_existing(kbr_histories *map, uint32_t memory, uint64_t low, uint64_t high,
                                kbr_visit *visit, void *user, kb_trail *trail) {
    for (size_t i = 0; i < map->pages.bucket_count; i++)
        for (kbr_node *node = map->pages.buckets[i]; node != NULL; node = node->next) {
            uint64_t base = node->index * PAGE;
            if (node->rank != memory || base >= high || base + PAGE <= low)
                continue;
            uint32_t from = low > base ? (uint32_t)(low - base) : 0;
            uint32_t to = high < base + PAGE ? (uint32_t)(high - base) : PAGE;
            KB_TRY(touch_page(map, (map_page *)node, from, to, visit, user, trail));
        }
    return KB_OK;
}

kb_status kbr_histories_renew(kbr_histories *map, uint32_t memory, uint64_t low, uint64_t high,
                              kbr_event *event, kbr_visit *visit, void *user, kb_trail *trail) {
    kbr_expanses *of = &map->expanses[memory];
    if (high - low < LARGE)
        return kbr_histories_touch(map, memory, low, high, visit, user, trail);
    for (size_t i = 0; i < of->count; i++) {
        const kbr_expanse *it = &of->items[i];
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
    *map = (kbr_histories){.order = order};
    kbr_table_init(&map->pages, order->pass->alloc);
    KB_TRY(kb_new_zeroed(order->pass->alloc, (order->pass->defs->memory_count + 1) * sizeof(kbr_expanses),
                         &block, trail));
    map->expanses = block;
    return KB_OK;
}

void kbr_histories_fini(kbr_histories *map) {
    if (map->order == NULL) /* it never began */
        return;
    const kbr_pass *pass = map->order->pass;
    kbr_node *node;
    while ((node = kbr_table_take(&map->pages)) != NULL)
        free_page(map, (map_page *)node);
    kbr_table_fini(&map->pages);
    for (size_t i = 0; map->expanses != NULL && i < pass->defs->memory_count; i++) {
        for (size_t k = 0; k < map->expanses[i].count; k++)
            kbr_event_drop(map->order, map->expanses[i].items[k].event);
        kb_delete(pass->alloc, map->expanses[i].items, map->expanses[i].capacity * sizeof(kbr_expanse));
    }
    kb_delete(pass->alloc, map->expanses, (pass->defs->memory_count + 1) * sizeof(kbr_expanses));
    for (kbr_readers *it = map->spare, *next; it != NULL; it = next) {
        next = it->next;
        kb_delete(pass->alloc, it, sizeof *it);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The search along edges, from a point of an event; changes only what it has seen. See event.h. */
#include "order/event.h"

/* The first that observes op `number`, for a later one says less; NULL where none does. */
static const kbr_bulk *find_bulk(const kbr_bulks *bulks, uint32_t number) {
    size_t first = 0, end = bulks->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (bulks->items[middle].below > number)
            end = middle;
        else
            first = middle + 1;
    }
    return first < bulks->count ? &bulks->items[first] : NULL;
}

static kb_status push(kbr_order *order, size_t *count, kbr_event *event, unsigned point, kb_trail *trail) {
    uint64_t *search = event->more != NULL ? &event->more->search : &event->search;
    unsigned seen = *search == order->search ? event->seen : 0, bit = 1u << (point == KB_POINT_DONE);
    if ((seen & bit) != 0)
        return KB_OK;
    *search = order->search;
    event->seen = (seen | bit) & 3;
    void *stack = order->stack;
    KB_TRY(
        kb_grow(order->pass->alloc, sizeof(kbr_reached), *count + 1, &order->stack_capacity, &stack, trail));
    order->stack = stack;
    order->stack[(*count)++] = (kbr_reached){event, point};
    return KB_OK;
}

/* Is the chain behind a point of the event in a past, by what its own stream does? */
static kb_status stream_passes(kbr_order *order, const kbr_event *it, unsigned point, const kbr_past *past,
                               bool *ret_passes, kb_trail *trail) {
    const kbr_chain *chain = &order->chains[it->stream];
    bool blocks = it->blocks == KB_BLOCKS_DONE || (it->blocks == KB_BLOCKS_SENT && point == KB_POINT_SENT);
    *ret_passes = false;
    if (blocks)
        KB_TRY(kbr_past_has(&order->pasts, past, it->stream, it->number + 2, it->time, ret_passes, trail));
    const kbr_bulk *bulks[] = {find_bulk(&chain->fences, it->number),
                               find_bulk(&chain->launches, it->number)};
    for (int i = 0; i < 2 && !*ret_passes; i++)
        if (bulks[i] != NULL)
            KB_TRY(kbr_past_has(&order->pasts, past, bulks[i]->stream, bulks[i]->issues, it->time, ret_passes,
                                trail));
    return KB_OK;
}

/* Is an edge's end the point, or in its past? */
static kb_status edge_reaches(kbr_order *order, const kbr_event *it, const kbr_edge *edge,
                              const kbr_point *to, bool *ret_reaches, kb_trail *trail) {
    *ret_reaches = edge->event != NULL && edge->event == to->event && !edge->to_done;
    if (edge->event != NULL)
        return KB_OK;
    return kbr_past_has(&order->pasts, &to->past, edge->stream, edge->issues, it->time, ret_reaches, trail);
}

kb_status kbr_order_reaches(kbr_order *order, kbr_event *from, unsigned point, const kbr_point *to,
                            bool *ret_reaches, kb_trail *trail) {
    size_t count = 0;
    bool there = false;
    if (from->edges == NULL)
        return stream_passes(order, from, point, &to->past, ret_reaches, trail);
    order->search++;
    KB_TRY(push(order, &count, from, point, trail));
    while (count > 0 && !there) {
        kbr_reached at = order->stack[--count];
        KB_TRY(stream_passes(order, at.event, at.point, &to->past, &there, trail));
        for (const kbr_edge *edge = at.event->edges; edge != NULL && !there; edge = edge->next) {
            if (edge->point < at.point)
                continue;
            KB_TRY(edge_reaches(order, at.event, edge, to, &there, trail));
            if (!there && edge->event != NULL) /* from its start its sent is reached */
                KB_TRY(
                    push(order, &count, edge->event, edge->to_done ? KB_POINT_DONE : KB_POINT_SENT, trail));
        }
    }
    *ret_reaches = there;
    return KB_OK;
}

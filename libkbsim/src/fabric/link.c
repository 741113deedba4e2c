/* SPDX-License-Identifier: Apache-2.0 */
/* Links and trains; see link.h. Knows no op kind and no memory. */
#include "fabric/link.h"

#include <assert.h>
#include <string.h>

#define OWNER(type, member, pointer) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

void kbs_link_init(kbs_link *link, uint64_t bytes_per_s, uint32_t flit_bytes, int64_t latency_ps) {
    memset(link, 0, sizeof *link);
    link->flit_ps = kbs_flit_ps(bytes_per_s, flit_bytes);
    link->flit_bytes = flit_bytes;
    link->latency_ps = kbs_link_latency_ps(latency_ps);
    link->bytes_per_s = bytes_per_s;
}

static inline int64_t time_of_flits(const kbs_link *link, uint64_t whole, uint64_t last_bytes) {
    uint64_t part_ps = (uint64_t)link->flit_ps;
    if (last_bytes != link->flit_bytes)
        part_ps = (part_ps * last_bytes + link->flit_bytes - 1) / link->flit_bytes;
    return (int64_t)(whole * (uint64_t)link->flit_ps + part_ps);
}

int64_t kbs_link_time(const kbs_link *link, uint64_t bytes) {
    if (bytes == 0)
        return 0;
    const uint64_t whole = (bytes - 1) / link->flit_bytes;
    return time_of_flits(link, whole, bytes - whole * link->flit_bytes);
}

int64_t kbs_route_time(const kbs_route *route, uint64_t bytes) {
    int64_t longest = 0;
    for (uint32_t i = 0; i < route->link_count; i++) {
        const int64_t time = kbs_link_time(route->links[i], bytes);
        longest = time > longest ? time : longest;
    }
    return longest;
}

/* --- who waits ------------------------------------------------------------------------------- */

bool kbs_packet_comes_before(const kbs_packet *a, const kbs_packet *b) {
    if (a->ready_ps != b->ready_ps)
        return a->ready_ps < b->ready_ps;
    const kbs_who *x = &a->who, *y = &b->who;
    if (x->rank != y->rank)
        return x->rank < y->rank;
    if (x->op != y->op)
        return x->op < y->op;
    return a->number < b->number;
}

static void enqueue(kbs_link *link, kbs_packet *packet) {
    const uint8_t channel = packet->channel;
    kbs_packet **place = &link->waiting[channel];
    if (*place == NULL || kbs_packet_comes_before(link->waiting_last[channel], packet)) { /* nearly always */
        if (*place != NULL)
            place = &link->waiting_last[channel]->next;
        link->waiting_last[channel] = packet;
    } else {
        while (kbs_packet_comes_before(*place, packet))
            place = &(*place)->next;
    }
    packet->next = *place;
    *place = packet;
}

static kbs_packet *dequeue(kbs_link *link) {
    const uint8_t channel = link->waiting[link->turn] != NULL ? link->turn : (uint8_t)(1 - link->turn);
    kbs_packet *packet = link->waiting[channel];
    link->waiting[channel] = packet->next;
    link->turn = (uint8_t)(1 - channel);
    return packet;
}

/* --- who gets it ----------------------------------------------------------------------------- */

static void fire_grant(kbs_engine *engine, kbs_event *event);
static void fire_arrival(kbs_engine *engine, kbs_event *event);

/* A link that got free decides at the end of the instant, like one that was free all along. */
static void fire_release(kbs_engine *engine, kbs_event *event) {
    event->fire = fire_grant;
    kbs_engine_at_end(engine, event);
}

static void ask(kbs_engine *engine, kbs_link *link) {
    if (link->asked)
        return;
    link->asked = true;
    if (link->free_ps <= engine->now_ps) {
        link->grant.fire = fire_grant;
        kbs_engine_at_end(engine, &link->grant);
    } else {
        link->grant.fire = fire_release;
        kbs_engine_at(engine, &link->grant, link->free_ps);
    }
}

static void note_wait(kbs_packet *packet, const kbs_link *link, int64_t waited_ps) {
    const uint32_t step = (uint32_t)(packet->step - packet->train->route->steps);
    packet->waits[packet->wait_count++] = (kbs_wait){waited_ps, link, link->holder, step};
}

/* The packet enters a link at start_ps, at which it was ready at ready_ps. */
static inline void enter(kbs_packet *packet, kbs_link *link, int64_t ready_ps, int64_t start_ps) {
    const int64_t own_ps = start_ps + time_of_flits(link, packet->whole_flits, packet->last_bytes);
    const int64_t tail_ps = own_ps > packet->tail_ps ? own_ps : packet->tail_ps;
    if (start_ps != ready_ps)
        note_wait(packet, link, start_ps - ready_ps);
    link->holder = packet->who;
    link->free_ps = tail_ps;
    link->bytes += packet->bytes;
    packet->tail_ps = tail_ps;
}

/* A packet is let in at a link that decides: on it goes, to the next that does or to its end. */
static void let_in(kbs_engine *engine, kbs_packet *packet, kbs_link *link) {
    int64_t start_ps = engine->now_ps;
    enter(packet, link, packet->ready_ps, start_ps);
    if (packet->is_first) {
        packet->is_first = false;
        packet->train->sent(packet->train, packet, packet->tail_ps);
    }
    for (;;) {
        const int64_t delay_ps = packet->step->delay_ps, ready_ps = start_ps + delay_ps;
        packet->drain_ps = packet->tail_ps - start_ps;
        packet->tail_ps += delay_ps;
        link = (++packet->step)->link;
        if (link == NULL)
            break;
        if (link->pass == KBS_DECIDES) {
            kbs_engine_at(engine, &packet->arrival, ready_ps);
            return;
        }
        start_ps = ready_ps > link->free_ps ? ready_ps : link->free_ps;
        enter(packet, link, ready_ps, start_ps);
    }
    packet->train->seen(packet->train, packet, packet->tail_ps);
}

static void fire_grant(kbs_engine *engine, kbs_event *event) {
    kbs_link *link = OWNER(kbs_link, grant, event);
    link->asked = false;
    kbs_packet *packet = dequeue(link);
    let_in(engine, packet, link);
    if (link->waiting[0] != NULL || link->waiting[1] != NULL)
        ask(engine, link);
}

static void fire_arrival(kbs_engine *engine, kbs_event *event) {
    kbs_packet *packet = OWNER(kbs_packet, arrival, event);
    kbs_link *link = packet->step->link;
    packet->ready_ps = engine->now_ps;
    if (link->free_ps <= engine->now_ps && !link->asked && kbs_engine_is_last(engine)) {
        link->turn = (uint8_t)(1 - packet->channel); /* nobody else can come any more */
        let_in(engine, packet, link);
        return;
    }
    enqueue(link, packet);
    ask(engine, link);
}

/* --- packets --------------------------------------------------------------------------------- */

/* Packets come a few at a time, close together, and their waits apart from them: most have none. */
static kb_status grow(kbs_packets *packets, kb_trail *trail) {
    enum { AT_ONCE = 16 };
    void *fresh, *waits;
    KB_TRY(kb_arena_new_in_lines(packets->arena, AT_ONCE * sizeof(kbs_packet), &fresh, trail));
    KB_TRY(kb_arena_new(packets->arena, AT_ONCE * packets->most_steps * sizeof(kbs_wait), &waits, trail));
    for (size_t i = AT_ONCE; i-- > 0;) {
        kbs_packet *packet = (kbs_packet *)fresh + i;
        packet->waits = (kbs_wait *)waits + i * packets->most_steps;
        kbs_packet_give(packets, packet);
    }
    return KB_OK;
}

kb_status kbs_packet_take(kbs_packets *packets, kbs_packet **ret, kb_trail *trail) {
    if (packets->free == NULL)
        KB_TRY(grow(packets, trail));
    *ret = packets->free;
    packets->free = packets->free->next;
    return KB_OK;
}

void kbs_packet_give(kbs_packets *packets, kbs_packet *packet) {
    packet->next = packets->free;
    packets->free = packet;
}

void kbs_packet_inject(kbs_engine *engine, kbs_packet *packet, kbs_train *train, uint32_t number,
                       uint32_t bytes, int64_t time_ps) {
    const kbs_route *route = train->route;
    assert(bytes > 0 && route->step_count > 0 && (route->channels >> train->channel & 1U) != 0);
    packet->arrival.fire = fire_arrival;
    packet->train = train;
    packet->who = train->who;
    packet->channel = train->channel;
    packet->number = number;
    packet->bytes = bytes;
    const uint32_t flit_bytes = route->steps[0].link->flit_bytes;
    packet->whole_flits = (bytes - 1) / flit_bytes;
    packet->last_bytes = bytes - packet->whole_flits * flit_bytes;
    packet->step = route->steps;
    packet->is_first = true;
    packet->injected_ps = time_ps;
    packet->tail_ps = 0;
    packet->wait_count = 0;
    engine->spared += route->spared;
    kbs_engine_at(engine, &packet->arrival, time_ps);
}

static bool is_below(kbs_slope a, kbs_slope b) {
    return a.base_ps <= b.base_ps && a.flit_ps <= b.flit_ps;
}

/* Keeps the slopes that are not below another everywhere. */
static uint32_t add_slope(kbs_slope *slopes, uint32_t count, kbs_slope slope) {
    for (uint32_t i = 0; i < count; i++)
        if (is_below(slope, slopes[i]))
            return count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!is_below(slopes[i], slope))
            slopes[kept++] = slopes[i];
    slopes[kept++] = slope;
    return kept;
}

uint32_t kbs_packet_slopes(const kbs_packet *packet, kbs_slope *ret_slopes) {
    const kbs_route *route = packet->train->route;
    int64_t start_ps = packet->injected_ps, left_ps = 0;
    uint32_t count = 0, waits = 0;
    for (uint32_t i = 0; i < route->step_count; i++)
        left_ps += route->steps[i].delay_ps;
    for (uint32_t i = 0; i < route->step_count; i++) {
        if (waits < packet->wait_count && packet->waits[waits].step == i)
            start_ps += packet->waits[waits++].ps;
        count = add_slope(ret_slopes, count, (kbs_slope){start_ps + left_ps, route->steps[i].link->flit_ps});
        start_ps += route->steps[i].delay_ps;
        left_ps -= route->steps[i].delay_ps;
    }
    return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every flit and every burst by itself; see flits.h. Includes nothing of what it is an oracle for. */
#include "support/fabric/flits.h"

#include <assert.h>
#include <stddef.h>

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static const flits_route *route_of(const flits *m, const flits_transfer *t) {
    return &m->routes[t->route];
}

static uint32_t flits_of(const flits *m, const flits_packet *p) {
    return (p->bytes + m->flit_bytes - 1) / m->flit_bytes;
}

static int64_t delay_of(const flits *m, uint32_t link) {
    return m->links[link].latency_ps + (m->links[link].stores ? m->links[link].flit_ps : 0);
}

static int64_t time_of_flit(const flits *m, const flits_link *link, const flits_packet *p, uint32_t flit) {
    const uint32_t whole = flits_of(m, p) - 1;
    const int64_t bytes = flit < whole ? m->flit_bytes : p->bytes - whole * m->flit_bytes;
    return (link->flit_ps * bytes + m->flit_bytes - 1) / m->flit_bytes;
}

/* --- memories ---------------------------------------------------------------------------------- */

static uint64_t address_of(const flits_view *view, uint64_t byte) {
    uint64_t element = byte / view->element_bytes;
    int64_t elements = 0;
    for (uint32_t i = view->dims; i-- > 0; element /= view->shape[i])
        elements += (int64_t)(element % view->shape[i]) * view->stride[i];
    return view->offset_bytes + (uint64_t)(elements * (int64_t)view->element_bytes) +
           byte % view->element_bytes;
}

static uint32_t channel_of(const flits_hbm_kind *kind, uint64_t address) {
    uint64_t block = address / kind->burst_bytes;
    if (!kind->is_hashed || kind->channels == 1)
        return (uint32_t)(block % kind->channels);
    uint64_t folded = 0;
    for (; block > 0; block /= kind->channels)
        folded ^= block % kind->channels;
    return (uint32_t)folded;
}

/* Where the burst ends that begins with byte `first` of a packet: it leaves the block, or memory jumps. */
static uint32_t end_of_burst(const flits *m, const flits_view *view, const flits_packet *p, uint32_t first) {
    const uint64_t begin = address_of(view, p->first_byte + first);
    uint32_t end = first + 1;
    while (end < p->bytes && address_of(view, p->first_byte + end) == begin + (end - first) &&
           (begin + (end - first)) / m->kind.burst_bytes == begin / m->kind.burst_bytes)
        end++;
    return end;
}

static int64_t time_of_burst(const flits_hbm_kind *kind, uint64_t address, uint64_t bytes) {
    const uint64_t low = address / kind->access_bytes, high = (address + bytes - 1) / kind->access_bytes;
    const uint64_t touched = (high - low + 1) * kind->access_bytes;
    return (int64_t)((touched * 1000000000000U + kind->bytes_per_s - 1) / kind->bytes_per_s);
}

/* The head leaves so late that no flit has to wait for its bytes. */
static int64_t read_memory(const flits *m, const flits_transfer *t, const flits_packet *p, int64_t now_ps) {
    flits_hbm *slice = &m->slices[route_of(m, t)->from_hbm];
    const int64_t flit_ps = m->links[route_of(m, t)->links[0]].flit_ps;
    int64_t there_ps[FLITS_OF_PACKET] = {0}, head_ps = 0;
    for (uint32_t first = 0, end; first < p->bytes; first = end) {
        end = end_of_burst(m, &t->view, p, first);
        const uint64_t address = address_of(&t->view, p->first_byte + first);
        int64_t *free_ps = &slice->free_ps[channel_of(&m->kind, address)];
        *free_ps = later(now_ps, *free_ps) + time_of_burst(&m->kind, address, end - first);
        for (uint32_t flit = first / m->flit_bytes; flit <= (end - 1) / m->flit_bytes; flit++)
            there_ps[flit] = later(there_ps[flit], *free_ps);
    }
    for (uint32_t flit = 0; flit < flits_of(m, p); flit++)
        head_ps = later(head_ps, there_ps[flit] - flit * flit_ps);
    return head_ps + m->kind.read_latency_ps;
}

static int64_t write_memory(const flits *m, const flits_transfer *t, const flits_packet *p,
                            int64_t latency_ps) {
    flits_hbm *slice = &m->slices[route_of(m, t)->to_hbm];
    int64_t written_ps = 0;
    for (uint32_t first = 0, end; first < p->bytes; first = end) {
        end = end_of_burst(m, &t->view, p, first);
        const uint64_t address = address_of(&t->view, p->first_byte + first);
        int64_t *free_ps = &slice->free_ps[channel_of(&m->kind, address)];
        const int64_t come_ps = p->end_ps[(end - 1) / m->flit_bytes] + latency_ps;
        *free_ps = later(come_ps, *free_ps) +
                   later(time_of_burst(&m->kind, address, end - first), m->kind.commit_ps);
        written_ps = later(written_ps, *free_ps);
    }
    return written_ps + m->kind.write_latency_ps;
}

/* --- links ------------------------------------------------------------------------------------- */

typedef struct candidate {
    flits_transfer *transfer;
    flits_packet *packet;
} candidate;

static bool comes_first(const candidate *a, const candidate *b) {
    if (b->packet == NULL)
        return true;
    if (a->packet->ready_ps != b->packet->ready_ps)
        return a->packet->ready_ps < b->packet->ready_ps;
    if (a->transfer->rank != b->transfer->rank)
        return a->transfer->rank < b->transfer->rank;
    if (a->transfer->op != b->transfer->op)
        return a->transfer->op < b->transfer->op;
    return a->packet < b->packet; /* of one transfer: in the order of their numbers */
}

static candidate choose(const flits *m, uint32_t link, int channel, int64_t now_ps) {
    candidate best = {NULL, NULL};
    for (uint32_t i = 0; i < m->transfer_count; i++) {
        flits_transfer *t = &m->transfers[i];
        for (uint32_t n = 0; n < t->issued && t->channel == channel; n++) {
            const candidate one = {t, &t->packets[n]};
            if (one.packet->waits && one.packet->ready_ps <= now_ps &&
                route_of(m, t)->links[one.packet->hop] == link && comes_first(&one, &best))
                best = one;
        }
    }
    return best;
}

static void move_flits(const flits *m, const flits_transfer *t, flits_packet *p, int64_t now_ps) {
    const flits_route *route = route_of(m, t);
    flits_link *link = &m->links[route->links[p->hop]];
    const int64_t way_ps = p->hop > 0 ? delay_of(m, route->links[p->hop - 1]) : 0;
    int64_t before_ps = now_ps;
    for (uint32_t i = 0; i < flits_of(m, p); i++) {
        int64_t begin_ps = before_ps, end_ps = 0;
        if (p->hop > 0) {
            begin_ps = later(begin_ps, p->begin_ps[i] + way_ps);
            end_ps = p->end_ps[i] + way_ps; /* a flit cannot end before it has wholly come */
        }
        end_ps = later(end_ps, begin_ps + time_of_flit(m, link, p, i));
        p->begin_ps[i] = begin_ps;
        p->end_ps[i] = before_ps = end_ps;
    }
    link->free_ps = before_ps;
    link->last_channel = t->channel;
}

static void issue(const flits *m, flits_transfer *t, int64_t now_ps);

static void note_sent(const flits *m, flits_transfer *t, int64_t sent_ps) {
    t->sent++;
    t->sent_ps = later(t->sent_ps, sent_ps);
    const bool all_out = t->issued_bytes == t->bytes;
    if (t->what == FLITS_COPY && !all_out)
        issue(m, t, sent_ps);
    if (t->what != FLITS_WRITE)
        return;
    flits_lane *lane = &m->lanes[t->lane];
    lane->due_ps = sent_ps;
    if (all_out) {
        lane->free_ps = sent_ps;
        lane->current = FLITS_NONE;
    }
}

static void let_in(const flits *m, flits_transfer *t, flits_packet *p, int64_t now_ps) {
    const flits_route *route = route_of(m, t);
    move_flits(m, t, p, now_ps);
    const int64_t latency_ps = delay_of(m, route->links[p->hop]);
    const int64_t tail_ps = p->end_ps[flits_of(m, p) - 1];
    p->ready_ps = now_ps + latency_ps;
    const bool is_entry = p->hop == 0;
    if (++p->hop == route->count) {
        int64_t seen_ps = tail_ps + latency_ps;
        if (route->to_hbm != FLITS_NONE && t->what != FLITS_COPY)
            seen_ps = write_memory(m, t, p, latency_ps);
        p->waits = false;
        p->return_ps = seen_ps + (t->what == FLITS_WRITE ? route->back_ps : 0);
        t->seen++;
        t->done_ps = later(t->done_ps, seen_ps);
    }
    if (is_entry)
        note_sent(m, t, tail_ps);
}

/* Marks the links that are asked for, so that the others need not be looked at. */
static void mark_wanted(const flits *m, int64_t now_ps) {
    for (uint32_t i = 0; i < m->transfer_count; i++) {
        const flits_transfer *t = &m->transfers[i];
        for (uint32_t n = 0; n < t->issued; n++)
            if (t->packets[n].waits && t->packets[n].ready_ps <= now_ps)
                m->links[route_of(m, t)->links[t->packets[n].hop]].wanted = true;
    }
}

static void grant(const flits *m, int64_t now_ps) {
    enum { CHANNELS = 2 };
    mark_wanted(m, now_ps);
    for (uint32_t l = 0; l < m->link_count; l++) {
        flits_link *link = &m->links[l];
        const bool wanted = link->wanted;
        link->wanted = false;
        if (!wanted || link->free_ps > now_ps)
            continue;
        for (int turn = 1; turn <= CHANNELS; turn++) {
            const candidate best = choose(m, l, (link->last_channel + turn) % CHANNELS, now_ps);
            if (best.packet == NULL)
                continue;
            let_in(m, best.transfer, best.packet, now_ps);
            break;
        }
    }
}

/* --- who sends --------------------------------------------------------------------------------- */

/* A packet begins: at its first link, or as a request to where its bytes are. */
static void issue(const flits *m, flits_transfer *t, int64_t now_ps) {
    const flits_route *route = route_of(m, t);
    assert(t->issued < FLITS_PACKETS);
    flits_packet *p = &t->packets[t->issued++];
    const uint32_t left = t->bytes - t->issued_bytes;
    *p = (flits_packet){.ready_ps = now_ps, .first_byte = t->issued_bytes, .return_ps = -1, .waits = true};
    p->bytes = left < m->packet_bytes ? left : m->packet_bytes;
    t->issued_bytes += p->bytes;
    if (t->what != FLITS_READ)
        return;
    p->ready_ps += route->back_ps;
    p->asks = route->from_hbm != FLITS_NONE;
    p->waits = !p->asks;
}

static uint32_t outstanding(const flits *m, uint32_t lane, int64_t now_ps) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->transfer_count; i++) {
        const flits_transfer *t = &m->transfers[i];
        for (uint32_t n = 0; n < t->issued && t->lane == (int)lane; n++)
            count += t->packets[n].return_ps < 0 || t->packets[n].return_ps > now_ps;
    }
    return count;
}

/* The transfer whose turn it is after the current one, or NULL. */
static flits_transfer *next_of(const flits *m, uint32_t lane) {
    flits_lane *l = &m->lanes[lane];
    while (l->next < m->transfer_count && m->transfers[l->next].lane != (int)lane)
        l->next++;
    return l->next < m->transfer_count ? &m->transfers[l->next] : NULL;
}

static bool act(const flits *m, uint32_t lane, int64_t now_ps) {
    flits_lane *l = &m->lanes[lane];
    if (l->current == FLITS_NONE) {
        flits_transfer *t = next_of(m, lane);
        if (t == NULL || later(t->ready_ps, l->free_ps) > now_ps ||
            (m->single && outstanding(m, lane, now_ps) > 0))
            return false;
        t->start_ps = l->due_ps = now_ps + m->setup_ps;
        l->current = (int)l->next++;
        return true;
    }
    flits_transfer *t = &m->transfers[l->current];
    if (l->due_ps < 0 || l->due_ps > now_ps || outstanding(m, lane, now_ps) >= l->limit)
        return false;
    issue(m, t, now_ps);
    const flits_packet *p = &t->packets[t->issued - 1];
    l->due_ps = -1; /* until it is sent */
    if (t->what == FLITS_READ) {
        const flits_link *first = &m->links[route_of(m, t)->links[0]];
        l->due_ps = now_ps;
        for (uint32_t i = 0; i < flits_of(m, p); i++)
            l->due_ps += time_of_flit(m, first, p, i);
        if (t->issued_bytes == t->bytes) {
            l->free_ps = l->due_ps;
            l->current = FLITS_NONE;
        }
    }
    return true;
}

static void begin_copies(const flits *m, int64_t now_ps) {
    for (uint32_t i = 0; i < m->transfer_count; i++) {
        flits_transfer *t = &m->transfers[i];
        if (t->what == FLITS_COPY && t->issued == 0 && t->ready_ps <= now_ps) {
            t->start_ps = now_ps;
            issue(m, t, now_ps);
        }
    }
}

static void serve_requests(const flits *m, int64_t now_ps) {
    for (;;) {
        candidate best = {NULL, NULL};
        for (uint32_t i = 0; i < m->transfer_count; i++)
            for (uint32_t n = 0; n < m->transfers[i].issued; n++) {
                const candidate one = {&m->transfers[i], &m->transfers[i].packets[n]};
                if (one.packet->asks && one.packet->ready_ps <= now_ps && comes_first(&one, &best))
                    best = one;
            }
        if (best.packet == NULL)
            return;
        best.packet->ready_ps = read_memory(m, best.transfer, best.packet, now_ps);
        best.packet->asks = false;
        best.packet->waits = true;
    }
}

/* --- time -------------------------------------------------------------------------------------- */

static void consider(int64_t *earliest_ps, int64_t time_ps, int64_t now_ps) {
    if (time_ps > now_ps && time_ps < *earliest_ps)
        *earliest_ps = time_ps;
}

/* The next instant at which something can happen. */
static int64_t next_time(const flits *m, int64_t now_ps) {
    int64_t earliest_ps = INT64_MAX;
    for (uint32_t lane = 0; lane < m->lane_count; lane++) {
        const flits_lane *l = &m->lanes[lane];
        const flits_transfer *t = l->current == FLITS_NONE ? next_of(m, lane) : NULL;
        if (t != NULL)
            consider(&earliest_ps, later(t->ready_ps, l->free_ps), now_ps);
        if (l->current != FLITS_NONE)
            consider(&earliest_ps, l->due_ps, now_ps);
    }
    for (uint32_t i = 0; i < m->transfer_count; i++) {
        const flits_transfer *t = &m->transfers[i];
        if (t->what == FLITS_COPY && t->issued == 0)
            consider(&earliest_ps, t->ready_ps, now_ps);
        for (uint32_t n = 0; n < t->issued; n++) {
            const flits_packet *p = &t->packets[n];
            consider(&earliest_ps, p->return_ps, now_ps);
            if (p->asks)
                consider(&earliest_ps, p->ready_ps, now_ps);
            if (p->waits)
                consider(&earliest_ps, later(p->ready_ps, m->links[route_of(m, t)->links[p->hop]].free_ps),
                         now_ps);
        }
    }
    return earliest_ps;
}

void flits_run(flits *m) {
    for (uint32_t l = 0; l < m->link_count; l++)
        m->links[l].last_channel = 1;
    for (uint32_t lane = 0; lane < m->lane_count; lane++)
        m->lanes[lane].current = FLITS_NONE;
    for (int64_t now_ps = -1; (now_ps = next_time(m, now_ps)) != INT64_MAX;) {
        begin_copies(m, now_ps);
        for (bool acted = true; acted;) {
            acted = false;
            for (uint32_t lane = 0; lane < m->lane_count; lane++)
                while (act(m, lane, now_ps))
                    acted = true;
        }
        serve_requests(m, now_ps);
        grant(m, now_ps);
    }
}

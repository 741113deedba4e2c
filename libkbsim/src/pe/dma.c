/* SPDX-License-Identifier: Apache-2.0 */
/* Reads by DMA in time; see dma.h. */
#include "pe/dma.h"

#include <assert.h>
#include <string.h>

static void fire_request(kbs_engine *engine, kbs_event *event);
static void fire_back(kbs_engine *engine, kbs_event *event);
static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps);
static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps);

static kbs_op *op_of(kbs_train *train) {
    return (kbs_op *)(void *)((char *)train - offsetof(kbs_op, train));
}

void kbs_dma_init(kbs_dma *dma, kbs_pe *pe, const kbs_route *route) {
    dma->pe = pe;
    dma->route = route;
    dma->request.fire = fire_request;
}

/* --- requests -------------------------------------------------------------------------------- */

/* Sets up the first in line, if it is not yet. */
static void begin_first(kbs_dma *dma) {
    kbs_op *op = dma->first;
    if (op == NULL || dma->begun)
        return;
    kbs_sim *sim = dma->pe->sim;
    const int64_t turn_ps = kbs_later(op->ready_ps, dma->free_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = turn_ps - op->ready_ps,
                            .cause = KB_CAUSE_ENGINE_BUSY,
                            .resource = KB_RESOURCE_ENGINE,
                            .blames = true,
                            .id = op->engine,
                            .who = dma->holder});
    kbs_op_took(sim, op, KB_CAUSE_DMA_SETUP, sim->costs.dma_setup_ps);
    op->start_ps = turn_ps + sim->costs.dma_setup_ps;
    dma->begun = true;
    dma->waiting--;
    dma->next_ps = op->start_ps;
    kbs_engine_at(&sim->engine, &dma->request, dma->next_ps);
    kbs_pe_room(dma->pe, dma, turn_ps);
}

bool kbs_dma_read(kbs_pe *pe, kbs_op *op) {
    kbs_dma *dma = &pe->dma;
    if (dma->waiting >= pe->sim->costs.depth) {
        pe->full = dma;
        return false;
    }
    op->bytes = kbs_operand_bytes(&op->shape->common.operands[1]);
    op->route = dma->route->id;
    op->train = (kbs_train){{op->rank, op->index}, dma->route, KBS_CHANNEL_DMA, on_sent, on_seen};
    op->behind = NULL;
    if (dma->first == NULL)
        dma->first = op;
    else
        dma->last->behind = op;
    dma->last = op;
    dma->waiting++;
    begin_first(dma);
    return true;
}

/* The next request of the first in line goes out now. */
static void request(kbs_dma *dma, kbs_sim *sim) {
    kbs_op *op = dma->first;
    kbs_packet *packet;
    const kb_status status = kbs_packet_take(&sim->packets, &packet, &sim->trail);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return;
    }
    const int64_t now_ps = sim->engine.now_ps;
    const uint64_t left = op->bytes - op->bytes_injected, most = sim->costs.packet_bytes;
    const uint32_t bytes = (uint32_t)(left < most ? left : most);
    op->bytes_injected += bytes;
    op->stalled_ps += now_ps - dma->next_ps;
    op->requested_ps = now_ps;
    dma->outstanding++;
    dma->next_ps = now_ps + kbs_link_time(dma->route->links[0], bytes);
    /* Within a PE the way to the memory is the way back. */
    kbs_packet_inject(&sim->engine, packet, &op->train, op->packets_injected++, bytes,
                      now_ps + dma->route->latency_ps);
    if (op->bytes_injected < op->bytes) {
        kbs_engine_at(&sim->engine, &dma->request, dma->next_ps);
        return;
    }
    dma->free_ps = dma->next_ps;
    dma->holder = op->train.who;
    dma->first = op->behind;
    dma->begun = false;
    begin_first(dma);
}

static void fire_request(kbs_engine *engine, kbs_event *event) {
    kbs_dma *dma = (kbs_dma *)(void *)((char *)event - offsetof(kbs_dma, request));
    kbs_sim *sim = engine->owner;
    if (dma->outstanding < sim->costs.dma_outstanding)
        request(dma, sim);
    else
        dma->stalled = true;
}

/* --- data ------------------------------------------------------------------------------------ */

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps) {
    (void)packet;
    kbs_op *op = op_of(train);
    /* Packets of one route are sent in their order. */
    if (op->bytes_injected == op->bytes && packet->number + 1 == op->packets_injected)
        kbs_op_sent(op->pe->sim, op, sent_ps);
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    kbs_op *op = op_of(train);
    kbs_pe *pe = op->pe;
    kbs_sim *sim = pe->sim;
    packet->train = NULL; /* the op may be gone before the clock comes to seen_ps */
    packet->owner = &pe->dma;
    packet->arrival.fire = fire_back;
    kbs_engine_at(&sim->engine, &packet->arrival, seen_ps);
    op->bytes_seen += packet->bytes;
    if (op->bytes_seen < op->bytes)
        return;
    const kbs_link *first = op->train.route->links[0];
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->requested_ps - op->start_ps - op->stalled_ps,
                            .cause = KB_CAUSE_SERIALISATION,
                            .resource = KB_RESOURCE_LINK,
                            .id = first->id});
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->stalled_ps,
                            .cause = KB_CAUSE_OUTSTANDING,
                            .resource = KB_RESOURCE_ENGINE,
                            .id = op->engine});
    kbs_op_took(sim, op, KB_CAUSE_REQUEST, op->train.route->latency_ps);
    kbs_op_note_packet(sim, op, packet);
    kbs_op_done(sim, op, seen_ps);
}

static void fire_back(kbs_engine *engine, kbs_event *event) {
    kbs_packet *packet = (kbs_packet *)(void *)((char *)event - offsetof(kbs_packet, arrival));
    kbs_sim *sim = engine->owner;
    kbs_dma *dma = packet->owner;
    kbs_packet_give(&sim->packets, packet);
    dma->outstanding--;
    if (dma->stalled) {
        dma->stalled = false;
        request(dma, sim);
    }
}

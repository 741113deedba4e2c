/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers by DMA in time; see dma.h. */
#include "pe/dma.h"

#include <assert.h>
#include <string.h>

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps);
static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps);

static kbs_op *op_of(kbs_train *train) {
    return (kbs_op *)(void *)((char *)train - offsetof(kbs_op, train));
}

/* A PE's op has its destination and its source; a host's has the memory that is not its own. */
static void init_lane(kbs_lane *lane, kbs_pe *pe, bool is_write, uint32_t limit) {
    const kbs_costs *costs = &pe->sim->costs;
    lane->pe = pe;
    lane->is_write = is_write;
    lane->operand = pe->is_host ? 0 : 1;
    lane->host_ps = pe->is_host ? costs->host_copy_ps : 0;
    lane->setup_ps = costs->dma_setup_ps;
    lane->is_single = costs->single_transfers;
    lane->limit = limit;
    lane->look_ps = INT64_MAX;
}

void kbs_dma_init(kbs_dma *dma, kbs_pe *pe) {
    const kbs_costs *costs = &pe->sim->costs;
    init_lane(&dma->reads, pe, false, pe->is_host ? costs->m_cpu_reads : costs->reads_outstanding);
    init_lane(&dma->writes, pe, true, pe->is_host ? costs->m_cpu_writes : costs->writes_outstanding);
}

/* --- what is outstanding ----------------------------------------------------------------------- */

/* Known returns are a binary heap, the earliest on top. */
static void pop_return(kbs_flight *flight) {
    const int64_t last = flight->returns[--flight->count];
    uint32_t at = 0;
    for (uint32_t child; (child = 2 * at + 1) < flight->count; at = child) {
        if (child + 1 < flight->count && flight->returns[child + 1] < flight->returns[child])
            child++;
        if (last <= flight->returns[child])
            break;
        flight->returns[at] = flight->returns[child];
    }
    flight->returns[at] = last;
}

static bool grow(kbs_sim *sim, kbs_flight *flight) {
    void *memory;
    const uint32_t capacity = flight->capacity > 0 ? flight->capacity * 2 : 16;
    const kb_status status = kb_arena_new(&sim->arena, capacity * sizeof(int64_t), &memory, &sim->trail);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return false;
    }
    if (flight->count > 0)
        memcpy(memory, flight->returns, flight->count * sizeof(int64_t));
    flight->returns = memory;
    flight->capacity = capacity;
    return true;
}

static void add_return(kbs_sim *sim, kbs_flight *flight, int64_t return_ps) {
    assert(flight->unknown > 0);
    if (flight->count == flight->capacity && !grow(sim, flight))
        return;
    flight->unknown--;
    uint32_t at = flight->count++;
    for (; at > 0 && return_ps < flight->returns[(at - 1) / 2]; at = (at - 1) / 2)
        flight->returns[at] = flight->returns[(at - 1) / 2];
    flight->returns[at] = return_ps;
}

/*
 * Whether one more packet may go at at_ps. Times that are asked for never fall, so what has returned by
 * then is forgotten. More returns that become known can only make more room.
 */
static bool has_room(kbs_lane *lane, int64_t at_ps) {
    kbs_flight *flight = &lane->flight;
    while (flight->count > 0 && flight->returns[0] <= at_ps)
        pop_return(flight);
    return flight->count + flight->unknown < lane->limit;
}

/* --- packets ----------------------------------------------------------------------------------- */

static void serve(kbs_engine *engine, kbs_hbm *hbm, kbs_packet *packet) {
    kbs_op *op = op_of(packet->train);
    const kbs_link *first = op->train.route->links[0];
    const unsigned source = op->lane->operand;
    const kbs_runs runs = kbs_runs_of(&op->shape->common.operands[source], op->offsets[source]);
    const kbs_part part = {&runs, packet->first_byte, packet->bytes, first->flit_bytes, op->train.who};
    const int64_t head_ps = kbs_hbm_read(hbm, &part, engine->now_ps, first->flit_ps, &packet->read);
    kbs_packet_inject(engine, packet, &op->train, packet->number, packet->bytes, head_ps);
}

static void fire_request(kbs_engine *engine, kbs_event *event) {
    kbs_packet *packet = (kbs_packet *)(void *)((char *)event - offsetof(kbs_packet, arrival));
    kbs_hbm_ask(engine, packet->train->route->from_hbm, packet, serve);
}

/* A packet is written, or asked for, at at_ps. */
static void issue_packet(kbs_lane *lane, kbs_op *op, int64_t at_ps) {
    kbs_sim *sim = lane->pe->sim;
    const kbs_route *route = op->train.route;
    kbs_packet *packet;
    const kb_status status = kbs_packet_take(&sim->packets, &packet, &sim->trail);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return;
    }
    const uint64_t left = op->bytes - op->bytes_injected, most = sim->costs.packet_bytes;
    packet->train = &op->train;
    packet->number = op->packets_injected++;
    packet->bytes = (uint32_t)(left < most ? left : most);
    packet->first_byte = op->bytes_injected;
    packet->begun_ps = at_ps;
    packet->stall_ps = op->stall_ps;
    packet->entry_ps = op->entry_ps;
    op->bytes_injected += packet->bytes;
    lane->flight.unknown++;
    lane->next_ps = lane->is_write ? KBS_UNKNOWN : at_ps + kbs_link_time(route->links[0], packet->bytes);
    if (route->from_hbm != NULL && !lane->is_write) {
        packet->arrival.fire = fire_request;
        kbs_engine_at(&sim->engine, &packet->arrival, at_ps + route->back_ps);
        return;
    }
    kbs_packet_inject(&sim->engine, packet, &op->train, packet->number, packet->bytes,
                      lane->is_write ? at_ps : at_ps + route->back_ps);
}

/* --- a lane's turns ---------------------------------------------------------------------------- */

/* Sets up the first in line, if it is not yet; false where nobody is there, or has to wait. */
static bool begin_first(kbs_lane *lane) {
    kbs_op *op = lane->first;
    if (op == NULL || lane->begun)
        return op != NULL;
    if (lane->free_ps == KBS_UNKNOWN)
        return false;
    kbs_sim *sim = lane->pe->sim;
    const int64_t turn_ps = kbs_later(op->ready_ps, lane->free_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = turn_ps - op->ready_ps,
                            .cause = KB_CAUSE_ENGINE_BUSY,
                            .resource = KB_RESOURCE_ENGINE,
                            .blames = true,
                            .id = op->engine,
                            .who = lane->holder});
    kbs_op_took(sim, op, KB_CAUSE_HOST, lane->host_ps);
    kbs_op_took(sim, op, KB_CAUSE_DMA_SETUP, lane->setup_ps);
    op->record.start_ps = turn_ps + lane->host_ps + lane->setup_ps;
    lane->begun = true;
    lane->next_ps = op->record.start_ps;
    kbs_line_begin(&lane->line, lane->pe, turn_ps);
    return true;
}

/* The first's packets are all out at out_ps. */
static void end_first(kbs_lane *lane, int64_t out_ps) {
    lane->free_ps = lane->is_single ? KBS_UNKNOWN : out_ps;
    lane->holder = lane->first->train.who;
    lane->first = lane->first->behind;
    lane->begun = false;
}

static void fire_look(kbs_engine *engine, kbs_event *event);

/* No room at next_ps as far as is known: looks again when the first of what is known has returned. */
static void look_later(kbs_lane *lane) {
    kbs_sim *sim = lane->pe->sim;
    lane->is_stalled = true;
    if (lane->flight.count == 0 || lane->flight.returns[0] >= lane->look_ps)
        return;
    kbs_packet *packet; /* stands in for an event */
    const kb_status status = kbs_packet_take(&sim->packets, &packet, &sim->trail);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return;
    }
    packet->owner = lane;
    packet->arrival.fire = fire_look;
    lane->look_ps = lane->flight.returns[0];
    kbs_engine_at(&sim->engine, &packet->arrival, lane->look_ps);
}

/* Issues what can be issued by what is known, ahead of the clock. */
static void go_on(kbs_lane *lane) {
    while (lane->pe->sim->status == KB_OK && begin_first(lane) && lane->next_ps != KBS_UNKNOWN) {
        kbs_op *op = lane->first;
        if (!has_room(lane, lane->next_ps)) {
            look_later(lane);
            return;
        }
        lane->is_stalled = false;
        issue_packet(lane, op, lane->next_ps);
        if (!lane->is_write && op->bytes_injected == op->bytes)
            end_first(lane, lane->next_ps);
    }
}

static void fire_look(kbs_engine *engine, kbs_event *event) {
    kbs_packet *packet = (kbs_packet *)(void *)((char *)event - offsetof(kbs_packet, arrival));
    kbs_sim *sim = engine->owner;
    kbs_lane *lane = packet->owner;
    kbs_packet_give(&sim->packets, packet);
    if (lane->look_ps == engine->now_ps)
        lane->look_ps = INT64_MAX;
    if (!lane->is_stalled)
        return;
    if (lane->next_ps < engine->now_ps && has_room(lane, engine->now_ps)) {
        lane->first->stall_ps += engine->now_ps - lane->next_ps;
        lane->next_ps = engine->now_ps;
    }
    go_on(lane);
}

static bool enter(kbs_pe *pe, kbs_op *op, kbs_lane *lane) {
    if (!kbs_line_enter(&lane->line, pe, op->ready_ps))
        return false;
    const kbs_common *common = &op->shape->common;
    assert(common->route != KB_NONE);
    const kbs_route *route = pe->sim->program->fabric.routes[common->route];
    assert(!lane->is_write || route->from_hbm == NULL); /* what is written comes from elsewhere */
    const kbs_train train = {{op->rank, op->record.index}, route, KBS_CHANNEL_DMA, on_sent, on_seen};
    kbs_op_moves_by(op, &train, lane);
    op->route = route->id;
    op->bytes = kbs_operand_bytes(&common->operands[lane->operand]);
    op->acknowledge_ps = lane->is_write ? route->back_ps : 0;
    if (lane->first == NULL)
        lane->first = op;
    else
        lane->last->behind = op;
    lane->last = op;
    if (!lane->begun)
        go_on(lane);
    return true;
}

bool kbs_dma_read(kbs_pe *pe, kbs_op *op) {
    return enter(pe, op, &pe->dma.reads);
}

bool kbs_dma_write(kbs_pe *pe, kbs_op *op) {
    return enter(pe, op, &pe->dma.writes);
}

/* --- what comes of packets --------------------------------------------------------------------- */

static bool is_own(const kbs_op *op, kbs_who who) {
    return who.rank == op->rank && who.op == op->record.index;
}

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps) {
    kbs_op *op = op_of(train);
    kbs_lane *lane = op->lane;
    op->packets_sent++;
    op->tail_ps = kbs_later(op->tail_ps, sent_ps);
    if (packet->wait_count > 0 && !is_own(op, packet->waits[0].holder)) {
        op->entry_ps += packet->waits[0].ps;
        op->entry_holder = packet->waits[0].holder;
    }
    const bool all_out = op->bytes_injected == op->bytes;
    if (all_out && op->packets_sent == op->packets_injected)
        kbs_op_sent(lane->pe->sim, op, op->tail_ps);
    if (!lane->is_write)
        return;
    lane->next_ps = sent_ps;
    if (all_out)
        end_first(lane, sent_ps);
    go_on(lane);
}

/* Of the packets of an op that which is visible last is kept: its time is the op's. */
static void keep_latest(kbs_sim *sim, kbs_op *op, kbs_packet *packet) {
    kbs_packet *kept = op->latest;
    if (kept == NULL || packet->ready_ps > kept->ready_ps ||
        (packet->ready_ps == kept->ready_ps && packet->number > kept->number)) {
        op->latest = packet;
        packet = kept;
    }
    if (packet != NULL)
        kbs_packet_give(&sim->packets, packet);
}

/* Time at the channels of a memory: waiting for others there, for rows, being served, and its own latency. */
static void note_service(kbs_sim *sim, kbs_op *op, unsigned operand, const kbs_service *service,
                         int64_t latency_ps) {
    const bool own = is_own(op, service->holder);
    kbs_note note = {.ps = service->channel_ps,
                     .cause = own ? KB_CAUSE_HBM_BURST : KB_CAUSE_HBM_CHANNEL,
                     .resource = KB_RESOURCE_MEMORY,
                     .blames = !own,
                     .id = op->shape->common.operands[operand].memory,
                     .who = service->holder};
    kbs_op_note(sim, op, &note);
    note.blames = false;
    note.cause = KB_CAUSE_BANK;
    note.ps = service->bank_ps;
    kbs_op_note(sim, op, &note);
    note.cause = KB_CAUSE_HBM_BURST;
    note.ps = service->burst_ps;
    kbs_op_note(sim, op, &note);
    note.cause = KB_CAUSE_HBM_LATENCY;
    note.ps = latency_ps;
    kbs_op_note(sim, op, &note);
}

/* From the op's start to when its last visible packet was asked for or written: those before it. */
static void note_turns(kbs_sim *sim, kbs_op *op, const kbs_packet *packet) {
    const kbs_link *first = op->train.route->links[0];
    const int64_t entry_ps = op->lane->is_write ? packet->entry_ps : 0;
    kbs_op_note(sim, op,
                &(kbs_note){.ps = packet->begun_ps - op->record.start_ps - packet->stall_ps - entry_ps,
                            .cause = KB_CAUSE_SERIALISATION,
                            .resource = KB_RESOURCE_LINK,
                            .id = first->id});
    kbs_op_note(sim, op,
                &(kbs_note){.ps = entry_ps,
                            .cause = first->is_port ? KB_CAUSE_PORT : KB_CAUSE_CONTENTION,
                            .resource = KB_RESOURCE_LINK,
                            .blames = true,
                            .id = first->id,
                            .who = op->entry_holder});
    kbs_op_note(sim, op,
                &(kbs_note){.ps = packet->stall_ps,
                            .cause = KB_CAUSE_OUTSTANDING,
                            .resource = KB_RESOURCE_ENGINE,
                            .id = op->engine});
}

static void finish(kbs_sim *sim, kbs_op *op) {
    const kbs_route *route = op->train.route;
    kbs_packet *packet = op->latest;
    note_turns(sim, op, packet);
    if (!op->lane->is_write) {
        kbs_op_took(sim, op, KB_CAUSE_REQUEST, route->back_ps);
        if (route->from_hbm != NULL)
            note_service(sim, op, op->lane->operand, &packet->read, route->from_hbm->kind->read_latency_ps);
    }
    kbs_op_note_packet(sim, op, packet);
    if (route->to_hbm != NULL)
        note_service(sim, op, 0, &packet->write, route->to_hbm->kind->write_latency_ps);
    const int64_t done_ps = packet->ready_ps;
    kbs_packet_give(&sim->packets, packet);
    if (op->lane->is_single)
        op->lane->free_ps = done_ps + op->acknowledge_ps;
    kbs_op_done(sim, op, done_ps);
}

/* Its last link was granted at this instant: its bursts are reserved in that order. */
static int64_t write_bursts(kbs_sim *sim, const kbs_op *op, kbs_packet *packet) {
    const kbs_route *route = op->train.route;
    const kbs_runs runs = kbs_runs_of(&op->shape->common.operands[0], op->offsets[0]);
    const kbs_part part = {&runs, packet->first_byte, packet->bytes, route->links[0]->flit_bytes,
                           op->train.who};
    const uint32_t slope_count = kbs_packet_slopes(packet, sim->slopes);
    return kbs_hbm_write(&sim->engine, route->to_hbm, &part, sim->slopes, slope_count, packet->tail_ps,
                         &packet->write);
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    kbs_op *op = op_of(train);
    kbs_lane *lane = op->lane;
    kbs_sim *sim = lane->pe->sim;
    if (train->route->to_hbm != NULL)
        seen_ps = write_bursts(sim, op, packet);
    packet->ready_ps = seen_ps; /* at last it is ready for everyone */
    op->bytes_seen += packet->bytes;
    add_return(sim, &lane->flight, seen_ps + op->acknowledge_ps);
    keep_latest(sim, op, packet);
    if (op->bytes_seen == op->bytes)
        finish(sim, op);
    if (lane->is_stalled || (lane->is_single && !lane->begun))
        go_on(lane);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Queues between PEs in time; see ipcq.h. */
#include "pe/ipcq.h"

#include <assert.h>
#include <inttypes.h>

#include "run/counters.h"

static void find_access(kbs_ipcq *q, const kbs_machine *machine) {
    const uint64_t figures[][2] = {
        [KBS_RING_TCM] = {machine->at.ipcq_tcm_gbps, machine->at.ipcq_tcm_ns},
        [KBS_RING_SRAM] = {machine->at.ipcq_sram_gbps, machine->at.ipcq_sram_ns},
        [KBS_RING_HBM] = {machine->at.ipcq_hbm_gbps, machine->at.ipcq_hbm_ns},
    };
    q->access_rate = kbs_rate_of_gbps(figures[machine->at.ipcq_ring][0]);
    q->access_ps = kbs_ps_of_ns(figures[machine->at.ipcq_ring][1]);
    q->settled_ps = q->access_ps;
}

kb_status kbs_ipcq_init(kbs_sim *sim, uint32_t id, kb_trail *trail) {
    kbs_ipcq *q = &sim->queues[id];
    const kbs_machine *machine = sim->program->machine;
    q->queue = &sim->program->queues[id];
    q->id = id;
    if (machine->at.ipcq_backpressure == KBS_PRESSURE_POLL)
        q->poll_ps = kbs_ps_of_ns(machine->at.ipcq_poll_ns);
    find_access(q, machine);
    /* A ring that is longer than what is ever sent on it needs no more places than that. */
    const uint64_t most = q->queue->sent > q->queue->received ? q->queue->sent : q->queue->received;
    q->places = (uint32_t)(most < q->queue->slots ? most + 1 : q->queue->slots);
    void *memory;
    KB_TRY(kb_arena_new_in_lines(&sim->arena, q->places * sizeof(kbs_slot), &memory, trail));
    q->slots = memory;
    for (uint32_t i = 0; i < q->places; i++)
        q->slots[i].seen_ps = KBS_UNKNOWN;
    return KB_OK;
}

static kbs_slot *next_slot(const kbs_ipcq *q, uint32_t *place) {
    kbs_slot *slot = &q->slots[*place];
    *place = *place + 1 == q->places ? 0 : *place + 1;
    return slot;
}

/* How long after `there_ps` someone who has looked since `looks_ps` notices. */
static int64_t until_look_ps(const kbs_ipcq *q, int64_t looks_ps, int64_t there_ps) {
    if (q->poll_ps == 0 || there_ps <= looks_ps)
        return 0;
    const int64_t over_ps = (there_ps - looks_ps) % q->poll_ps;
    return over_ps == 0 ? 0 : q->poll_ps - over_ps;
}

/* An op waited for something on this queue, and perhaps for the look that found it. */
static void note_waiting(kbs_sim *sim, const kbs_ipcq *q, kbs_op *op, uint16_t cause, int64_t waited_ps,
                         kbs_who who, int64_t look_ps) {
    kbs_op_note(sim, op,
                &(kbs_note){.ps = waited_ps,
                            .cause = cause,
                            .resource = KB_RESOURCE_QUEUE,
                            .blames = true,
                            .id = q->id,
                            .who = who});
    kbs_op_note(
        sim, op,
        &(kbs_note){.ps = look_ps, .cause = KB_CAUSE_POLL, .resource = KB_RESOURCE_QUEUE, .id = q->id});
}

/* --- packets --------------------------------------------------------------------------------- */

static kbs_op *op_of(kbs_train *train) {
    return (kbs_op *)(void *)((char *)train - offsetof(kbs_op, train));
}

static void inject(kbs_sim *sim, kbs_op *op, int64_t at_ps) {
    kbs_packet *packet;
    const kb_status status = kbs_packet_take(&sim->packets, &packet, &sim->trail);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return;
    }
    const uint64_t left = op->bytes - op->bytes_injected, most = sim->costs.packet_bytes;
    const uint32_t bytes = (uint32_t)(left < most ? left : most);
    op->bytes_injected += bytes;
    kbs_packet_inject(&sim->engine, packet, &op->train, op->packets_injected++, bytes, at_ps);
}

/* The packets before the last one, and then that one's own way: all from `begin_ps` until it is visible. */
static void note_way(kbs_sim *sim, kbs_op *op, const kbs_packet *packet, int64_t begin_ps) {
    kbs_op_note(sim, op,
                &(kbs_note){.ps = packet->injected_ps - begin_ps,
                            .cause = KB_CAUSE_SERIALISATION,
                            .resource = KB_RESOURCE_LINK,
                            .id = op->train.route->links[0]->id});
    kbs_op_note_packet(sim, op, packet);
}

/* --- the producer's end ---------------------------------------------------------------------- */

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps);
static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps);

/*
 * What a copy pays between its start and its first packet, where its source does not lie in the TCM. A
 * message that is sent on pays the access of its slot. A tensor in HBM is asked for when the copy is handed
 * over, so that of a read's latency only what is left counts. Ports of TCM and SRAM are links of the route.
 */
static int64_t fetch_ps(const kbs_sim *sim, const kbs_ipcq *q, const kbs_op *op) {
    const kbs_common *common = &op->shape->common;
    if (common->route == KB_NONE)
        return 0;
    if (!common->distant)
        return q->access_ps;
    if (sim->program->defs.memories[common->operands[1].memory].space != KB_SPACE_HBM)
        return 0;
    const int64_t there_ps = op->ready_ps + sim->program->fabric.hbm_kind.read_latency_ps;
    return kbs_later(there_ps - op->record.start_ps, 0);
}

/* Its time from being handed over to its start: the line before it, its credit, the look that finds it. */
static void begin_copy(kbs_sim *sim, kbs_ipcq *q, kbs_op *op, int64_t credit_ps, uint64_t release) {
    const int64_t turn_ps = kbs_later(op->ready_ps, q->free_ps);
    const int64_t waited_ps = kbs_later(credit_ps - turn_ps, 0);
    const int64_t look_ps = until_look_ps(q, turn_ps, credit_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = turn_ps - op->ready_ps,
                            .cause = KB_CAUSE_ENGINE_BUSY,
                            .resource = KB_RESOURCE_ENGINE,
                            .blames = true,
                            .id = op->engine,
                            .who = q->holder});
    note_waiting(sim, q, op, KB_CAUSE_CREDIT, waited_ps, (kbs_who){q->queue->consumer_rank, release},
                 look_ps);
    op->record.start_ps = turn_ps + waited_ps + look_ps;
    kbs_count_slots(sim, q->id, op->record.start_ps, 1);
    const int64_t read_ps = fetch_ps(sim, q, op);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = read_ps,
                            .cause = KB_CAUSE_HBM_LATENCY,
                            .resource = KB_RESOURCE_MEMORY,
                            .id = op->shape->common.operands[1].memory});
    inject(sim, op, op->record.start_ps + read_ps);
}

/* Starts the first copy in line if its credit is there. */
static void start_with_credit(kbs_sim *sim, kbs_ipcq *q) {
    kbs_op *op = q->first;
    const kbs_slot *slot = &q->slots[q->first_place];
    int64_t credit_ps = 0;
    if (op->record.sequence >= q->queue->slots) {
        if (op->record.sequence - q->queue->slots >= q->credits)
            return;
        credit_ps = slot->credit_ps;
        kbs_op_claim(sim, op,
                     &(kb_claim){q->queue->consumer_rank, KB_ROLE_CREDIT, KB_POINT_DONE, KB_SET_ONE, 0},
                     slot->release);
    }
    next_slot(q, &q->first_place);
    q->first = op->behind;
    q->sending = op;
    q->started++;
    begin_copy(sim, q, op, credit_ps, slot->release);
    if (!op->shape->common.continues)
        kbs_line_begin(&q->line, op->pe, op->record.start_ps);
}

/* Starts the first copy in line if nothing holds it back; asked whenever something of that has changed. */
static inline void start_first(kbs_sim *sim, kbs_ipcq *q) {
    if (q->first != NULL && q->sending == NULL)
        start_with_credit(sim, q);
}

bool kbs_ipcq_send(kbs_pe *pe, kbs_op *op) {
    kbs_sim *sim = pe->sim;
    kbs_ipcq *q = kbs_ipcq_of(sim, op);
    const kbs_common *common = &op->shape->common;
    if (!common->continues && !kbs_line_enter(&q->line, pe, op->ready_ps))
        return false;
    const kbs_route *route = q->queue->route;
    if (common->route != KB_NONE) /* of a source that does not lie in the TCM */
        route = sim->program->fabric.routes[common->route];
    op->record.sequence = q->copies++;
    op->route = route->id;
    kbs_op_moves(op, &(kbs_train){{op->rank, op->record.index}, route, KBS_CHANNEL_QUEUE, on_sent, on_seen});
    op->bytes = kbs_operand_bytes(&common->operands[1]);
    if (q->first == NULL)
        q->first = op;
    else
        q->last->behind = op;
    q->last = op;
    start_first(sim, q);
    return true;
}

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps) {
    (void)packet;
    kbs_op *op = op_of(train);
    kbs_sim *sim = op->pe->sim;
    if (op->bytes_injected < op->bytes) {
        inject(sim, op, sent_ps);
        return;
    }
    kbs_ipcq *q = kbs_ipcq_of(sim, op);
    q->sending = NULL;
    q->free_ps = sent_ps;
    q->holder = train->who;
    kbs_op_sent(sim, op, sent_ps);
    start_first(sim, q);
}

/* --- the consumer's end ---------------------------------------------------------------------- */

static void refuse_mismatch(kbs_sim *sim, const kbs_ipcq *q, const kbs_op *op, const kbs_slot *slot) {
    const kbs_common *common = &op->shape->common;
    const char *file = kb_defs_text(&sim->program->defs, common->file);
    char name[KBS_QUEUE_NAME_CHARS];
    kbs_sim_fail(sim, kb_fail(&sim->trail, KB_E_PROGRAM,
                              "%s:%u: rank %u receives %" PRIu64 " x %s, and rank %u sent %" PRIu64
                              " x %s (message slot %" PRIu64 " of queue %s)",
                              file, common->line, op->rank, common->operands[0].shape[0],
                              kb_word_name(KB_VOC_DTYPE, common->operands[0].dtype), q->queue->producer_rank,
                              slot->elements, kb_word_name(KB_VOC_DTYPE, slot->dtype), op->record.sequence,
                              kbs_queue_name(q->queue, name)));
}

static void finish_receive(kbs_sim *sim, kbs_ipcq *q, kbs_op *op) {
    kbs_slot *slot = next_slot(q, &q->receive_place);
    const kb_operand *operand = &op->shape->common.operands[0];
    if (slot->elements != operand->shape[0] || slot->dtype != operand->dtype) {
        refuse_mismatch(sim, q, op, slot);
        return;
    }
    const kbs_who copy = {q->queue->producer_rank, slot->copy};
    const int64_t waited_ps = kbs_later(slot->seen_ps - op->ready_ps, 0);
    const int64_t look_ps = until_look_ps(q, op->ready_ps, slot->seen_ps);
    note_waiting(sim, q, op, KB_CAUSE_RING_EMPTY, waited_ps, copy, look_ps);
    op->record.start_ps = op->ready_ps + waited_ps + look_ps;
    kbs_op_claim(sim, op, &(kb_claim){copy.rank, KB_ROLE_COPY, KB_POINT_DONE, KB_SET_ONE, 0}, copy.op);
    slot->seen_ps = KBS_UNKNOWN; /* the place is the next lap's */
    kbs_op_end(sim, op, op->record.start_ps);
}

/* The time in which a message settles in its slot. */
static int64_t settling_ps(kbs_ipcq *q, uint64_t bytes) {
    if (bytes != q->settled_bytes) { /* most are as long as the one before */
        q->settled_bytes = bytes;
        q->settled_ps = q->access_ps + kbs_time_at(bytes, q->access_rate);
    }
    return q->settled_ps;
}

static void settle(kbs_sim *sim, kbs_op *op, const kbs_packet *packet, int64_t seen_ps) {
    kbs_ipcq *q = kbs_ipcq_of(sim, op);
    const kbs_common *common = &op->shape->common;
    const kb_operand *operand = &common->operands[0];
    const int64_t settling = settling_ps(q, op->bytes);
    note_way(sim, op, packet, op->record.start_ps + fetch_ps(sim, q, op));
    kbs_op_note(
        sim, op,
        &(kbs_note){
            .ps = settling, .cause = KB_CAUSE_COMMIT, .resource = KB_RESOURCE_MEMORY, .id = operand->memory});
    const uint64_t sequence = op->record.sequence;
    kbs_slot *slot = &q->slots[sequence % q->places]; /* what is sent on may overtake what leaves the TCM */
    slot->seen_ps = seen_ps + settling;
    slot->copy = op->record.index;
    slot->elements = operand->shape[0];
    slot->dtype = operand->dtype;
    kbs_op_done(sim, op, slot->seen_ps);
    kbs_op *receiver = q->receiver;
    if (receiver != NULL && receiver->record.sequence == sequence) {
        q->receiver = NULL;
        finish_receive(sim, q, receiver);
    }
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    kbs_op *op = op_of(train);
    kbs_sim *sim = op->pe->sim;
    op->bytes_seen += packet->bytes;
    if (op->bytes_seen == op->bytes)
        settle(sim, op, packet, seen_ps);
    kbs_packet_give(&sim->packets, packet);
}

bool kbs_ipcq_receive(kbs_pe *pe, kbs_op *op) {
    kbs_ipcq *q = kbs_ipcq_of(pe->sim, op);
    op->record.sequence = q->receives++;
    if (q->slots[q->receive_place].seen_ps == KBS_UNKNOWN)
        q->receiver = op;
    else
        finish_receive(pe->sim, q, op);
    return true;
}

/* --- credits --------------------------------------------------------------------------------- */

/* The credit's time is known. They come in the order of their releases. */
static void credit(kbs_sim *sim, kbs_ipcq *q, kbs_op *op, int64_t done_ps) {
    kbs_count_slots(sim, q->id, done_ps, -1);
    assert(op->record.sequence == q->credits);
    kbs_slot *slot = next_slot(q, &q->release_place);
    slot->credit_ps = done_ps;
    slot->release = op->record.index;
    q->credits++;
    kbs_op_done(sim, op, done_ps);
    start_first(sim, q);
}

static void on_credit_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps) {
    (void)packet;
    kbs_op *op = op_of(train);
    if (op->bytes_injected < op->bytes)
        inject(op->pe->sim, op, sent_ps);
    else
        kbs_op_sent(op->pe->sim, op, sent_ps);
}

static void on_credit_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    kbs_op *op = op_of(train);
    kbs_sim *sim = op->pe->sim;
    op->bytes_seen += packet->bytes;
    if (op->bytes_seen == op->bytes) {
        note_way(sim, op, packet, op->record.start_ps);
        credit(sim, kbs_ipcq_of(sim, op), op, seen_ps);
    }
    kbs_packet_give(&sim->packets, packet);
}

bool kbs_ipcq_release(kbs_pe *pe, kbs_op *op) {
    kbs_sim *sim = pe->sim;
    kbs_ipcq *q = kbs_ipcq_of(sim, op);
    const kbs_queue *queue = q->queue;
    op->record.sequence = q->releases++;
    op->record.start_ps = op->ready_ps;
    const uint64_t bytes = sim->program->machine->at.ipcq_credit_bytes;
    if (queue->back != NULL && bytes > 0) {
        op->route = queue->back->id;
        kbs_op_moves(op, &(kbs_train){{op->rank, op->record.index},
                                      queue->back,
                                      KBS_CHANNEL_QUEUE,
                                      on_credit_sent,
                                      on_credit_seen});
        op->bytes = bytes;
        inject(sim, op, op->record.start_ps);
        return true;
    }
    kbs_op_took(sim, op, KB_CAUSE_SERIALISATION, queue->credit_time_ps);
    kbs_op_took(sim, op, KB_CAUSE_HOP, queue->credit_latency_ps);
    kbs_op_sent(sim, op, op->record.start_ps);
    credit(sim, q, op, op->record.start_ps + queue->credit_time_ps + queue->credit_latency_ps);
    return true;
}

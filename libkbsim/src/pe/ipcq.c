/* SPDX-License-Identifier: Apache-2.0 */
/* Queues between PEs in time; see ipcq.h. */
#include "pe/ipcq.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

kb_status kbs_ipcq_init(kbs_sim *sim, uint32_t id, kb_trail *trail) {
    kbs_ipcq *q = &sim->queues[id];
    q->queue = &sim->program->queues[id];
    q->id = id;
    /* A ring that is longer than what is ever sent on it needs no more places than that. */
    const uint64_t most = q->queue->sent > q->queue->received ? q->queue->sent : q->queue->received;
    const uint64_t places = most < q->queue->slots ? most + 1 : q->queue->slots;
    q->places = (uint32_t)places;
    void *memory;
    KB_TRY(kb_arena_new(&sim->arena, places * sizeof q->released[0], &memory, trail));
    q->released = memory;
    KB_TRY(kb_arena_new(&sim->arena, places * sizeof q->seen[0], &memory, trail));
    q->seen = memory;
    for (uint64_t i = 0; i < places; i++)
        q->seen[i].done_ps = KBS_UNKNOWN;
    return KB_OK;
}

kbs_ipcq *kbs_ipcq_of(kbs_sim *sim, const kbs_op *op) {
    return &sim->queues[op->shape->common.queue];
}

/* --- the producer's end ---------------------------------------------------------------------- */

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps);
static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps);

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

/* Its time from being handed over to its start: the line before it, then its credit. */
static void note_start(kbs_sim *sim, const kbs_ipcq *q, kbs_op *op, int64_t credit_ps, uint64_t release) {
    const int64_t turn_ps = kbs_later(op->ready_ps, q->free_ps);
    op->start_ps = kbs_later(turn_ps, credit_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = turn_ps - op->ready_ps,
                            .cause = KB_CAUSE_ENGINE_BUSY,
                            .resource = KB_RESOURCE_ENGINE,
                            .blames = true,
                            .id = op->engine,
                            .who = q->holder});
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->start_ps - turn_ps,
                            .cause = KB_CAUSE_CREDIT,
                            .resource = KB_RESOURCE_QUEUE,
                            .blames = true,
                            .id = q->id,
                            .who = {q->queue->consumer, release}});
}

/* Starts the first copy in line if nothing holds it back. */
static void start_first(kbs_sim *sim, kbs_ipcq *q) {
    kbs_op *op = q->first;
    if (op == NULL || q->sending != NULL)
        return;
    int64_t credit_ps = 0;
    uint64_t release = 0;
    if (op->sequence >= q->queue->slots) {
        const uint64_t needed = op->sequence - q->queue->slots;
        if (needed >= q->credits)
            return;
        credit_ps = q->released[needed % q->places].done_ps;
        release = q->released[needed % q->places].op;
        kbs_op_claim(sim, op, &(kb_claim){q->queue->consumer, KB_ROLE_CREDIT, KB_POINT_DONE, KB_SET_ONE, 0},
                     release);
    }
    note_start(sim, q, op, credit_ps, release);
    q->first = op->behind;
    q->sending = op;
    if (!op->shape->common.joined) {
        q->waiting--;
        kbs_pe_room(op->pe, q, op->start_ps);
    }
    inject(sim, op, op->start_ps);
}

bool kbs_ipcq_send(kbs_pe *pe, kbs_op *op) {
    kbs_sim *sim = pe->sim;
    kbs_ipcq *q = kbs_ipcq_of(sim, op);
    const bool joined = op->shape->common.joined;
    if (!joined && q->waiting >= sim->costs.depth) {
        pe->full = q;
        return false;
    }
    op->sequence = q->copies++;
    op->bytes = kbs_operand_bytes(&op->shape->common.operands[1]);
    const uint32_t other = op->shape->common.route; /* of a source that does not lie in the TCM */
    const kbs_route *route = other != KB_NONE ? sim->program->fabric.routes[other] : q->queue->route;
    op->route = route->id;
    op->train = (kbs_train){{op->rank, op->index}, route, KBS_CHANNEL_QUEUE, on_sent, on_seen};
    op->behind = NULL;
    if (q->first == NULL)
        q->first = op;
    else
        q->last->behind = op;
    q->last = op;
    q->waiting += !joined;
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

static void refuse_mismatch(kbs_sim *sim, const kbs_ipcq *q, const kbs_op *op, const kbs_seen *seen) {
    const kbs_common *common = &op->shape->common;
    const char *file = kb_defs_text(&sim->program->defs, common->file);
    char name[KBS_QUEUE_NAME_CHARS];
    kbs_sim_fail(sim, kb_fail(&sim->trail, KB_E_PROGRAM,
                              "%s:%u: rank %u receives %" PRIu64 " x %s, and rank %u sent %" PRIu64
                              " x %s (message slot %" PRIu64 " of queue %s)",
                              file, common->line, op->rank, common->operands[0].shape[0],
                              kb_word_name(KB_VOC_DTYPE, common->operands[0].dtype), q->queue->producer,
                              seen->elements, kb_word_name(KB_VOC_DTYPE, seen->dtype), op->sequence,
                              kbs_queue_name(q->queue, name)));
}

static void finish_receive(kbs_sim *sim, kbs_ipcq *q, kbs_op *op) {
    kbs_seen *seen = &q->seen[op->sequence % q->places];
    const kb_operand *slot = &op->shape->common.operands[0];
    if (seen->elements != slot->shape[0] || seen->dtype != slot->dtype) {
        refuse_mismatch(sim, q, op, seen);
        return;
    }
    const kbs_who copy = {q->queue->producer, seen->op};
    op->start_ps = kbs_later(op->ready_ps, seen->done_ps);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->start_ps - op->ready_ps,
                            .cause = KB_CAUSE_RING_EMPTY,
                            .resource = KB_RESOURCE_QUEUE,
                            .blames = true,
                            .id = q->id,
                            .who = copy});
    kbs_op_claim(sim, op, &(kb_claim){copy.rank, KB_ROLE_COPY, KB_POINT_DONE, KB_SET_ONE, 0}, copy.op);
    seen->done_ps = KBS_UNKNOWN; /* the place is the next lap's */
    kbs_op_sent(sim, op, op->start_ps);
    kbs_op_done(sim, op, op->start_ps);
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    kbs_op *op = op_of(train);
    kbs_sim *sim = op->pe->sim;
    op->bytes_seen += packet->bytes;
    if (op->bytes_seen == op->bytes) {
        kbs_ipcq *q = kbs_ipcq_of(sim, op);
        const kb_operand *slot = &op->shape->common.operands[0];
        const int64_t commit_ps = sim->costs.slot_ps + kbs_time_at(op->bytes, sim->costs.slot_rate);
        const int64_t done_ps = seen_ps + commit_ps;
        kbs_op_note(sim, op,
                    &(kbs_note){.ps = packet->injected_ps - op->start_ps,
                                .cause = KB_CAUSE_SERIALISATION,
                                .resource = KB_RESOURCE_LINK,
                                .id = op->train.route->links[0]->id});
        kbs_op_note_packet(sim, op, packet);
        kbs_op_note(sim, op,
                    &(kbs_note){.ps = commit_ps,
                                .cause = KB_CAUSE_COMMIT,
                                .resource = KB_RESOURCE_MEMORY,
                                .id = slot->memory});
        const uint64_t sequence = op->sequence;
        q->seen[sequence % q->places] = (kbs_seen){done_ps, op->index, slot->shape[0], slot->dtype};
        kbs_op_done(sim, op, done_ps);
        if (q->receiver != NULL && q->receiver->sequence == sequence) {
            kbs_op *receiver = q->receiver;
            q->receiver = NULL;
            finish_receive(sim, q, receiver);
        }
    }
    kbs_packet_give(&sim->packets, packet);
}

void kbs_ipcq_receive(kbs_pe *pe, kbs_op *op) {
    kbs_ipcq *q = kbs_ipcq_of(pe->sim, op);
    op->sequence = q->receives++;
    if (q->seen[op->sequence % q->places].done_ps == KBS_UNKNOWN)
        q->receiver = op;
    else
        finish_receive(pe->sim, q, op);
}

void kbs_ipcq_release(kbs_pe *pe, kbs_op *op) {
    kbs_sim *sim = pe->sim;
    kbs_ipcq *q = kbs_ipcq_of(sim, op);
    op->sequence = q->releases++;
    op->start_ps = op->ready_ps;
    const int64_t done_ps = op->ready_ps + q->queue->credit_latency_ps + q->queue->credit_time_ps;
    kbs_op_took(sim, op, KB_CAUSE_SERIALISATION, q->queue->credit_time_ps);
    kbs_op_took(sim, op, KB_CAUSE_HOP, q->queue->credit_latency_ps);
    q->released[op->sequence % q->places].done_ps = done_ps;
    q->released[op->sequence % q->places].op = op->index;
    q->credits++;
    kbs_op_sent(sim, op, op->start_ps);
    kbs_op_done(sim, op, done_ps);
    start_first(sim, q);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Installing queues between PEs, and what the trace says of them, of links and of routes. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/ring_slots.h"
#include "record/stream.h"

/* --- finding --------------------------------------------------------------------------------- */

/* The place of a triple in the hash; only those with numbers beyond 2^20 may be mixed into one another's. */
static size_t slot_of(const kbs_program *program, uint32_t producer, uint32_t consumer, uint32_t channel) {
    const uint64_t triple = (uint64_t)producer << 40U ^ (uint64_t)consumer << 20U ^ channel;
    size_t slot = (size_t)(triple * UINT64_C(0x9E3779B97F4A7C15) >> 32U) & (program->queue_slot_count - 1);
    for (;; slot = (slot + 1) & (program->queue_slot_count - 1)) {
        if (program->queue_slots[slot] == 0)
            return slot;
        const kbs_queue *queue = &program->queues[program->queue_slots[slot] - 1];
        if (queue->producer == producer && queue->consumer == consumer && queue->channel == channel)
            return slot;
    }
}

static kb_status grow_slots(kbs_program *program, kb_trail *trail) {
    const size_t count = program->queue_slot_count > 0 ? program->queue_slot_count * 2 : 64;
    void *slots;
    KB_TRY(kb_new_zeroed(program->alloc, count * sizeof(uint32_t), &slots, trail));
    kb_delete(program->alloc, program->queue_slots, program->queue_slot_count * sizeof(uint32_t));
    program->queue_slots = slots;
    program->queue_slot_count = count;
    for (uint32_t id = 0; id < program->queue_count; id++) {
        const kbs_queue *queue = &program->queues[id];
        program->queue_slots[slot_of(program, queue->producer, queue->consumer, queue->channel)] = id + 1;
    }
    return KB_OK;
}

/* --- installing ------------------------------------------------------------------------------ */

static kb_status check_limit(const kbs_program *program, uint32_t pe, uint32_t queues, const char *direction,
                             kb_trail *trail) {
    const uint64_t most = program->machine->at.ipcq_max_queues;
    if (queues < most)
        return KB_OK;
    return kb_fail(trail, KB_E_PROGRAM,
                   "rank %u needs a queue number %u %s, and ipcq.max_queues allows %" PRIu64
                   " in one direction (raise it by --set ipcq.max_queues=%u, or use fewer peers)",
                   kbs_rank_of(program, pe), queues + 1, direction, most, queues + 1);
}

uint32_t kbs_ring_space(const kbs_program *program) {
    static const uint32_t spaces[] = {
        [KBS_RING_TCM] = KB_SPACE_TCM, [KBS_RING_SRAM] = KB_SPACE_SRAM, [KBS_RING_HBM] = KB_SPACE_HBM};
    return spaces[program->machine->at.ipcq_ring];
}

const char *kbs_queue_name(const kbs_queue *queue, char buffer[KBS_QUEUE_NAME_CHARS]) {
    const int length = snprintf(buffer, KBS_QUEUE_NAME_CHARS, "pe%u>pe%u", queue->producer, queue->consumer);
    if (queue->channel != 0 && length > 0)
        snprintf(buffer + length, KBS_QUEUE_NAME_CHARS - (size_t)length, ".%u", queue->channel);
    return buffer;
}

/* How data and credits travel. */
static kb_status find_ways(kbs_program *program, kbs_queue *queue, kb_trail *trail) {
    const kbs_place from = kbs_tcm_of(queue->producer), to = kbs_tcm_of(queue->consumer),
                    ring = {kbs_ring_space(program), queue->consumer};
    KB_TRY(kbs_fabric_route(&program->fabric, from, ring, KBS_CHANNEL_QUEUE, &queue->route, trail));
    kbs_fabric_idle(&program->fabric, to, from, program->machine->at.ipcq_credit_bytes,
                    &queue->credit_latency_ps, &queue->credit_time_ps);
    if (program->machine->at.ipcq_credit_path != KBS_CREDIT_VC)
        return KB_OK;
    return kbs_fabric_route(&program->fabric, to, from, KBS_CHANNEL_QUEUE, &queue->back, trail);
}

static kb_status install(kbs_program *program, kbs_queue *queue, kb_trail *trail) {
    const kbs_machine *machine = program->machine;
    const uint32_t space = kbs_ring_space(program);
    char name[KBS_QUEUE_NAME_CHARS];
    const kbs_ring_slots *own = kbs_ring_slots_of(machine, kbs_queue_name(queue, name));
    queue->slots = (uint32_t)(own != NULL ? own->slots : machine->at.ipcq_slots);
    queue->slot_bytes = machine->at.ipcq_slot_bytes;
    queue->memory = kbs_memory_of(program, space, queue->consumer);
    kb_status status = kbs_program_take(program, queue->consumer, space, queue->slots * queue->slot_bytes,
                                        "a queue's ring", &queue->offset_bytes, trail);
    if (status == KB_OK)
        status = find_ways(program, queue, trail);
    if (status != KB_OK)
        status = kb_while(trail, status, "installing queue %s", name);
    return status;
}

kb_status kbs_program_queue(kbs_program *program, uint32_t producer, uint32_t consumer, uint32_t channel,
                            uint32_t *ret, kb_trail *trail) {
    if ((program->queue_count + 1) * 2 > program->queue_slot_count)
        KB_TRY(grow_slots(program, trail));
    const size_t slot = slot_of(program, producer, consumer, channel);
    if (program->queue_slots[slot] != 0) {
        *ret = program->queue_slots[slot] - 1;
        return KB_OK;
    }
    tl_stream *from = &program->streams[producer], *to = &program->streams[consumer];
    KB_TRY(check_limit(program, producer, from->queues_out, "out", trail));
    KB_TRY(check_limit(program, consumer, to->queues_in, "in", trail));
    void *queues = program->queues;
    KB_TRY(kb_grow(program->alloc, sizeof(kbs_queue), program->queue_count + 1, &program->queue_capacity,
                   &queues, trail));
    program->queues = queues;
    kbs_queue *queue = &program->queues[program->queue_count];
    *queue = (kbs_queue){.producer = producer,
                         .consumer = consumer,
                         .producer_rank = from->rank,
                         .consumer_rank = to->rank,
                         .channel = channel};
    KB_TRY(install(program, queue, trail));
    from->queues_out++;
    to->queues_in++;
    *ret = (uint32_t)program->queue_count++;
    program->queue_slots[slot] = *ret + 1;
    return KB_OK;
}

/* --- sealing --------------------------------------------------------------------------------- */

static kb_status define_queues(kbs_program *program, kb_trail *trail) {
    for (uint32_t i = 0; i < program->queue_count; i++) {
        const kbs_queue *queue = &program->queues[i];
        char name[KBS_QUEUE_NAME_CHARS];
        kbs_queue_name(queue, name);
        const kb_queue row = {.producer = kbs_pe_stream(program, queue->producer),
                              .consumer = kbs_pe_stream(program, queue->consumer),
                              .channel = queue->channel,
                              .memory = queue->memory,
                              .offset_bytes = queue->offset_bytes,
                              .slots = queue->slots,
                              .slot_bytes = queue->slot_bytes,
                              .name = name};
        uint32_t id;
        KB_TRY(kb_defs_add_queue(&program->defs, &row, &id, trail));
    }
    return KB_OK;
}

static kb_status define_routes(kbs_program *program, kb_trail *trail) {
    const kbs_fabric *fabric = &program->fabric;
    uint32_t id;
    for (size_t i = 0; i < fabric->link_count; i++) {
        const kbs_link *link = fabric->links[i];
        const kb_link row = {link->name, link->bytes_per_s, (uint64_t)link->flit_ps,
                             (uint64_t)link->latency_ps};
        KB_TRY(kb_defs_add_link(&program->defs, &row, &id, trail));
    }
    void *memory;
    KB_TRY(kb_arena_new(&program->arena, fabric->most_links * sizeof(uint32_t), &memory, trail));
    uint32_t *links = memory;
    for (size_t i = 0; i < fabric->route_count; i++) {
        const kbs_route *route = fabric->routes[i];
        for (uint32_t j = 0; j < route->link_count; j++)
            links[j] = route->links[j]->id;
        const kb_route row = {links, route->link_count};
        KB_TRY(kb_defs_add_route(&program->defs, &row, &id, trail));
    }
    return KB_OK;
}

kb_status kbs_program_seal(kbs_program *program, kb_trail *trail) {
    if (program->launch_count == 0)
        return kb_fail(trail, KB_E_PROGRAM, "the program launches nothing: there is nothing to simulate");
    program->mistake = KBS_CHECK_BARRIERS;
    KB_TRY(kbs_check_barriers(program, trail));
    program->mistake = KBS_CHECK_LENGTHS;
    KB_TRY(kbs_check_lengths(program, trail));
    program->mistake = KBS_CHECK_PROGRAM;
    KB_TRY(kbs_define_collectives(program, trail));
    KB_TRY(define_queues(program, trail));
    return define_routes(program, trail);
}

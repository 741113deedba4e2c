/* SPDX-License-Identifier: Apache-2.0 */
/* A simulation without sequencers; see bare.h. */
#include "support/fabric/bare.h"

#include <stdlib.h>
#include <string.h>

#include "run/costs.h"
#include "support/check.h"

enum { OPS_OF_PE = 1 << 20 };

void bare_set(bare *of, const char *path, const char *value) {
    check_ok(kbs_machine_set(&of->machine, path, value, "set", &of->trail), &of->trail);
}

void bare_init(bare *of) {
    kbs_program *program = &of->program;
    memset(program, 0, sizeof *program);
    check_ok(kbs_machine_check(&of->machine, &of->trail), &of->trail);
    program->machine = &of->machine;
    program->alloc = kb_alloc_heap();
    kb_arena_init(&program->arena, NULL, 0);
    check_ok(kbs_fabric_init(&program->fabric, &of->machine, &program->arena, &of->trail), &of->trail);
}

void bare_fini(bare *of) {
    kbs_fabric_fini(&of->program.fabric);
    kb_arena_fini(&of->program.arena);
}

const kbs_route *bare_route(bare *of, kbs_place from, kbs_place to, uint32_t channel) {
    const kbs_route *route;
    check_ok(kbs_fabric_route(&of->program.fabric, from, to, channel, &route, &of->trail), &of->trail);
    return route;
}

static void *take(bare *of, size_t size) {
    void *memory;
    check_ok(kb_arena_new_in_lines(&of->sim->arena, size, &memory, &of->trail), &of->trail);
    return memory;
}

void bare_start(bare *of, bool fuse) {
    const kbs_machine *machine = &of->machine;
    kbs_sim *sim = of->sim = calloc(1, sizeof *of->sim);
    assert_non_null(sim);
    kbs_engine_init(&sim->engine, sim);
    sim->program = &of->program;
    kb_trail_init(&sim->trail);
    kb_arena_init(&sim->arena, NULL, 0);
    kbs_costs_find(&sim->costs, machine);
    sim->costs.depth = OPS_OF_PE; /* nobody waits to be handed over */
    check_ok(kbs_fabric_settle(&of->program.fabric, fuse, &of->trail), &of->trail);
    const size_t most_steps = of->program.fabric.most_steps;
    sim->packets = (kbs_packets){&sim->arena, NULL, most_steps};
    sim->slopes = take(of, most_steps * sizeof(kbs_slope));
    const uint32_t pes = (uint32_t)kbs_machine_pes(machine);
    sim->ranks = take(of, pes * sizeof(kbs_rank));
    sim->pes = take(of, pes * sizeof(kbs_pe));
    for (uint32_t i = 0; i < pes; i++) {
        sim->pes[i].sim = sim;
        sim->pes[i].rank = i;
        sim->pes[i].unfinished = OPS_OF_PE; /* so that nobody looks for the end of a launch */
        kbs_dma_init(&sim->pes[i].dma, &sim->pes[i]);
    }
}

void bare_run(bare *of) {
    assert_true(kbs_engine_run(&of->sim->engine, INT64_MAX, UINT64_MAX / 2));
    check_ok(of->sim->status, &of->sim->trail);
}

/* Links and slices are again as they were before anything travelled. */
void bare_stop(bare *of) {
    const kbs_fabric *fabric = &of->program.fabric;
    for (size_t i = 0; i < fabric->link_count; i++) {
        fabric->links[i]->free_ps = 0;
        fabric->links[i]->turn = 0;
    }
    for (uint32_t pe = 0; pe < kbs_machine_pes(&of->machine); pe++) {
        kbs_hbm *slice = kbs_fabric_slice(fabric, pe);
        if (slice != NULL)
            memset(slice->channels, 0, slice->kind->channels * sizeof(kbs_hbm_channel));
    }
    kb_arena_fini(&of->sim->arena);
    free(of->sim);
}

kbs_op *bare_op(bare *of, uint32_t pe, kbs_shape *shape, uint64_t offset_bytes, int64_t ready_ps) {
    kbs_op *op = kbs_op_new(of->sim, pe, shape);
    assert_non_null(op);
    op->pe = &of->sim->pes[pe];
    op->record.issue_ps = op->ready_ps = ready_ps;
    op->offsets[0] = op->offsets[1] = offset_bytes;
    return op;
}

/* --- copies ------------------------------------------------------------------------------------ */

static void inject(bare_copy *copy, int64_t at_ps) {
    kbs_sim *sim = copy->of->sim;
    kbs_packet *packet;
    check_ok(kbs_packet_take(&sim->packets, &packet, &sim->trail), &sim->trail);
    const uint64_t left = copy->op->bytes - copy->injected, most = sim->costs.packet_bytes;
    const uint32_t bytes = (uint32_t)(left < most ? left : most);
    copy->injected += bytes;
    packet->owner = copy;
    kbs_packet_inject(&sim->engine, packet, &copy->op->train, copy->packets++, bytes, at_ps);
}

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t sent_ps) {
    (void)train;
    bare_copy *copy = packet->owner;
    if (copy->injected < copy->op->bytes)
        inject(copy, sent_ps);
    else
        kbs_op_sent(copy->of->sim, copy->op, sent_ps);
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t seen_ps) {
    (void)train;
    bare_copy *copy = packet->owner;
    kbs_sim *sim = copy->of->sim;
    if (++copy->seen == copy->packets && copy->injected == copy->op->bytes) {
        kbs_op_took(sim, copy->op, KB_CAUSE_SERIALISATION, packet->injected_ps - copy->op->record.start_ps);
        kbs_op_note_packet(sim, copy->op, packet);
        kbs_op_done(sim, copy->op, seen_ps);
    }
    kbs_packet_give(&sim->packets, packet);
}

void bare_copy_begin(bare_copy *copy, bare *of, kbs_op *op, const kbs_route *route) {
    *copy = (bare_copy){.op = op, .of = of};
    op->train = (kbs_train){{op->rank, op->record.index}, route, KBS_CHANNEL_QUEUE, on_sent, on_seen};
    inject(copy, op->record.start_ps);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The largest of a collective's bounds; see bound.h. */
#include "bound/bound.h"

#include <string.h>

#include "bound/edges.h"
#include "bound/flow.h"
#include "run/costs.h"

typedef struct finding {
    kbs_program *program;
    const kbs_machine *machine;
    kbs_edges edges;
    uint32_t element_bytes;
    kbs_peers *peers; /* as many collectives side by side as a member has PEs */
    uint32_t peer_count;
    kbs_bound best;
} finding;

static void offer(finding *f, uint64_t ps, uint32_t cut) {
    if (ps > f->best.ps)
        f->best = (kbs_bound){ps, cut};
}

/* Elements over a bandwidth in millionths of GB/s, rounded down: it is a bound from below. */
static uint64_t time_of(const finding *f, uint64_t elements, uint64_t gbps) {
    if (gbps == 0)
        return 0;
    const unsigned __int128 ps = (unsigned __int128)elements * f->element_bytes * 1000000000U / gbps;
    return ps < KB_TIME_MAX_PS ? (uint64_t)ps : KB_TIME_MAX_PS;
}

/* --- cuts into parts ------------------------------------------------------------------------- */

/* One of the parts: who of the peers at hand is there, and what flows of all peers. */
typedef struct part {
    kbs_some some;
    kbs_flow flow;
    bool counted;
} part;

/* A cut of all PEs into parts: PE by PE, cube by cube, package by package. */
typedef struct cut {
    uint32_t word; /* KB_CUT_… */
    uint32_t pes;  /* of a part */
    kbs_width (*width)(const finding *f, uint32_t part);
} cut;

/* A PE sends out of its TCM. What it gets comes by the same way back only if its rings lie there. */
static kbs_width width_of_pe(const finding *f, uint32_t pe) {
    const kbs_machine *machine = f->machine;
    const uint64_t link = machine->at.noc_link_gbps, read = machine->at.tcm_read_gbps,
                   write = machine->at.tcm_write_gbps;
    (void)pe;
    return (kbs_width){machine->at.ipcq_ring != KBS_RING_TCM ? 0
                       : write < link                        ? write
                                                             : link,
                       read < link ? read : link};
}

static kbs_width width_of_cube(const finding *f, uint32_t cube) {
    const kbs_box box = kbs_box_of_cube(&f->edges, cube);
    return kbs_edges_width(&f->edges, &box);
}

static kbs_width width_of_sip(const finding *f, uint32_t sip) {
    const kbs_box box = kbs_box_of_sip(&f->edges, sip);
    return kbs_edges_width(&f->edges, &box);
}

static void add_member(const kbs_peers *peers, uint32_t position, kbs_some *some) {
    some->count++;
    some->shares += kbs_peers_share(peers, position);
    some->has_root = some->has_root || position == peers->root;
}

/* What one collective adds to the flows of its parts; returns what crosses between them in sum. */
static uint64_t add_flows(const kbs_peers *peers, uint32_t pes, part *parts) {
    uint64_t count = 0, entering = 0, leaving = 0;
    for (uint32_t i = 0; i < peers->ranks; i++)
        add_member(peers, i, &parts[peers->pes[i] / pes].some);
    for (uint32_t i = 0; i < peers->ranks; i++) {
        part *at = &parts[peers->pes[i] / pes];
        if (at->some.count == 0)
            continue; /* was added with another member */
        const kbs_flow flow = kbs_flow_of(peers, &at->some);
        at->flow.in += flow.in;
        at->flow.out += flow.out;
        entering += flow.in;
        leaving += flow.out;
        count++;
        at->some = (kbs_some){0, 0, false};
    }
    return kbs_flow_among(peers, count, entering, leaving);
}

static void bound_by_parts(finding *f, const cut *by, part *parts) {
    uint64_t crossing = 0, gbps = 0;
    for (uint32_t p = 0; p < f->peer_count; p++)
        crossing += add_flows(&f->peers[p], by->pes, parts);
    for (uint32_t p = 0; p < f->peer_count; p++)
        for (uint32_t i = 0; i < f->peers[p].ranks; i++) {
            const uint32_t number = f->peers[p].pes[i] / by->pes;
            part *at = &parts[number];
            if (at->counted)
                continue;
            const kbs_width width = by->width(f, number);
            at->counted = true;
            gbps += width.out_gbps;
            offer(f, time_of(f, at->flow.in, width.in_gbps), by->word);
            offer(f, time_of(f, at->flow.out, width.out_gbps), by->word);
        }
    offer(f, time_of(f, crossing, gbps), by->word);
}

static kb_status find_parts(finding *f, kb_arena *arena, kb_trail *trail) {
    const uint32_t cube_pes = (uint32_t)f->machine->at.cube_pes,
                   sip_pes = cube_pes * f->edges.cube_columns * f->edges.cube_rows;
    const cut cuts[] = {{KB_CUT_PE, 1, width_of_pe},
                        {KB_CUT_CUBE, cube_pes, width_of_cube},
                        {KB_CUT_SIP, sip_pes, width_of_sip}};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        void *parts;
        const size_t count = (size_t)f->edges.sips * sip_pes / cuts[i].pes;
        KB_TRY(kb_arena_new(arena, count * sizeof(part), &parts, trail));
        bound_by_parts(f, &cuts[i], parts);
    }
    return KB_OK;
}

/* --- cuts in the middle ---------------------------------------------------------------------- */

static void bound_by_box(finding *f, const kbs_box *box) {
    const uint32_t cube_pes = (uint32_t)f->machine->at.cube_pes;
    kbs_flow flow = {0, 0};
    for (uint32_t p = 0; p < f->peer_count; p++) {
        const kbs_peers *peers = &f->peers[p];
        kbs_some some = {0, 0, false};
        for (uint32_t i = 0; i < peers->ranks; i++)
            if (kbs_box_has(&f->edges, box, peers->pes[i] / cube_pes))
                add_member(peers, i, &some);
        const kbs_flow more = kbs_flow_of(peers, &some);
        flow.in += more.in;
        flow.out += more.out;
    }
    const kbs_width width = kbs_edges_width(&f->edges, box);
    offer(f, time_of(f, flow.in, width.in_gbps), KB_CUT_BISECTION);
    offer(f, time_of(f, flow.out, width.out_gbps), KB_CUT_BISECTION);
}

/* Halves of each package, and of the system; a side of one has no middle. */
static void find_halves(finding *f) {
    const kbs_edges *edges = &f->edges;
    kbs_box half;
    for (uint32_t sip = 0; sip < edges->sips; sip++) {
        half = kbs_box_of_sip(edges, sip);
        half.cube_x.end = edges->cube_columns / 2;
        if (half.cube_x.end > 0)
            bound_by_box(f, &half);
        half = kbs_box_of_sip(edges, sip);
        half.cube_y.end = edges->cube_rows / 2;
        if (half.cube_y.end > 0)
            bound_by_box(f, &half);
    }
    const kbs_box all = {
        {0, edges->sip_columns}, {0, edges->sip_rows}, {0, edges->cube_columns}, {0, edges->cube_rows}};
    half = all;
    half.sip_x.end = edges->sip_columns / 2;
    if (half.sip_x.end > 0)
        bound_by_box(f, &half);
    half = all;
    half.sip_y.end = edges->sip_rows / 2;
    if (half.sip_y.end > 0)
        bound_by_box(f, &half);
}

/* --- one message ----------------------------------------------------------------------------- */

/* Does anybody hear of what this member has; does it hear of another's? */
static bool gives(const kbs_peers *peers, uint32_t position) {
    return peers->kind != KB_COLL_BROADCAST || position == peers->root;
}

static bool takes(const kbs_peers *peers, uint32_t position) {
    if (peers->kind == KB_COLL_REDUCE)
        return position == peers->root;
    return (peers->kind != KB_COLL_REDUCE_SCATTER && peers->kind != KB_COLL_ALL_TO_ALL) ||
           kbs_peers_share(peers, position) > 0;
}

/* From the sender's TCM into the receiver's ring; of a barrier beside the links, as credits go. */
static uint64_t message_ps(finding *f, const kbs_peers *peers, uint32_t from, uint32_t to) {
    static const uint32_t spaces[] = {
        [KBS_RING_TCM] = KB_SPACE_TCM, [KBS_RING_SRAM] = KB_SPACE_SRAM, [KBS_RING_HBM] = KB_SPACE_HBM};
    const bool is_barrier = peers->kind == KB_COLL_BARRIER;
    const uint32_t space = is_barrier ? KB_SPACE_TCM : spaces[f->machine->at.ipcq_ring];
    int64_t latency_ps, time_ps;
    kbs_fabric_idle(&f->program->fabric, kbs_tcm_of(peers->pes[from]), (kbs_place){space, peers->pes[to]},
                    is_barrier ? 0 : f->element_bytes, &latency_ps, &time_ps);
    return (uint64_t)(latency_ps + time_ps);
}

/* To whom it takes longest, and from whom to that one: any pair is a bound, and these are far apart. */
static void find_farthest(finding *f, const kbs_peers *peers) {
    const bool moves = peers->elements > 0 || peers->kind == KB_COLL_BARRIER;
    uint32_t first = 0, last = KB_NONE;
    uint64_t most = 0;
    while (first < peers->ranks && !gives(peers, first))
        first++;
    if (!moves || first == peers->ranks)
        return;
    for (uint32_t to = 0; to < peers->ranks; to++) {
        const uint64_t ps = to != first && takes(peers, to) ? message_ps(f, peers, first, to) : 0;
        if (ps > most) {
            most = ps;
            last = to;
        }
    }
    for (uint32_t from = 0; last != KB_NONE && from < peers->ranks; from++)
        if (from != last && gives(peers, from))
            offer(f, message_ps(f, peers, from, last), KB_CUT_LATENCY);
}

/* --- engines --------------------------------------------------------------------------------- */

/* (n - 1) E results in sum, of n engines; another model of theirs may be as fast as it likes. */
static void find_math(finding *f, const kbs_peers *peers, uint32_t reduce) {
    const kbs_models *models = f->program->models;
    kbs_costs costs;
    if (reduce <= KB_REDUCE_NONE || (models != NULL && models->of[KBS_COMPONENT_math].model != NULL &&
                                     !models->of[KBS_COMPONENT_math].is_standard))
        return;
    kbs_costs_find(&costs, f->machine);
    const unsigned __int128 bytes =
        (unsigned __int128)peers->elements * f->element_bytes * (peers->ranks - 1) / peers->ranks;
    const unsigned __int128 ps = bytes / costs.math_bytes * (uint64_t)costs.cycle_ps;
    offer(f, ps < KB_TIME_MAX_PS ? (uint64_t)ps : KB_TIME_MAX_PS, KB_CUT_MATH);
}

/* --- all of them ----------------------------------------------------------------------------- */

/* The PEs of the parts, which lie member by member, turned to lists of one a member. */
static kb_status find_peers(finding *f, const kb_collective *c, kb_arena *arena, kb_trail *trail) {
    const kb_defs *defs = &f->program->defs;
    const uint32_t ranks = (uint32_t)defs->groups[c->group].rank_count;
    void *peers, *pes;
    f->peer_count = (uint32_t)(c->part_count / ranks);
    KB_TRY(kb_arena_new(arena, f->peer_count * sizeof(kbs_peers), &peers, trail));
    KB_TRY(kb_arena_new(arena, c->part_count * sizeof(uint32_t), &pes, trail));
    f->peers = peers;
    for (uint32_t p = 0; p < f->peer_count; p++) {
        uint32_t *own = (uint32_t *)pes + (size_t)p * ranks;
        uint64_t elements = 0;
        for (uint32_t i = 0; i < ranks; i++) {
            const kb_part *own_part = &c->parts[(size_t)i * f->peer_count + p];
            const uint64_t count =
                c->kind == KB_COLL_BROADCAST ? own_part->output_count : own_part->input_count;
            own[i] = defs->streams[own_part->stream].pe;
            elements = count > elements ? count : elements;
        }
        f->peers[p] = (kbs_peers){c->kind, elements, ranks, c->root, own};
    }
    return KB_OK;
}

static kb_status find(finding *f, const kb_collective *c, kb_arena *arena, kb_trail *trail) {
    KB_TRY(kbs_edges_init(&f->edges, &f->program->fabric, arena, trail));
    KB_TRY(find_peers(f, c, arena, trail));
    for (uint32_t p = 0; p < f->peer_count; p++) {
        find_farthest(f, &f->peers[p]);
        find_math(f, &f->peers[p], c->reduce);
    }
    KB_TRY(find_parts(f, arena, trail));
    find_halves(f);
    return KB_OK;
}

kb_status kbs_bound_find(kbs_program *program, const kb_collective *collective, kbs_bound *ret,
                         kb_trail *trail) {
    finding f = {
        .program = program, .machine = program->machine, .element_bytes = kb_dtype_size(collective->dtype)};
    kb_arena arena;
    kb_arena_init(&arena, program->alloc, 0);
    const kb_status status = find(&f, collective, &arena, trail);
    kb_arena_fini(&arena);
    if (status == KB_OK)
        *ret = f.best;
    return status;
}

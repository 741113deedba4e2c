/* SPDX-License-Identifier: Apache-2.0 */
/* The routes that a program uses, found by their ends, and the fabric's life; see fabric.h. */
#include "fabric/fabric.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fabric/way.h"

int64_t kbs_ps_of_ns(uint64_t millionths_ns) {
    return (int64_t)((millionths_ns + 999) / 1000);
}

uint64_t kbs_rate_of_gbps(uint64_t millionths_gbps) {
    return millionths_gbps * 1000; /* 10^9 / 10^6 */
}

const char *kbs_pe_name(const kbs_machine *machine, uint32_t pe, char buffer[KBS_PE_NAME_CHARS]) {
    const uint32_t pes = (uint32_t)machine->at.cube_pes, of_sip = (uint32_t)kbs_machine_pes_of_sip(machine);
    snprintf(buffer, KBS_PE_NAME_CHARS, "sip%u.cube%u.pe%u", pe / of_sip, pe % of_sip / pes, pe % pes);
    return buffer;
}

/* --- routes ---------------------------------------------------------------------------------- */

static kb_status add_route(kbs_fabric *fabric, uint32_t link_count, kbs_route **ret, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(fabric->arena, sizeof(kbs_route) + link_count * sizeof(kbs_link *), &memory, trail));
    kbs_route *route = memory;
    route->id = (uint32_t)fabric->route_count;
    route->link_count = link_count;
    for (uint32_t i = 0; i < link_count; i++) {
        kbs_link *link = fabric->way_links[i];
        route->links[i] = link;
        route->latency_ps += link->latency_ps;
        if (i == 0 || link->flit_ps > route->narrowest->flit_ps)
            route->narrowest = link;
    }
    void *routes = fabric->routes;
    KB_TRY(kb_grow(fabric->arena->alloc, sizeof(kbs_route *), fabric->route_count + 1,
                   &fabric->route_capacity, &routes, trail));
    fabric->routes = routes;
    fabric->routes[fabric->route_count++] = route;
    if (link_count > fabric->most_links)
        fabric->most_links = link_count;
    *ret = route;
    return KB_OK;
}

static uint64_t pair_of(kbs_place from, kbs_place to) {
    enum { PE_BITS = 28, SPACE_BITS = 4 };
    const uint64_t a = (uint64_t)from.space << PE_BITS | from.pe, b = (uint64_t)to.space << PE_BITS | to.pe;
    return a << (PE_BITS + SPACE_BITS) | b;
}

/* The slot of a pair by linear probing; slots are a power of two and never more than half full. */
static size_t route_slot(const kbs_fabric *fabric, uint64_t pair) {
    size_t slot = (size_t)(pair * UINT64_C(0x9E3779B97F4A7C15) >> 20U) & (fabric->route_slot_count - 1);
    while (fabric->route_slots[slot] != 0 && fabric->route_pairs[fabric->route_slots[slot] - 1] != pair)
        slot = (slot + 1) & (fabric->route_slot_count - 1);
    return slot;
}

static kb_status grow_slots(kbs_fabric *fabric, kb_trail *trail) {
    const size_t count = fabric->route_slot_count * 2;
    void *slots;
    KB_TRY(kb_new_zeroed(fabric->arena->alloc, count * sizeof(uint32_t), &slots, trail));
    kb_delete(fabric->arena->alloc, fabric->route_slots, fabric->route_slot_count * sizeof(uint32_t));
    fabric->route_slots = slots;
    fabric->route_slot_count = count;
    for (size_t i = 0; i < fabric->route_count; i++)
        fabric->route_slots[route_slot(fabric, fabric->route_pairs[i])] = (uint32_t)i + 1;
    return KB_OK;
}

/* The slice at a place; NULL where another memory is. */
static kb_status find_slice(kbs_fabric *fabric, kbs_place place, kbs_hbm **ret, kb_trail *trail) {
    if (place.space != KB_SPACE_HBM)
        return KB_OK;
    const uint64_t pes = fabric->machine->at.cube_pes;
    kbs_hbm ***cube = &fabric->slices[place.pe / pes];
    if (*cube == NULL) {
        void *memory;
        KB_TRY(kb_arena_new(fabric->arena, pes * sizeof(kbs_hbm *), &memory, trail));
        *cube = memory;
    }
    kbs_hbm **slice = &(*cube)[place.pe % pes];
    if (*slice == NULL)
        KB_TRY(kbs_hbm_create(&fabric->hbm_kind, fabric->arena, slice, trail));
    *ret = *slice;
    return KB_OK;
}

kbs_hbm *kbs_fabric_slice(const kbs_fabric *fabric, uint32_t pe) {
    const uint64_t pes = fabric->machine->at.cube_pes;
    kbs_hbm *const *cube = fabric->slices[pe / pes];
    return cube != NULL ? cube[pe % pes] : NULL;
}

static kb_status find_route(kbs_fabric *fabric, kbs_place from, kbs_place to, kbs_route **ret,
                            kb_trail *trail) {
    const uint64_t pair = pair_of(from, to);
    size_t slot = route_slot(fabric, pair);
    if (fabric->route_slots[slot] != 0) {
        *ret = fabric->routes[fabric->route_slots[slot] - 1];
        return KB_OK;
    }
    if ((fabric->route_count + 1) * 2 > fabric->route_slot_count) {
        KB_TRY(grow_slots(fabric, trail));
        slot = route_slot(fabric, pair);
    }
    void *pairs = fabric->route_pairs;
    KB_TRY(kb_grow(fabric->arena->alloc, sizeof(uint64_t), fabric->route_count + 1,
                   &fabric->route_pair_capacity, &pairs, trail));
    fabric->route_pairs = pairs;
    uint32_t link_count = 0;
    KB_TRY(kbs_way_find(fabric, from, to, &link_count, trail));
    KB_TRY(add_route(fabric, link_count, ret, trail));
    KB_TRY(find_slice(fabric, from, &(*ret)->from_hbm, trail));
    KB_TRY(find_slice(fabric, to, &(*ret)->to_hbm, trail));
    uint64_t back_gbps;
    kbs_way_measure(fabric, to, from, &(*ret)->back_ps, &back_gbps);
    fabric->route_pairs[fabric->route_count - 1] = pair;
    fabric->route_slots[slot] = (uint32_t)fabric->route_count;
    return KB_OK;
}

kb_status kbs_fabric_route(kbs_fabric *fabric, kbs_place from, kbs_place to, uint32_t channel,
                           const kbs_route **ret, kb_trail *trail) {
    assert(from.pe < kbs_machine_pes(fabric->machine) && to.pe < kbs_machine_pes(fabric->machine) &&
           channel < KBS_CHANNELS);
    kbs_route *route;
    KB_TRY(find_route(fabric, from, to, &route, trail));
    route->channels |= 1U << channel;
    *ret = route;
    return KB_OK;
}

void kbs_fabric_idle(kbs_fabric *fabric, kbs_place from, kbs_place to, uint64_t bytes,
                     int64_t *ret_latency_ps, int64_t *ret_time_ps) {
    uint64_t least_gbps;
    kbs_way_measure(fabric, from, to, ret_latency_ps, &least_gbps);
    kbs_link narrowest;
    kbs_link_init(&narrowest, kbs_rate_of_gbps(least_gbps), (uint32_t)fabric->machine->at.fabric_flit_bytes,
                  0);
    *ret_time_ps = kbs_link_time(&narrowest, bytes);
}

kb_status kbs_fabric_settle(kbs_fabric *fabric, bool fuse, kb_trail *trail) {
    KB_TRY(kbs_routes_settle(fabric->routes, fabric->route_count, fuse, fabric->arena, trail));
    for (size_t i = 0; i < fabric->route_count; i++)
        if (fabric->routes[i]->step_count > fabric->most_steps)
            fabric->most_steps = fabric->routes[i]->step_count;
    return KB_OK;
}

/* --- life ------------------------------------------------------------------------------------ */

kb_status kbs_fabric_init(kbs_fabric *fabric, const kbs_machine *machine, kb_arena *arena, kb_trail *trail) {
    enum { FIRST_SLOTS = 64 };
    memset(fabric, 0, sizeof *fabric);
    fabric->machine = machine;
    fabric->arena = arena;
    kbs_floorplan_init(&fabric->plan, kbs_columns(machine->at.cube_routers),
                       kbs_rows(machine->at.cube_routers));
    void *memory;
    KB_TRY(kb_arena_new(arena, machine->at.cube_pes * sizeof(kbs_cell), &memory, trail));
    fabric->pe_cells = memory;
    kbs_floorplan_place(&fabric->plan, (uint32_t)machine->at.cube_pes, fabric->pe_cells);
    kbs_hbm_kind_init(&fabric->hbm_kind, machine);
    const size_t cubes = kbs_machine_pes(machine) / machine->at.cube_pes;
    KB_TRY(kb_arena_new(arena, cubes * sizeof(kbs_hbm **), &memory, trail));
    fabric->slices = memory;
    KB_TRY(kb_arena_new(arena, kbs_way_parts(fabric) * sizeof(kbs_link **), &memory, trail));
    fabric->places = memory;
    fabric->way_capacity = kbs_way_most_links(machine);
    KB_TRY(kb_arena_new(arena, fabric->way_capacity * sizeof(kbs_link *), &memory, trail));
    fabric->way_links = memory;
    KB_TRY(kb_new_zeroed(arena->alloc, FIRST_SLOTS * sizeof(uint32_t), &memory, trail));
    fabric->route_slots = memory;
    fabric->route_slot_count = FIRST_SLOTS;
    return KB_OK;
}

void kbs_fabric_fini(kbs_fabric *fabric) {
    if (fabric->arena == NULL)
        return;
    const kb_alloc *alloc = fabric->arena->alloc;
    kb_delete(alloc, fabric->links, fabric->link_capacity * sizeof(kbs_link *));
    kb_delete(alloc, fabric->routes, fabric->route_capacity * sizeof(kbs_route *));
    kb_delete(alloc, fabric->route_pairs, fabric->route_pair_capacity * sizeof(uint64_t));
    kb_delete(alloc, fabric->route_slots, fabric->route_slot_count * sizeof(uint32_t));
}

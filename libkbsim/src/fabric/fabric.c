/* SPDX-License-Identifier: Apache-2.0 */
/* Links by their place in a package, and routes over them; see fabric.h. Knows no packet. */
#include "fabric/fabric.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int64_t kbs_ps_of_ns(uint64_t millionths_ns) {
    return (int64_t)((millionths_ns + 999) / 1000);
}

uint64_t kbs_rate_of_gbps(uint64_t millionths_gbps) {
    return millionths_gbps * 1000; /* 10^9 / 10^6 */
}

const char *kbs_pe_name(const kbs_machine *machine, uint32_t pe, char buffer[KBS_PE_NAME_CHARS]) {
    const uint32_t pes = (uint32_t)machine->at.cube_pes;
    snprintf(buffer, KBS_PE_NAME_CHARS, "sip0.cube%u.pe%u", pe / pes, pe % pes);
    return buffer;
}

/* --- links ----------------------------------------------------------------------------------- */

/* Where a link begins. A place holds at most one link. */
typedef enum place_kind { READ_PORT, WRITE_PORT, INTO_MESH, OUT_OF_MESH, PE_PLACES } place_kind;
typedef enum direction { EAST, WEST, NORTH, SOUTH, DIRECTIONS } direction;

static size_t cube_count(const kbs_fabric *fabric) {
    return (size_t)kbs_columns(fabric->machine->at.sip_cubes) * kbs_rows(fabric->machine->at.sip_cubes);
}

static size_t places_of_mesh(const kbs_fabric *fabric) {
    return (size_t)fabric->plan.columns * fabric->plan.rows * DIRECTIONS;
}

static size_t places_of_cube(const kbs_fabric *fabric) {
    return fabric->machine->at.cube_pes * PE_PLACES + places_of_mesh(fabric) +
           fabric->machine->at.ucie_links * DIRECTIONS;
}

static size_t place_of_pe(const kbs_fabric *fabric, uint32_t pe, place_kind kind) {
    const uint32_t pes = (uint32_t)fabric->machine->at.cube_pes;
    return pe / pes * places_of_cube(fabric) + pe % pes * (size_t)PE_PLACES + kind;
}

static size_t place_of_router(const kbs_fabric *fabric, uint32_t cube, kbs_cell cell, direction way) {
    return cube * places_of_cube(fabric) + fabric->machine->at.cube_pes * PE_PLACES +
           ((size_t)cell.y * fabric->plan.columns + cell.x) * DIRECTIONS + way;
}

static size_t place_of_crossing(const kbs_fabric *fabric, uint32_t cube, direction way, uint32_t number) {
    return (cube + 1) * places_of_cube(fabric) - (number + 1) * (size_t)DIRECTIONS + way;
}

typedef struct link_spec {
    uint64_t gbps; /* in millionths, as the parameters */
    int64_t latency_ps;
    bool is_port;
} link_spec;

static kb_status make_link(kbs_fabric *fabric, size_t place, const link_spec *spec, kb_trail *trail,
                           const char *format, ...) KB_PRINTF(5, 6);

static kb_status make_link(kbs_fabric *fabric, size_t place, const link_spec *spec, kb_trail *trail,
                           const char *format, ...) {
    assert(place < fabric->place_count);
    if (fabric->places[place] != NULL)
        return KB_OK;
    void *memory;
    KB_TRY(kb_arena_new(fabric->arena, sizeof(kbs_link), &memory, trail));
    kbs_link *link = memory;
    kbs_link_init(link, kbs_rate_of_gbps(spec->gbps), (uint32_t)fabric->machine->at.fabric_flit_bytes,
                  spec->latency_ps);
    link->is_port = spec->is_port;
    link->id = (uint32_t)fabric->link_count;
    char name[96];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    KB_TRY(kb_arena_text(fabric->arena, name, strlen(name), &link->name, trail));
    void *links = fabric->links;
    KB_TRY(kb_grow(fabric->arena->alloc, sizeof(kbs_link *), fabric->link_count + 1, &fabric->link_capacity,
                   &links, trail));
    fabric->links = links;
    fabric->links[fabric->link_count++] = link;
    fabric->places[place] = link;
    return KB_OK;
}

static kb_status make_pe_link(kbs_fabric *fabric, uint32_t pe, place_kind kind, kb_trail *trail) {
    static const char *const names[PE_PLACES] = {
        [READ_PORT] = ".tcm.read", [WRITE_PORT] = ".tcm.write", [INTO_MESH] = ">noc", [OUT_OF_MESH] = "<noc"};
    const kbs_machine *machine = fabric->machine;
    link_spec spec = {machine->at.noc_link_gbps, 0, false};
    if (kind == READ_PORT)
        spec = (link_spec){machine->at.tcm_read_gbps, 0, true};
    else if (kind == WRITE_PORT)
        spec = (link_spec){machine->at.tcm_write_gbps, 0, true};
    else if (kind == INTO_MESH) /* a PE sits at its router: no wire, but a router is entered */
        spec.latency_ps = kbs_ps_of_ns(machine->at.noc_router_ns);
    char name[KBS_PE_NAME_CHARS];
    return make_link(fabric, place_of_pe(fabric, pe, kind), &spec, trail, "%s%s",
                     kbs_pe_name(machine, pe, name), names[kind]);
}

/* Entering the router at its end, and the wire to it; rounded once, upward. */
static int64_t mesh_latency_ps(const kbs_machine *machine, uint32_t pitches) {
    const unsigned __int128 scale = (unsigned __int128)kbs_columns(machine->at.cube_routers) * KBS_MILLION;
    const unsigned __int128 wire_fs =
        (unsigned __int128)pitches * machine->at.cube_width_mm * machine->at.noc_ns_per_mm;
    const unsigned __int128 sum = machine->at.noc_router_ns * scale + wire_fs;
    return (int64_t)((sum + scale * 1000 - 1) / (scale * 1000));
}

static direction direction_of(kbs_cell from, kbs_cell to) {
    if (from.x != to.x)
        return to.x > from.x ? EAST : WEST;
    return to.y > from.y ? SOUTH : NORTH;
}

static uint32_t apart(uint32_t a, uint32_t b) {
    return a > b ? a - b : b - a;
}

static kb_status make_mesh_link(kbs_fabric *fabric, uint32_t cube, kbs_cell from, kbs_cell to,
                                kb_trail *trail) {
    const uint32_t pitches = apart(from.x, to.x) + apart(from.y, to.y);
    const link_spec spec = {fabric->machine->at.noc_link_gbps, mesh_latency_ps(fabric->machine, pitches),
                            false};
    return make_link(fabric, place_of_router(fabric, cube, from, direction_of(from, to)), &spec, trail,
                     "sip0.cube%u.r%uc%u>r%uc%u", cube, from.y, from.x, to.y, to.x);
}

static kb_status make_crossing(kbs_fabric *fabric, uint32_t cube, uint32_t next, direction way,
                               uint32_t number, kb_trail *trail) {
    const kbs_machine *machine = fabric->machine;
    const link_spec spec = {machine->at.ucie_gbps,
                            kbs_ps_of_ns(2 * machine->at.ucie_port_ns + machine->at.noc_router_ns), false};
    return make_link(fabric, place_of_crossing(fabric, cube, way, number), &spec, trail,
                     "sip0.cube%u>cube%u.ucie%u", cube, next, number);
}

/* --- routes ---------------------------------------------------------------------------------- */

typedef struct way {
    kbs_fabric *fabric;
    uint32_t cube;
    kbs_cell at;
    uint32_t count;
    uint32_t capacity;
    kbs_link **links; /* room for any route */
    kb_trail *trail;
} way;

static void step_over(way *w, size_t place) {
    assert(w->count < w->capacity);
    w->links[w->count++] = w->fabric->places[place];
}

static kb_status walk_to(way *w, kbs_cell to) {
    kbs_cell cells[2 * KBS_SIDE_MAX];
    const uint32_t count = kbs_floorplan_walk(&w->fabric->plan, w->at, to, cells);
    for (uint32_t i = 0; i + 1 < count; i++) {
        KB_TRY(make_mesh_link(w->fabric, w->cube, cells[i], cells[i + 1], w->trail));
        step_over(w, place_of_router(w->fabric, w->cube, cells[i], direction_of(cells[i], cells[i + 1])));
    }
    w->at = to;
    return KB_OK;
}

/* To the edge, over the link, to the same row or column of the neighbouring cube. */
static kb_status cross(way *w, direction toward, uint32_t number) {
    const kbs_floorplan *plan = &w->fabric->plan;
    const uint32_t links = (uint32_t)w->fabric->machine->at.ucie_links;
    const uint8_t row = (uint8_t)kbs_floorplan_port(plan->rows, links, number);
    const uint8_t column = (uint8_t)kbs_floorplan_port(plan->columns, links, number);
    const uint8_t last_column = (uint8_t)(plan->columns - 1), last_row = (uint8_t)(plan->rows - 1);
    const kbs_cell leave[DIRECTIONS] = {{last_column, row}, {0, row}, {column, 0}, {column, last_row}};
    const kbs_cell enter[DIRECTIONS] = {{0, row}, {last_column, row}, {column, last_row}, {column, 0}};
    const uint32_t columns = kbs_columns(w->fabric->machine->at.sip_cubes);
    const uint32_t next[DIRECTIONS] = {w->cube + 1, w->cube - 1, w->cube - columns, w->cube + columns};
    KB_TRY(walk_to(w, leave[toward]));
    KB_TRY(make_crossing(w->fabric, w->cube, next[toward], toward, number, w->trail));
    step_over(w, place_of_crossing(w->fabric, w->cube, toward, number));
    w->cube = next[toward];
    w->at = enter[toward];
    return KB_OK;
}

static kb_status find_way(way *w, uint32_t from_pe, uint32_t to_pe) {
    kbs_fabric *fabric = w->fabric;
    const uint32_t pes = (uint32_t)fabric->machine->at.cube_pes;
    const uint32_t columns = kbs_columns(fabric->machine->at.sip_cubes), to_cube = to_pe / pes;
    const uint32_t number = from_pe % pes % (uint32_t)fabric->machine->at.ucie_links;
    KB_TRY(make_pe_link(fabric, from_pe, READ_PORT, w->trail));
    step_over(w, place_of_pe(fabric, from_pe, READ_PORT));
    if (from_pe != to_pe) {
        KB_TRY(make_pe_link(fabric, from_pe, INTO_MESH, w->trail));
        step_over(w, place_of_pe(fabric, from_pe, INTO_MESH));
        w->cube = from_pe / pes;
        w->at = fabric->pe_cells[from_pe % pes];
        while (w->cube % columns != to_cube % columns)
            KB_TRY(cross(w, w->cube % columns < to_cube % columns ? EAST : WEST, number));
        while (w->cube != to_cube)
            KB_TRY(cross(w, w->cube < to_cube ? SOUTH : NORTH, number));
        KB_TRY(walk_to(w, fabric->pe_cells[to_pe % pes]));
        KB_TRY(make_pe_link(fabric, to_pe, OUT_OF_MESH, w->trail));
        step_over(w, place_of_pe(fabric, to_pe, OUT_OF_MESH));
    }
    KB_TRY(make_pe_link(fabric, to_pe, WRITE_PORT, w->trail));
    step_over(w, place_of_pe(fabric, to_pe, WRITE_PORT));
    return KB_OK;
}

static kb_status add_route(kbs_fabric *fabric, const way *w, const kbs_route **ret, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(fabric->arena, sizeof(kbs_route) + w->count * sizeof(kbs_link *), &memory, trail));
    kbs_route *route = memory;
    route->id = (uint32_t)fabric->route_count;
    route->link_count = w->count;
    for (uint32_t i = 0; i < w->count; i++) {
        route->links[i] = w->links[i];
        route->latency_ps += w->links[i]->latency_ps;
        if (i == 0 || w->links[i]->flit_ps > route->narrowest->flit_ps)
            route->narrowest = w->links[i];
    }
    void *routes = fabric->routes;
    KB_TRY(kb_grow(fabric->arena->alloc, sizeof(kbs_route *), fabric->route_count + 1,
                   &fabric->route_capacity, &routes, trail));
    fabric->routes = routes;
    fabric->routes[fabric->route_count++] = route;
    if (w->count > fabric->most_links)
        fabric->most_links = w->count;
    *ret = route;
    return KB_OK;
}

/* The slot of (from, to) by linear probing; slots are a power of two and never more than half full. */
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

kb_status kbs_fabric_route(kbs_fabric *fabric, uint32_t from_pe, uint32_t to_pe, const kbs_route **ret,
                           kb_trail *trail) {
    assert(from_pe < kbs_machine_pes_of_sip(fabric->machine) &&
           to_pe < kbs_machine_pes_of_sip(fabric->machine));
    const uint64_t pair = (uint64_t)from_pe << 32U | to_pe;
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
    way w = {.fabric = fabric, .links = fabric->way_links, .capacity = fabric->way_capacity, .trail = trail};
    KB_TRY(find_way(&w, from_pe, to_pe));
    KB_TRY(add_route(fabric, &w, ret, trail));
    fabric->route_pairs[fabric->route_count - 1] = pair;
    fabric->route_slots[slot] = (uint32_t)fabric->route_count;
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
    fabric->place_count = cube_count(fabric) * places_of_cube(fabric);
    KB_TRY(kb_arena_new(arena, fabric->place_count * sizeof(kbs_link *), &memory, trail));
    fabric->places = memory;
    /* A way takes at most a walk through the mesh and one crossing a cube, and four links of PEs. */
    const uint32_t cubes_met = kbs_columns(machine->at.sip_cubes) + kbs_rows(machine->at.sip_cubes);
    fabric->way_capacity = PE_PLACES + cubes_met * (2 * KBS_SIDE_MAX + 1);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Links by their place in a system, and ways over them; see way.h and fabric.h. Knows no packet. */
#include "fabric/way.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fabric/system.h"
#include "machine/fault.h"

/* --- places of links -------------------------------------------------------------------------- */

/* Links of a PE: its TCM's ports and its own way in and out, and those of its slice of HBM. */
typedef enum pe_link { TCM_READ, TCM_WRITE, PE_IN, PE_OUT, HBM_IN, HBM_OUT, PE_LINKS } pe_link;
/* Links of a cube's SRAM, and those of its M_CPU. */
typedef enum cube_link {
    SRAM_READ,
    SRAM_WRITE,
    SRAM_IN,
    SRAM_OUT,
    M_CPU_IN,
    M_CPU_OUT,
    CUBE_LINKS
} cube_link;
typedef enum direction { EAST, WEST, NORTH, SOUTH, DIRECTIONS } direction;
/* Each of the links between cubes and IO chiplet, from there and back. */
typedef enum io_link { IO_IN, IO_OUT, IO_LINKS } io_link;
/* Links between a package and the host, behind those to its neighbours. */
typedef enum host_link { FROM_HOST = KBS_SIP_SIDES, TO_HOST, PCIE_LINKS } host_link;

/* Places of a cube: of its PEs, its SRAM and M_CPU, its routers, its ports to neighbours. */
static size_t places_of_pes(const kbs_fabric *fabric) {
    return fabric->machine->at.cube_pes * PE_LINKS;
}

static size_t places_of_mesh(const kbs_fabric *fabric) {
    return (size_t)fabric->plan.columns * fabric->plan.rows * DIRECTIONS;
}

static size_t place_of_pe(const kbs_fabric *fabric, uint32_t pe, pe_link link) {
    return pe % fabric->machine->at.cube_pes * PE_LINKS + link;
}

static size_t place_of_cube(const kbs_fabric *fabric, cube_link link) {
    return places_of_pes(fabric) + link;
}

static size_t place_of_router(const kbs_fabric *fabric, kbs_cell cell, direction way) {
    return place_of_cube(fabric, CUBE_LINKS) + ((size_t)cell.y * fabric->plan.columns + cell.x) * DIRECTIONS +
           way;
}

static size_t place_of_crossing(const kbs_fabric *fabric, direction way, uint32_t number) {
    return place_of_cube(fabric, CUBE_LINKS) + places_of_mesh(fabric) + number * (size_t)DIRECTIONS + way;
}

/* Places of an IO chiplet: of the links to its cubes, and of those to other packages. */
static size_t place_of_io(uint32_t number, io_link link) {
    return number * (size_t)IO_LINKS + link;
}

/* Of the sides of a package, and of the host. */
static size_t place_of_pcie(const kbs_fabric *fabric, uint32_t side, uint32_t number) {
    return place_of_io((uint32_t)fabric->machine->at.io_links, IO_IN) + number * (size_t)PCIE_LINKS + side;
}

static uint32_t cubes_of_sip(const kbs_machine *machine) {
    return kbs_columns(machine->at.sip_cubes) * kbs_rows(machine->at.sip_cubes);
}

/* First all cubes, then the IO chiplets. */
static size_t part_of_cube(const kbs_machine *machine, uint32_t sip, uint32_t cube) {
    return (size_t)sip * cubes_of_sip(machine) + cube;
}

static size_t part_of_io(const kbs_machine *machine, uint32_t sip) {
    return part_of_cube(machine, kbs_system_sips(machine), 0) + sip;
}

size_t kbs_way_parts(const kbs_fabric *fabric) {
    return part_of_io(fabric->machine, kbs_system_sips(fabric->machine));
}

static size_t places_of_part(const kbs_fabric *fabric, size_t part) {
    const kbs_machine *machine = fabric->machine;
    return part < part_of_io(machine, 0) ? place_of_crossing(fabric, EAST, (uint32_t)machine->at.ucie_links)
                                         : place_of_pcie(fabric, 0, (uint32_t)machine->at.pcie_links);
}

uint32_t kbs_way_most_links(const kbs_machine *machine) {
    enum { LINKS_OF_ENDS = 4, LINKS_OF_IO = 2, PACKAGES_MET = 2 };
    const uint32_t cubes_met = kbs_columns(machine->at.sip_cubes) + kbs_rows(machine->at.sip_cubes);
    /* A walk through each cube, and a crossing to the next. */
    return LINKS_OF_ENDS + LINKS_OF_IO + PACKAGES_MET * cubes_met * (2 * KBS_SIDE_MAX + 1) +
           kbs_system_most_steps(machine);
}

/* --- one step --------------------------------------------------------------------------------- */

/* A way on its way. Without `links` nothing is made, and it is only measured. */
typedef struct way {
    kbs_fabric *fabric;
    uint32_t sip, cube; /* the cube within its package */
    kbs_cell at;
    uint32_t count;
    uint32_t source; /* the PE's number in its cube: it chooses among links */
    int64_t latency_ps;
    uint64_t least_gbps; /* in millionths */
    kbs_link **links;    /* room for any route, or NULL */
    kb_trail *trail;
} way;

typedef struct link_spec {
    uint64_t gbps; /* in millionths, as the parameters */
    int64_t latency_ps;
    bool is_port, reserves;
    bool stores; /* a flit goes on when all of it is there */
} link_spec;

static kb_status step(way *w, size_t part, size_t place, const link_spec *spec, const char *format, ...)
    KB_PRINTF(5, 6);

static kb_status add_link(kbs_fabric *fabric, size_t part, size_t place, const link_spec *spec,
                          const char *name, kb_trail *trail) {
    void *memory, *links = fabric->links;
    if (fabric->places[part] == NULL) {
        const size_t size = places_of_part(fabric, part) * sizeof(kbs_link *);
        KB_TRY(kb_arena_new(fabric->arena, size, &memory, trail));
        fabric->places[part] = memory;
    }
    KB_TRY(kb_arena_new_in_lines(fabric->arena, sizeof(kbs_link), &memory, trail));
    kbs_link *link = memory;
    kbs_link_init(link, kbs_rate_of_gbps(spec->gbps), (uint32_t)fabric->machine->at.fabric_flit_bytes,
                  spec->latency_ps);
    link->is_port = spec->is_port;
    link->reserves = spec->reserves;
    link->id = (uint32_t)fabric->link_count;
    KB_TRY(kb_arena_text(fabric->arena, name, strlen(name), &link->name, trail));
    KB_TRY(kb_grow(fabric->arena->alloc, sizeof(kbs_link *), fabric->link_count + 1, &fabric->link_capacity,
                   &links, trail));
    fabric->links = links;
    fabric->links[fabric->link_count++] = link;
    fabric->places[part][place] = link;
    return KB_OK;
}

/* What a fault leaves of a link's bandwidth. */
static void slow_down(const kbs_machine *machine, const char *name, link_spec *spec) {
    const kbs_fault *fault = kbs_fault_of(machine, name, KBS_FAULT_SLOWER);
    if (fault == NULL)
        return;
    const uint64_t left = (uint64_t)((unsigned __int128)spec->gbps * KBS_MILLION / fault->value);
    spec->gbps = left > 0 ? left : 1;
}

static kb_status step(way *w, size_t part, size_t place, const link_spec *spec, const char *format, ...) {
    kbs_fabric *fabric = w->fabric;
    kbs_link *const *places = fabric->places[part];
    const bool is_new = w->links != NULL && (places == NULL || places[place] == NULL);
    link_spec own = *spec;
    char name[96];
    assert(part < kbs_way_parts(fabric) && place < places_of_part(fabric, part));
    if (is_new || fabric->machine->fault_count > 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(name, sizeof name, format, args);
        va_end(args);
        slow_down(fabric->machine, name, &own);
    }
    if (own.stores)
        own.latency_ps +=
            kbs_flit_ps(kbs_rate_of_gbps(own.gbps), (uint32_t)fabric->machine->at.fabric_flit_bytes);
    w->latency_ps += kbs_link_latency_ps(own.latency_ps);
    w->least_gbps = own.gbps < w->least_gbps ? own.gbps : w->least_gbps;
    if (w->links == NULL)
        return KB_OK;
    if (is_new)
        KB_TRY(add_link(fabric, part, place, &own, name, w->trail));
    assert(w->count < fabric->way_capacity);
    w->links[w->count++] = fabric->places[part][place];
    return KB_OK;
}

static size_t own_cube(const way *w) {
    return part_of_cube(w->fabric->machine, w->sip, w->cube);
}

/* --- ends ------------------------------------------------------------------------------------- */

static kb_status step_pe(way *w, uint32_t pe, pe_link link) {
    static const char *const names[PE_LINKS] = {".tcm.read", ".tcm.write", ">noc",
                                                "<noc",      ".hbm>noc",   ".hbm<noc"};
    const kbs_machine *machine = w->fabric->machine;
    /* A PE and its slice sit at their router: no wire, but a router is entered. */
    const int64_t enter_ps = kbs_ps_of_ns(machine->at.noc_router_ns);
    const link_spec specs[PE_LINKS] = {
        [TCM_READ] = {machine->at.tcm_read_gbps, .is_port = true},
        [TCM_WRITE] = {machine->at.tcm_write_gbps, .is_port = true},
        [PE_IN] = {machine->at.noc_link_gbps, .latency_ps = enter_ps},
        [PE_OUT] = {machine->at.noc_link_gbps, .latency_ps = 0},
        [HBM_IN] = {machine->at.noc_link_gbps, .latency_ps = enter_ps, .is_port = true},
        [HBM_OUT] = {machine->at.noc_link_gbps, .is_port = true, .reserves = true},
    };
    char name[KBS_PE_NAME_CHARS];
    return step(w, own_cube(w), place_of_pe(w->fabric, pe, link), &specs[link], "%s%s",
                kbs_pe_name(machine, pe, name), names[link]);
}

/* The M_CPU is entered and left as a PE is. */
static kb_status step_cube(way *w, cube_link link) {
    static const char *const names[CUBE_LINKS] = {"sram.read", "sram.write", "sram>noc",
                                                  "sram<noc",  "m_cpu>noc",  "m_cpu<noc"};
    const kbs_machine *machine = w->fabric->machine;
    const int64_t port_ps = kbs_ps_of_ns(machine->at.sram_ns);
    const int64_t enter_ps = kbs_ps_of_ns(machine->at.noc_router_ns);
    const link_spec specs[CUBE_LINKS] = {
        [SRAM_READ] = {machine->at.sram_gbps, port_ps, .is_port = true},
        [SRAM_WRITE] = {machine->at.sram_gbps, port_ps, .is_port = true},
        [SRAM_IN] = {machine->at.noc_link_gbps, .latency_ps = enter_ps},
        [SRAM_OUT] = {machine->at.noc_link_gbps, .latency_ps = 0},
        [M_CPU_IN] = {machine->at.noc_link_gbps, .latency_ps = enter_ps},
        [M_CPU_OUT] = {machine->at.noc_link_gbps, .latency_ps = 0},
    };
    return step(w, own_cube(w), place_of_cube(w->fabric, link), &specs[link], "sip%u.cube%u.%s", w->sip,
                w->cube, names[link]);
}

/* The router diagonal to the upper left corner of the memory in the middle: as near to all PEs as any. */
static kbs_cell sram_cell(const kbs_floorplan *plan) {
    return (kbs_cell){(uint8_t)(plan->hole_low.x - 1), (uint8_t)(plan->hole_low.y - 1)};
}

static kbs_cell cell_of(const kbs_fabric *fabric, kbs_place place) {
    if (place.space == KB_SPACE_SRAM)
        return sram_cell(&fabric->plan);
    return fabric->pe_cells[place.pe % fabric->machine->at.cube_pes];
}

/* --- the mesh --------------------------------------------------------------------------------- */

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

static kb_status walk_to(way *w, kbs_cell to) {
    const kbs_machine *machine = w->fabric->machine;
    kbs_cell cells[2 * KBS_SIDE_MAX];
    const uint32_t count = kbs_floorplan_walk(&w->fabric->plan, w->at, to, cells);
    for (uint32_t i = 0; i + 1 < count; i++) {
        const kbs_cell a = cells[i], b = cells[i + 1];
        const uint32_t pitches = apart(a.x, b.x) + apart(a.y, b.y);
        const link_spec spec = {.gbps = machine->at.noc_link_gbps,
                                .latency_ps = mesh_latency_ps(machine, pitches)};
        KB_TRY(step(w, own_cube(w), place_of_router(w->fabric, a, direction_of(a, b)), &spec,
                    "sip%u.cube%u.r%uc%u>r%uc%u", w->sip, w->cube, a.y, a.x, b.y, b.x));
    }
    w->at = to;
    return KB_OK;
}

/* To the edge, over the link, to the same row or column of the neighbouring cube. */
static kb_status cross(way *w, direction toward) {
    const kbs_floorplan *plan = &w->fabric->plan;
    const kbs_machine *machine = w->fabric->machine;
    const uint32_t links = (uint32_t)machine->at.ucie_links, number = w->source % links;
    const uint8_t row = (uint8_t)kbs_floorplan_port(plan->rows, links, number);
    const uint8_t column = (uint8_t)kbs_floorplan_port(plan->columns, links, number);
    const uint8_t last_column = (uint8_t)(plan->columns - 1), last_row = (uint8_t)(plan->rows - 1);
    const kbs_cell leave[DIRECTIONS] = {{last_column, row}, {0, row}, {column, 0}, {column, last_row}};
    const kbs_cell enter[DIRECTIONS] = {{0, row}, {last_column, row}, {column, last_row}, {column, 0}};
    const uint32_t columns = kbs_columns(machine->at.sip_cubes);
    const uint32_t next[DIRECTIONS] = {w->cube + 1, w->cube - 1, w->cube - columns, w->cube + columns};
    const link_spec spec = {.gbps = machine->at.ucie_gbps,
                            .latency_ps =
                                kbs_ps_of_ns(2 * machine->at.ucie_port_ns + machine->at.noc_router_ns)};
    KB_TRY(walk_to(w, leave[toward]));
    KB_TRY(step(w, own_cube(w), place_of_crossing(w->fabric, toward, number), &spec,
                "sip%u.cube%u>cube%u.ucie%u", w->sip, w->cube, next[toward], number));
    w->cube = next[toward];
    w->at = enter[toward];
    return KB_OK;
}

static kb_status cross_to(way *w, uint32_t to_cube) {
    const uint32_t columns = kbs_columns(w->fabric->machine->at.sip_cubes);
    while (w->cube % columns != to_cube % columns)
        KB_TRY(cross(w, w->cube % columns < to_cube % columns ? EAST : WEST));
    while (w->cube != to_cube)
        KB_TRY(cross(w, w->cube < to_cube ? SOUTH : NORTH));
    return KB_OK;
}

/* --- between packages ------------------------------------------------------------------------- */

/* Where an IO chiplet's link ends: in a cube of the first row, at a router of its upper edge. */
typedef struct io_end {
    uint32_t number, cube;
    kbs_cell cell;
} io_end;

/* Its links are spread evenly along the edge of all cubes of the first row. */
static io_end io_end_of(const kbs_fabric *fabric, uint32_t number) {
    const uint32_t edge = kbs_columns(fabric->machine->at.sip_cubes) * fabric->plan.columns;
    const uint32_t place = kbs_floorplan_port(edge, (uint32_t)fabric->machine->at.io_links, number);
    return (io_end){number, place / fabric->plan.columns, {(uint8_t)(place % fabric->plan.columns), 0}};
}

/* The link nearest to a column of cubes; of several as near the source chooses. */
static io_end nearest_io_end(const way *w, uint32_t column) {
    const uint32_t links = (uint32_t)w->fabric->machine->at.io_links;
    uint32_t nearest = UINT32_MAX, first = 0, count = 0;
    for (uint32_t i = 0; i < links; i++) {
        const uint32_t away = apart(io_end_of(w->fabric, i).cube, column);
        if (away < nearest) {
            nearest = away;
            first = i;
            count = 0;
        }
        count += away == nearest; /* these have numbers in a row */
    }
    return io_end_of(w->fabric, first + w->source % count);
}

static kb_status step_io(way *w, const io_end *end, io_link link) {
    const kbs_machine *machine = w->fabric->machine;
    const uint64_t enter_ns = link == IO_IN ? machine->at.io_noc_ns : machine->at.noc_router_ns;
    const link_spec spec = {.gbps = machine->at.ucie_gbps,
                            .latency_ps = kbs_ps_of_ns(2 * machine->at.ucie_port_ns + enter_ns)};
    const size_t part = part_of_io(machine, w->sip), place = place_of_io(end->number, link);
    return link == IO_IN
               ? step(w, part, place, &spec, "sip%u.cube%u>io.ucie%u", w->sip, end->cube, end->number)
               : step(w, part, place, &spec, "sip%u.io>cube%u.ucie%u", w->sip, end->cube, end->number);
}

static kb_status leave_sip(way *w) {
    const io_end end = nearest_io_end(w, w->cube % kbs_columns(w->fabric->machine->at.sip_cubes));
    KB_TRY(cross_to(w, end.cube));
    KB_TRY(walk_to(w, end.cell));
    return step_io(w, &end, IO_IN);
}

static kb_status enter_sip(way *w, uint32_t to_cube) {
    const io_end end = nearest_io_end(w, to_cube % kbs_columns(w->fabric->machine->at.sip_cubes));
    KB_TRY(step_io(w, &end, IO_OUT));
    w->cube = end.cube;
    w->at = end.cell;
    return KB_OK;
}

/* Two endpoints, and what is entered behind them. */
static link_spec spec_of_pcie(const kbs_machine *machine, uint64_t enter_ns) {
    return (link_spec){.gbps = machine->at.pcie_gbps,
                       .latency_ps = kbs_ps_of_ns(2 * machine->at.pcie_endpoint_ns + enter_ns),
                       .stores = true};
}

static kb_status step_pcie(way *w, uint32_t to_sip) {
    const kbs_machine *machine = w->fabric->machine;
    const uint32_t number = w->source % (uint32_t)machine->at.pcie_links;
    const link_spec spec = spec_of_pcie(machine, machine->at.io_noc_ns);
    uint32_t next;
    const kbs_side_of_sip side = kbs_system_step(machine, w->sip, to_sip, &next);
    KB_TRY(step(w, part_of_io(machine, w->sip), place_of_pcie(w->fabric, side, number), &spec,
                "sip%u>sip%u.pcie%u", w->sip, next, number));
    w->sip = next;
    return KB_OK;
}

/* The host has links of its own to each package, and no crossbar. */
static kb_status step_host(way *w, host_link link) {
    const kbs_machine *machine = w->fabric->machine;
    const uint32_t number = w->source % (uint32_t)machine->at.pcie_links;
    const link_spec spec = spec_of_pcie(machine, link == FROM_HOST ? machine->at.io_noc_ns : 0);
    const size_t part = part_of_io(machine, w->sip), place = place_of_pcie(w->fabric, link, number);
    return link == FROM_HOST ? step(w, part, place, &spec, "host>sip%u.pcie%u", w->sip, number)
                             : step(w, part, place, &spec, "sip%u>host.pcie%u", w->sip, number);
}

/* To the M_CPU, which sits at the SRAM's router, through it, and back into the mesh. */
static kb_status pass_m_cpu(way *w) {
    KB_TRY(walk_to(w, sram_cell(&w->fabric->plan)));
    KB_TRY(step_cube(w, M_CPU_OUT));
    return step_cube(w, M_CPU_IN);
}

/* --- whole ways ------------------------------------------------------------------------------- */

static bool is_same_memory(const kbs_fabric *fabric, kbs_place a, kbs_place b) {
    const uint64_t pes = fabric->machine->at.cube_pes;
    if (a.space == KB_SPACE_SRAM && b.space == KB_SPACE_SRAM)
        return a.pe / pes == b.pe / pes;
    return a.space == b.space && a.pe == b.pe;
}

static kb_status leave(way *w, kbs_place from, bool within) {
    w->at = cell_of(w->fabric, from);
    if (from.space == KB_SPACE_HBM)
        return step_pe(w, from.pe, HBM_IN);
    if (from.space == KB_SPACE_SRAM) {
        KB_TRY(step_cube(w, SRAM_READ));
        return within ? KB_OK : step_cube(w, SRAM_IN);
    }
    KB_TRY(step_pe(w, from.pe, TCM_READ));
    return within ? KB_OK : step_pe(w, from.pe, PE_IN);
}

static kb_status arrive(way *w, kbs_place to, bool within) {
    if (to.space == KB_SPACE_HBM)
        return step_pe(w, to.pe, HBM_OUT);
    if (to.space == KB_SPACE_SRAM) {
        if (!within)
            KB_TRY(step_cube(w, SRAM_OUT));
        return step_cube(w, SRAM_WRITE);
    }
    if (!within)
        KB_TRY(step_pe(w, to.pe, PE_OUT));
    return step_pe(w, to.pe, TCM_WRITE);
}

/* Through the M_CPU of the cube, whose DMA moves what hosts copy. */
static kb_status go_from_host(way *w, kbs_place to, uint32_t to_cube) {
    KB_TRY(step_host(w, FROM_HOST));
    KB_TRY(enter_sip(w, to_cube));
    KB_TRY(cross_to(w, to_cube));
    KB_TRY(pass_m_cpu(w));
    KB_TRY(walk_to(w, cell_of(w->fabric, to)));
    return arrive(w, to, false);
}

static kb_status go_to_host(way *w, kbs_place from) {
    KB_TRY(leave(w, from, false));
    KB_TRY(pass_m_cpu(w));
    KB_TRY(leave_sip(w));
    return step_host(w, TO_HOST);
}

static kb_status go(way *w, kbs_place from, kbs_place to) {
    const kbs_machine *machine = w->fabric->machine;
    const uint32_t pes = (uint32_t)machine->at.cube_pes, cubes = cubes_of_sip(machine);
    const uint32_t to_sip = to.pe / pes / cubes, to_cube = to.pe / pes % cubes;
    const bool within = is_same_memory(w->fabric, from, to);
    w->sip = from.pe / pes / cubes;
    w->cube = from.pe / pes % cubes;
    w->source = from.pe % pes;
    if (from.space == KB_SPACE_HOST)
        return go_from_host(w, to, to_cube);
    if (to.space == KB_SPACE_HOST)
        return go_to_host(w, from);
    KB_TRY(leave(w, from, within));
    if (w->sip != to_sip) {
        KB_TRY(leave_sip(w));
        while (w->sip != to_sip)
            KB_TRY(step_pcie(w, to_sip));
        KB_TRY(enter_sip(w, to_cube));
    }
    if (!within) {
        KB_TRY(cross_to(w, to_cube));
        KB_TRY(walk_to(w, cell_of(w->fabric, to)));
    }
    return arrive(w, to, within);
}

kb_status kbs_way_find(kbs_fabric *fabric, kbs_place from, kbs_place to, uint32_t *ret_count,
                       kb_trail *trail) {
    way w = {.fabric = fabric, .least_gbps = UINT64_MAX, .links = fabric->way_links, .trail = trail};
    KB_TRY(go(&w, from, to));
    *ret_count = w.count;
    return KB_OK;
}

void kbs_way_measure(kbs_fabric *fabric, kbs_place from, kbs_place to, int64_t *ret_latency_ps,
                     uint64_t *ret_least_gbps) {
    way w = {.fabric = fabric, .least_gbps = UINT64_MAX};
    const kb_status status = go(&w, from, to);
    assert(status == KB_OK); /* nothing was made */
    (void)status;
    *ret_latency_ps = w.latency_ps;
    *ret_least_gbps = w.least_gbps;
}

/* From the host into the PE's package, from its IO_CPU to the M_CPU of its cube, from there to the PE. */
static kb_status go_as_launch(way *w, uint32_t pe) {
    const kbs_machine *machine = w->fabric->machine;
    const uint32_t to_cube = pe / (uint32_t)machine->at.cube_pes % cubes_of_sip(machine);
    KB_TRY(step_host(w, FROM_HOST));
    KB_TRY(enter_sip(w, to_cube));
    KB_TRY(cross_to(w, to_cube));
    KB_TRY(pass_m_cpu(w));
    KB_TRY(walk_to(w, cell_of(w->fabric, kbs_tcm_of(pe))));
    return step_pe(w, pe, PE_OUT);
}

static kb_status go_as_response(way *w, uint32_t pe) {
    w->at = cell_of(w->fabric, kbs_tcm_of(pe));
    KB_TRY(step_pe(w, pe, PE_IN));
    KB_TRY(pass_m_cpu(w));
    KB_TRY(leave_sip(w));
    return step_host(w, TO_HOST);
}

void kbs_way_of_launch(kbs_fabric *fabric, uint32_t pe, kbs_launch_way *ret) {
    const uint32_t pes = (uint32_t)fabric->machine->at.cube_pes, cubes = cubes_of_sip(fabric->machine);
    const way begin = {
        .fabric = fabric, .sip = pe / pes / cubes, .cube = pe / pes % cubes, .least_gbps = UINT64_MAX};
    way there = begin, back = begin;
    kb_status status = go_as_launch(&there, pe);
    assert(status == KB_OK); /* nothing was made */
    status = go_as_response(&back, pe);
    assert(status == KB_OK);
    (void)status;
    *ret = (kbs_launch_way){there.latency_ps, back.latency_ps};
}

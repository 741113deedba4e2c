/* SPDX-License-Identifier: Apache-2.0 */
/* Bandwidths of edges; see edges.h. Counts the links that ways.c could take, and makes none. */
#include "bound/edges.h"

static kbs_interval one(uint32_t at) {
    return (kbs_interval){at, at + 1};
}

static bool within(kbs_interval span, uint32_t at) {
    return at >= span.first && at < span.end;
}

/* --- the system from above ------------------------------------------------------------------- */

/* Only the sides by which some way leaves a package have links: a ring of two has one. */
static void find_neighbours(kbs_edges *edges) {
    const kbs_machine *machine = edges->fabric->machine;
    for (uint32_t from = 0; from < edges->sips; from++)
        for (uint32_t side = 0; side < KBS_SIP_SIDES; side++)
            edges->next[from][side] = KB_NONE;
    for (uint32_t from = 0; from < edges->sips; from++)
        for (uint32_t to = 0; to < edges->sips; to++) {
            uint32_t next;
            if (to == from)
                continue;
            const kbs_side_of_sip side = kbs_system_step(machine, from, to, &next);
            edges->next[from][side] = next;
        }
}

kb_status kbs_edges_init(kbs_edges *edges, const kbs_fabric *fabric, kb_arena *arena, kb_trail *trail) {
    const kbs_machine *machine = fabric->machine;
    const bool is_ring = machine->at.system_grid == KBS_GRID_RING;
    void *memory;
    *edges = (kbs_edges){.fabric = fabric,
                         .sips = kbs_system_sips(machine),
                         .cube_columns = kbs_columns(machine->at.sip_cubes),
                         .cube_rows = kbs_rows(machine->at.sip_cubes)};
    edges->sip_columns = is_ring ? edges->sips : kbs_columns(machine->at.system_sips);
    edges->sip_rows = edges->sips / edges->sip_columns;
    KB_TRY(kb_arena_new(arena, edges->sips * sizeof *edges->next, &memory, trail));
    edges->next = memory;
    find_neighbours(edges);
    return KB_OK;
}

/* --- boxes ----------------------------------------------------------------------------------- */

kbs_box kbs_box_of_sip(const kbs_edges *edges, uint32_t sip) {
    return (kbs_box){one(sip % edges->sip_columns),
                     one(sip / edges->sip_columns),
                     {0, edges->cube_columns},
                     {0, edges->cube_rows}};
}

kbs_box kbs_box_of_cube(const kbs_edges *edges, uint32_t cube) {
    const uint32_t cubes = edges->cube_columns * edges->cube_rows, own = cube % cubes;
    kbs_box box = kbs_box_of_sip(edges, cube / cubes);
    box.cube_x = one(own % edges->cube_columns);
    box.cube_y = one(own / edges->cube_columns);
    return box;
}

static bool has_sip(const kbs_edges *edges, const kbs_box *box, uint32_t sip) {
    return within(box->sip_x, sip % edges->sip_columns) && within(box->sip_y, sip / edges->sip_columns);
}

bool kbs_box_has(const kbs_edges *edges, const kbs_box *box, uint32_t cube) {
    const uint32_t cubes = edges->cube_columns * edges->cube_rows, own = cube % cubes;
    return has_sip(edges, box, cube / cubes) && within(box->cube_x, own % edges->cube_columns) &&
           within(box->cube_y, own / edges->cube_columns);
}

static bool has_whole_sips(const kbs_edges *edges, const kbs_box *box) {
    return box->cube_x.end - box->cube_x.first == edges->cube_columns &&
           box->cube_y.end - box->cube_y.first == edges->cube_rows;
}

/* --- links across ---------------------------------------------------------------------------- */

static uint32_t length(kbs_interval span) {
    return span.end - span.first;
}

/* Between cubes of a package, and from its cubes to its IO chiplet, which lies outside of the box. */
static uint64_t links_of_cubes(const kbs_edges *edges, const kbs_box *box) {
    const kbs_machine *machine = edges->fabric->machine;
    const uint32_t columns = edges->fabric->plan.columns;
    uint64_t sides = 0, ways = 0;
    sides += box->cube_x.first > 0 ? length(box->cube_y) : 0;
    sides += box->cube_x.end < edges->cube_columns ? length(box->cube_y) : 0;
    sides += box->cube_y.first > 0 ? length(box->cube_x) : 0;
    sides += box->cube_y.end < edges->cube_rows ? length(box->cube_x) : 0;
    const uint32_t io_links = edges->sips > 1 && box->cube_y.first == 0 ? (uint32_t)machine->at.io_links : 0;
    for (uint32_t i = 0; i < io_links; i++)
        ways += within(box->cube_x, kbs_floorplan_port(edges->cube_columns * columns, io_links, i) / columns);
    return sides * machine->at.ucie_links + ways;
}

static kbs_width width_of_sips(const kbs_edges *edges, const kbs_box *box) {
    const kbs_machine *machine = edges->fabric->machine;
    const uint64_t side_gbps = machine->at.pcie_links * machine->at.pcie_gbps;
    kbs_width width = {0, 0};
    for (uint32_t from = 0; from < edges->sips; from++)
        for (uint32_t side = 0; side < KBS_SIP_SIDES; side++) {
            const uint32_t to = edges->next[from][side];
            if (to == KB_NONE)
                continue;
            const bool leaves = has_sip(edges, box, from), enters = has_sip(edges, box, to);
            width.out_gbps += leaves && !enters ? side_gbps : 0;
            width.in_gbps += !leaves && enters ? side_gbps : 0;
        }
    return width;
}

kbs_width kbs_edges_width(const kbs_edges *edges, const kbs_box *box) {
    if (has_whole_sips(edges, box))
        return width_of_sips(edges, box);
    const uint64_t gbps = links_of_cubes(edges, box) * edges->fabric->machine->at.ucie_gbps;
    return (kbs_width){gbps, gbps};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Ways of closed forms; see form_way.h. Knows no packet. */
#include "probe/form_way.h"

#include <assert.h>
#include <string.h>

#include "kbtrace/words.h"

/* --- geometry -------------------------------------------------------------------------------- */

typedef kbs_form_cell cell;

/* The stack leaves out the one or two middle columns and rows. */
static bool is_middle(uint32_t at, uint32_t count) {
    return at == (count - 1) / 2 || at == count / 2;
}

static uint32_t middle_size(uint32_t count) {
    return count % 2 == 0 ? 2 : 1;
}

static bool is_stack(const kbs_machine *machine, cell at) {
    const uint64_t mesh = machine->at.cube_routers;
    return is_middle(at.x, kbs_columns(mesh)) && is_middle(at.y, kbs_rows(mesh));
}

/* The i-th of `count` things spread evenly over `places`. */
static uint32_t spread(uint32_t i, uint32_t count, uint32_t places) {
    return (2 * i + 1) * places / (2 * count);
}

/* Routers of a column. */
static uint32_t routers_of(const kbs_machine *machine, uint32_t x) {
    const uint64_t mesh = machine->at.cube_routers;
    return kbs_rows(mesh) - (is_middle(x, kbs_columns(mesh)) ? middle_size(kbs_rows(mesh)) : 0);
}

/* How many PEs stand in a column, where they fill columns from both edges inward, the left one first. */
static uint32_t pes_of_column(const kbs_machine *machine, uint32_t x) {
    const uint32_t columns = kbs_columns(machine->at.cube_routers), mirrored = columns - 1 - x;
    const uint32_t ring = x < mirrored ? x : mirrored;
    uint32_t left = (uint32_t)machine->at.cube_pes;
    for (uint32_t outer = 0; outer < ring; outer++) {
        const uint32_t both = 2 * routers_of(machine, outer);
        left = left > both ? left - both : 0;
    }
    if (x == mirrored)
        return left;
    const uint32_t both = 2 * routers_of(machine, ring), here = left < both ? left : both;
    return x == ring ? here - here / 2 : here / 2;
}

static bool holds_pe(const kbs_machine *machine, cell at) {
    const uint32_t columns = kbs_columns(machine->at.cube_routers), rows = kbs_rows(machine->at.cube_routers);
    if (is_stack(machine, at))
        return false;
    if (machine->at.cube_pes == 2 * (middle_size(columns) + middle_size(rows))) { /* one at each side of it */
        const bool above_or_below = is_stack(machine, (cell){at.x, at.y + 1}) ||
                                    (at.y > 0 && is_stack(machine, (cell){at.x, at.y - 1}));
        const bool beside = is_stack(machine, (cell){at.x + 1, at.y}) ||
                            (at.x > 0 && is_stack(machine, (cell){at.x - 1, at.y}));
        return above_or_below || beside;
    }
    uint32_t number = 0; /* among the routers of its column */
    for (uint32_t y = 0; y < at.y; y++)
        number += !is_stack(machine, (cell){at.x, y});
    const uint32_t pes = pes_of_column(machine, at.x);
    for (uint32_t i = 0; i < pes; i++)
        if (spread(i, pes, routers_of(machine, at.x)) == number)
            return true;
    return false;
}

/* PEs are numbered row by row. */
static cell cell_of_pe(const kbs_machine *machine, uint32_t pe) {
    const uint32_t columns = kbs_columns(machine->at.cube_routers);
    uint32_t left = pe % (uint32_t)machine->at.cube_pes;
    for (cell at = {0, 0};; at = at.x + 1 < columns ? (cell){at.x + 1, at.y} : (cell){0, at.y + 1}) {
        assert(at.y < kbs_rows(machine->at.cube_routers));
        if (holds_pe(machine, at) && left-- == 0)
            return at;
    }
}

/* The SRAM is diagonal to the upper left corner of the stack. */
static cell cell_of(const kbs_machine *machine, kbs_form_place place) {
    const uint64_t mesh = machine->at.cube_routers;
    if (place.space == KB_SPACE_SRAM)
        return (cell){(kbs_columns(mesh) - 1) / 2 - 1, (kbs_rows(mesh) - 1) / 2 - 1};
    return cell_of_pe(machine, place.pe);
}

/* --- ways ------------------------------------------------------------------------------------ */

static void add_link(kbs_form_way *w, uint64_t gbps, uint64_t latency_fs) {
    const int64_t flit_ps = kbs_form_ps_at(w->machine->at.fabric_flit_bytes, gbps);
    const int64_t latency_ps = kbs_form_later(kbs_form_ps(latency_fs), 1);
    if (w->count == 0 || w->of[w->count - 1].flit_ps != flit_ps) {
        assert(w->count < KBS_FORM_STRETCHES);
        w->of[w->count++] = (kbs_form_stretch){.flit_ps = flit_ps};
    }
    w->of[w->count - 1].latency_ps += latency_ps;
    w->latency_ps += latency_ps;
}

/* A router is entered, and the wire there is so many pitches long. */
static void add_hop(kbs_form_way *w, uint32_t pitches) {
    const kbs_machine *m = w->machine;
    const uint64_t columns = kbs_columns(m->at.cube_routers);
    const unsigned __int128 wire = (unsigned __int128)pitches * m->at.cube_width_mm * m->at.noc_ns_per_mm;
    const uint64_t scale = columns * KBS_MILLION; /* of the wire, against femtoseconds; rounded up once */
    add_link(w, m->at.noc_link_gbps, m->at.noc_router_ns + (uint64_t)((wire + scale - 1) / scale));
}

/* Along a row or column, over the stack where that lies between. */
static void go_along(kbs_form_way *w, uint32_t from, uint32_t to, uint32_t count, bool is_cut) {
    const uint32_t low = from < to ? from : to, high = from < to ? to : from;
    uint32_t hops = high - low;
    if (is_cut && low < (count - 1) / 2 && high > count / 2) {
        add_hop(w, middle_size(count) + 1);
        hops -= middle_size(count) + 1;
    }
    for (; hops > 0; hops--)
        add_hop(w, 1);
}

/* x first, unless the corner lies in the stack. */
static void go_to(kbs_form_way *w, cell to) {
    const uint32_t columns = kbs_columns(w->machine->at.cube_routers),
                   rows = kbs_rows(w->machine->at.cube_routers);
    const bool x_first = !is_stack(w->machine, (cell){to.x, w->at.y});
    const uint32_t row = x_first ? w->at.y : to.y, column = x_first ? to.x : w->at.x;
    go_along(w, w->at.x, to.x, columns, is_middle(row, rows));
    go_along(w, w->at.y, to.y, rows, is_middle(column, columns));
    w->at = to;
}

/* Into the next cube along x or y, over the link of that number. */
static void cross(kbs_form_way *w, bool along_x, bool forward, uint32_t link) {
    const kbs_machine *m = w->machine;
    const uint32_t columns = kbs_columns(m->at.cube_routers), rows = kbs_rows(m->at.cube_routers);
    const uint32_t links = (uint32_t)m->at.ucie_links;
    const cell first =
        along_x ? (cell){0, spread(link, links, rows)} : (cell){spread(link, links, columns), 0};
    const cell last = along_x ? (cell){columns - 1, first.y} : (cell){first.x, rows - 1};
    const uint32_t apart = along_x ? 1 : kbs_columns(m->at.sip_cubes);
    go_to(w, forward ? last : first);
    add_link(w, m->at.ucie_gbps, 2 * m->at.ucie_port_ns + m->at.noc_router_ns);
    w->at = forward ? first : last;
    w->cube = forward ? w->cube + apart : w->cube - apart;
}

static void add_source(kbs_form_way *w, kbs_form_place from) {
    const kbs_machine *m = w->machine;
    if (from.space == KB_SPACE_SRAM)
        add_link(w, m->at.sram_gbps, m->at.sram_ns);
    if (from.space == KB_SPACE_TCM)
        add_link(w, m->at.tcm_read_gbps, 0);
    add_link(w, m->at.noc_link_gbps, m->at.noc_router_ns);
}

static void add_sink(kbs_form_way *w, kbs_form_place to) {
    const kbs_machine *m = w->machine;
    add_link(w, m->at.noc_link_gbps, 0);
    if (to.space == KB_SPACE_SRAM)
        add_link(w, m->at.sram_gbps, m->at.sram_ns);
    if (to.space == KB_SPACE_TCM)
        add_link(w, m->at.tcm_write_gbps, 0);
}

/* From cube to cube of a package, first along x, then along y, by the links of the source PE's number. */
static void cross_to(kbs_form_way *w, uint32_t cube, uint32_t source) {
    const uint32_t columns = kbs_columns(w->machine->at.sip_cubes);
    const uint32_t link = source % (uint32_t)w->machine->at.ucie_links;
    while (w->cube % columns != cube % columns)
        cross(w, true, w->cube % columns < cube % columns, link);
    while (w->cube != cube)
        cross(w, false, w->cube < cube, link);
}

/* --- packages -------------------------------------------------------------------------------- */

/* Along a line of packages; around a closed one the shorter way. */
static uint32_t steps_along(uint32_t from, uint32_t to, uint32_t count, bool is_closed) {
    const uint32_t apart = from > to ? from - to : to - from;
    return is_closed && count - apart < apart ? count - apart : apart;
}

static uint32_t steps_between(const kbs_machine *machine, uint32_t from, uint32_t to) {
    const uint32_t columns = kbs_columns(machine->at.system_sips), rows = kbs_rows(machine->at.system_sips);
    const bool is_closed = machine->at.system_grid == KBS_GRID_TORUS;
    if (machine->at.system_grid == KBS_GRID_RING)
        return steps_along(from, to, columns * rows, true);
    return steps_along(from % columns, to % columns, columns, is_closed) +
           steps_along(from / columns, to / columns, rows, is_closed);
}

/* Where the i-th link of the IO chiplet ends: a column of routers, counted along the first row of cubes. */
static uint32_t io_column(const kbs_machine *machine, uint32_t i) {
    const uint32_t edge = kbs_columns(machine->at.sip_cubes) * kbs_columns(machine->at.cube_routers);
    return spread(i, (uint32_t)machine->at.io_links, edge);
}

/* Of the links whose cubes are nearest to a column of cubes the one that the source PE's number chooses. */
static uint32_t nearest_io_column(const kbs_machine *machine, uint32_t cube_column, uint32_t source) {
    const uint32_t links = (uint32_t)machine->at.io_links, columns = kbs_columns(machine->at.cube_routers);
    for (uint32_t away = 0;; away++) {
        uint32_t as_near[64], count = 0;
        for (uint32_t i = 0; i < links; i++) {
            const uint32_t column = io_column(machine, i) / columns;
            if (column + away == cube_column || column == cube_column + away)
                as_near[count++] = io_column(machine, i);
        }
        if (count > 0)
            return as_near[source % count];
    }
}

/* A flit is seen when all of it has come, and has entered what is behind. */
static void add_pcie(kbs_form_way *w, uint64_t enter_ns) {
    const kbs_machine *m = w->machine;
    const uint64_t flit_ps = (uint64_t)kbs_form_ps_at(m->at.fabric_flit_bytes, m->at.pcie_gbps);
    add_link(w, m->at.pcie_gbps, 2 * m->at.pcie_endpoint_ns + enter_ns + flit_ps * 1000);
}

/* From the IO chiplet into a cube of the first row, by the link nearest to a column of cubes. */
static void enter_package(kbs_form_way *w, uint32_t to_cube, uint32_t source) {
    const kbs_machine *m = w->machine;
    const uint32_t columns = kbs_columns(m->at.cube_routers);
    const uint32_t in = nearest_io_column(m, to_cube % kbs_columns(m->at.sip_cubes), source);
    add_link(w, m->at.ucie_gbps, 2 * m->at.ucie_port_ns + m->at.noc_router_ns);
    w->cube = in / columns;
    w->at = (cell){in % columns, 0};
}

/* To the IO chiplet, by the link nearest to the cube's column. */
static void leave_package(kbs_form_way *w, uint32_t source) {
    const kbs_machine *m = w->machine;
    const uint32_t columns = kbs_columns(m->at.cube_routers), cubes = kbs_columns(m->at.sip_cubes);
    const uint32_t out = nearest_io_column(m, w->cube % cubes, source);
    cross_to(w, out / columns, source);
    go_to(w, (cell){out % columns, 0});
    add_link(w, m->at.ucie_gbps, 2 * m->at.ucie_port_ns + m->at.io_noc_ns);
}

/* --- hosts ----------------------------------------------------------------------------------- */

/* The M_CPU is at the SRAM's router, and what goes through it leaves the mesh there and enters it again. */
static void pass_m_cpu(kbs_form_way *w) {
    go_to(w, cell_of(w->machine, (kbs_form_place){KB_SPACE_SRAM, 0, 0}));
    add_link(w, w->machine->at.noc_link_gbps, 0);
    add_link(w, w->machine->at.noc_link_gbps, w->machine->at.noc_router_ns);
}

/* From the host into the M_CPU of a cube, and out of it. */
static void come_from_host(kbs_form_way *w, uint32_t cube, uint32_t source) {
    add_pcie(w, w->machine->at.io_noc_ns);
    enter_package(w, cube, source);
    cross_to(w, cube, source);
    pass_m_cpu(w);
}

static void go_to_host(kbs_form_way *w, uint32_t source) {
    pass_m_cpu(w);
    leave_package(w, source);
    add_pcie(w, 0);
}

/* --- whole ways ------------------------------------------------------------------------------ */

/* Between different memories. */
void kbs_form_find_way(kbs_form_way *w, const kbs_machine *machine, kbs_form_place from, kbs_form_place to) {
    const uint32_t pes = (uint32_t)machine->at.cube_pes, source = from.pe % pes;
    const uint32_t cubes = kbs_columns(machine->at.sip_cubes) * kbs_rows(machine->at.sip_cubes);
    const uint32_t from_sip = from.pe / pes / cubes, to_sip = to.pe / pes / cubes;
    const uint32_t to_cube = to.pe / pes % cubes;
    memset(w, 0, sizeof *w);
    w->machine = machine;
    if (from.space == KB_SPACE_HOST) {
        come_from_host(w, to_cube, source);
    } else {
        w->cube = from.pe / pes % cubes;
        w->at = cell_of(machine, from);
        add_source(w, from);
    }
    if (to.space == KB_SPACE_HOST) {
        go_to_host(w, source);
        return;
    }
    if (from_sip != to_sip) {
        leave_package(w, source);
        for (uint32_t steps = steps_between(machine, from_sip, to_sip); steps > 0; steps--)
            add_pcie(w, machine->at.io_noc_ns);
        enter_package(w, to_cube, source);
    }
    cross_to(w, to_cube, source);
    go_to(w, cell_of(machine, to));
    add_sink(w, to);
}

int64_t kbs_form_launch_hops(const kbs_machine *machine, uint32_t pe) {
    const uint32_t cubes = kbs_columns(machine->at.sip_cubes) * kbs_rows(machine->at.sip_cubes);
    kbs_form_way w;
    memset(&w, 0, sizeof w);
    w.machine = machine;
    come_from_host(&w, pe / (uint32_t)machine->at.cube_pes % cubes, 0);
    go_to(&w, cell_of_pe(machine, pe));
    add_link(&w, machine->at.noc_link_gbps, 0);
    return w.latency_ps;
}

int64_t kbs_form_response_hops(const kbs_machine *machine, uint32_t pe) {
    const uint32_t cubes = kbs_columns(machine->at.sip_cubes) * kbs_rows(machine->at.sip_cubes);
    kbs_form_way w;
    memset(&w, 0, sizeof w);
    w.machine = machine;
    w.cube = pe / (uint32_t)machine->at.cube_pes % cubes;
    w.at = cell_of_pe(machine, pe);
    add_link(&w, machine->at.noc_link_gbps, machine->at.noc_router_ns);
    go_to_host(&w, 0);
    return w.latency_ps;
}

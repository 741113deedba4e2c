/* SPDX-License-Identifier: Apache-2.0 */
/* Several packages: which neighbour is next, names and latencies of ways there, what idle ones take. */
#include <stdio.h>
#include <string.h>

#include "fabric/system.h"
#include "machine/address.h"
#include "support/check.h"
#include "support/fabric/bare.h"

static void init(bare *of, const char *shape) {
    memset(of, 0, sizeof *of);
    kbs_machine_init(&of->machine);
    check_ok(kbs_machine_shorthand(&of->machine, shape, &of->trail), &of->trail);
}

/* --- which neighbour is next ------------------------------------------------------------------- */

/* How far two places of a line are apart. */
static uint32_t apart(uint32_t a, uint32_t b, uint32_t count, bool closed) {
    const uint32_t there = a > b ? a - b : b - a;
    return closed && count - there < there ? count - there : there;
}

/* Each way is as short as its grid allows, goes along x before y, and over two that are equal upwards. */
static void check_grid(const char *sips, const char *grid, uint32_t columns, uint32_t rows, bool closed) {
    static bare of;
    init(&of, "cubes=1,pes=1");
    bare_set(&of, "system.sips", sips);
    bare_set(&of, "system.grid", grid);
    const uint32_t count = kbs_system_sips(&of.machine);
    assert_int_equal(count, columns * rows);
    for (uint32_t from = 0; from < count; from++)
        for (uint32_t to = 0; to < count; to++) {
            uint32_t at = from, steps = 0, next = 0;
            bool in_y = false;
            while (at != to) {
                const kbs_side_of_sip side = kbs_system_step(&of.machine, at, to, &next);
                const bool up = side == KBS_SIP_NEXT_X || side == KBS_SIP_NEXT_Y;
                const bool along_y = side == KBS_SIP_NEXT_Y || side == KBS_SIP_LAST_Y;
                const uint32_t line = along_y ? rows : columns;
                const uint32_t a = along_y ? at / columns : at % columns;
                const uint32_t b = along_y ? next / columns : next % columns;
                assert_int_equal(along_y ? at % columns : at / columns,
                                 along_y ? next % columns : next / columns);
                assert_int_equal(b, up ? (a + 1) % line : (a + line - 1) % line);
                const uint32_t goal = along_y ? to / columns : to % columns;
                if (closed && (goal + line - a) % line * 2 == line)
                    assert_true(up);
                assert_false(in_y && !along_y);
                in_y = along_y;
                at = next;
                steps++;
            }
            assert_int_equal(steps, apart(from % columns, to % columns, columns, closed) +
                                        apart(from / columns, to / columns, rows, closed));
            assert_true(steps <= kbs_system_most_steps(&of.machine));
        }
}

static void ways_between_packages_are_shortest(void **state) {
    (void)state;
    check_grid("1", "ring_1d", 1, 1, true);
    check_grid("2", "ring_1d", 2, 1, true);
    check_grid("5", "ring_1d", 5, 1, true);
    check_grid("3x2", "ring_1d", 6, 1, true);
    check_grid("3x2", "torus_2d", 3, 2, true);
    check_grid("8x4", "torus_2d", 8, 4, true);
    check_grid("3x2", "mesh_2d", 3, 2, false);
    check_grid("1x7", "mesh_2d", 1, 7, false);
}

/* --- names and latencies ----------------------------------------------------------------------- */

/* The names of its links between cubes and packages, in order, each followed by a blank. */
static const char *crossings(const kbs_route *route, char *text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < route->link_count; i++)
        if (strstr(route->links[i]->name, "cie") != NULL)
            length += (size_t)snprintf(text + length, size - length, "%s ", route->links[i]->name);
    return text;
}

static void check_crossings(bare *of, uint32_t from, uint32_t to, const char *wanted) {
    char text[1024];
    const kbs_route *route = bare_route(of, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_DMA);
    assert_string_equal(crossings(route, text, sizeof text), wanted);
}

static void ways_lead_over_the_nearest_links(void **state) {
    (void)state;
    static bare of;
    init(&of, "sips=5,cubes=4x4,pes=8");
    bare_set(&of, "pcie.links", "2");
    bare_init(&of);
    check_crossings(&of, 0, 128, "sip0.cube0>io.ucie0 sip0>sip1.pcie0 sip1.io>cube0.ucie0 ");
    /* The last PE of cube 9 goes up its column, around the ring, and down to cube 6. */
    check_crossings(&of, 9 * 8 + 7, 3 * 128 + 6 * 8,
                    "sip0.cube9>cube5.ucie3 sip0.cube5>cube1.ucie3 sip0.cube1>io.ucie1 sip0>sip4.pcie1 "
                    "sip4>sip3.pcie1 sip3.io>cube2.ucie2 sip3.cube2>cube6.ucie3 ");
    bare_fini(&of);
    /* Fewer links than columns: over the nearest one; more: the source chooses. */
    init(&of, "sips=2,cubes=5x1,pes=4");
    bare_set(&of, "io.links", "1");
    bare_init(&of);
    check_crossings(&of, 3, 20 + 4 * 4,
                    "sip0.cube0>cube1.ucie3 sip0.cube1>cube2.ucie3 sip0.cube2>io.ucie0 sip0>sip1.pcie0 "
                    "sip1.io>cube2.ucie0 sip1.cube2>cube3.ucie3 sip1.cube3>cube4.ucie3 ");
    bare_fini(&of);
    init(&of, "sips=2,cubes=1,pes=5");
    bare_init(&of);
    check_crossings(&of, 8, 1, "sip1.cube0>io.ucie3 sip1>sip0.pcie0 sip0.io>cube0.ucie3 ");
    bare_fini(&of);
}

static void latencies_follow_from_the_parameters(void **state) {
    (void)state;
    static bare of;
    init(&of, "sips=2,cubes=4x4,pes=8");
    bare_init(&of);
    const int64_t port = 1, enter = 1000, out = 1, pitch = 1284; /* 1 ns + 0.1 ns/mm * 17 mm / 6 */
    const int64_t to_io = 2 * 8000 + 10000, from_io = 2 * 8000 + 1000;
    const int64_t pcie = 2 * 100000 + 10000 + 4445; /* both endpoints, the crossbar, 256 bytes at 57.6 GB/s */
    /* pe0 at r1c2 leaves at r0c3 of cube 0, and comes in there. */
    const kbs_route *route = bare_route(&of, kbs_tcm_of(0), kbs_tcm_of(128), KBS_CHANNEL_DMA);
    assert_int_equal(route->latency_ps, 2 * (port + 2 * pitch) + enter + to_io + pcie + from_io + out);
    assert_int_equal(route->back_ps, route->latency_ps);
    int64_t latency_ps, time_ps;
    kbs_fabric_idle(&of.program.fabric, kbs_tcm_of(0), kbs_tcm_of(128), 16, &latency_ps, &time_ps);
    assert_int_equal(latency_ps, route->latency_ps);
    assert_int_equal(time_ps, 278); /* 16 of 256 bytes */
    bare_fini(&of);
}

/* --- idle ways --------------------------------------------------------------------------------- */

/* All bytes at one rate, flit by flit rounded as the model says. */
static int64_t drain_ps(uint64_t flit_ps, uint64_t bytes) {
    const uint64_t whole = (bytes - 1) / 256, last = bytes - whole * 256;
    return (int64_t)(whole * flit_ps + (flit_ps * last + 255) / 256);
}

static void copy_one(bare *of, uint32_t from, uint32_t to, uint64_t bytes, int64_t drained_ps) {
    kbs_shape shape;
    bare_copy copy;
    const kbs_route *route = bare_route(of, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_QUEUE);
    memset(&shape, 0, sizeof shape);
    shape.common.kind = KB_OP_IPCQ_COPY;
    shape.common.route = route->id;
    shape.common.operand_count = 2;
    shape.common.operands[0] = kb_operand_vector(0, KB_ACCESS_WRITE, KB_DTYPE_I8, bytes);
    shape.common.operands[1] = kb_operand_vector(0, KB_ACCESS_READ, KB_DTYPE_I8, bytes);
    kbs_op *op = bare_op(of, from, &shape, 0, of->sim->engine.now_ps + 100000000);
    op->record.start_ps = op->ready_ps;
    op->bytes = bytes;
    bare_copy_begin(&copy, of, op, route);
    bare_run(of);
    assert_true(op->finished);
    int64_t latency_ps = 0;
    for (uint32_t i = 0; i < route->link_count; i++)
        latency_ps += route->links[i]->latency_ps;
    assert_int_equal(op->record.done_ps - op->record.start_ps, latency_ps + drained_ps);
    kbs_op_free(of->sim, op);
}

/* Pairs of all kinds: Σλ, and all bytes at PCIe; within a package at the slowest link there. */
static void check_copies(const char *shape, const char *grid) {
    static const uint64_t sizes[] = {1, 255, 256, 257, 4096, 5000, 65536, 1 << 20};
    static bare of;
    init(&of, shape);
    bare_set(&of, "system.grid", grid);
    bare_init(&of);
    const uint32_t pes = (uint32_t)kbs_machine_pes(&of.machine);
    const uint32_t of_sip = (uint32_t)kbs_machine_pes_of_sip(&of.machine), of_cube = of_sip / 6;
    for (uint32_t from = 0; from < pes; from++)
        for (uint32_t to = from % 3; to < pes; to += 3)
            bare_route(&of, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_QUEUE);
    bare_start(&of, true);
    for (uint32_t from = 0; from < pes; from++)
        for (uint32_t to = from % 3; to < pes; to += 3) {
            const uint64_t bytes = sizes[(from * 5 + to * 3) % (sizeof sizes / sizeof sizes[0])];
            const uint64_t flit_ps = from / of_sip != to / of_sip     ? 4445 /* 57.6 GB/s */
                                     : from / of_cube != to / of_cube ? 2000
                                     : from != to                     ? 1000
                                                                      : 500;
            copy_one(&of, from, to, bytes, drain_ps(flit_ps, bytes));
        }
    bare_stop(&of);
    bare_fini(&of);
}

static void idle_ways_between_packages_drain_at_pcie(void **state) {
    (void)state;
    check_copies("sips=2,cubes=3x2,pes=4", "ring_1d");
    check_copies("sips=3x2,cubes=2x3,pes=5", "torus_2d");
    assert_int_equal(drain_ps(4445, 65536), 1137920);
}

/* --- large and small --------------------------------------------------------------------------- */

/* Nothing is made of the cubes that no way touches. */
static void a_large_system_costs_what_is_used(void **state) {
    (void)state;
    static bare of;
    init(&of, "sips=32,cubes=16x16,pes=8");
    bare_init(&of);
    const kbs_route *route = bare_route(&of, kbs_tcm_of(3), kbs_tcm_of(65535), KBS_CHANNEL_DMA);
    assert_true(of.program.arena.used_size < 600000);
    assert_string_equal(route->links[route->link_count - 1]->name, "sip31.cube255.pe7.tcm.write");
    bare_fini(&of);
    init(&of, "sips=1,cubes=1,pes=1");
    bare_init(&of);
    assert_int_equal(bare_route(&of, kbs_tcm_of(0), kbs_tcm_of(0), KBS_CHANNEL_DMA)->link_count, 2);
    bare_fini(&of);
}

/* sip[50:47], die[46:42], offset[41:0]; wider where the shape needs more. */
static void addresses_are_as_wide_as_the_shape_needs(void **state) {
    (void)state;
    static bare of;
    uint64_t size;
    init(&of, "sips=2,cubes=4x4,pes=8");
    assert_int_equal(kbs_address_bits(&of.machine), 51);
    assert_int_equal(kbs_address_of(&of.machine, KB_SPACE_HBM, 128 + 3 * 8 + 1, &size),
                     UINT64_C(1) << 47U | UINT64_C(3) << 42U | UINT64_C(6) << 30U);
    assert_int_equal(size, UINT64_C(6) << 30U);
    init(&of, "sips=32,cubes=8x8,pes=8");
    assert_int_equal(kbs_address_bits(&of.machine), 42 + 6 + 5);
    bare_set(&of, "hbm.slice_bytes", "1TiB");
    assert_int_equal(kbs_address_bits(&of.machine), 44 + 6 + 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_between_packages_are_shortest),
        cmocka_unit_test(ways_lead_over_the_nearest_links),
        cmocka_unit_test(latencies_follow_from_the_parameters),
        cmocka_unit_test(idle_ways_between_packages_drain_at_pcie),
        cmocka_unit_test(a_large_system_costs_what_is_used),
        cmocka_unit_test(addresses_are_as_wide_as_the_shape_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

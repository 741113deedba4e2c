/* SPDX-License-Identifier: Apache-2.0 */
/* Routes within a package: where PEs are, that a way is whole, and what an idle one takes. */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

#include "fabric/fabric.h"

typedef struct fixture {
    kbs_machine machine;
    kb_arena arena;
    kbs_fabric fabric;
    kbs_engine engine;
    kbs_packets packets;
    kb_trail trail;
} fixture;

static void set_up(fixture *f, const char *shape) {
    memset(f, 0, sizeof *f);
    kb_arena_init(&f->arena, NULL, 0);
    kbs_machine_init(&f->machine);
    check_ok(kbs_machine_shorthand(&f->machine, shape, &f->trail), &f->trail);
    check_ok(kbs_machine_check(&f->machine, &f->trail), &f->trail);
    check_ok(kbs_fabric_init(&f->fabric, &f->machine, &f->arena, &f->trail), &f->trail);
}

static void tear_down(fixture *f) {
    kbs_fabric_fini(&f->fabric);
    kb_arena_fini(&f->arena);
}

/* --- floor plan ------------------------------------------------------------------------------ */

static void eight_pes_surround_the_memory(void **state) {
    (void)state;
    kbs_floorplan plan;
    kbs_cell cells[8];
    kbs_floorplan_init(&plan, 6, 6);
    kbs_floorplan_place(&plan, 8, cells);
    static const kbs_cell expected[] = {{2, 1}, {3, 1}, {1, 2}, {4, 2}, {1, 3}, {4, 3}, {2, 4}, {3, 4}};
    assert_memory_equal(cells, expected, sizeof expected);
    assert_int_equal(kbs_floorplan_routers(&plan), 32);
}

static void any_number_of_pes_has_routers_of_its_own(void **state) {
    (void)state;
    for (uint32_t columns = 4; columns <= 16; columns++)
        for (uint32_t rows = 4; rows <= 16; rows++) {
            kbs_floorplan plan;
            kbs_floorplan_init(&plan, columns, rows);
            const uint32_t most = kbs_floorplan_routers(&plan);
            for (uint32_t pes = 1; pes <= most; pes++) {
                kbs_cell cells[256];
                bool taken[16][16] = {{false}};
                kbs_floorplan_place(&plan, pes, cells);
                for (uint32_t i = 0; i < pes; i++) {
                    assert_true(cells[i].x < columns && cells[i].y < rows);
                    assert_false(kbs_floorplan_is_hole(&plan, cells[i].x, cells[i].y));
                    assert_false(taken[cells[i].y][cells[i].x]);
                    taken[cells[i].y][cells[i].x] = true;
                }
            }
        }
}

/* Every walk steps along one axis, over the hole in one step, and is as short as the grid allows. */
static void walks_are_whole_and_shortest(void **state) {
    (void)state;
    kbs_floorplan plan;
    kbs_floorplan_init(&plan, 6, 6);
    for (uint32_t a = 0; a < 36; a++)
        for (uint32_t b = 0; b < 36; b++) {
            const kbs_cell from = {(uint8_t)(a % 6), (uint8_t)(a / 6)},
                           to = {(uint8_t)(b % 6), (uint8_t)(b / 6)};
            if (kbs_floorplan_is_hole(&plan, from.x, from.y) || kbs_floorplan_is_hole(&plan, to.x, to.y))
                continue;
            kbs_cell cells[2 * KBS_SIDE_MAX];
            const uint32_t count = kbs_floorplan_walk(&plan, from, to, cells);
            int pitches = 0;
            for (uint32_t i = 0; i + 1 < count; i++) {
                const int dx = cells[i + 1].x - cells[i].x, dy = cells[i + 1].y - cells[i].y;
                assert_true((dx == 0) != (dy == 0));
                const int step = abs(dx) + abs(dy);
                assert_true(step == 1 || step == 3);
                pitches += step;
            }
            assert_int_equal(pitches, abs(from.x - to.x) + abs(from.y - to.y));
            assert_memory_equal(&cells[0], &from, sizeof from);
            assert_memory_equal(&cells[count - 1], &to, sizeof to);
        }
}

/* --- idle ways ------------------------------------------------------------------------------- */

static int64_t sent_ps, seen_ps;

static void on_sent(kbs_train *train, kbs_packet *packet, int64_t time_ps) {
    (void)train;
    (void)packet;
    sent_ps = time_ps;
}

static void on_seen(kbs_train *train, kbs_packet *packet, int64_t time_ps) {
    (void)train;
    assert_int_equal(packet->wait_count, 0);
    seen_ps = time_ps;
}

/* A packet on an idle way: the latencies of all links, and its time on the narrowest one. */
static void send_one(fixture *f, const kbs_route *route, uint32_t bytes) {
    kbs_packet *packet;
    kbs_train train = {{0, 0}, route, KBS_CHANNEL_QUEUE, on_sent, on_seen};
    f->packets = (kbs_packets){&f->arena, f->packets.free, 256};
    check_ok(kbs_packet_take(&f->packets, &packet, &f->trail), &f->trail);
    const int64_t begin_ps = f->engine.now_ps + 1000000;
    kbs_packet_inject(&f->engine, packet, &train, 0, bytes, begin_ps);
    assert_true(kbs_engine_run(&f->engine, INT64_MAX, 100000));
    kbs_packet_give(&f->packets, packet);
    int64_t latency_ps = 0;
    for (uint32_t i = 0; i < route->link_count; i++)
        latency_ps += route->links[i]->latency_ps;
    assert_int_equal(latency_ps, route->latency_ps);
    assert_int_equal(seen_ps - begin_ps, latency_ps + kbs_route_time(route, bytes));
    assert_int_equal(sent_ps - begin_ps, kbs_link_time(route->links[0], bytes));
}

static void idle_ways_take_their_latencies_and_the_narrowest_link(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 255, 256, 257, 4095, 4096};
    static fixture f;
    set_up(&f, "cubes=3x3,pes=8");
    kbs_engine_init(&f.engine, NULL);
    for (uint32_t from = 0; from < 72; from++)
        for (uint32_t to = 0; to < 72; to++) {
            const kbs_route *route, *again;
            check_ok(kbs_fabric_route(&f.fabric, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_QUEUE, &route,
                                      &f.trail),
                     &f.trail);
            check_ok(kbs_fabric_route(&f.fabric, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_DMA, &again,
                                      &f.trail),
                     &f.trail);
            assert_ptr_equal(route, again);
        }
    assert_int_equal(f.fabric.route_count, 72 * 72);
    check_ok(kbs_fabric_settle(&f.fabric, true, &f.trail), &f.trail);
    for (uint32_t i = 0; i < f.fabric.route_count; i++)
        send_one(&f, f.fabric.routes[i], sizes[i * 7 % 6]);
    tear_down(&f);
}

static const kbs_route *route_of(fixture *f, uint32_t from, uint32_t to) {
    const kbs_route *route;
    check_ok(
        kbs_fabric_route(&f->fabric, kbs_tcm_of(from), kbs_tcm_of(to), KBS_CHANNEL_QUEUE, &route, &f->trail),
        &f->trail);
    return route;
}

/* The same, from the parameters alone: what stands between two PEs of a cube and of two cubes. */
static void latencies_follow_from_the_parameters(void **state) {
    (void)state;
    static fixture f;
    set_up(&f, "cubes=4x4,pes=8");
    const int64_t port = 1, enter = 1000, out = 1;
    const int64_t pitch = 1284;      /* 1 ns + 0.1 ns/mm * 17 mm / 6, rounded up */
    const int64_t long_pitch = 1850; /* 1 ns + three pitches */
    assert_int_equal(route_of(&f, 5, 5)->latency_ps, 2 * port);
    /* pe0 and pe1 are neighbours above the memory; pe2 and pe3 look at each other across it. */
    assert_int_equal(route_of(&f, 0, 1)->latency_ps, port + enter + pitch + out + port);
    assert_int_equal(route_of(&f, 2, 3)->latency_ps, port + enter + long_pitch + out + port);
    /* pe0 of cube 0 at r1c2 leaves eastward at r0c5, by link 0, and comes in at r0c0 of cube 1. */
    const int64_t crossing = 2 * 8000 + 1000;
    assert_int_equal(route_of(&f, 0, 8)->latency_ps,
                     port + enter + (3 + 1) * pitch + crossing + (2 + 1) * pitch + out + port);
    assert_string_equal(route_of(&f, 0, 8)->links[6]->name, "sip0.cube0>cube1.ucie0");
    assert_string_equal(route_of(&f, 0, 8)->narrowest->name, "sip0.cube0>cube1.ucie0");
    tear_down(&f);
}

static const kbs_route *route_between(fixture *f, uint32_t from_space, uint32_t from, uint32_t to_space,
                                      uint32_t to) {
    const kbs_route *route;
    check_ok(kbs_fabric_route(&f->fabric, (kbs_place){from_space, from}, (kbs_place){to_space, to},
                              KBS_CHANNEL_DMA, &route, &f->trail),
             &f->trail);
    return route;
}

/* A slice sits at its PE's router; the SRAM at r1c1, between pe0 (r1c2) and pe2 (r2c1). */
static void memories_have_ways_of_their_own(void **state) {
    (void)state;
    static fixture f;
    set_up(&f, "cubes=4x4,pes=8");
    const int64_t port = 1, enter = 1000, out = 1, pitch = 1284, sram = 2000;
    const kbs_route *own = route_between(&f, KB_SPACE_HBM, 3, KB_SPACE_TCM, 3);
    assert_int_equal(own->latency_ps, enter + out + port);
    assert_int_equal(own->back_ps, port + enter + out);
    assert_int_equal(own->link_count, 3);
    assert_string_equal(own->links[0]->name, "sip0.cube0.pe3.hbm>noc");
    assert_true(own->from_hbm == kbs_fabric_slice(&f.fabric, 3) && own->from_hbm != NULL &&
                own->to_hbm == NULL);
    assert_int_equal(route_between(&f, KB_SPACE_TCM, 0, KB_SPACE_HBM, 1)->latency_ps,
                     port + enter + pitch + out);
    const kbs_route *read = route_between(&f, KB_SPACE_SRAM, 5, KB_SPACE_TCM, 0);
    assert_int_equal(read->latency_ps, sram + enter + pitch + out + port);
    assert_int_equal(read->back_ps, port + enter + pitch + out + sram);
    assert_string_equal(read->links[0]->name, "sip0.cube0.sram.read");
    assert_string_equal(read->narrowest->name, "sip0.cube0.sram.read");
    /* One memory a cube: another PE's cut is behind the same ports. */
    assert_ptr_equal(route_between(&f, KB_SPACE_SRAM, 6, KB_SPACE_TCM, 0)->links[0], read->links[0]);
    assert_int_equal(route_between(&f, KB_SPACE_SRAM, 1, KB_SPACE_SRAM, 7)->latency_ps, 2 * sram);
    assert_int_equal(route_between(&f, KB_SPACE_TCM, 2, KB_SPACE_SRAM, 2)->latency_ps,
                     port + enter + pitch + out + sram);
    tear_down(&f);
}

/*
 * Two flows that share the way between their cubes: where they meet is decided, and so is what a route begins
 * with; what is slower follows where one channel uses it, and what is no slower lets everything through.
 */
static void links_that_need_no_decision_are_found(void **state) {
    (void)state;
    for (int two_channels = 0; two_channels < 2; two_channels++) {
        static fixture f;
        set_up(&f, "cubes=2x1,pes=8");
        const kbs_route *a = route_of(&f, 0, 8), *b = route_of(&f, 4, 8);
        if (two_channels)
            route_between(&f, KB_SPACE_TCM, 0, KB_SPACE_TCM, 8);
        check_ok(kbs_fabric_settle(&f.fabric, true, &f.trail), &f.trail);
        for (int k = 0; k < 2; k++) {
            const kbs_route *route = k == 0 ? a : b;
            const bool both = k == 0 && two_channels;
            assert_int_equal(route->links[0]->pass, KBS_DECIDES);                      /* TCM, 512 GB/s */
            assert_int_equal(route->links[1]->pass, both ? KBS_DECIDES : KBS_FOLLOWS); /* 256 GB/s */
            assert_int_equal(route->links[2]->pass, KBS_LETS_THROUGH);                 /* the mesh, as fast */
            assert_int_equal(route->links[route->link_count - 1]->pass, KBS_LETS_THROUGH);
            int64_t delay_ps = 0;
            for (uint32_t i = 0; i < route->step_count; i++)
                delay_ps += route->steps[i].delay_ps;
            assert_int_equal(delay_ps, route->latency_ps);
        }
        uint32_t joints = 0;
        for (uint32_t i = 0; i < a->link_count; i++)
            joints += a->links[i]->is_joint;
        assert_int_equal(joints, 1);
        tear_down(&f);
    }
}

/* First in x, then in y: from the first cube to the last over the corner, and back over the other one. */
static void cubes_are_crossed_first_in_x(void **state) {
    (void)state;
    static fixture f;
    set_up(&f, "cubes=3x2,pes=4");
    static const char *const there[] = {"cube0>cube1", "cube1>cube2", "cube2>cube5"};
    static const char *const back[] = {"cube5>cube4", "cube4>cube3", "cube3>cube0"};
    for (int way = 0; way < 2; way++) {
        const kbs_route *route = way == 0 ? route_of(&f, 3, 23) : route_of(&f, 23, 3);
        uint32_t found = 0;
        for (uint32_t i = 0; i < route->link_count; i++)
            if (strstr(route->links[i]->name, "ucie3") != NULL) {
                assert_true(found < 3);
                assert_non_null(strstr(route->links[i]->name, way == 0 ? there[found] : back[found]));
                found++;
            }
        assert_int_equal(found, 3);
    }
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_pes_surround_the_memory),
        cmocka_unit_test(any_number_of_pes_has_routers_of_its_own),
        cmocka_unit_test(walks_are_whole_and_shortest),
        cmocka_unit_test(idle_ways_take_their_latencies_and_the_narrowest_link),
        cmocka_unit_test(latencies_follow_from_the_parameters),
        cmocka_unit_test(memories_have_ways_of_their_own),
        cmocka_unit_test(links_that_need_no_decision_are_found),
        cmocka_unit_test(cubes_are_crossed_first_in_x),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

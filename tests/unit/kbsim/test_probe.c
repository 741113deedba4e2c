/* SPDX-License-Identifier: Apache-2.0 */
/* What single transfers take against their closed forms, on the machines that ship and on random ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/random.h"

#include "kbsim/config.h"
#include "kbsim/probe.h"

static const uint64_t sizes[] = {1, 2, 255, 256, 257, 1000, 4095, 4096, 4097, 16384, 65536, 262144, 1048576};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void check_rows(const kbs_probe_result *result, const char *machine) {
    for (size_t i = 0; i < result->row_count; i++) {
        const kbs_probe_row *row = &result->rows[i];
        if (row->took_ps != row->form_ps)
            fail_msg("%s: %s of %lu bytes, %s to %s: %ld ps, and by its form %ld", machine, row->what,
                     (unsigned long)row->size_bytes, row->from, row->to, (long)row->took_ps,
                     (long)row->form_ps);
    }
    assert_int_equal(result->different, 0);
}

static void probe(const kbs_machine *machine, uint32_t pe, bool alone, kbs_probe_result *ret) {
    const kbs_probe_options options = {
        .machine = machine, .pe = pe, .sizes = sizes, .size_count = SIZES, .alone = alone};
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kbs_machine_check(machine, &trail), &trail);
    check_ok(kbs_probe(&options, ret, &trail), &trail);
}

static void the_default_machine_meets_its_forms(void **state) {
    (void)state;
    kbs_machine machine;
    kbs_probe_result result;
    kbs_machine_init(&machine);
    static const uint32_t pes[] = {0, 63, 126, 213};
    for (size_t i = 0; i < sizeof pes / sizeof pes[0]; i++) {
        probe(&machine, pes[i], true, &result);
        check_rows(&result, "default");
        kbs_probe_fini(&result);
    }
}

static void what_ships_meets_its_forms(void **state) {
    (void)state;
    static const char *const names[] = {"kernbench", "tiny"};
    char share[4096];
    snprintf(share, sizeof share, "%s/share", getenv("KB_ROOT"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        kbs_machine machine;
        kbs_config config;
        kbs_probe_result result;
        kb_trail trail;
        kb_trail_init(&trail);
        kbs_machine_init(&machine);
        kbs_config_init(&config, &machine, NULL, NULL, share);
        check_ok(kbs_config_topology(&config, names[i], &trail), &trail);
        probe(&machine, 1, true, &result);
        check_rows(&result, names[i]);
        kbs_probe_fini(&result);
        kbs_config_fini(&config);
    }
}

/* --- random machines --------------------------------------------------------------------------- */

/* One of the words, as a whole; they are apart by a blank. */
static void set_one_of(kbs_machine *machine, random_source *random, const char *path, const char *words) {
    char word[KBS_VALUE_CHARS];
    const char *at = words;
    uint64_t count = 1;
    kb_trail trail;
    kb_trail_init(&trail);
    for (; *at != '\0'; at++)
        count += *at == ' ';
    at = words;
    for (uint64_t skip = random_below(random, count); skip > 0; skip--)
        at = strchr(at, ' ') + 1;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(at, " "), at);
    check_ok(kbs_machine_set(machine, path, word, "set", &trail), &trail);
}

static void draw_machine(kbs_machine *machine, random_source *random) {
    static const char *const rows[][2] = {
        {"system.sips", "1x1 1x1 2x1 3x2 5x1 2x2"},
        {"system.grid", "ring_1d torus_2d mesh_2d"},
        {"io.links", "1 2 3 4"},
        {"io_noc.ns", "0 10 2.9"},
        {"pcie.links", "1 3"},
        {"pcie.gbps", "57.6 3 300"},
        {"pcie.endpoint_ns", "0 100 40.4"},
        {"sip.cubes", "1x1 2x1 1x3 3x2 4x4 2x5"},
        {"cube.pes", "1 2 3 5 6 7 8 11 12"},
        {"cube.routers", "4x4 5x5 6x6 5x4 7x6 6x9 8x5"},
        {"cube.width_mm", "17 3.7 9.001"},
        {"fabric.flit_bytes", "16 64 100 256 512"},
        {"fabric.packet_bytes", "64 256 1000 4096 5000"},
        {"noc.link_gbps", "256 100 37.5 512 3"},
        {"noc.router_ns", "0 1 0.37 12"},
        {"noc.ns_per_mm", "0 0.1 0.033"},
        {"ucie.links", "1 2 3 4"},
        {"ucie.gbps", "128 256 31.7 600"},
        {"ucie.port_ns", "0 8 1.5"},
        {"hbm.channels_per_pe", "1 2 4 8 16 64"},
        {"hbm.channel_gbps", "32 5 64.3 300"},
        {"hbm.burst_bytes", "64 128 256 1024"},
        {"hbm.access_bytes", "16 32 64"},
        {"hbm.commit_ns", "0 8 3.3"},
        {"hbm.channel_hash", "xor none"},
        {"hbm.read_latency_ns", "0 60 11.1"},
        {"hbm.write_latency_ns", "0 10 7.7"},
        {"sram.gbps", "128 17 600"},
        {"sram.ns", "0 2 30"},
        {"tcm.read_gbps", "512 60 256"},
        {"tcm.write_gbps", "512 75 256"},
        {"dma.reads_outstanding", "1 2 3 16 65536"},
        {"dma.writes_outstanding", "1 2 5 16 65536"},
        {"dma.setup_ns", "0 10 3.21"},
        {"clock_ghz", "1 1.7 0.3"},
        {"pe_cpu.dispatch_ns", "0 4 1.001"},
        {"math.bytes_per_cycle", "1 128 256"},
        {"ipcq.slots", "1 2 4 9"},
        {"ipcq.slot_bytes", "256 1000 4096 70000"},
        {"ipcq.credit_bytes", "0 16 300 4096"},
        {"ipcq.ring", "tcm sram hbm"},
        {"ipcq.backpressure", "sleep poll"},
        {"ipcq.credit_path", "fast vc"},
        {"ipcq.poll_ns", "16 0.7 100"},
        {"ipcq.tcm_ns", "0 3"},
        {"ipcq.hbm_gbps", "256 30"},
        {"host.copy_gbps", "57.6 3.3"},
        {"host.copy_ns", "0 1000"},
    };
    kbs_machine_init(machine);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        set_one_of(machine, random, rows[i][0], rows[i][1]);
}

/* As many as the argument says; a few where there is none. */
static uint64_t seeds = 40;

static void random_machines_meet_their_forms(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        char name[32];
        kbs_machine machine;
        kbs_probe_result result;
        random_source random;
        random_init(&random, seed);
        draw_machine(&machine, &random);
        const uint32_t pes = (uint32_t)kbs_machine_pes(&machine);
        snprintf(name, sizeof name, "machine %lu", (unsigned long)seed);
        probe(&machine, (uint32_t)random_below(&random, pes), true, &result);
        check_rows(&result, name);
        kbs_probe_fini(&result);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_machine_meets_its_forms),
        cmocka_unit_test(what_ships_meets_its_forms),
        cmocka_unit_test(random_machines_meet_their_forms),
    };
    if (argc > 1)
        seeds = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

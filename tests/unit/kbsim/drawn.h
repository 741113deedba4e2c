/* SPDX-License-Identifier: Apache-2.0 */
/* Machines drawn at random: odd shapes, and each figure one of a few. */
#ifndef KB_TESTS_DRAWN_H
#define KB_TESTS_DRAWN_H

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/random.h"

#include "kbsim/machine.h"

/* One of the words, as a whole; they are apart by a blank. */
static inline void drawn_set(kbs_machine *machine, random_source *random, const char *path,
                             const char *words) {
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

static inline void drawn_machine(kbs_machine *machine, random_source *random) {
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
        {"dma.transfers", "overlapped single"},
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
        {"host.launch_ns", "0 2000 3.3"},
        {"io_cpu.ns", "0 20 1.7"},
        {"m_cpu.ns", "0 10 0.9"},
        {"m_cpu.reads_outstanding", "1 2 32 65536"},
        {"m_cpu.writes_outstanding", "1 3 32 65536"},
        {"launch.mode", "stamped on_arrival"},
        {"host.copy_ns", "0 1000"},
    };
    kbs_machine_init(machine);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        drawn_set(machine, random, rows[i][0], rows[i][1]);
}

#endif

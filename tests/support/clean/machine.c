/* SPDX-License-Identifier: Apache-2.0 */
/* The machine of a random program; see machine.h. */
#include "support/clean/machine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void set(clean_plan *plan, const char *path, const char *value) {
    kb_trail trail;
    kb_trail_init(&trail);
    if (kbs_machine_set(&plan->machine, path, value, "set", &trail) != KB_OK)
        abort();
}

/* Other models of engines, and PEs with which something is wrong. */
static void draw_oddities(clean_plan *plan) {
    static const char *const wrong[] = {"gemm", "math", "pe_cpu", "delay_ns"};
    static const char *const values[] = {"2", "7", "3", "400"};
    const uint64_t pes = plan->machine.at.cube_pes, of_sip = kbs_machine_pes_of_sip(&plan->machine);
    if (clean_once_in(plan, 4))
        set(plan, "components.gemm", "peak");
    if (clean_once_in(plan, 4))
        set(plan, "components.math", "peak");
    for (uint64_t faults = clean_once_in(plan, 3) ? 1 + clean_below(plan, 3) : 0; faults > 0; faults--) {
        const uint64_t pe = clean_below(plan, plan->ranks), what = clean_below(plan, 4);
        char path[64];
        snprintf(path, sizeof path, "fault.sip%llu.cube%llu.pe%llu.%s", (unsigned long long)(pe / of_sip),
                 (unsigned long long)(pe % of_sip / pes), (unsigned long long)(pe % pes), wrong[what]);
        set(plan, path, values[what]);
    }
}

static void draw_shape(clean_plan *plan) {
    static const uint32_t pes[] = {1, 2, 3, 4, 5, 8};
    kb_trail trail;
    char text[64];
    uint32_t columns, rows, each;
    plan->ranks =
        (uint32_t)(clean_once_in(plan, 12) ? 1 : 2 + clean_below(plan, clean_once_in(plan, 3) ? 11 : 4));
    do {
        columns = 1 + (uint32_t)clean_below(plan, 4);
        rows = 1 + (uint32_t)clean_below(plan, 3);
        each = pes[clean_below(plan, sizeof pes / sizeof pes[0])];
    } while (columns * rows * each < plan->ranks);
    /* Of three programs two have their cubes spread over packages; otherwise they are the same. */
    if (plan->seed % 3 == 0)
        snprintf(text, sizeof text, "sips=1,cubes=%ux%u,pes=%u", columns, rows, each);
    else if (plan->seed % 3 == 1)
        snprintf(text, sizeof text, "sips=%u,cubes=1x%u,pes=%u", columns, rows, each);
    else
        snprintf(text, sizeof text, "sips=%ux%u,cubes=1,pes=%u", columns, rows, each);
    kb_trail_init(&trail);
    if (kbs_machine_shorthand(&plan->machine, text, &trail) != KB_OK)
        abort();
    plan->machine.at.system_grid = plan->seed / 3 % 3;
    plan->machine.at.pcie_links = 1 + plan->seed % 2;
}

static uint64_t between(clean_plan *plan, int64_t least, int64_t most) {
    return (uint64_t)random_between(&plan->random, least, most);
}

static void draw_rates(clean_plan *plan) {
    kbs_machine *machine = &plan->machine;
    machine->at.fabric_packet_bytes = between(plan, 40, 5000);
    machine->at.fabric_flit_bytes = between(plan, 16, 512);
    machine->at.noc_link_gbps = between(plan, 1, 500) * KBS_MILLION;
    machine->at.tcm_read_gbps = between(plan, 1, 500) * KBS_MILLION;
    machine->at.dma_reads_outstanding = between(plan, 1, 6);
    machine->at.dma_writes_outstanding = between(plan, 1, 6);
    machine->at.dma_setup_ns = between(plan, 0, 20) * KBS_MILLION;
    machine->at.hbm_channels_per_pe = UINT64_C(1) << clean_below(plan, clean_once_in(plan, 2) ? 1 : 5);
    machine->at.hbm_channel_gbps = between(plan, 1, 40) * KBS_MILLION;
    machine->at.hbm_channel_hash = clean_below(plan, 2);
    machine->at.pe_cpu_dispatch_ns = between(plan, 0, 9) * KBS_MILLION;
    machine->at.pe_compute_slots = clean_below(plan, 2);
    machine->at.gemm_port_gbps = clean_below(plan, 2) * 100 * KBS_MILLION;
    machine->at.host_launch_ns = clean_below(plan, 3) * 500 * KBS_MILLION;
    machine->at.host_copy_ns = clean_below(plan, 3) * 200 * KBS_MILLION;
    machine->at.host_barrier_ns = clean_below(plan, 2) * 300 * KBS_MILLION;
    machine->at.io_cpu_ns = clean_below(plan, 3) * KBS_MILLION;
    machine->at.m_cpu_ns = clean_below(plan, 3) * KBS_MILLION;
    machine->at.m_cpu_reads_outstanding = between(plan, 1, 6);
    machine->at.m_cpu_writes_outstanding = between(plan, 1, 6);
}

void clean_machine_draw(clean_plan *plan) {
    static const uint64_t slot_bytes[] = {16, 36, 64, 100, 128, 260, 512, 1024, 4096};
    kbs_machine *machine = &plan->machine;
    kbs_machine_init(machine);
    draw_shape(plan);
    draw_rates(plan);
    draw_oddities(plan);
    machine->at.hbm_timing =
        plan->seed / 5 % 3 == 1 ? KBS_TIMING_HBM3 : KBS_TIMING_OFF; /* the same programs */
    machine->at.dma_transfers = plan->seed / 2 % 2;                 /* the same programs */
    machine->at.engine_queue_depth = between(plan, 1, 6);
    machine->at.ipcq_slots = between(plan, 1, 5);
    machine->at.ipcq_slot_bytes = slot_bytes[clean_below(plan, sizeof slot_bytes / sizeof slot_bytes[0])];
    machine->at.ipcq_ring = clean_below(plan, 3);
    machine->at.ipcq_backpressure = clean_below(plan, 2);
    machine->at.ipcq_poll_ns = between(plan, 1, 50000) * 1000;
    machine->at.ipcq_credit_path = clean_below(plan, 2);
    machine->at.ipcq_credit_bytes = clean_below(plan, 300);
    machine->at.scratch_bytes = UINT64_C(32768) << clean_below(plan, 5);
}

void clean_machine_finish(clean_plan *plan) {
    uint64_t most = 0;
    for (uint32_t rank = 0; rank < plan->ranks; rank++) {
        uint64_t out = 0, in = 0;
        for (int id = 0; id < plan->queue_count; id++) {
            out += plan->queues[id].from == rank;
            in += plan->queues[id].to == rank;
        }
        most = out > most ? out : most;
        most = in > most ? in : most;
    }
    /* A collective may join everybody with everybody. */
    plan->machine.at.ipcq_max_queues = most + plan->ranks + clean_below(plan, 3);
}

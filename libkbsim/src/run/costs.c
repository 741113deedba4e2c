/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters turned into picoseconds and bytes a second, once; see costs.h. */
#include "run/costs.h"

void kbs_costs_find(kbs_costs *costs, const kbs_machine *machine) {
    *costs = (kbs_costs){
        .dispatch_ps = kbs_ps_of_ns(machine->at.pe_cpu_dispatch_ns),
        .dma_setup_ps = kbs_ps_of_ns(machine->at.dma_setup_ns),
        .cycle_ps = (int64_t)((1000 * KBS_MILLION + machine->at.clock_ghz - 1) / machine->at.clock_ghz),
        .packet_bytes = machine->at.fabric_packet_bytes,
        .tcm_read_rate = kbs_rate_of_gbps(machine->at.tcm_read_gbps),
        .tcm_write_rate = kbs_rate_of_gbps(machine->at.tcm_write_gbps),
        .reads_outstanding = (uint32_t)machine->at.dma_reads_outstanding,
        .writes_outstanding = (uint32_t)machine->at.dma_writes_outstanding,
        .single_transfers = machine->at.dma_transfers == KBS_TRANSFERS_SINGLE,
        .depth = (uint32_t)machine->at.engine_queue_depth,
        .math_bytes = machine->at.math_bytes_per_cycle,
        .special_cycles = machine->at.math_transcendental_cycles,
        .gemm_macs = machine->at.gemm_macs_per_cycle,
        .gemm_fill = machine->at.gemm_fill_cycles,
        .gemm_port_rate = kbs_rate_of_gbps(machine->at.gemm_port_gbps),
        .tile_m = kbs_side(machine->at.gemm_tile, 0),
        .tile_k = kbs_side(machine->at.gemm_tile, 1),
        .tile_n = kbs_side(machine->at.gemm_tile, 2),
        .shared_slots = machine->at.pe_compute_slots == KBS_SLOTS_SHARED,
        .on_arrival = machine->at.launch_mode == KBS_LAUNCH_ON_ARRIVAL,
        .io_cpu_ps = kbs_ps_of_ns(machine->at.io_cpu_ns),
        .m_cpu_ps = kbs_ps_of_ns(machine->at.m_cpu_ns),
        .m_cpu_reads = (uint32_t)machine->at.m_cpu_reads_outstanding,
        .m_cpu_writes = (uint32_t)machine->at.m_cpu_writes_outstanding,
        .host_launch_ps = kbs_ps_of_ns(machine->at.host_launch_ns),
        .host_copy_ps = kbs_ps_of_ns(machine->at.host_copy_ns),
        .host_barrier_ps = kbs_ps_of_ns(machine->at.host_barrier_ns),
    };
    costs->slots[KB_SPACE_TCM] =
        (kbs_slot_cost){kbs_ps_of_ns(machine->at.ipcq_tcm_ns), kbs_rate_of_gbps(machine->at.ipcq_tcm_gbps)};
    costs->slots[KB_SPACE_SRAM] =
        (kbs_slot_cost){kbs_ps_of_ns(machine->at.ipcq_sram_ns), kbs_rate_of_gbps(machine->at.ipcq_sram_gbps)};
    costs->slots[KB_SPACE_HBM] =
        (kbs_slot_cost){kbs_ps_of_ns(machine->at.ipcq_hbm_ns), kbs_rate_of_gbps(machine->at.ipcq_hbm_gbps)};
}

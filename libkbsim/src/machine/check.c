/* SPDX-License-Identifier: Apache-2.0 */
/* What no single value of a machine can tell: whether its values fit together. May not change any. */
#include <inttypes.h>

#include "fabric/floorplan.h"
#include "machine/address.h"
#include "machine/fault.h"
#include "machine/origin.h"

/* Of two values that do not fit together, the one that stands in a file; the first, if both do. */
static const kbs_origin *where(const kbs_origin *one, const kbs_origin *other) {
    return one->line == 0 && other->line != 0 ? other : one;
}

static bool is_power_of_two(uint64_t number) {
    return (number & (number - 1)) == 0;
}

static kb_status check_hbm(const kbs_machine *machine, kb_trail *trail) {
    if (!is_power_of_two(machine->at.hbm_channels_per_pe))
        return kbs_fail_at(&machine->origin.hbm_channels_per_pe, trail,
                           "hbm.channels_per_pe: %" PRIu64
                           " is no power of two, and a channel is a part of an address (try 8)",
                           machine->at.hbm_channels_per_pe);
    if (!is_power_of_two(machine->at.hbm_burst_bytes))
        return kbs_fail_at(&machine->origin.hbm_burst_bytes, trail,
                           "hbm.burst_bytes: %" PRIu64
                           " is no power of two, and bursts are parts of an address (try 256)",
                           machine->at.hbm_burst_bytes);
    if (machine->at.hbm_burst_bytes % machine->at.hbm_access_bytes != 0)
        return kbs_fail_at(where(&machine->origin.hbm_access_bytes, &machine->origin.hbm_burst_bytes), trail,
                           "hbm.access_bytes: a burst of %" PRIu64
                           " bytes is no whole number of accesses of %" PRIu64,
                           machine->at.hbm_burst_bytes, machine->at.hbm_access_bytes);
    return KB_OK;
}

/* Banks, groups, rows and stripes are parts of an address; refreshes leave time for something else. */
static kb_status check_banks(const kbs_machine *machine, kb_trail *trail) {
    const struct {
        const char *path;
        uint64_t value;
        const kbs_origin *origin;
    } parts[] = {{"hbm3.bank_groups", machine->at.hbm3_bank_groups, &machine->origin.hbm3_bank_groups},
                 {"hbm3.banks", machine->at.hbm3_banks, &machine->origin.hbm3_banks},
                 {"hbm3.row_bytes", machine->at.hbm3_row_bytes, &machine->origin.hbm3_row_bytes},
                 {"hbm3.group_bytes", machine->at.hbm3_group_bytes, &machine->origin.hbm3_group_bytes}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!is_power_of_two(parts[i].value))
            return kbs_fail_at(parts[i].origin, trail,
                               "%s: %" PRIu64 " is no power of two, and it is a part of an address",
                               parts[i].path, parts[i].value);
    if (machine->at.hbm3_bank_groups > machine->at.hbm3_banks)
        return kbs_fail_at(where(&machine->origin.hbm3_banks, &machine->origin.hbm3_bank_groups), trail,
                           "hbm3.banks: %" PRIu64 " banks cannot be in %" PRIu64 " groups",
                           machine->at.hbm3_banks, machine->at.hbm3_bank_groups);
    if (machine->at.hbm3_group_bytes > machine->at.hbm3_row_bytes)
        return kbs_fail_at(where(&machine->origin.hbm3_group_bytes, &machine->origin.hbm3_row_bytes), trail,
                           "hbm3.group_bytes: %" PRIu64 " bytes are more than a row (hbm3.row_bytes=%" PRIu64
                           ")",
                           machine->at.hbm3_group_bytes, machine->at.hbm3_row_bytes);
    if (machine->at.hbm_access_bytes > machine->at.hbm3_group_bytes)
        return kbs_fail_at(where(&machine->origin.hbm3_group_bytes, &machine->origin.hbm_access_bytes), trail,
                           "hbm3.group_bytes: %" PRIu64 " bytes are less than an access "
                           "(hbm.access_bytes=%" PRIu64 ")",
                           machine->at.hbm3_group_bytes, machine->at.hbm_access_bytes);
    const uint64_t busy_ns = machine->at.hbm3_rfcpb_ns + machine->at.hbm3_rp_cycles * machine->at.hbm3_tck_ns;
    const uint64_t least_ns = 100 * KBS_MILLION, refi_ns = machine->at.hbm3_refi_ns;
    if (refi_ns != 0 && (refi_ns < least_ns || refi_ns / 2 < busy_ns))
        return kbs_fail_at(
            where(&machine->origin.hbm3_refi_ns, &machine->origin.hbm3_rfcpb_ns), trail,
            "hbm3.refi_ns: a bank would be busy with refreshes (hbm3.rfcpb_ns, and closing its "
            "row) for more than half of the time, or every 100 ns (0: never refreshed)");
    return KB_OK;
}

static kb_status check_cube(const kbs_machine *machine, kb_trail *trail) {
    const uint32_t columns = kbs_columns(machine->at.cube_routers),
                   lines = kbs_rows(machine->at.cube_routers);
    kbs_floorplan plan;
    kbs_floorplan_init(&plan, columns, lines);
    if (machine->at.cube_pes > kbs_floorplan_routers(&plan))
        return kbs_fail_at(where(&machine->origin.cube_pes, &machine->origin.cube_routers), trail,
                           "cube.pes: %" PRIu64
                           " PEs need a router each, and cube.routers=%ux%u has %u outside the "
                           "HBM (take fewer PEs or a larger mesh)",
                           machine->at.cube_pes, columns, lines, kbs_floorplan_routers(&plan));
    if (machine->at.ucie_links > columns || machine->at.ucie_links > lines)
        return kbs_fail_at(where(&machine->origin.ucie_links, &machine->origin.cube_routers), trail,
                           "ucie.links: %" PRIu64
                           " links need an edge router each, and cube.routers=%ux%u has %u "
                           "on an edge",
                           machine->at.ucie_links, columns, lines, columns < lines ? columns : lines);
    return KB_OK;
}

static kb_status check_io(const kbs_machine *machine, kb_trail *trail) {
    const uint64_t edge =
        (uint64_t)kbs_columns(machine->at.sip_cubes) * kbs_columns(machine->at.cube_routers);
    if (machine->at.io_links > edge)
        return kbs_fail_at(where(&machine->origin.io_links, &machine->origin.sip_cubes), trail,
                           "io.links: %" PRIu64
                           " links need an edge router each, and the first row of cubes has %" PRIu64,
                           machine->at.io_links, edge);
    return KB_OK;
}

static kb_status check_address(const kbs_machine *machine, kb_trail *trail) {
    enum { MOST_BITS = 64 };
    if (kbs_address_bits(machine) > MOST_BITS)
        return kbs_fail_at(
            where(&machine->origin.hbm_slice_bytes, &machine->origin.system_sips), trail,
            "hbm.slice_bytes: with so many packages and cubes an address takes %u bits, and it "
            "has %d (take smaller memories or fewer cubes)",
            kbs_address_bits(machine), MOST_BITS);
    return KB_OK;
}

kb_status kbs_machine_check(const kbs_machine *machine, kb_trail *trail) {
    KB_TRY(check_cube(machine, trail));
    KB_TRY(check_io(machine, trail));
    KB_TRY(check_hbm(machine, trail));
    if (machine->at.hbm_timing == KBS_TIMING_HBM3)
        KB_TRY(check_banks(machine, trail));
    KB_TRY(check_address(machine, trail));
    KB_TRY(kbs_fault_check(machine, trail));
    if (machine->at.sram_bytes < machine->at.cube_pes)
        return kbs_fail_at(where(&machine->origin.sram_bytes, &machine->origin.cube_pes), trail,
                           "sram.bytes: %" PRIu64 " bytes cannot be cut for %" PRIu64 " PEs",
                           machine->at.sram_bytes, machine->at.cube_pes);
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of addresses and what lies where in a cube; see address.h. */
#include "machine/address.h"

#include <assert.h>

#include "kbtrace/op.h"

/* The kinds of a PE's memories, in the order in which they lie in a cube. */
enum { HBM, SRAM, TCM, MEMORIES };

typedef struct layout {
    uint64_t size_bytes[MEMORIES]; /* of each PE's */
    uint64_t begin[MEMORIES];      /* of the first PE's, in the cube */
    uint32_t cube_shift, sip_shift, bits;
} layout;

static uint32_t bits_for(uint64_t count, uint32_t least) {
    uint32_t bits = 0;
    while (bits < 63 && (UINT64_C(1) << bits) < count)
        bits++;
    return bits > least ? bits : least;
}

static layout layout_of(const kbs_machine *machine) {
    enum { LEAST_SIP_BITS = 4, LEAST_CUBE_BITS = 5, LEAST_OFFSET_BITS = 42 };
    const uint64_t pes = machine->at.cube_pes, cubes = kbs_machine_pes_of_sip(machine) / pes;
    layout found = {
        .size_bytes = {machine->at.hbm_slice_bytes, machine->at.sram_bytes / pes, machine->at.tcm_bytes}};
    uint64_t end = 0;
    for (uint32_t i = 0; i < MEMORIES; i++) {
        found.begin[i] = end;
        end += pes * found.size_bytes[i];
    }
    found.cube_shift = bits_for(end, LEAST_OFFSET_BITS);
    found.sip_shift = found.cube_shift + bits_for(cubes, LEAST_CUBE_BITS);
    found.bits = found.sip_shift + bits_for(kbs_machine_pes(machine) / pes / cubes, LEAST_SIP_BITS);
    return found;
}

uint32_t kbs_address_bits(const kbs_machine *machine) {
    return layout_of(machine).bits;
}

uint64_t kbs_address_of(const kbs_machine *machine, uint32_t space, uint32_t pe, uint64_t *ret_size_bytes) {
    assert(space == KB_SPACE_HBM || space == KB_SPACE_SRAM || space == KB_SPACE_TCM);
    const uint32_t kind = space == KB_SPACE_HBM ? HBM : space == KB_SPACE_SRAM ? SRAM : TCM;
    const layout found = layout_of(machine);
    const uint64_t pes = machine->at.cube_pes, of_sip = kbs_machine_pes_of_sip(machine);
    *ret_size_bytes = found.size_bytes[kind];
    return pe / of_sip << found.sip_shift | pe % of_sip / pes << found.cube_shift |
           (found.begin[kind] + pe % pes * found.size_bytes[kind]);
}

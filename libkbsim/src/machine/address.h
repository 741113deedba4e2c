/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical addresses: a package, a cube of it, an offset in the cube, each in a field as wide as the
 * machine's shape needs, and at least as wide as 4, 5 and 42 bits. A cube's HBM comes first, then its
 * SRAM, then the TCMs of its PEs.
 */
#ifndef KBSIM_SRC_ADDRESS_H
#define KBSIM_SRC_ADDRESS_H

#include "kbsim/machine.h"

/* Bits of an address; kbs_machine_check() refuses a machine with more than 64. */
uint32_t kbs_address_bits(const kbs_machine *machine);

/* Of a PE's memory in a space, the PE by its number in the system. */
uint64_t kbs_address_of(const kbs_machine *machine, uint32_t space, uint32_t pe, uint64_t *ret_size_bytes);

#endif

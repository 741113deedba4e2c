/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long an engine needs to stream its operands, beside what it calculates: the ports of its PE's TCM, and
 * slots of rings that lie elsewhere.
 */
#ifndef KBSIM_SRC_ACCESS_H
#define KBSIM_SRC_ACCESS_H

#include "pe/sim.h"

/* What an op streams. Start from {0}. */
typedef struct kbs_access {
    uint64_t read_bytes, written_bytes; /* through the TCM's ports */
    int64_t slot_ps;                    /* reading slots in SRAM or HBM, one after another */
} kbs_access;

/* Whole numbers, and cycles in picoseconds; what is too large to count is the largest number. */
uint64_t kbs_sum(uint64_t a, uint64_t b);
uint64_t kbs_product(uint64_t a, uint64_t b);
int64_t kbs_cycles_ps(const kbs_costs *costs, uint64_t cycles);

/* An operand that is streamed so many times. */
void kbs_access_add(kbs_access *access, const kbs_sim *sim, const kb_operand *operand, uint64_t times);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a PE: found once, and paid op by op. */
#ifndef KBSIM_SRC_PE_FAULT_H
#define KBSIM_SRC_PE_FAULT_H

#include "pe/sim.h"

void kbs_pe_find_faults(kbs_pe *pe);

/* What a fault adds to a time; `times` is in millionths, 0 where nothing is wrong. Never beyond INT64_MAX. */
static inline int64_t kbs_fault_more_ps(int64_t took_ps, uint64_t times) {
    if (times <= KBS_MILLION)
        return 0;
    const unsigned __int128 more = (unsigned __int128)took_ps * (times - KBS_MILLION) + (KBS_MILLION - 1);
    const int64_t most_ps = INT64_MAX - took_ps;
    return more / KBS_MILLION < (uint64_t)most_ps ? (int64_t)(more / KBS_MILLION) : most_ps;
}

/* How long faults hold the PE's next command, beside its dispatch. */
int64_t kbs_fault_held_ps(kbs_pe *pe, const kbs_command *command, int64_t dispatch_ps);

#endif

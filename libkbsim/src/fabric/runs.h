/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strided operand as bytes in a row: element by element as its view says, and where in memory each of
 * them lies. What lies side by side is one run. So a packet of a transfer holds the bytes from one
 * position to another, whatever rows they come from.
 */
#ifndef KBSIM_SRC_RUNS_H
#define KBSIM_SRC_RUNS_H

#include "kbtrace/op.h"

typedef struct kbs_runs {
    uint64_t offset_bytes; /* of the first element */
    uint64_t run_bytes;
    uint32_t dims;               /* of runs, outermost first */
    uint64_t count[KB_DIMS_MAX]; /* runs along each */
    int64_t stride_bytes[KB_DIMS_MAX];
} kbs_runs;

typedef struct kbs_span {
    uint64_t offset_bytes, size_bytes;
} kbs_span;

kbs_runs kbs_runs_of(const kb_operand *operand, uint64_t offset_bytes);

/* Where the byte at a position lies, and how many follow it in its run, itself included. */
kbs_span kbs_runs_at(const kbs_runs *runs, uint64_t position);

#endif

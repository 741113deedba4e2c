/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine that serves one op after another, in the order of their issue, each for a time that is known
 * when it is handed over: GEMM and MATH.
 */
#ifndef KBSIM_SRC_UNIT_H
#define KBSIM_SRC_UNIT_H

#include "pe/sim.h"

/* What an op asks of its unit. */
typedef struct kbs_job {
    kbs_unit *unit;
    const kbs_unit *beside; /* may not be busy at the same time either; NULL: any other may */
    bool is_total;          /* the unit promises its order: an op claims the one before it */
    uint16_t cause, fixed_cause;
    int64_t took_ps;
    int64_t fixed_ps; /* of took_ps, what `fixed_cause` has; the rest is `cause`'s */
} kbs_job;

/* All times of `op`, and its notes up to done. False where the unit's line is full, as kbs_kind.begin. */
bool kbs_unit_serve(kbs_pe *pe, kbs_op *op, const kbs_job *job);

#endif

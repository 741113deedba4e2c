/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine that serves one op after another, in the order of their issue, each for a time that is known
 * when it is handed over: GEMM, MATH, and the copies of a host.
 */
#ifndef KBSIM_SRC_UNIT_H
#define KBSIM_SRC_UNIT_H

#include "pe/sim.h"

/* What an op asks of its unit. */
typedef struct kbs_job {
    kbs_unit *unit;
    const kbs_unit *beside; /* may not be busy at the same time either; NULL: any other may */
    int64_t took_ps;
    int64_t fixed_ps; /* of took_ps, what `fixed_cause` has; the rest is `cause`'s */
    uint16_t cause, fixed_cause;
} kbs_job;

/*
 * Serves `op`: all its times, and its notes up to done. The sequencer waits where engine.queue_depth
 * ops in the unit's line have not begun.
 */
void kbs_unit_serve(kbs_pe *pe, kbs_op *op, const kbs_job *job);

#endif

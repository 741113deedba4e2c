/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed program in time, from its launch to its end, a deadlock, or an interruption. */
#ifndef KBSIM_SRC_SIMULATE_H
#define KBSIM_SRC_SIMULATE_H

#include <signal.h>

#include "kbsim/run.h"
#include "pe/sim.h"

typedef struct kbs_limits {
    int64_t max_time_ps; /* 0: none */
    const volatile sig_atomic_t *stop;
    kbs_progress_fn progress;
    void *context;
    uint64_t shuffle;
} kbs_limits;

/*
 * Fills what the run tells of itself into ret_result: outcome, time, events, ops, explanation. A deadlock
 * and an interruption are outcomes, not failures: the sink has all that happened.
 */
kb_status kbs_simulate(kbs_program *program, const kbs_limits *limits, const kbs_sink *sink,
                       kbs_result *ret_result, kb_trail *trail) KB_MUST_USE;

#endif

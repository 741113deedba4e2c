/* SPDX-License-Identifier: Apache-2.0 */
/* The command `kb-sim lint`: its options. */
#ifndef KBSIM_TOOL_LINT_H
#define KBSIM_TOOL_LINT_H

#include "sim/config.h"
#include "sim/guard.h"

typedef struct sim_lint_values {
    kbt_common common;
    kbt_list params;
    sim_config_values config;
    sim_guard_values guard;
    const char *rank_unit;
    uint64_t ranks, seed;
} sim_lint_values;

int sim_lint(kbt_call *call);

#endif

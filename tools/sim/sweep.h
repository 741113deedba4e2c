/* SPDX-License-Identifier: Apache-2.0 */
/* A run whose size stands for several: -p bytes=64KiB:1GiB:x4. */
#ifndef KBSIM_TOOL_SWEEP_H
#define KBSIM_TOOL_SWEEP_H

#include "sim/run.h"

/* Which of the parameters is a sweep; false where none is. */
bool sim_is_sweep(const sim_run_values *values, size_t *ret_param);
int sim_sweep(kbt_call *call, size_t param);

#endif

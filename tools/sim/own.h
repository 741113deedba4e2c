/* SPDX-License-Identifier: Apache-2.0 */
/* Users' own code in what kb-sim records: a bench or an algorithm that is a file. */
#ifndef KBSIM_TOOL_OWN_H
#define KBSIM_TOOL_OWN_H

#include "sim/compile.h"
#include "sim/guard.h"

typedef struct sim_own {
    sim_compiler compiler;
    bool is_watched;
} sim_own;

/* Where the options name a file: a compiler for C files, and somebody who watches, until sim_own_end. */
kb_status sim_own_begin(sim_own *own, const kbt_call *call, const sim_guard_values *values,
                        kbs_run_options *options, kb_trail *trail) KB_MUST_USE;
/* After whatever recorded, with its status. */
void sim_own_end(const sim_own *own, kb_status status, kb_trail *trail);

#endif

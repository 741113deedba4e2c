/* SPDX-License-Identifier: Apache-2.0 */
/* C files of users' as shared objects: made by the system's compiler, in a folder that goes again. */
#ifndef KBSIM_TOOL_COMPILE_H
#define KBSIM_TOOL_COMPILE_H

#include <limits.h>

#include "common/tool.h"
#include "kbsim/run.h"

enum { SIM_OBJECT_CHARS = PATH_MAX + 32 };

typedef struct sim_compiler {
    kbs_compiler hooks; /* for kbs_run_options */
    const kbt_call *call;
    char folder[PATH_MAX], object[SIM_OBJECT_CHARS]; /* of the file at hand */
} sim_compiler;

void sim_compiler_init(sim_compiler *compiler, const kbt_call *call);

#endif

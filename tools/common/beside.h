/* SPDX-License-Identifier: Apache-2.0 */
/* Starting another tool of kb: the one that lies beside the running executable. */
#ifndef KBTOOLS_BESIDE_H
#define KBTOOLS_BESIDE_H

#include "common/tool.h"

/*
 * Passes -q, -v, --color and --threads on; waits, and gives the other's exit status. With --json what
 * the other says goes to stderr, for stdout holds one object.
 */
int kbt_run_beside(const kbt_call *call, const char *name, const char *const *arguments,
                   size_t argument_count);

#endif

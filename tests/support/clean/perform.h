/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program that was drawn, through what host programs and kernels may call, and writes its trace. */
#ifndef KB_TESTS_CLEAN_PERFORM_H
#define KB_TESTS_CLEAN_PERFORM_H

#include "kbsim/run.h"
#include "support/clean/plan.h"

/* `shuffle` and `threads` as in kbs_run_options. A machine whose scratch does not do gets more of it. */
kb_status clean_run(const clean_plan *plan, const char *path, uint64_t shuffle, unsigned threads,
                    kbs_result *ret_result, kb_trail *trail);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Times on the command line of kb-sim: a number with its unit. */
#ifndef KBSIM_TOOL_TIME_H
#define KBSIM_TOOL_TIME_H

#include <stdint.h>

#include "kbtrace/status.h"

/* "100us", "1.5 s" without the space; the option is named where it is no time above 0. */
kb_status sim_read_time(const char *option, const char *text, int64_t *ret_ps, kb_trail *trail) KB_MUST_USE;

#endif

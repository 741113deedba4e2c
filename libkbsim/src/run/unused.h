/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters that were set and mean nothing in this machine, or in this program. */
#ifndef KBSIM_SRC_UNUSED_H
#define KBSIM_SRC_UNUSED_H

#include "record/program.h"

/* Says a warning of each. */
void kbs_warn_of_unused(const kbs_machine *machine, const kb_log *log);

/* Warns of sizes that were set for queues which the sealed program has not. */
void kbs_warn_of_unused_rings(const kbs_program *program);

#endif

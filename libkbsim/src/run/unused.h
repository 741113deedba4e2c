/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters that differ from their defaults and mean nothing in this machine. */
#ifndef KBSIM_SRC_UNUSED_H
#define KBSIM_SRC_UNUSED_H

#include "kbsim/machine.h"
#include "kbtrace/log.h"

/* Says a warning of each. */
void kbs_warn_of_unused(const kbs_machine *machine, const kb_log *log);

#endif

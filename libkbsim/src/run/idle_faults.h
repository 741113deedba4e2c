/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that a run never meets. */
#ifndef KBSIM_SRC_IDLE_FAULTS_H
#define KBSIM_SRC_IDLE_FAULTS_H

#include "record/program.h"

/* Warns of links that no way of the sealed program leads over, and of PEs that take no part. */
void kbs_warn_of_faults(const kbs_program *program);

#endif

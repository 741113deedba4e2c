/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A warning of rings that hold less than bandwidth x round trip. A slot goes around: its message's way,
 * its use, and its credit's way back; no stream is faster than all slots in that time.
 */
#ifndef KBSIM_SRC_RINGS_H
#define KBSIM_SRC_RINGS_H

#include "record/program.h"

/* One for all queues of a sealed program whose slots are used again; none where they reach enough. */
void kbs_warn_of_rings(const kbs_program *program);

#endif

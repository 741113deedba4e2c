/* SPDX-License-Identifier: Apache-2.0 */
/* Paths below `fault`: what is wrong with single PEs and links. */
#ifndef KBSIM_SRC_FAULT_H
#define KBSIM_SRC_FAULT_H

#include "kbsim/machine.h"

/* Of "fault.sip0.cube1.pe3.math" what stands behind the first point; of other paths NULL. */
const char *kbs_below_fault(const char *path);

/* `path` is what stands below. That there is such a PE is for kbs_fault_check() to tell. */
kb_status kbs_fault_set(kbs_machine *machine, const char *path, const char *value, const kbs_origin *origin,
                        kb_trail *trail) KB_MUST_USE;
/* Where a fault came from, by its path below `fault`; NULL where nobody set it. */
const kbs_origin *kbs_fault_origin(const kbs_machine *machine, const char *path);

kb_status kbs_fault_check(const kbs_machine *machine, kb_trail *trail) KB_MUST_USE;

/* The value of what is wrong with a target, in millionths, or NULL. */
const kbs_fault *kbs_fault_of(const kbs_machine *machine, const char *target, kbs_fault_kind kind);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What would let a program that hangs come to its end. */
#ifndef KBSIM_SRC_REMEDY_H
#define KBSIM_SRC_REMEDY_H

#include "kbsim/lint.h"
#include "record/program.h"

/* Of a sealed program that does not end with the sizes that it has. What it names lives in the arena. */
kb_status kbs_remedy_find(const kbs_program *program, kb_arena *arena, kbs_remedy *ret,
                          kb_trail *trail) KB_MUST_USE;

#endif

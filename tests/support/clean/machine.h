/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that a random program runs on, as odd as machines may be. */
#ifndef KB_TESTS_CLEAN_MACHINE_H
#define KB_TESTS_CLEAN_MACHINE_H

#include "support/clean/plan.h"

/* Ranks, and all parameters but those that follow from the program. */
void clean_machine_draw(clean_plan *plan);
/* Those that the program must have. */
void clean_machine_finish(clean_plan *plan);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's parameters in the units of the simulation. */
#ifndef KBSIM_SRC_COSTS_H
#define KBSIM_SRC_COSTS_H

#include "pe/sim.h"

void kbs_costs_find(kbs_costs *costs, const kbs_machine *machine);

#endif

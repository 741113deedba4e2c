/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A system from above: packages in a grid, numbered row by row, and which neighbour is next on the way from
 * one to another. A ring goes through all of them in the order of their numbers.
 */
#ifndef KBSIM_SRC_SYSTEM_H
#define KBSIM_SRC_SYSTEM_H

#include "kbsim/machine.h"

/* Sides of a package where others may be: of a ring the first two. */
typedef enum kbs_side_of_sip {
    KBS_SIP_NEXT_X,
    KBS_SIP_LAST_X,
    KBS_SIP_NEXT_Y,
    KBS_SIP_LAST_Y,
    KBS_SIP_SIDES
} kbs_side_of_sip;

uint32_t kbs_system_sips(const kbs_machine *machine);

/* The most links between packages on any way. */
uint32_t kbs_system_most_steps(const kbs_machine *machine);

/*
 * From a package towards another one: by which side to leave, and the neighbour there. First along x, then
 * along y; around a ring or torus the shorter way, and of two equal ones towards the higher numbers.
 */
kbs_side_of_sip kbs_system_step(const kbs_machine *machine, uint32_t from, uint32_t to, uint32_t *ret_next);

#endif

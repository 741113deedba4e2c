/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no run of a collective can beat, by whatever algorithm: the largest of
 *
 *   - one message of one element over the longest way between two that must hear of each other;
 *   - over cuts, the bytes that must cross / the bandwidth of all links that lead across;
 *   - what the MATH engines have to reduce, shared evenly.
 *
 * A cut of n ranks into m parts (PEs, cubes, packages): an all-reduce of E elements needs m - 1 messages
 * across for each of them to join what the parts have, and m - 1 to tell them; so 2 (m - 1) E elements leave
 * the parts in sum. Of a reduce-scatter (m - 1) E; of the other kinds what each part gets from others. And
 * of each part by itself, and of halves of packages and of the system (the bisection): a sum comes in and
 * goes out once, where it could be joined on either side.
 *
 * It holds for whoever sends by queues; bandwidths are those of the machine without faults.
 */
#ifndef KBSIM_SRC_BOUND_H
#define KBSIM_SRC_BOUND_H

#include "record/program.h"

/* Of a collective whose parts are there, those of a member side by side. */
kb_status kbs_bound_find(kbs_program *program, const kb_collective *collective, kbs_bound *ret,
                         kb_trail *trail) KB_MUST_USE;

#endif

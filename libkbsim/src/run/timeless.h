/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed program executed without time: does it come to its end?
 *
 * Commands, their order and all capacities are fixed, each queue has one producer and one consumer, and
 * nothing holds what others share while it waits for a credit, a message, an op or a barrier. So whether a
 * program comes to its end does not depend on when things happen, and one order of execution answers for
 * all. Only rings, lines of queues, waits, fences, barriers and launches can hold a stream up.
 */
#ifndef KBSIM_SRC_TIMELESS_H
#define KBSIM_SRC_TIMELESS_H

#include "record/program.h"

/* With so many slots in every ring; 0: as many as each has. */
kb_status kbs_timeless_ends(const kbs_program *program, uint64_t slots, bool *ret_ends,
                            kb_trail *trail) KB_MUST_USE;

/* The smallest number of slots, the same in every ring, with which the program ends; 0: there is none. */
kb_status kbs_timeless_slots(const kbs_program *program, uint64_t *ret_slots, kb_trail *trail) KB_MUST_USE;

#endif

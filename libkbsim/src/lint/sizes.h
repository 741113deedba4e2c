/* SPDX-License-Identifier: Apache-2.0 */
/* How large rings must be for a program to come to its end: found by executing it without time. */
#ifndef KBSIM_SRC_SIZES_H
#define KBSIM_SRC_SIZES_H

#include "lint/timeless.h"

/* The smallest number of slots, the same in every ring, with which the program ends; 0: there is none. */
kb_status kbs_sizes_uniform(kbs_timeless *t, uint64_t *ret_slots, kb_trail *trail) KB_MUST_USE;

/*
 * Slots by queue with which the program ends, none below what the queue has, and none that could be smaller
 * without another being larger. `uniform` is what kbs_sizes_uniform() found, and not 0. Where finding them
 * would play more than `most_played` commands, what was found by then is given: it suffices, and
 * *ret_smallest is false.
 */
kb_status kbs_sizes_by_queue(kbs_timeless *t, uint64_t uniform, uint64_t most_played, uint64_t *slots,
                             bool *ret_smallest, kb_trail *trail) KB_MUST_USE;

#endif

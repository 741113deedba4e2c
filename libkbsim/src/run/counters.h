/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of the trace: slots in use of each queue, bytes in use of each memory that is allocated from.
 *
 * A change is told as soon as its time is known, which may lie ahead of the clock, and never behind it. So
 * what changed within a microsecond is complete when the clock has left it: then it becomes one sample, at
 * the last change's time, whatever the order in which the changes were told.
 */
#ifndef KBSIM_SRC_COUNTERS_H
#define KBSIM_SRC_COUNTERS_H

#include "pe/sim.h"

/* Defines them all, before the first op. Nothing where the sink takes no samples. */
kb_status kbs_counters_init(kbs_sim *sim, kb_trail *trail) KB_MUST_USE;

/* From at_ps on there are so many more, or fewer. */
void kbs_count_slots(kbs_sim *sim, uint32_t queue, int64_t at_ps, int64_t difference);
void kbs_count_bytes(kbs_sim *sim, uint32_t memory, int64_t at_ps, int64_t difference);

/* The run has ended: samples of what is left. */
void kbs_counters_flush(kbs_sim *sim);

#endif

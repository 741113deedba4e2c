/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops on their way into the trace: a rank's in the order of their numbers, each once it is finished.
 *
 * A launch comes before all that it starts and is done behind it: it is put as soon as its stamp is known,
 * and said again when its end is.
 */
#ifndef KBSIM_SRC_OUTBOX_H
#define KBSIM_SRC_OUTBOX_H

#include "pe/sim.h"

/* Takes a launch that was told, and is done: to say it again. */
void kbs_outbox_amend_launch(kbs_sim *sim, kbs_op *op);
/* The run has ended: puts what is left, unfinished ops as pending. */
void kbs_outbox_flush_all(kbs_sim *sim);

#endif

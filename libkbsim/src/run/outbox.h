/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops on their way into the trace: a rank's in the order of their numbers, each once it is finished.
 *
 * A launch comes first in its rank and is done last: it is put as soon as its stamp is known, and
 * said again when its end is.
 */
#ifndef KBSIM_SRC_OUTBOX_H
#define KBSIM_SRC_OUTBOX_H

#include "pe/sim.h"

/* Puts a launch whose `sent` is known. */
void kbs_outbox_put_launch(kbs_sim *sim, kbs_op *op);
/* Takes a launch that is done, to say it again. */
void kbs_outbox_amend_launch(kbs_sim *sim, kbs_op *op);
/* The run has ended: puts what is left, unfinished ops as pending. */
void kbs_outbox_flush_all(kbs_sim *sim);

#endif

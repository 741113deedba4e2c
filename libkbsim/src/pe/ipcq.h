/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues while they run: copies in line, credits, and what has arrived.
 *
 * A copy takes nothing that others share before it holds its credit. Copies of one queue go out in
 * their order, each when the one before it has been sent.
 */
#ifndef KBSIM_SRC_IPCQ_H
#define KBSIM_SRC_IPCQ_H

#include "pe/sim.h"

kb_status kbs_ipcq_init(kbs_sim *sim, uint32_t id, kb_trail *trail) KB_MUST_USE;
kbs_ipcq *kbs_ipcq_of(kbs_sim *sim, const kbs_op *op);

/* A copy gets in line; false when `engine.queue_depth` messages wait there. */
bool kbs_ipcq_send(kbs_pe *pe, kbs_op *op);
/* A receive waits for its copy. */
void kbs_ipcq_receive(kbs_pe *pe, kbs_op *op);
/* A release returns its credit. */
void kbs_ipcq_release(kbs_pe *pe, kbs_op *op);

#endif

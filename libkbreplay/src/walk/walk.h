/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: every op of a trace once, in an order that its claims allow.
 *
 * Dataflow order, never time: one cursor a rank; an op runs when what it claims at its issue and
 * start has run and the command before it in its stream no longer holds the stream. One that is
 * not ready is parked, and reading goes on until too many are. All that an op needs is in the
 * claims, so the order of the walk decides no byte; `random` draws another order by a seed.
 */
#ifndef KBREPLAY_SRC_WALK_H
#define KBREPLAY_SRC_WALK_H

#include "pass.h"

/* Who is told of each op. An op of which read() says that it is not usable does nothing. */
typedef struct kbr_visitor {
    /* In the order of its number. */
    kb_status (*read)(void *user, uint32_t rank, const kb_op *op, bool *inout_usable, kb_trail *trail);
    /* In the order of its stream: what it claims at its issue has run. */
    kb_status (*issue)(void *user, uint32_t rank, const kb_op *op, kb_trail *trail);
    /* In the order of dataflow: it runs now. */
    kb_status (*execute)(void *user, uint32_t rank, const kb_op *op, kb_trail *trail);
    /* It began, and the run never finished it. */
    kb_status (*abandon)(void *user, uint32_t rank, const kb_op *op, kb_trail *trail);
    void *user;
} kbr_visitor;

/*
 * Runs to the end of every rank. What could not run is reported as findings of `progress` and counted
 * in pass->result.
 */
kb_status kbr_walk(kbr_pass *pass, const kbr_visitor *visitor, kb_trail *trail) KB_MUST_USE;

#endif

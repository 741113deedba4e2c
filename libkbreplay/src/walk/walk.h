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

/* --- by time ----------------------------------------------------------------------------------- */

/*
 * A walk that goes as far as a time, and on from there, or back to a mark. Ops run in the order of their
 * starts, and at one time in the order that their claims allow, by rank and number where they allow any: so
 * what has run at a time is a matter of the trace alone, not of the ways by which the walk came there. Only
 * the order in which pass->random draws depends on these.
 *
 * An op that by its times begins before what it claims runs when that has happened, and not before.
 */
typedef struct kbr_walk_state kbr_walk_state;

/* Stands before every op. Pass and visitor are the caller's, and outlive the walk. */
kb_status kbr_walk_create(kbr_pass *pass, const kbr_visitor *visitor, kbr_walk_state **ret_walk,
                          kb_trail *trail) KB_MUST_USE;
void kbr_walk_destroy(kbr_walk_state *walk);

/*
 * Runs all that begins up to `until_ps`, which is not before kbr_walk_now(). Stops earlier, between two
 * times, when the pass counts `until_ops` executed; *ret_arrived tells. After a failure the walk can only be
 * resumed or destroyed.
 */
kb_status kbr_walk_advance(kbr_walk_state *walk, int64_t until_ps, uint64_t until_ops, bool *ret_arrived,
                           kb_trail *trail) KB_MUST_USE;
int64_t kbr_walk_now(const kbr_walk_state *walk);
/* Nothing is to come: what is still parked never goes on. */
bool kbr_walk_exhausted(const kbr_walk_state *walk);
/* Reports what is still parked after all was read, and counts it in pass->result. */
void kbr_walk_explain(kbr_walk_state *walk);

/* Calls `each` for every op that is between its start and its done; stops at its first failure. */
typedef kb_status (*kbr_changing_fn)(void *user, uint32_t rank, const kb_op *op, kb_trail *trail);
kb_status kbr_walk_changing(const kbr_walk_state *walk, kbr_changing_fn each, void *user,
                            kb_trail *trail) KB_MUST_USE;

/* --- marks ------------------------------------------------------------------------------------- */

/* All that a walk by time needs to go on from where it stands; memory is the caller's matter. */
typedef struct kbr_mark kbr_mark;

/* Between two calls of kbr_walk_advance(), none of which failed. */
kb_status kbr_walk_mark(const kbr_walk_state *walk, kbr_mark **ret_mark, kb_trail *trail) KB_MUST_USE;
/* Before its walk. */
void kbr_mark_destroy(kbr_mark *mark);
/* Bytes that it holds; those of ops that it shares with the walk and other marks are counted in each. */
size_t kbr_mark_size(const kbr_mark *mark);
/* The walk stands where the mark was made. After a failure it can be resumed again, or destroyed. */
kb_status kbr_walk_resume(kbr_walk_state *walk, const kbr_mark *mark, kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which edge is missing between two ops that touch the same bytes: what nobody waited for. */
#ifndef KBREPLAY_SRC_EDGES_H
#define KBREPLAY_SRC_EDGES_H

#include "blame/lookup.h"

/*
 * Rewrites a finding of `order` as what should have been waited for. Looks at what the trace claims behind
 * the op that came first, and no farther than it must.
 */
kb_status kbr_explain_edge(kbr_lookup *lookup, kbr_finding *finding, kb_trail *trail) KB_MUST_USE;

/*
 * A finding of `order` names that op first which came second in this replay. Of two of one stream it is the
 * later one by program that came too soon, or went on too soon, whichever the replay ran first.
 */
void kbr_order_by_program(kbr_finding *finding, const kb_defs *defs);

/* Makes ops[1] of a finding its culprit: it comes first, and rank, PE and time are its own. */
void kbr_finding_swap(kbr_finding *finding, const kb_defs *defs);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Where all members of a group come before any of them goes on: a barrier, or the hosts before a launch. */
#ifndef KBSIM_SRC_JOIN_H
#define KBSIM_SRC_JOIN_H

#include "pe/sim.h"

/* Where a stream's barriers of a group come together: hosts, or PEs that have one number in their ranks. */
kbs_join *kbs_join_of(const kbs_sim *sim, const tl_stream *stream, uint32_t group);

/* Of every group that has barriers, and room for those of launches. */
kb_status kbs_joins_init(kbs_sim *sim, kb_trail *trail) KB_MUST_USE;

/* The member's place in the group. */
uint32_t kbs_join_place(const kbs_join *join, uint32_t rank);

/* Who tells the member at `place` in a round of a PEs' barrier. */
static inline uint32_t kbs_join_tells(const kbs_join *join, uint32_t round, uint32_t place) {
    const uint32_t apart = UINT32_C(1) << round;
    return place >= apart ? place - apart : place + join->count - apart;
}

/* A member comes at at_ps. Returns true when it is the last: all of join->ops are set then. */
bool kbs_join_come(kbs_join *join, kbs_op *op, int64_t at_ps);

/* All have gone on: the next time begins. */
void kbs_join_reset(kbs_join *join);

/* Where the hosts come together that launch what the op does; NULL when memory has run out. */
kbs_join *kbs_launching_of(kbs_sim *sim, const kbs_op *launch);
/* All have: it is used again by another launch of its group. */
void kbs_launching_end(kbs_sim *sim, const kbs_op *launch);

/* The first member that has not come, as a rank; KB_NONE where all have. */
uint32_t kbs_join_missing(const kbs_join *join);

#endif

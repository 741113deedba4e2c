/* SPDX-License-Identifier: Apache-2.0 */
/* What must flow: elements of a collective that must cross the edge of a part of its ranks. */
#ifndef KBSIM_SRC_BOUND_FLOW_H
#define KBSIM_SRC_BOUND_FLOW_H

#include <stdbool.h>
#include <stdint.h>

/* A collective among PEs, one a member: with several PEs a rank there are as many beside one another. */
typedef struct kbs_peers {
    uint32_t kind; /* KB_COLL_… */
    uint64_t elements;
    uint32_t ranks;
    uint32_t root;
    const uint32_t *pes; /* by position, numbers in the system */
} kbs_peers;

/* Some of the members. */
typedef struct kbs_some {
    uint64_t count;
    uint64_t shares; /* of reduce_scatter and all_to_all: elements of one input that are theirs */
    bool has_root;
} kbs_some;

typedef struct kbs_flow {
    uint64_t in, out;
} kbs_flow;

uint64_t kbs_peers_share(const kbs_peers *peers, uint32_t position);

/* Elements into them, and out of them, at least. */
kbs_flow kbs_flow_of(const kbs_peers *peers, const kbs_some *some);

/* Elements that cross between `parts` parts of all members, of which so many enter them, or leave them. */
uint64_t kbs_flow_among(const kbs_peers *peers, uint64_t parts, uint64_t entering, uint64_t leaving);

#endif

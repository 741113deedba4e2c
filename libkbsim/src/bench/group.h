/* SPDX-License-Identifier: Apache-2.0 */
/* The parameter `group` of benches: which ranks do a collective together. */
#ifndef KBSIM_SRC_GROUP_H
#define KBSIM_SRC_GROUP_H

#include "kbtrace/memory.h"

/* Groups that have no rank in common, as they were written. */
typedef struct kbs_groups {
    const uint32_t *ranks; /* of the first group, of the second … */
    const uint32_t *sizes;
    uint32_t count;
    uint32_t smallest, largest; /* sizes */
} kbs_groups;

/*
 * Reads "all", or groups with a slash between them. A group is a list of ranks and ranges, "0-3,8,12-30:2"
 * (every second one of 12 to 30); a rank is in one group at most.
 */
kb_status kbs_read_groups(const char *text, uint32_t ranks, kb_arena *arena, kbs_groups *ret,
                          kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Where an execution without time stands still: its ops as nodes of standing.h. */
#ifndef KBSIM_SRC_STUCK_H
#define KBSIM_SRC_STUCK_H

#include "lint/standing.h"
#include "lint/timeless.h"

typedef struct kbs_stuck {
    const kbs_timeless *t; /* which has been played */
    kb_arena scratch;      /* of one look */
} kbs_stuck;

void kbs_stuck_init(kbs_stuck *stuck, const kbs_timeless *t);
void kbs_stuck_fini(kbs_stuck *stuck);

/* `stuck` is its context. */
kbs_standing kbs_stuck_standing(kbs_stuck *stuck);

#endif

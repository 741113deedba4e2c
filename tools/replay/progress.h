/* SPDX-License-Identifier: Apache-2.0 */
/* The line of progress that kb-replay shows on a terminal, and nowhere else. */
#ifndef KBTOOLS_REPLAY_PROGRESS_H
#define KBTOOLS_REPLAY_PROGRESS_H

#include "common/tool.h"
#include "kbreplay/replay.h"

typedef struct kbt_progress {
    const char *doing; /* "replaying" */
    uint64_t all;      /* ops that it comes to, as far as is known; 0: not at all */
    uint64_t last;     /* that were told */
    double begin_s, shown_s;
    bool shown;
} kbt_progress;

/* What a replay is to tell; it tells nothing where nothing is shown. */
kbr_progress kbt_progress_begin(kbt_progress *progress, const kbt_call *call, const char *doing,
                                uint64_t all);
/* Takes the line away. */
void kbt_progress_end(kbt_progress *progress);

#endif

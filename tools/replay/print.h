/* SPDX-License-Identifier: Apache-2.0 */
/* How kb-replay tells what a replay found: for people on stdout, and as JSON. */
#ifndef KBTOOLS_REPLAY_PRINT_H
#define KBTOOLS_REPLAY_PRINT_H

#include "common/tool.h"
#include "kbreplay/replay.h"

typedef struct kbt_replayed {
    const kbt_call *call;
    const char *trace; /* as it was named */
    const kb_run *run;
    const kb_defs *defs;
    const kb_footer *footer; /* NULL: none */
    const kbr_result *result;
    kb_digest digest; /* of memory at the end, or at a time: */
    bool timed;
    int64_t at_ps;
    uint64_t in_flight; /* ops that are writing then */
    bool verified, complete, pass;
    bool nothing; /* of the trace could be used: there is no run, and no memory */
} kbt_replayed;

/* `brief`: findings only. */
void kbt_replay_print(const kbt_replayed *it, bool brief);
void kbt_replay_print_json(const kbt_replayed *it);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a timeline owns, shared by the files of src/time alone. */
#ifndef KBREPLAY_SRC_TIME_STATE_H
#define KBREPLAY_SRC_TIME_STATE_H

#include "check/running.h"
#include "exchange/exchange.h"
#include "kbreplay/timeline.h"
#include "op/op.h"
#include "time/checkpoints.h"
#include "walk/table.h"

struct kbr_timeline {
    kbr_timeline_options options;
    const kb_alloc *alloc;
    const kb_defs *defs;
    kb_arena arena;
    kbr_regions regions;
    kbr_findings findings, told; /* as they are added, and in the order in which they are told */
    kbr_unchecked unchecked;
    kbr_memories *memories;
    kbr_exchange_shared shared;
    kbr_pass pass;
    kbr_result result;
    kbr_running checks;
    bool checking; /* `checks` are open */
    kbr_visitor visitor;
    kbr_walk_state *walk;
    kbr_checkpoints points;
    uint64_t tried_ops;     /* where the last checkpoint was made, whether it stayed or not */
    kbr_snapshot *unmasked; /* memory with the effects of ops that are not done; NULL: it has them */
    kbr_moment moment;
    bool lost;     /* a seek failed: memory and walk are nowhere */
    bool told_end; /* what the end shows is among the findings */
    /* How far checks have seen the trace. */
    uint64_t *seen_reads; /* [ranks] */
    uint64_t seen_ops;
    kbr_table unfit;   /* of what they have seen: ops that may not be executed */
    uint64_t executed; /* each as often as it was */
};

/* Memory holds again what the walk goes on from. */
void kbr_timeline_unmask(kbr_timeline *timeline);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Ops as what they are to an engine or a link: jobs with times, in a heap by one of these. */
#ifndef KBREPLAY_SRC_JOBS_H
#define KBREPLAY_SRC_JOBS_H

#include "check/check.h"

typedef struct kbr_job {
    int64_t key_ps; /* by which the heap is ordered; then rank, then op */
    int64_t other_ps, left_ps;
    uint64_t op;
    uint32_t rank;
} kbr_job;

/* The least is items[0]. */
typedef struct kbr_jobs {
    kbr_job *items;
    size_t count, capacity;
} kbr_jobs;

void kbr_jobs_fini(kbr_jobs *jobs, const kb_alloc *alloc);
kb_status kbr_jobs_add(kbr_jobs *jobs, const kb_alloc *alloc, const kbr_job *job,
                       kb_trail *trail) KB_MUST_USE;
/* Takes the least away; there is one. */
kbr_job kbr_jobs_take(kbr_jobs *jobs);

#endif

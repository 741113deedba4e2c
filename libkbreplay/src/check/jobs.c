/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap of jobs; see jobs.h. */
#include "check/jobs.h"

#include <assert.h>

void kbr_jobs_fini(kbr_jobs *jobs, const kb_alloc *alloc) {
    kb_delete(alloc, jobs->items, jobs->capacity * sizeof(kbr_job));
    *jobs = (kbr_jobs){.items = NULL};
}

static bool comes_before(const kbr_job *a, const kbr_job *b) {
    if (a->key_ps != b->key_ps)
        return a->key_ps < b->key_ps;
    return a->rank != b->rank ? a->rank < b->rank : a->op < b->op;
}

kb_status kbr_jobs_add(kbr_jobs *jobs, const kb_alloc *alloc, const kbr_job *job, kb_trail *trail) {
    if (jobs->count == jobs->capacity) {
        void *items = jobs->items;
        KB_TRY(kb_grow(alloc, sizeof(kbr_job), jobs->count + 1, &jobs->capacity, &items, trail));
        jobs->items = items;
    }
    size_t at = jobs->count++;
    for (; at > 0 && comes_before(job, &jobs->items[(at - 1) / 2]); at = (at - 1) / 2)
        jobs->items[at] = jobs->items[(at - 1) / 2];
    jobs->items[at] = *job;
    return KB_OK;
}

kbr_job kbr_jobs_take(kbr_jobs *jobs) {
    assert(jobs->count > 0);
    const kbr_job first = jobs->items[0], last = jobs->items[--jobs->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < jobs->count; at = child) {
        if (child + 1 < jobs->count && comes_before(&jobs->items[child + 1], &jobs->items[child]))
            child++;
        if (!comes_before(&jobs->items[child], &last))
            break;
        jobs->items[at] = jobs->items[child];
    }
    jobs->items[at] = last;
    return first;
}

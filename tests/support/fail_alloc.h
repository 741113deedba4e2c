/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocator that refuses the request it is told to, and counts everything.
 *
 *   fail_alloc memory;
 *   fail_alloc_init(&memory);
 *   fail_alloc_arm(&memory, 3, false);          the third request from now on is refused, once
 *   ... something with &memory.alloc ...
 *   fail_alloc_fini(&memory);                   fails the test if a block is still alive
 *
 * Or, for all of that over every request there is: fail_alloc_sweep().
 * It is also strict: new bytes are 0xA5, freed ones 0x5A, every resize moves, and a wrong old size,
 * a foreign pointer or a write behind the end stops the process with a word. Several threads may
 * use it at once.
 */
#ifndef KB_TESTS_FAIL_ALLOC_H
#define KB_TESTS_FAIL_ALLOC_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "kbtrace/memory.h"

typedef struct fail_alloc {
    kb_alloc alloc; /* hand this one out */
    pthread_mutex_t lock;
    size_t fail_at;       /* number of the request that is refused, from 1; 0: none */
    bool from_then_on;    /* and all that follow it */
    size_t request_count; /* since arm(): allocations and resizes, not frees */
    size_t refused_count; /* of them */
    size_t live_count;    /* blocks that are out now */
    size_t live_size;     /* and their bytes */
    size_t peak_size;     /* the most bytes so far */
} fail_alloc;

void fail_alloc_init(fail_alloc *memory);
void fail_alloc_fini(fail_alloc *memory);

/* Starts counting anew. request 0 refuses nothing. */
void fail_alloc_arm(fail_alloc *memory, size_t request, bool from_then_on);

/* What is swept: uses `alloc` for all it needs, frees it all, and returns how it went. */
typedef kb_status (*fail_alloc_job)(const kb_alloc *alloc, void *user, kb_trail *trail);

/*
 * Runs `job` unhindered, which must be KB_OK; then once for each of its requests with that one
 * refused, and once for each with all from that one on refused. Each such run must be KB_E_MEMORY
 * with a word in the trail, and every run must leave nothing behind. `stride` 1 tries every request;
 * n every n-th. Returns the number of requests of the unhindered run.
 */
size_t fail_alloc_sweep(fail_alloc_job job, void *user, size_t stride);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to measure with: ring all-reduces of many ranks, one after another, as a simulator would
 * write them down. Times follow from one another as in a real run (credits, messages, engines), a
 * share of the ops meets contention. The same options give the same records.
 */
#ifndef KB_BENCH_RING_H
#define KB_BENCH_RING_H

#include "kbtrace/defs.h"
#include "kbtrace/run.h"

enum { BENCH_OPERANDS = 3, BENCH_CLAIMS = 1, BENCH_WHYS = 6 };

typedef struct bench_record {
    uint32_t rank;
    uint32_t what; /* number of the template, for formats that know such a thing */
    kb_op op;
    uint64_t offsets[BENCH_OPERANDS];
    uint64_t claimed[BENCH_CLAIMS];
    kb_blame blames[BENCH_WHYS];
} bench_record;

typedef struct bench_ring_options {
    uint64_t seed;
    uint64_t records;
    uint32_t ranks;
    bool whys; /* each op says where its time went */
} bench_ring_options;

typedef struct bench_ring bench_ring;

bench_ring *bench_ring_create(const bench_ring_options *options);
void bench_ring_destroy(bench_ring *ring);

const kb_defs *bench_ring_defs(const bench_ring *ring);
const kb_run *bench_ring_run(const bench_ring *ring);
int64_t bench_ring_end_ps(const bench_ring *ring); /* the latest done so far */
size_t bench_ring_templates(const bench_ring *ring);

/*
 * The next records: a step of each of a few ranks, ordered within each rank. They live until the
 * next call, and are few enough to stay in a cache. 0 after the last.
 */
size_t bench_ring_next(bench_ring *ring, const bench_record **ret_records);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Programs whose traces are replayed to measure it. */
#ifndef KB_BENCH_PROGRAMS_H
#define KB_BENCH_PROGRAMS_H

#include <stdint.h>

enum { BENCH_TILE_BYTES = 1 << 18, BENCH_APART_RANKS = 8 };

/* One rank that copies `tiles` tiles from one tensor in HBM to another, each through its TCM. */
void bench_record_copies(uint64_t tiles, const char *path);

/* Ranks that compute so many `steps` each, and have nothing to do with one another. */
void bench_record_apart(uint64_t steps, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement in a process of its own: how long, how much memory, and what it tells besides. */
#ifndef KB_BENCH_MEASURE_H
#define KB_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "common/fold.h"

typedef struct bench_result {
    double seconds; /* that the work says it took */
    uint64_t bytes; /* written */
    uint64_t peak_bytes;
    bench_sum sum;
} bench_result;

typedef void (*bench_work)(void *user, bench_result *result);

/* Runs `work` in a child; what it fills in comes back, with the child's peak of resident memory. */
bench_result bench_measure(bench_work work, void *user);

double bench_now(void); /* seconds */
/* Seconds of this process's own: what else the machine does matters less. */
double bench_cpu_now(void);

/* Sorts, and gives the middle one. */
double bench_median(double *values, size_t count);

#endif

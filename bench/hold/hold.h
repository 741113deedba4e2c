/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hold model: of so many pending events take the earliest, and schedule it anew an increment later.
 * Increments are exponential around a microsecond, in whole picoseconds, the same for everybody.
 */
#ifndef KB_BENCH_HOLD_H
#define KB_BENCH_HOLD_H

#include <stddef.h>
#include <stdint.h>

enum { HOLD_INCREMENTS = 16384, HOLD_MEAN_PS = 1000000 };

typedef struct hold_task {
    const uint32_t *increments;
    size_t pending, warm_up, holds;
} hold_task;

/* Nanoseconds a hold after the warm-up; *ret_clock_ps, when the event after the last hold came. */
double hold_kb(const hold_task *task, int64_t *ret_clock_ps);
double hold_binary_heap(const hold_task *task, int64_t *ret_clock_ps);

#endif

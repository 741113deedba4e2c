/* SPDX-License-Identifier: Apache-2.0 */
/* How quick kb's kernels and their peers are: what several benches measure. CPU time of one thread. */
#ifndef KB_BENCH_NUMBERS_H
#define KB_BENCH_NUMBERS_H

#include "common/peer_process.h"
#include "number/kernels.h"

enum { BENCH_ELEMENTS = 4096 };

/* Nanoseconds for that many elements, the least of all rounds. func 0: a cast to f32, or from f32 to f16. */
double bench_function_ns(const kbr_kernels *kernels, uint32_t func, uint32_t dtype, long rounds);

/* NumPy's functions on as many elements; false, with a word on stderr, where no Python knows it. */
bool bench_numpy(long rounds, bench_answer *ret);
/* What it said of a function and dtype, in nanoseconds, or 0. */
double bench_numpy_ns(const bench_answer *numpy, const char *function, const char *dtype);

/* Seconds for the product of two square matrices, the least of all rounds. */
double bench_product_s(const kbr_kernels *kernels, uint32_t dtype, size_t size, long rounds);
/*
 * OpenBLAS's, of f32, with the kernels of a processor; 0 where it is not here. `self` is argv[0] of the
 * bench, beside which its program lies.
 */
double bench_openblas_s(const char *self, const char *core, size_t size, long rounds);

#endif

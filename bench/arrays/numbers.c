/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels, NumPy and OpenBLAS, one call each; see numbers.h. */
#include "arrays/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/measure.h"
#include "common/must.h"
#include "number/number.h"

/* --- elementwise ------------------------------------------------------------------------------- */

typedef struct arrays {
    uint8_t a[4 * BENCH_ELEMENTS], b[4 * BENCH_ELEMENTS], out[4 * BENCH_ELEMENTS];
    float scratch[BENCH_ELEMENTS];
} arrays;

static void run(const kbr_kernels *kernels, uint32_t func, uint32_t dtype, arrays *on) {
    const uint8_t *inputs[KBR_MAP_INPUTS] = {on->a, on->b, on->b};
    if (func == 0)
        kernels->cast[dtype][dtype == KB_DTYPE_F32 ? KB_DTYPE_F16 : KB_DTYPE_F32](on->out, on->a,
                                                                                  BENCH_ELEMENTS);
    else if (func == KB_FUNC_SOFTMAX)
        kernels->softmax[dtype](on->out, on->a, 1, BENCH_ELEMENTS, on->scratch);
    else if (func == KB_FUNC_SUM)
        kernels->reduce[func][dtype](on->out, false, on->a, 1, BENCH_ELEMENTS);
    else
        kernels->map[func][dtype](on->out, inputs, 0, BENCH_ELEMENTS);
}

double bench_function_ns(const kbr_kernels *kernels, uint32_t func, uint32_t dtype, long rounds) {
    static arrays on;
    const kbr_dtype *of = kbr_dtype_of(dtype);
    for (size_t i = 0; i < BENCH_ELEMENTS; i++) {
        of->store((double)(i * 37 % 8001) / 1000.0 - 4.0, on.a + i * of->size_bytes);
        of->store((double)(i * 41 % 8009) / 1000.0 - 4.0, on.b + i * of->size_bytes);
    }
    double least = 1e9;
    size_t times = 1;
    for (long round = 0; round < rounds;) {
        const double start_s = bench_cpu_now();
        for (size_t i = 0; i < times; i++)
            run(kernels, func, dtype, &on);
        const double took_s = bench_cpu_now() - start_s;
        if (took_s < 0.001) {
            times *= 2;
            continue;
        }
        least = took_s / (double)times < least ? took_s / (double)times : least;
        round++;
    }
    return least * 1e9;
}

bool bench_numpy(long rounds, bench_answer *ret) {
    const char *python = bench_python_with("numpy");
    char words[2][24];
    ret->line[0] = '\0';
    snprintf(words[0], sizeof words[0], "%d", BENCH_ELEMENTS);
    snprintf(words[1], sizeof words[1], "%ld", rounds);
    if (python == NULL) {
        fprintf(stderr, "bench: no Python here knows NumPy (python3-numpy): going on without\n");
        return false;
    }
    const char *const argv[] = {python, BENCH_SOURCE "/arrays/numpy_arrays.py", words[0], words[1], NULL};
    bench_must(bench_run(argv, false, ret), "NumPy's functions");
    return true;
}

double bench_numpy_ns(const bench_answer *numpy, const char *function, const char *dtype) {
    char head[32];
    snprintf(head, sizeof head, "%s %s ", function, dtype);
    const char *at = strstr(numpy->line, head);
    return at != NULL ? strtod(at + strlen(head), NULL) : 0;
}

/* --- products ---------------------------------------------------------------------------------- */

double bench_product_s(const kbr_kernels *kernels, uint32_t dtype, size_t size, long rounds) {
    const size_t count = size * size;
    const kbr_dtype *of = kbr_dtype_of(dtype);
    uint8_t *bytes = bench_new(3 * count * of->size_bytes);
    void *scratch = bench_new(kbr_gemm_scratch(size, size));
    for (size_t i = 0; i < 2 * count; i++)
        of->store((double)(i % 17) - 8.0, bytes + i * of->size_bytes);
    const ptrdiff_t row = (ptrdiff_t)size;
    const kbr_gemm gemm = {.a = {bytes, row, 1},
                           .b = {bytes + count * of->size_bytes, row, 1},
                           .out = {bytes + 2 * count * of->size_bytes, row, 1},
                           .m = size,
                           .n = size,
                           .k = size};
    double least = 1e9;
    for (long round = 0; round < rounds; round++) {
        const double start_s = bench_cpu_now();
        kernels->multiply[dtype](&gemm, scratch);
        const double took_s = bench_cpu_now() - start_s;
        least = took_s < least ? took_s : least;
    }
    free(scratch);
    free(bytes);
    return least;
}

double bench_openblas_s(const char *self, const char *core, size_t size, long rounds) {
    char words[2][24], program[1024];
    bench_answer answer;
    double seconds;
    const char *slash = strrchr(self, '/');
    snprintf(program, sizeof program, "%.*sbench-peer-openblas", slash != NULL ? (int)(slash + 1 - self) : 0,
             self);
    snprintf(words[0], sizeof words[0], "%zu", size);
    snprintf(words[1], sizeof words[1], "%ld", rounds);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OPENBLAS_CORETYPE", core, 1);
    const char *const argv[] = {program, words[0], words[1], NULL};
    return bench_run(argv, true, &answer) && sscanf(answer.line, "%lf", &seconds) == 1 ? seconds : 0;
}

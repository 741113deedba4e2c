/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenBLAS's product of two square matrices of f32 with SIZE rows, ROUNDS times; prints the least seconds.
 * Which instructions it uses is for OPENBLAS_CORETYPE to say, so it is a process of its own.
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/measure.h"
#include "common/must.h"

int main(int argc, char **argv) {
    bench_must(argc == 3, "bench-peer-openblas SIZE ROUNDS");
    const int size = (int)strtol(argv[1], NULL, 10);
    const long rounds = strtol(argv[2], NULL, 10);
    const size_t count = (size_t)size * (size_t)size;
    float *a = bench_new(3 * count * sizeof *a), *b = a + count, *c = b + count;
    for (size_t i = 0; i < 2 * count; i++)
        a[i] = (float)(i % 17) - 8.0F;
    double least = 1e9;
    for (long round = 0; round < rounds; round++) {
        const double start_s = bench_cpu_now();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1.0F, a, size, b, size, 0.0F,
                    c, size);
        const double took_s = bench_cpu_now() - start_s;
        least = took_s < least ? took_s : least;
    }
    printf("%.9f\n", least);
    free(a);
    return 0;
}

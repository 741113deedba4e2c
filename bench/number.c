/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels of numbers beside NumPy and OpenBLAS. Prints the tables of docs/bench-number.md. All times are CPU
 * time of one thread, the least of all rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/measure.h"
#include "common/must.h"
#include "common/peer_process.h"
#include "number/kernels.h"
#include "number/number.h"

enum { COUNT = 4096, SETS = 3, ROUNDS_MOST = 50 };
static const char *const sets[SETS] = {"portable", "avx2", "avx512"};

/* --- elementwise ------------------------------------------------------------------------------- */

static const struct row {
    const char *name;
    uint32_t func; /* 0: a cast to f32, or from f32 to f16 */
    const char *dtype_name;
    uint32_t dtype;
} rows[] = {
    {"add", KB_FUNC_ADD, "f16", KB_DTYPE_F16},
    {"add", KB_FUNC_ADD, "bf16", KB_DTYPE_BF16},
    {"add", KB_FUNC_ADD, "f32", KB_DTYPE_F32},
    {"add", KB_FUNC_ADD, "i8", KB_DTYPE_I8},
    {"mul", KB_FUNC_MUL, "f16", KB_DTYPE_F16},
    {"max", KB_FUNC_MAX, "f16", KB_DTYPE_F16},
    {"exp", KB_FUNC_EXP, "f16", KB_DTYPE_F16},
    {"exp", KB_FUNC_EXP, "f32", KB_DTYPE_F32},
    {"tanh", KB_FUNC_TANH, "f16", KB_DTYPE_F16},
    {"gelu", KB_FUNC_GELU, "f16", KB_DTYPE_F16},
    {"softmax", KB_FUNC_SOFTMAX, "f16", KB_DTYPE_F16},
    {"sum", KB_FUNC_SUM, "f16", KB_DTYPE_F16},
    {"sum", KB_FUNC_SUM, "f32", KB_DTYPE_F32},
    {"cast", 0, "f16", KB_DTYPE_F16},
    {"cast", 0, "f32", KB_DTYPE_F32},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

typedef struct arrays {
    uint8_t a[4 * COUNT], b[4 * COUNT], out[4 * COUNT];
    float scratch[COUNT];
} arrays;

static void run(const kbr_kernels *kernels, const struct row *row, arrays *on) {
    const uint8_t *inputs[KBR_MAP_INPUTS] = {on->a, on->b, on->b};
    if (row->func == 0)
        kernels->cast[row->dtype][row->dtype == KB_DTYPE_F32 ? KB_DTYPE_F16 : KB_DTYPE_F32](on->out, on->a,
                                                                                            COUNT);
    else if (row->func == KB_FUNC_SOFTMAX)
        kernels->softmax[row->dtype](on->out, on->a, 1, COUNT, on->scratch);
    else if (row->func == KB_FUNC_SUM)
        kernels->reduce[row->func][row->dtype](on->out, false, on->a, 1, COUNT);
    else
        kernels->map[row->func][row->dtype](on->out, inputs, 0, COUNT);
}

/* Nanoseconds for all elements. */
static double ns_of(const kbr_kernels *kernels, const struct row *row, long rounds) {
    static arrays on;
    const kbr_dtype *of = kbr_dtype_of(row->dtype);
    for (size_t i = 0; i < COUNT; i++) {
        of->store((double)(i * 37 % 8001) / 1000.0 - 4.0, on.a + i * of->size_bytes);
        of->store((double)(i * 41 % 8009) / 1000.0 - 4.0, on.b + i * of->size_bytes);
    }
    double least = 1e9;
    size_t times = 1;
    for (long round = 0; round < rounds;) {
        const double start_s = bench_cpu_now();
        for (size_t i = 0; i < times; i++)
            run(kernels, row, &on);
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

/* What NumPy said of a row, or 0. */
static double told(const char *line, const struct row *row) {
    char head[32];
    snprintf(head, sizeof head, "%s %s ", row->name, row->dtype_name);
    const char *at = strstr(line, head);
    return at != NULL ? strtod(at + strlen(head), NULL) : 0;
}

static void print_elementwise(const char *numpy, long rounds) {
    printf("### Nanoseconds for %d elements\n\n| function |", COUNT);
    for (size_t s = 0; s < SETS; s++)
        printf(" %s |", sets[s]);
    printf(" NumPy | NumPy / best |\n| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (size_t r = 0; r < ROWS; r++) {
        double best = 0, peer = told(numpy, &rows[r]);
        printf("| %s %s |", rows[r].name, rows[r].dtype_name);
        for (size_t s = 0; s < SETS; s++) {
            const kbr_kernels *kernels = kbr_kernels_named(sets[s]);
            const double ns = kernels != NULL ? ns_of(kernels, &rows[r], rounds) : 0;
            best = ns > 0 ? ns : best;
            kernels != NULL ? printf(" %.0f |", ns) : printf(" not here |");
        }
        peer > 0 ? printf(" %.0f | %.1f × |\n", peer, peer / best) : printf(" | |\n");
    }
}

/* --- products ---------------------------------------------------------------------------------- */

static double seconds_of_product(const kbr_kernels *kernels, uint32_t dtype, size_t size, long rounds) {
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

/* 0 where OpenBLAS is not here. */
static double seconds_of_openblas(const char *program, const char *core, size_t size, long rounds) {
    char words[2][24];
    bench_answer answer;
    double seconds;
    snprintf(words[0], sizeof words[0], "%zu", size);
    snprintf(words[1], sizeof words[1], "%ld", rounds);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OPENBLAS_CORETYPE", core, 1);
    const char *const argv[] = {program, words[0], words[1], NULL};
    return bench_run(argv, true, &answer) && sscanf(answer.line, "%lf", &seconds) == 1 ? seconds : 0;
}

static void print_products(const char *openblas, long rounds) {
    static const struct { const char *set, *core; } pairs[] = {{"avx2", "Haswell"}, {"avx512", "SkylakeX"}};
    static const size_t sizes[] = {256, 512, 1024};
    printf("\n### Products of square matrices, in 10⁹ multiplications and additions a second\n\n"
           "| size | kernels | kb, f16 | kb, bf16 | kb, f32 | OpenBLAS, f32 | f16 / OpenBLAS |\n"
           "| ---: | --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t p = 0; p < 2; p++) {
            const kbr_kernels *kernels = kbr_kernels_named(pairs[p].set);
            if (kernels == NULL)
                continue;
            const double work = 2e-9 * (double)sizes[s] * (double)sizes[s] * (double)sizes[s];
            double of[3] = {1e9, 1e9, 1e9}, peer = 1e9;
            /* In turn, so that whatever else the machine does meets both. */
            for (int turn = 0; turn < 4; turn++) {
                for (uint32_t d = 0; d < 3; d++) {
                    const double took = seconds_of_product(kernels, KB_DTYPE_F16 + d, sizes[s], rounds);
                    of[d] = took < of[d] ? took : of[d];
                }
                const double took = seconds_of_openblas(openblas, pairs[p].core, sizes[s], rounds);
                peer = took < peer ? took : peer;
            }
            printf("| %zu | %s | %.1f | %.1f | %.1f |", sizes[s], pairs[p].set, work / of[0], work / of[1],
                   work / of[2]);
            peer > 0 ? printf(" %.1f | %.0f%% |\n", work / peer, 100 * peer / of[0])
                     : printf(" not installed | |\n");
        }
}

int main(int argc, char **argv) {
    long rounds = 10;
    if (argc == 3 && strcmp(argv[1], "--rounds") == 0)
        rounds = strtol(argv[2], NULL, 10);
    if ((argc != 1 && argc != 3) || rounds < 1 || rounds > ROUNDS_MOST) {
        printf("bench-number [--rounds N]\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    static bench_answer numpy;
    const char *python = bench_python_with("numpy");
    char words[2][24], openblas[1024];
    snprintf(words[0], sizeof words[0], "%d", COUNT);
    snprintf(words[1], sizeof words[1], "%ld", rounds);
    if (python == NULL)
        fprintf(stderr, "bench: no Python here knows NumPy (python3-numpy): going on without\n");
    else
        bench_must(bench_run((const char *const[]){python, BENCH_SOURCE "/arrays/numpy_arrays.py", words[0],
                                                   words[1], NULL},
                             false, &numpy),
                   "NumPy's functions");
    print_elementwise(numpy.line, rounds);
    const char *slash = strrchr(argv[0], '/');
    snprintf(openblas, sizeof openblas, "%.*sbench-peer-openblas",
             slash != NULL ? (int)(slash + 1 - argv[0]) : 0, argv[0]);
    print_products(openblas, rounds);
    return 0;
}

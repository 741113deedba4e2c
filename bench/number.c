/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels of numbers beside NumPy and OpenBLAS. Prints the tables of docs/bench-number.md. All times are CPU
 * time of one thread, the least of all rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrays/numbers.h"

enum { SETS = 3, ROUNDS_MOST = 50 };
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

static void print_elementwise(const bench_answer *numpy, long rounds) {
    printf("### Nanoseconds for %d elements\n\n| function |", BENCH_ELEMENTS);
    for (size_t s = 0; s < SETS; s++)
        printf(" %s |", sets[s]);
    printf(" NumPy | NumPy / best |\n| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (size_t r = 0; r < ROWS; r++) {
        double best = 0, peer = bench_numpy_ns(numpy, rows[r].name, rows[r].dtype_name);
        printf("| %s %s |", rows[r].name, rows[r].dtype_name);
        for (size_t s = 0; s < SETS; s++) {
            const kbr_kernels *kernels = kbr_kernels_named(sets[s]);
            const double ns =
                kernels != NULL ? bench_function_ns(kernels, rows[r].func, rows[r].dtype, rounds) : 0;
            best = ns > 0 ? ns : best;
            kernels != NULL ? printf(" %.0f |", ns) : printf(" not here |");
        }
        peer > 0 ? printf(" %.0f | %.1f × |\n", peer, peer / best) : printf(" | |\n");
    }
}

/* --- products ---------------------------------------------------------------------------------- */

static void print_products(const char *self, long rounds) {
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
                    const double took = bench_product_s(kernels, KB_DTYPE_F16 + d, sizes[s], rounds);
                    of[d] = took < of[d] ? took : of[d];
                }
                const double took = bench_openblas_s(self, pairs[p].core, sizes[s], rounds);
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
    bench_numpy(rounds, &numpy);
    print_elementwise(&numpy, rounds);
    print_products(argv[0], rounds);
    return 0;
}

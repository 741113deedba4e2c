/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of the GEMM engine that was measured, not calculated: a table of sizes and cycles, between whose
 * rows it takes the next larger one; and an option that scales it.
 *
 *   cc -shared -fPIC -I include -o table_gemm.so table_gemm.c        include: where kbsim/ and kbtrace/ are
 *   kb-sim run BENCH --set components.gemm=./table_gemm.so --set components.gemm.slower=1.5 -o run.zst
 */
#include <kbsim/component.h>

/* Of a square product of n x n x n, in cycles: as if measured on an emulator. */
static const struct {
    uint64_t n, cycles;
} table[] = {{16, 12}, {32, 20}, {64, 90}, {128, 620}, {256, 4700}, {512, 37000}};

enum { ROWS = sizeof table / sizeof table[0], MILLION = 1000000 };

/* Options are in millionths. */
enum { SLOWER };
static const kbs_model_option options[] = {
    {"slower", "times", "1", "0.1", "100", "than the table, to try what an engine is worth"}};

/* Of a product of m x k x n: blocks as large as the largest row, or one of the row that holds it. */
static uint64_t cycles_of(uint64_t m, uint64_t k, uint64_t n) {
    const uint64_t most = table[ROWS - 1].n;
    const uint64_t blocks = (m + most - 1) / most * ((k + most - 1) / most) * ((n + most - 1) / most);
    uint64_t longest = m > k ? m : k;
    longest = longest > n ? longest : n;
    for (unsigned row = 0; row < ROWS; row++)
        if (longest <= table[row].n)
            return table[row].cycles;
    return blocks * table[ROWS - 1].cycles;
}

/* operands: out [m, n], a [m, k] or transposed, b. */
static int64_t took_ps(const kbs_engine_work *work) {
    const kb_operand *out = &work->operands[0], *a = &work->operands[1];
    const uint64_t k = a->shape[(work->flags & KB_FLAG_TRANSPOSE_A) != 0 ? 0 : 1];
    const uint64_t ps = cycles_of(out->shape[0], k, out->shape[1]) * (uint64_t)work->cycle_ps;
    return (int64_t)(ps * work->options[SLOWER] / MILLION) + 1;
}

const kbs_engine_model KBS_COMPONENT_SYMBOL = {
    .model = {.abi = KBS_COMPONENT_ABI,
              .size_bytes = sizeof(kbs_engine_model),
              .component = "gemm",
              .name = "table",
              .help = "a table of measured products",
              .options = options,
              .option_count = sizeof options / sizeof options[0]},
    .took_ps = took_ps,
};

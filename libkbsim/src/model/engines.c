/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models of gemm and math: the defaults, which op/gemm.c and op/math.c calculate, and `peak`, which knows no
 * tiles, no ports and no special functions: multiplications, or bytes, at a share of the engine's rate.
 */
#include "model/engines.h"

#include "kbtrace/words.h"

enum { MILLION = 1000000 };

static const kbs_model_option peak_options[] = {
    {"efficiency", "share", "1", "0.01", "1", "of the peak rate that is reached"}};

enum { EFFICIENCY };

/* cycles at a share of the rate, rounded up. */
static int64_t at_peak(const kbs_engine_work *work, unsigned __int128 amount, uint64_t a_cycle) {
    const unsigned __int128 cycles = amount / a_cycle + (amount % a_cycle != 0);
    if (cycles > INT64_MAX / MILLION)
        return INT64_MAX;
    const unsigned __int128 ps = cycles * (uint64_t)work->cycle_ps * MILLION;
    const uint64_t share = work->options[EFFICIENCY];
    const unsigned __int128 took = ps / share + (ps % share != 0);
    return took < INT64_MAX ? (int64_t)took : INT64_MAX;
}

static uint64_t elements_of(const kb_operand *operand) {
    uint64_t count = 1;
    for (unsigned i = 0; i < operand->dims; i++)
        count *= operand->shape[i];
    return count;
}

static int64_t gemm_ps(const kbs_engine_work *work) {
    const kb_operand *out = &work->operands[0], *a = &work->operands[1];
    const uint64_t macs = work->param(work->machine, "gemm.macs_per_cycle");
    const uint32_t size = kb_dtype_size(a->dtype);
    const uint64_t a_cycle = size == 1 ? 2 * macs : size == 2 ? macs : (macs + 3) / 4;
    return at_peak(work, (unsigned __int128)elements_of(a) * out->shape[1], a_cycle);
}

static int64_t math_ps(const kbs_engine_work *work) {
    uint64_t most_bytes = 1;
    for (uint32_t i = 0; i < work->operand_count; i++) {
        const uint64_t bytes = elements_of(&work->operands[i]) * kb_dtype_size(work->operands[i].dtype);
        most_bytes = bytes > most_bytes ? bytes : most_bytes;
    }
    return at_peak(work, most_bytes, work->param(work->machine, "math.bytes_per_cycle"));
}

#define HEAD(component, name, help) KBS_COMPONENT_ABI, sizeof(kbs_engine_model), component, name, help

const kbs_engine_model kbs_gemm_tiles = {
    {HEAD("gemm", "tiles", "whole tiles of gemm.tile, filled once a loop over K, beside their ports"), NULL,
     0},
    NULL};
const kbs_engine_model kbs_gemm_peak = {
    {HEAD("gemm", "peak", "multiplications at the peak rate; no tiles, no ports"), peak_options, 1}, gemm_ps};
const kbs_engine_model kbs_math_lanes = {
    {HEAD("math", "lanes", "passes of the function over its bytes, beside the ports of the TCM"), NULL, 0},
    NULL};
const kbs_engine_model kbs_math_peak = {
    {HEAD("math", "peak", "the longest operand's bytes, once; no functions that take longer, no ports"),
     peak_options, 1},
    math_ps};

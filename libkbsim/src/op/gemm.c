/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm in time: out[M,N] (+)= a[M,K] b[K,N] in tiles of gemm.tile (tm x tk x tn), one product after another.
 *
 *   loops = ceil(M / tm) * ceil(N / tn), steps = ceil(K / tk)
 *   time  = max(loops * steps * ceil(tm * tk * tn / macs) cycles, bytes / port) + loops * fill cycles
 *
 * macs is gemm.macs_per_cycle for f16 and bf16, twice that for i8, a quarter for f32 and i32. A tile that is
 * not full takes as long as one that is. Each of the loops over K fills the array once. `bytes` are all that
 * the tiles stream: a once for each column of tiles, b once for each row of them, out once (twice where it
 * accumulates); they pass the engine's own port, or with gemm.port_gbps 0 the TCM's, reads beside writes.
 * Slots in SRAM or HBM cost their own access. That is the model `tiles`; a machine may choose another.
 */
#include "op/access.h"
#include "op/kind.h"
#include "op/model.h"
#include "pe/fault.h"
#include "pe/unit.h"

static uint64_t ceil_div(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

static uint64_t macs_of(const kbs_costs *costs, uint32_t dtype) {
    if (kb_dtype_size(dtype) == 1)
        return costs->gemm_macs * 2;
    return kb_dtype_size(dtype) == 2 ? costs->gemm_macs : (costs->gemm_macs + 3) / 4;
}

static int64_t port_ps(const kbs_costs *costs, const kbs_access *access) {
    int64_t ps;
    if (costs->gemm_port_rate > 0)
        ps = kbs_time_at(kbs_sum(access->read_bytes, access->written_bytes), costs->gemm_port_rate);
    else
        ps = kbs_later(kbs_time_at(access->read_bytes, costs->tcm_read_rate),
                       kbs_time_at(access->written_bytes, costs->tcm_write_rate));
    return kbs_later(ps, access->slot_ps);
}

static int64_t service_ps(const kbs_sim *sim, const kbs_common *common) {
    const kbs_costs *costs = &sim->costs;
    const kb_operand *out = &common->operands[0], *a = &common->operands[1], *b = &common->operands[2];
    const unsigned k_axis = (common->flags & KB_FLAG_TRANSPOSE_A) != 0 ? 0 : 1;
    const uint64_t rows = ceil_div(out->shape[0], costs->tile_m),
                   columns = ceil_div(out->shape[1], costs->tile_n);
    const uint64_t loops = kbs_product(rows, columns), steps = ceil_div(a->shape[k_axis], costs->tile_k);
    const uint64_t tile = ceil_div(costs->tile_m * costs->tile_k * costs->tile_n, macs_of(costs, a->dtype));
    kbs_access access = {0};
    kbs_access_add(&access, sim, out, 1);
    kbs_access_add(&access, sim, a, columns);
    kbs_access_add(&access, sim, b, rows);
    const int64_t array_ps = kbs_cycles_ps(costs, kbs_product(kbs_product(loops, steps), tile));
    const int64_t fill_ps = kbs_cycles_ps(costs, kbs_product(loops, costs->gemm_fill));
    const int64_t longest_ps = kbs_later(array_ps, port_ps(costs, &access));
    return longest_ps < INT64_MAX - fill_ps ? longest_ps + fill_ps : INT64_MAX;
}

static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_shape *shape = op->shape;
    if (shape->service_ps == 0)
        shape->service_ps =
            kbs_model_ps(pe->sim, KBS_COMPONENT_gemm, &shape->common, service_ps(pe->sim, &shape->common));
    const int64_t more_ps = kbs_fault_more_ps(shape->service_ps, pe->faults.gemm);
    return kbs_unit_serve(pe, op,
                          &(kbs_job){.unit = &pe->gemm,
                                     .beside = pe->sim->costs.shared_slots ? &pe->math : NULL,
                                     .is_total = true,
                                     .cause = KB_CAUSE_COMPUTE,
                                     .took_ps = shape->service_ps + more_ps,
                                     .fixed_cause = KB_CAUSE_FAULT,
                                     .fixed_ps = more_ps});
}

const kbs_kind kbs_kind_gemm = {.engine = KB_ENGINE_GEMM, .begin = begin};

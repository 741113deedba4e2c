/* SPDX-License-Identifier: Apache-2.0 */
/*
 * math in time: one function after another, as they were issued. It takes as long as its slowest part:
 *
 *   max(passes * ceil(bytes / math.bytes_per_cycle) cycles, bytes read / tcm.read_gbps,
 *       bytes written / tcm.write_gbps, slots read: each its ns + bytes / its rate)
 *
 * `bytes` are those of the results; of a function over an axis those of its input, for that is what passes
 * the lanes. `passes` is 1; math.transcendental_cycles where a lane takes so many cycles for an element; a
 * softmax takes one pass for the largest, one for the powers and their sum, one for the quotients.
 * That is the model `lanes`; a machine may choose another.
 */
#include "op/access.h"
#include "op/kind.h"
#include "op/model.h"
#include "pe/fault.h"
#include "pe/unit.h"

typedef enum work { SIMPLE, SPECIAL, OVER_AXIS, SOFTMAX } work;

/* By function; those that are not named take one cycle for an element. */
static const uint8_t works[] = {
    [KB_FUNC_DIV] = SPECIAL,          [KB_FUNC_SQRT] = SPECIAL,         [KB_FUNC_RSQRT] = SPECIAL,
    [KB_FUNC_RECIP] = SPECIAL,        [KB_FUNC_EXP] = SPECIAL,          [KB_FUNC_LOG] = SPECIAL,
    [KB_FUNC_TANH] = SPECIAL,         [KB_FUNC_SIGMOID] = SPECIAL,      [KB_FUNC_GELU] = SPECIAL,
    [KB_FUNC_SILU] = SPECIAL,         [KB_FUNC_SUM] = OVER_AXIS,        [KB_FUNC_PROD] = OVER_AXIS,
    [KB_FUNC_REDUCE_MIN] = OVER_AXIS, [KB_FUNC_REDUCE_MAX] = OVER_AXIS, [KB_FUNC_SOFTMAX] = SOFTMAX,
};

static uint64_t elements_bytes(const kb_operand *operand) {
    return kb_operand_elements(operand) * kb_dtype_size(operand->dtype);
}

static int64_t service_ps(const kbs_sim *sim, const kbs_common *common) {
    const kbs_costs *costs = &sim->costs;
    const work kind = common->func < sizeof works ? works[common->func] : SIMPLE;
    const bool over_axis = (kind == OVER_AXIS || kind == SOFTMAX) && common->operand_count > 1;
    const uint64_t bytes = elements_bytes(&common->operands[over_axis ? 1 : 0]);
    uint64_t passes = 1;
    if (kind == SPECIAL)
        passes = costs->special_cycles;
    else if (kind == SOFTMAX)
        passes = costs->special_cycles + 2;
    kbs_access access = {0};
    for (unsigned i = 0; i < common->operand_count; i++)
        kbs_access_add(&access, sim, &common->operands[i], 1);
    const uint64_t cycles = bytes / costs->math_bytes + (bytes % costs->math_bytes != 0);
    int64_t longest_ps = kbs_later(kbs_cycles_ps(costs, kbs_product(cycles, passes)), access.slot_ps);
    longest_ps = kbs_later(longest_ps, kbs_time_at(access.read_bytes, costs->tcm_read_rate));
    return kbs_later(longest_ps, kbs_time_at(access.written_bytes, costs->tcm_write_rate));
}

static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_shape *shape = op->shape;
    if (shape->service_ps == 0)
        shape->service_ps =
            kbs_model_ps(pe->sim, KBS_COMPONENT_math, &shape->common, service_ps(pe->sim, &shape->common));
    const int64_t more_ps = kbs_fault_more_ps(shape->service_ps, pe->faults.math);
    return kbs_unit_serve(pe, op,
                          &(kbs_job){.unit = &pe->math,
                                     .beside = pe->sim->costs.shared_slots ? &pe->gemm : NULL,
                                     .is_total = true,
                                     .cause = KB_CAUSE_COMPUTE,
                                     .took_ps = shape->service_ps + more_ps,
                                     .fixed_cause = KB_CAUSE_FAULT,
                                     .fixed_ps = more_ps});
}

const kbs_kind kbs_kind_math = {.engine = KB_ENGINE_MATH, .begin = begin};

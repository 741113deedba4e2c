/* SPDX-License-Identifier: Apache-2.0 */
/*
 * math in time: one function after another, as they were issued. An elementwise function takes as long as its
 * slowest part: computing the results, reading the inputs, writing the results.
 */
#include "op/kind.h"

static int64_t service_ps(const kbs_costs *costs, const kbs_common *common) {
    const uint64_t out_bytes = kbs_operand_bytes(&common->operands[0]);
    uint64_t in_bytes = 0;
    for (unsigned i = 1; i < common->operand_count; i++)
        in_bytes += kbs_operand_bytes(&common->operands[i]);
    const uint64_t cycles = (out_bytes + costs->math_bytes - 1) / costs->math_bytes;
    int64_t longest_ps = (int64_t)cycles * costs->cycle_ps;
    longest_ps = kbs_later(longest_ps, kbs_time_at(in_bytes, costs->tcm_read_rate));
    return kbs_later(longest_ps, kbs_time_at(out_bytes, costs->tcm_write_rate));
}

static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_sim *sim = pe->sim;
    const int64_t took_ps = service_ps(&sim->costs, &op->shape->common);
    op->start_ps = kbs_later(op->ready_ps, pe->math_free_ps);
    if (pe->math_used)
        kbs_op_claim(sim, op, &(kb_claim){pe->rank, KB_ROLE_ENGINE, KB_POINT_DONE, KB_SET_ONE, 0},
                     pe->math_holder.op);
    kbs_op_note(sim, op,
                &(kbs_note){.ps = op->start_ps - op->ready_ps,
                            .cause = KB_CAUSE_ENGINE_BUSY,
                            .resource = KB_RESOURCE_ENGINE,
                            .blames = true,
                            .id = op->engine,
                            .who = pe->math_holder});
    kbs_op_note(
        sim, op,
        &(kbs_note){
            .ps = took_ps, .cause = KB_CAUSE_COMPUTE, .resource = KB_RESOURCE_ENGINE, .id = op->engine});
    pe->math_used = true;
    pe->math_holder = (kbs_who){op->rank, op->index};
    pe->math_free_ps = op->start_ps + took_ps;
    kbs_op_sent(sim, op, op->start_ps + took_ps);
    kbs_op_done(sim, op, op->start_ps + took_ps);
    return true;
}

const kbs_kind kbs_kind_math = {.engine = KB_ENGINE_MATH, .begin = begin};

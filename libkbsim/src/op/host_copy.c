/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of hosts in time; see host_copy.h. */
#include "op/host_copy.h"

#include "pe/unit.h"

bool kbs_host_copy(kbs_pe *host, kbs_op *op) {
    const kbs_costs *costs = &host->sim->costs;
    const kb_operand *range = &op->shape->common.operands[0];
    const uint64_t bytes = kb_operand_elements(range) * kb_dtype_size(range->dtype);
    return kbs_unit_serve(
        host, op,
        &(kbs_job){.unit = &host->copy,
                   .cause = KB_CAUSE_SERIALISATION,
                   .fixed_cause = KB_CAUSE_HOST,
                   .took_ps = costs->host_copy_ps + kbs_time_at(bytes, costs->host_copy_rate),
                   .fixed_ps = costs->host_copy_ps});
}

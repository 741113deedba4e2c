/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of engines and their ports; see access.h. */
#include "op/access.h"

uint64_t kbs_stored_bytes(const kb_operand *operand) {
    uint64_t elements = 1;
    for (uint32_t i = 0; i < operand->dims; i++)
        if (operand->stride[i] != 0 || operand->shape[i] == 0)
            elements *= operand->shape[i];
    return elements * kb_dtype_size(operand->dtype);
}

void kbs_access_add(kbs_access *access, const kbs_sim *sim, const kb_operand *operand, uint64_t times) {
    const uint64_t bytes = kbs_stored_bytes(operand) * times;
    const uint32_t space = sim->program->defs.memories[operand->memory].space;
    if (space != KB_SPACE_TCM && bytes > 0) {
        /* An engine reaches no other memory but for a slot of a ring. */
        access->slot_ps += kbs_slot_time(&sim->costs, space, bytes);
        return;
    }
    if (operand->access != KB_ACCESS_WRITE)
        access->read_bytes += bytes;
    if (operand->access != KB_ACCESS_READ)
        access->written_bytes += bytes;
}

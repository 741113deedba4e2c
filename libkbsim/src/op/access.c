/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of engines and their ports; see access.h. */
#include "op/access.h"

uint64_t kbs_product(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

int64_t kbs_cycles_ps(const kbs_costs *costs, uint64_t cycles) {
    const uint64_t ps = kbs_product(cycles, (uint64_t)costs->cycle_ps);
    return ps < INT64_MAX ? (int64_t)ps : INT64_MAX;
}

/* Bytes of the elements that an operand has in its memory: an axis of stride 0 is one element long. */
static uint64_t stored_bytes(const kb_operand *operand) {
    uint64_t elements = 1;
    for (uint32_t i = 0; i < operand->dims; i++)
        if (operand->stride[i] != 0 || operand->shape[i] == 0)
            elements = kbs_product(elements, operand->shape[i]);
    return kbs_product(elements, kb_dtype_size(operand->dtype));
}

uint64_t kbs_sum(uint64_t a, uint64_t b) {
    return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

void kbs_access_add(kbs_access *access, const kbs_sim *sim, const kb_operand *operand, uint64_t times) {
    const uint64_t bytes = kbs_product(stored_bytes(operand), times);
    const uint32_t space = sim->program->defs.memories[operand->memory].space;
    if (space != KB_SPACE_TCM && bytes > 0) {
        /* An engine reaches no other memory but for a slot of a ring. */
        const int64_t ps = kbs_slot_time(&sim->costs, space, bytes);
        access->slot_ps = ps < INT64_MAX - access->slot_ps ? access->slot_ps + ps : INT64_MAX;
        return;
    }
    if (operand->access != KB_ACCESS_WRITE)
        access->read_bytes = kbs_sum(access->read_bytes, bytes);
    if (operand->access != KB_ACCESS_READ)
        access->written_bytes = kbs_sum(access->written_bytes, bytes);
}

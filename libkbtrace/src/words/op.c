/* SPDX-License-Identifier: Apache-2.0 */
/* Small questions about operands: see op.h. */
#include "kbtrace/op.h"

uint64_t kb_operand_elements(const kb_operand *operand) {
    uint64_t elements = 1;
    for (uint32_t d = 0; d < operand->dims; d++)
        if (__builtin_mul_overflow(elements, operand->shape[d], &elements))
            return UINT64_MAX;
    return elements;
}

bool kb_operand_extent(const kb_operand *operand, int64_t *ret_low, int64_t *ret_high) {
    int64_t low = 0, high = 0, size = (int64_t)kb_dtype_size(operand->dtype);
    for (uint32_t d = 0; d < operand->dims; d++) {
        int64_t reach;
        if (operand->shape[d] == 0) {
            *ret_low = *ret_high = 0;
            return true;
        }
        if (operand->shape[d] - 1 > INT64_MAX ||
            __builtin_mul_overflow((int64_t)(operand->shape[d] - 1), operand->stride[d], &reach) ||
            __builtin_mul_overflow(reach, size, &reach) ||
            __builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high))
            return false;
    }
    if (__builtin_add_overflow(high, size, &high))
        return false;
    *ret_low = low;
    *ret_high = high;
    return true;
}

kb_operand kb_operand_vector(uint32_t memory, uint8_t access, uint8_t dtype, uint64_t elements) {
    return (kb_operand){
        .memory = memory, .access = access, .dtype = dtype, .dims = 1, .shape = {elements}, .stride = {1}};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the first of what went wrong; see wrong.h. */
#include "wrong.h"

void kbr_wrongs_offer_value(kbr_wrongs *wrongs, const kbr_wrong_value *value) {
    if (wrongs == NULL)
        return;
    kbr_wrong_value *it = &wrongs->values[value->collective];
    bool first =
        !it->set || value->rank < it->rank || (value->rank == it->rank && value->element < it->element);
    if (first)
        *it = *value;
}

void kbr_wrongs_offer_undefined(kbr_wrongs *wrongs, uint32_t rank, const kb_op *op, uint32_t memory,
                                uint64_t offset) {
    if (wrongs == NULL)
        return;
    kbr_wrong_byte *it = &wrongs->undefined;
    bool same = it->set && it->time_ps == op->start_ps;
    bool first = !it->set || op->start_ps < it->time_ps || (same && rank < it->rank) ||
                 (same && rank == it->rank && op->index < it->op);
    if (first)
        *it = (kbr_wrong_byte){true, rank, op->index, op->start_ps, memory, offset};
}

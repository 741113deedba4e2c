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

static void offer_byte(kbr_wrong_byte *it, const kbr_wrong_byte *byte) {
    bool same = it->set && it->time_ps == byte->time_ps;
    if (!it->set || byte->time_ps < it->time_ps || (same && byte->rank < it->rank) ||
        (same && byte->rank == it->rank && byte->op < it->op))
        *it = *byte;
}

void kbr_wrongs_offer_undefined(kbr_wrongs *wrongs, uint32_t rank, const kb_op *op, uint32_t memory,
                                uint64_t offset) {
    kbr_wrong_byte byte = {true, rank, op->index, op->start_ps, memory, offset};
    if (wrongs != NULL)
        offer_byte(&wrongs->undefined, &byte);
}

void kbr_wrongs_join(kbr_wrongs *wrongs, const kbr_wrongs *from) {
    if (from->undefined.set)
        offer_byte(&wrongs->undefined, &from->undefined);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc in time: a mark in the stream of a PE or a host, which takes none: where a range lies was settled
 * while recording.
 */
#include "op/kind.h"
#include "run/counters.h"

static bool begin(kbs_pe *pe, kbs_op *op) {
    const kb_operand *range = &op->shape->common.operands[0];
    kbs_count_bytes(pe->sim, range->memory, op->ready_ps, (int64_t)kbs_operand_bytes(range));
    return kbs_mark(pe, op);
}

const kbs_kind kbs_kind_alloc = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = begin};

/* SPDX-License-Identifier: Apache-2.0 */
/* host_write puts the bytes that the trace carries into memory. */
#include <inttypes.h>
#include <stdio.h>

#include "op/access.h"
#include "op/op.h"

static bool fits(const kb_op *op, char words[KBR_MISFIT_CHARS]) {
    uint64_t size = kbr_operand_size(&op->what->operands[0]);
    if (op->what->reached == KB_POINT_DONE && op->payload_size != size)
        snprintf(words, KBR_MISFIT_CHARS, "it brings %" PRIu64 " bytes for a range of %" PRIu64,
                 op->payload_size, size);
    return op->what->reached != KB_POINT_DONE || op->payload_size == size;
}

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)rank;
    return kbr_scatter(pass, &op->what->operands[0], op->offsets[0], op->payload, NULL, trail);
}

const kbr_op_impl kbr_op_host_write = {.flow = KBR_FLOW_MAKE, .fits = fits, .execute = execute};

/* SPDX-License-Identifier: Apache-2.0 */
/* host_write puts the bytes that the trace carries into memory. */
#include "op/access.h"
#include "op/op.h"

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)rank;
    return kbr_scatter(pass, &op->what->operands[0], op->offsets[0], op->payload, NULL, trail);
}

const kbr_op_impl kbr_op_host_write = {.flow = KBR_FLOW_MAKE, .execute = execute};

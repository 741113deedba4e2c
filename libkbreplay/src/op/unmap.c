/* SPDX-License-Identifier: Apache-2.0 */
/* unmap changes virtual addresses, which this build does not know; it is refused by name. */
#include "op/op.h"

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    return kbr_op_unsupported(pass, rank, op, "virtual memory", trail);
}

const kbr_op_impl kbr_op_unmap = {.flow = KBR_FLOW_NONE, .execute = execute};

/* SPDX-License-Identifier: Apache-2.0 */
/* free ends the life of a range, which is undefined from then on. */
#include "op/access.h"
#include "op/op.h"

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)rank;
    return kbr_undefine(pass, &op->what->operands[0], op->offsets[0], trail);
}

const kbr_op_impl kbr_op_free = {.flow = KBR_FLOW_UNDEFINE, .execute = execute};

/* SPDX-License-Identifier: Apache-2.0 */
/* gemm multiplies matrices, which this build does not; it is refused by name. */
#include "op/op.h"

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    return kbr_op_unsupported(pass, rank, op, "matrix multiplication", trail);
}

const kbr_op_impl kbr_op_gemm = {.flow = KBR_FLOW_MIX, .execute = execute};

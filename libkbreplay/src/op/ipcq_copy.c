/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_copy moves a message into its slot. Undefined bytes travel as such. */
#include "op/access.h"
#include "op/op.h"

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)rank;
    return kbr_move(pass, op, trail);
}

const kbr_op_impl kbr_op_ipcq_copy = {
    .flow = KBR_FLOW_MOVE, .reach = KBR_REACH_FROM, .fits = kbr_move_fits, .execute = execute};

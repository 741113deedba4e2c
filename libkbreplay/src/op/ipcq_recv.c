/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_recv only orders: its message is in the slot, put there by the copy that it claims. */
#include "op/op.h"

const kbr_op_impl kbr_op_ipcq_recv = {.flow = KBR_FLOW_NONE};

/* SPDX-License-Identifier: Apache-2.0 */
/* ipcq_release only orders: the slot's bytes stay until the next copy. */
#include "op/op.h"

const kbr_op_impl kbr_op_ipcq_release = {.flow = KBR_FLOW_NONE};

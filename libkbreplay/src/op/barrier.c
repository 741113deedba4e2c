/* SPDX-License-Identifier: Apache-2.0 */
/* barrier only orders: it starts when each rank of its group has issued one of the same id. */
#include "op/op.h"

const kbr_op_impl kbr_op_barrier = {.flow = KBR_FLOW_NONE, .joins = true};

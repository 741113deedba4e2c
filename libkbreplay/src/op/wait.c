/* SPDX-License-Identifier: Apache-2.0 */
/* wait only orders: what it waits for, its claims say. */
#include "op/op.h"

const kbr_op_impl kbr_op_wait = {.flow = KBR_FLOW_NONE};

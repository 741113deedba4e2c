/* SPDX-License-Identifier: Apache-2.0 */
/* fence only orders: its claim names every earlier op of its stream. */
#include "op/op.h"

const kbr_op_impl kbr_op_fence = {.flow = KBR_FLOW_NONE};

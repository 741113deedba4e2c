/* SPDX-License-Identifier: Apache-2.0 */
/* launch only orders: the kernel's ops claim it, and it is done when they are. */
#include "op/op.h"

const kbr_op_impl kbr_op_launch = {.flow = KBR_FLOW_NONE};

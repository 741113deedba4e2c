/* SPDX-License-Identifier: Apache-2.0 */
/* assume reads what a peek saw while recording; memory stays as it is. */
#include "op/op.h"

const kbr_op_impl kbr_op_assume = {.flow = KBR_FLOW_USE};

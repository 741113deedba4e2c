/* SPDX-License-Identifier: Apache-2.0 */
/* coll_begin reads a stream's input of a collective; memory stays as it is. */
#include "op/op.h"

const kbr_op_impl kbr_op_coll_begin = {.flow = KBR_FLOW_USE};

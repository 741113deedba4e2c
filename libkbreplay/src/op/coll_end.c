/* SPDX-License-Identifier: Apache-2.0 */
/* coll_end reads a stream's output of a collective; memory stays as it is. */
#include "op/op.h"

const kbr_op_impl kbr_op_coll_end = {.flow = KBR_FLOW_USE};

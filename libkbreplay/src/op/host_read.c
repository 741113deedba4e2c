/* SPDX-License-Identifier: Apache-2.0 */
/* host_read takes bytes out of the machine; memory stays as it is. */
#include "op/op.h"

const kbr_op_impl kbr_op_host_read = {.flow = KBR_FLOW_USE};

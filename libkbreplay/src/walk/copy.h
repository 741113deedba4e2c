/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of an op with all that it points to, laid out behind its owner in one block. */
#ifndef KBREPLAY_SRC_COPY_H
#define KBREPLAY_SRC_COPY_H

#include "kbtrace/op.h"

/* Bytes that kbr_op_lay() needs. */
size_t kbr_op_lay_size(const kb_op *op);
/* Makes *ret_op a copy of `op` whose arrays lie at `block`, which is aligned to 16. */
void kbr_op_lay(const kb_op *op, void *block, kb_op *ret_op);

#endif

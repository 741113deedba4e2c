/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of ops with all that they point to, in one block: behind their owner, or shared. */
#ifndef KBREPLAY_SRC_COPY_H
#define KBREPLAY_SRC_COPY_H

#include "kbtrace/op.h"

/* Bytes that kbr_op_lay() needs. */
size_t kbr_op_lay_size(const kb_op *op);
/* Makes *ret_op a copy of `op` whose arrays lie at `block`, which is aligned to 16. */
void kbr_op_lay(const kb_op *op, void *block, kb_op *ret_op);

/* A block with an op that several own; without why-items, for which nobody asks who comes so late. */
typedef struct kbr_laid {
    size_t owners, size;
    kb_op op;
} kbr_laid;

kb_status kbr_laid_create(const kb_alloc *alloc, const kb_op *op, kbr_laid **ret_laid,
                          kb_trail *trail) KB_MUST_USE;
kbr_laid *kbr_laid_share(kbr_laid *laid);
/* The last owner's release ends it; NULL is nobody's. */
void kbr_laid_release(const kb_alloc *alloc, kbr_laid *laid);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Laying an op out; see copy.h. */
#include "walk/copy.h"

#include <string.h>

static size_t rounded(size_t size) {
    return (size + 15) & ~(size_t)15;
}

/* Moves on by `size` bytes, having put them there; NULL in stays NULL out. */
static void *put(char **inout_at, const void *from, size_t size) {
    if (from == NULL || size == 0)
        return NULL;
    void *to = memcpy(*inout_at, from, size);
    *inout_at += rounded(size);
    return to;
}

size_t kbr_op_lay_size(const kb_op *op) {
    const kb_template *what = op->what;
    return rounded(sizeof *what) + rounded(what->operand_count * sizeof *what->operands) +
           rounded(what->claim_count * sizeof *what->claims) + rounded(what->why_count * sizeof *what->whys) +
           rounded(what->immediate_count * sizeof *what->immediates) +
           rounded(what->operand_count * sizeof *op->offsets) +
           rounded(what->claim_count * sizeof *op->claimed) + rounded(what->why_count * sizeof *op->blames) +
           rounded((size_t)op->payload_size);
}

void kbr_op_lay(const kb_op *op, void *block, kb_op *ret_op) {
    const kb_template *from = op->what;
    char *at = block;
    kb_template *what = put(&at, from, sizeof *from);
    what->operands = put(&at, from->operands, from->operand_count * sizeof *from->operands);
    what->claims = put(&at, from->claims, from->claim_count * sizeof *from->claims);
    what->whys = put(&at, from->whys, from->why_count * sizeof *from->whys);
    what->immediates = put(&at, from->immediates, from->immediate_count * sizeof *from->immediates);
    *ret_op = *op;
    ret_op->what = what;
    ret_op->offsets = put(&at, op->offsets, from->operand_count * sizeof *op->offsets);
    ret_op->claimed = put(&at, op->claimed, from->claim_count * sizeof *op->claimed);
    ret_op->blames = put(&at, op->blames, from->why_count * sizeof *op->blames);
    ret_op->payload = put(&at, op->payload, (size_t)op->payload_size);
}

kb_status kbr_laid_create(const kb_alloc *alloc, const kb_op *op, kbr_laid **ret_laid, kb_trail *trail) {
    kb_op bare = *op;
    kb_template what = *op->what;
    what.why_count = 0;
    bare.what = &what;
    size_t head = rounded(sizeof(kbr_laid)), size = head + kbr_op_lay_size(&bare);
    void *block;
    KB_TRY(kb_new(alloc, size, &block, trail));
    kbr_laid *laid = block;
    laid->owners = 1;
    laid->size = size;
    kbr_op_lay(&bare, (char *)block + head, &laid->op);
    *ret_laid = laid;
    return KB_OK;
}

kbr_laid *kbr_laid_share(kbr_laid *laid) {
    laid->owners++;
    return laid;
}

void kbr_laid_release(const kb_alloc *alloc, kbr_laid *laid) {
    if (laid != NULL && --laid->owners == 0)
        kb_delete(alloc, laid, laid->size);
}

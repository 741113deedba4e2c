/* SPDX-License-Identifier: Apache-2.0 */
/* gemm multiplies two matrices, and adds the product to what its result holds where it accumulates. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number/number.h"
#include "op/access.h"
#include "op/op.h"

enum { OUT, A, B, OPERANDS };

static bool transposed(const kb_template *what, int operand) {
    uint32_t flag = operand == A ? KB_FLAG_TRANSPOSE_A : operand == B ? KB_FLAG_TRANSPOSE_B : 0;
    return (what->flags & flag) != 0;
}

/* Rows and columns of an operand as the product takes it. */
static void extents(const kb_template *what, int operand, uint64_t *ret_rows, uint64_t *ret_columns) {
    const kb_operand *view = &what->operands[operand];
    bool turned = transposed(what, operand);
    *ret_rows = view->shape[turned ? 1 : 0];
    *ret_columns = view->shape[turned ? 0 : 1];
}

static bool accumulates(const kb_template *what) {
    return (what->flags & KB_FLAG_ACCUMULATE) != 0;
}

static bool dtypes_fit(const kb_template *what) {
    const kbr_dtype *in = kbr_dtype_of(what->operands[A].dtype);
    uint32_t out = what->operands[OUT].dtype;
    if (what->operands[A].dtype != what->operands[B].dtype)
        return false;
    if (in == NULL || kbr_dtype_of(out) == NULL) /* no numbers here: refused when it runs */
        return true;
    return in->is_float ? out == KB_DTYPE_F32 || out == what->operands[A].dtype : out == KB_DTYPE_I32;
}

static bool fits(const kb_op *op, char words[KBR_MISFIT_CHARS]) {
    const kb_template *what = op->what;
    uint64_t rows[OPERANDS], columns[OPERANDS];
    for (int i = OUT; i < OPERANDS; i++) {
        if (what->operands[i].dims != 2) {
            snprintf(words, KBR_MISFIT_CHARS, "operand %d has %u dimensions, and is to be a matrix", i,
                     what->operands[i].dims);
            return false;
        }
        extents(what, i, &rows[i], &columns[i]);
    }
    bool fit = rows[OUT] == rows[A] && columns[OUT] == columns[B] && columns[A] == rows[B];
    if (!fit)
        snprintf(words, KBR_MISFIT_CHARS,
                 "[%" PRIu64 ",%" PRIu64 "] times [%" PRIu64 ",%" PRIu64 "] does not give [%" PRIu64
                 ",%" PRIu64 "]",
                 rows[A], columns[A], rows[B], columns[B], rows[OUT], columns[OUT]);
    else if (!dtypes_fit(what))
        snprintf(words, KBR_MISFIT_CHARS, "%s times %s does not give %s",
                 kb_word_name(KB_VOC_DTYPE, what->operands[A].dtype),
                 kb_word_name(KB_VOC_DTYPE, what->operands[B].dtype),
                 kb_word_name(KB_VOC_DTYPE, what->operands[OUT].dtype));
    else if (accumulates(what) != (what->operands[OUT].access == KB_ACCESS_UPDATE))
        snprintf(words, KBR_MISFIT_CHARS, "it %s, and its result is said to be a %s",
                 accumulates(what) ? "accumulates" : "does not accumulate",
                 kb_word_name(KB_VOC_ACCESS, what->operands[OUT].access));
    else
        return true;
    return false;
}

/* Where a matrix lies while it is worked on: in memory, or gathered in the buffer of its operand's number. */
static kb_status take(kbr_pass *pass, const kb_op *op, int operand, kbr_matrix *ret_matrix, kb_trail *trail) {
    const kb_operand *view = &op->what->operands[operand];
    ptrdiff_t down = (ptrdiff_t)view->stride[0], across = (ptrdiff_t)view->stride[1];
    bool turned = transposed(op->what, operand);
    const uint8_t *place;
    KB_TRY(kbr_pass_allow(pass, kbr_operand_size(view), trail));
    KB_TRY(kbr_view_in_place(pass, view, op->offsets[operand], &place, trail));
    uint8_t *bytes = (uint8_t *)(uintptr_t)place; /* of these a gemm writes none */
    if (place == NULL) {
        KB_TRY(kbr_pass_buffer(pass, (unsigned)operand, kbr_operand_size(view), &bytes, trail));
        KB_TRY(kbr_gather(pass, view, op->offsets[operand], bytes, NULL, trail));
        down = (ptrdiff_t)view->shape[1];
        across = 1;
    }
    *ret_matrix = (kbr_matrix){bytes, turned ? across : down, turned ? down : across};
    return KB_OK;
}

/* The result is made in a buffer, which holds what is added to. */
static kb_status begin_result(kbr_pass *pass, const kb_op *op, bool adds, kbr_matrix *ret_matrix,
                              kb_trail *trail) {
    const kb_operand *view = &op->what->operands[OUT];
    uint8_t *bytes;
    KB_TRY(kbr_pass_buffer(pass, OUT, kbr_operand_size(view), &bytes, trail));
    if (adds)
        KB_TRY(kbr_gather(pass, view, op->offsets[OUT], bytes, NULL, trail));
    *ret_matrix = (kbr_matrix){bytes, (ptrdiff_t)view->shape[1], 1};
    return KB_OK;
}

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_template *what = op->what;
    const kb_operand *out = &what->operands[OUT];
    uint32_t dtype = what->operands[A].dtype;
    kbr_multiply *multiply = dtype < KBR_DTYPES ? pass->kernels->multiply[dtype] : NULL;
    if (multiply == NULL || kbr_dtype_of(out->dtype) == NULL)
        return kbr_op_unsupported(pass, rank, op, "a product of what holds no numbers here", trail);
    kbr_gemm gemm = {.wide = out->dtype != dtype, .accumulate = accumulates(what)};
    uint64_t rows, columns, depth;
    extents(what, OUT, &rows, &columns);
    extents(what, A, &rows, &depth);
    gemm.m = rows, gemm.n = columns, gemm.k = depth;
    KB_TRY(begin_result(pass, op, gemm.accumulate, &gemm.out, trail));
    KB_TRY(take(pass, op, A, &gemm.a, trail));
    KB_TRY(take(pass, op, B, &gemm.b, trail));
    uint8_t *scratch;
    KB_TRY(kbr_pass_buffer(pass, 3, kbr_gemm_scratch(gemm.n, gemm.k), &scratch, trail));
    multiply(&gemm, scratch);
    return kbr_scatter(pass, out, op->offsets[OUT], gemm.out.bytes, NULL, trail);
}

const kbr_op_impl kbr_op_gemm = {
    .flow = KBR_FLOW_MIX, .reach = KBR_REACH_ENGINE, .fits = fits, .execute = execute};

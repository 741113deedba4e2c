/* SPDX-License-Identifier: Apache-2.0 */
/* math computes elementwise functions, copies, casts, fills, reductions, and softmax, by the kernels. */
#include "op/op.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number/number.h"
#include "op/access.h"

/* --- which function ---------------------------------------------------------------------------- */

typedef enum form {
    MOVES,       /* bytes, whatever they mean */
    CASTS,       /* from any dtype to any */
    MAPS,        /* element by element, of one dtype */
    REDUCES,     /* the innermost axis to one element */
    NORMALISES,  /* along the innermost axis: softmax */
    NOT_EXECUTED /* by this build */
} form;

static form form_of(const kb_template *what) {
    const kbr_kernels *kernels = kbr_kernels_choose();
    if (what->func == KB_FUNC_COPY)
        return MOVES;
    if (what->func == KB_FUNC_CAST)
        return CASTS;
    if (what->func >= KBR_FUNCS)
        return NOT_EXECUTED;
    return kernels->map[what->func][KB_DTYPE_F32] != NULL      ? MAPS
           : kernels->reduce[what->func][KB_DTYPE_F32] != NULL ? REDUCES
           : what->func == KB_FUNC_SOFTMAX                     ? NORMALISES
                                                               : NOT_EXECUTED;
}

static kbr_flow flow_of(const kb_template *what) {
    form as = form_of(what);
    return as == MOVES ? KBR_FLOW_MOVE : as == CASTS || as == MAPS ? KBR_FLOW_MAP : KBR_FLOW_MIX;
}

static bool takes_immediate(uint32_t func) {
    return func == KB_FUNC_FILL || func == KB_FUNC_ADD_SCALAR || func == KB_FUNC_MUL_SCALAR;
}

/* --- do the operands go together? -------------------------------------------------------------- */

static const char *dtype_name(const kb_operand *operand) {
    const char *name = kb_word_name(KB_VOC_DTYPE, operand->dtype);
    return name != NULL ? name : "?";
}

static bool counts_fit(const kb_template *what, form as, char words[KBR_MISFIT_CHARS]) {
    uint32_t inputs = as == MAPS ? kbr_kernels_choose()->inputs[what->func] : 1;
    if (what->operand_count != 1 + inputs) {
        snprintf(words, KBR_MISFIT_CHARS, "it has %" PRIu32 " operands, and its function takes %" PRIu32,
                 what->operand_count, 1 + inputs);
        return false;
    }
    if (takes_immediate(what->func) && what->immediate_count == 0) {
        snprintf(words, KBR_MISFIT_CHARS, "its function takes a constant, and it has none");
        return false;
    }
    return true;
}

/* As many elements as the result has, or as many rows. */
static bool sizes_fit(const kb_template *what, form as, char words[KBR_MISFIT_CHARS]) {
    uint64_t elements = kb_operand_elements(&what->operands[0]);
    for (uint32_t i = 1; i < what->operand_count; i++) {
        kb_operand view = what->operands[i];
        uint64_t width = view.dims != 0 ? view.shape[view.dims - 1] : 1;
        if (as == REDUCES && view.dims != 0)
            view.dims--;
        if (as == REDUCES && width == 0) {
            snprintf(words, KBR_MISFIT_CHARS, "operand %" PRIu32 " has nothing along its innermost axis", i);
            return false;
        }
        if (kb_operand_elements(&view) == elements)
            continue;
        snprintf(words, KBR_MISFIT_CHARS,
                 "operand %" PRIu32 " holds %" PRIu64 " %s, and what it becomes %" PRIu64 " elements", i,
                 kb_operand_elements(&view), as == REDUCES ? "rows" : "elements", elements);
        return false;
    }
    return true;
}

static bool dtypes_fit(const kb_template *what, form as, char words[KBR_MISFIT_CHARS]) {
    const kb_operand *out = &what->operands[0];
    for (uint32_t i = 1; i < what->operand_count && as != CASTS; i++) {
        const kb_operand *in = &what->operands[i];
        const kbr_dtype *of = kbr_dtype_of(in->dtype);
        bool wide = as == REDUCES && of != NULL && out->dtype == (of->is_float ? KB_DTYPE_F32 : KB_DTYPE_I32);
        if (in->dtype == out->dtype || wide)
            continue;
        snprintf(words, KBR_MISFIT_CHARS, "operand %" PRIu32 " is of %s, and what it becomes of %s", i,
                 dtype_name(in), dtype_name(out));
        return false;
    }
    return true;
}

static bool fits(const kb_op *op, char words[KBR_MISFIT_CHARS]) {
    form as = form_of(op->what);
    return as == NOT_EXECUTED || (counts_fit(op->what, as, words) && dtypes_fit(op->what, as, words) &&
                                  sizes_fit(op->what, as, words));
}

/* --- execution --------------------------------------------------------------------------------- */

static kb_status refuse(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const char *func = kb_word_name(KB_VOC_FUNC, op->what->func);
    char what[128];
    snprintf(what, sizeof what, "math.%s of %s", func != NULL ? func : "?",
             dtype_name(&op->what->operands[op->what->operand_count - 1]));
    return kbr_op_unsupported(pass, rank, op, what, trail);
}

/* The result's bytes in buffer 0, and those of all inputs in the ones after it. */
static kb_status gather_all(kbr_pass *pass, const kb_op *op, uint8_t *bytes[], kb_trail *trail) {
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        KB_TRY(kbr_pass_buffer(pass, i, kbr_operand_size(&op->what->operands[i]), &bytes[i], trail));
    for (uint32_t i = 1; i < op->what->operand_count; i++)
        KB_TRY(kbr_gather(pass, &op->what->operands[i], op->offsets[i], bytes[i], NULL, trail));
    return KB_OK;
}

static kb_status cast(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_operand *to = &op->what->operands[0], *from = &op->what->operands[1];
    if (kbr_dtype_of(to->dtype) == NULL || kbr_dtype_of(from->dtype) == NULL)
        return refuse(pass, rank, op, trail);
    uint8_t *bytes[2];
    KB_TRY(gather_all(pass, op, bytes, trail));
    kbr_cast(to->dtype, bytes[0], from->dtype, bytes[1], kb_operand_elements(to));
    return kbr_scatter(pass, to, op->offsets[0], bytes[0], NULL, trail);
}

static kb_status reduce(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_operand *to = &op->what->operands[0], *from = &op->what->operands[1];
    kbr_reduce *kernel = from->dtype < KBR_DTYPES ? pass->kernels->reduce[op->what->func][from->dtype] : NULL;
    if (kernel == NULL)
        return refuse(pass, rank, op, trail);
    uint8_t *bytes[2];
    KB_TRY(gather_all(pass, op, bytes, trail));
    kernel(bytes[0], to->dtype != from->dtype, bytes[1], kb_operand_elements(to),
           from->dims != 0 ? from->shape[from->dims - 1] : 1);
    return kbr_scatter(pass, to, op->offsets[0], bytes[0], NULL, trail);
}

static kb_status softmax(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_operand *to = &op->what->operands[0], *from = &op->what->operands[1];
    kbr_softmax *kernel = from->dtype < KBR_DTYPES ? pass->kernels->softmax[from->dtype] : NULL;
    if (kernel == NULL)
        return refuse(pass, rank, op, trail);
    uint64_t width = from->dims != 0 ? from->shape[from->dims - 1] : 1, elements = kb_operand_elements(from);
    uint8_t *bytes[2], *scratch;
    KB_TRY(gather_all(pass, op, bytes, trail));
    KB_TRY(kbr_pass_buffer(pass, 2, elements != 0 ? width * sizeof(float) : 0, &scratch, trail));
    if (elements != 0)
        kernel(bytes[0], bytes[1], elements / width, width, (float *)(void *)scratch);
    return kbr_scatter(pass, to, op->offsets[0], bytes[0], NULL, trail);
}

static kb_status map(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_template *what = op->what;
    const kb_operand *to = &what->operands[0];
    kbr_map *kernel = to->dtype < KBR_DTYPES ? pass->kernels->map[what->func][to->dtype] : NULL;
    if (kernel == NULL)
        return refuse(pass, rank, op, trail);
    uint8_t *bytes[1 + KBR_MAP_INPUTS] = {NULL};
    KB_TRY(gather_all(pass, op, bytes, trail));
    kernel(bytes[0], (const uint8_t *const *)&bytes[1], what->immediate_count != 0 ? what->immediates[0] : 0,
           kb_operand_elements(to));
    return kbr_scatter(pass, to, op->offsets[0], bytes[0], NULL, trail);
}

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    switch (form_of(op->what)) {
    case MOVES: return kbr_move(pass, op, trail);
    case CASTS: return cast(pass, rank, op, trail);
    case MAPS: return map(pass, rank, op, trail);
    case REDUCES: return reduce(pass, rank, op, trail);
    case NORMALISES: return softmax(pass, rank, op, trail);
    default: return refuse(pass, rank, op, trail);
    }
}

const kbr_op_impl kbr_op_math = {
    .flow = KBR_FLOW_MAP, .flow_of = flow_of, .reach = KBR_REACH_ENGINE, .fits = fits, .execute = execute};

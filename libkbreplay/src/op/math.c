/* SPDX-License-Identifier: Apache-2.0 */
/* math computes elementwise functions, copies, casts, fills, reductions, and softmax, by the kernels. */
#include "op/op.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number/number.h"
#include "op/access.h"
#include "op/pieces.h"

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
    const char *dtype = dtype_name(&op->what->operands[op->what->operand_count - 1]);
    char what[128];
    if (func != NULL)
        snprintf(what, sizeof what, "math.%s of %s", func, dtype);
    else
        snprintf(what, sizeof what, "function %" PRIu32 " of %s", op->what->func, dtype);
    return kbr_op_unsupported(pass, rank, op, what, trail);
}

/* What all computations know of themselves. */
typedef struct computing {
    const kbr_pass *pass;
    const kb_template *what;
    uint64_t width; /* elements along the innermost axis of what is read */
    uint64_t immediate;
    float *scratch;
} computing;

static void cast_units(const void *how, uint8_t *out, const uint8_t *const *inputs, uint64_t units) {
    const computing *it = how;
    const kb_operand *operands = it->what->operands;
    it->pass->kernels->cast[operands[1].dtype][operands[0].dtype](out, inputs[0], units);
}

static void map_units(const void *how, uint8_t *out, const uint8_t *const *inputs, uint64_t units) {
    const computing *it = how;
    it->pass->kernels->map[it->what->func][it->what->operands[0].dtype](out, inputs, it->immediate, units);
}

static void reduce_units(const void *how, uint8_t *out, const uint8_t *const *inputs, uint64_t units) {
    const computing *it = how;
    const kb_operand *to = &it->what->operands[0], *from = &it->what->operands[1];
    it->pass->kernels->reduce[it->what->func][from->dtype](out, to->dtype != from->dtype, inputs[0], units,
                                                           it->width);
}

static void softmax_units(const void *how, uint8_t *out, const uint8_t *const *inputs, uint64_t units) {
    const computing *it = how;
    it->pass->kernels->softmax[it->what->operands[1].dtype](out, inputs[0], units, it->width, it->scratch);
}

/* Are there kernels for its function and dtypes? */
static bool has_kernels(const kbr_kernels *kernels, form as, const kb_template *what) {
    uint32_t to = what->operands[0].dtype, from = what->operands[what->operand_count - 1].dtype;
    if (to >= KBR_DTYPES || from >= KBR_DTYPES)
        return false;
    switch (as) {
    case CASTS: return kernels->cast[from][to] != NULL;
    case MAPS: return kernels->map[what->func][to] != NULL;
    case REDUCES: return kernels->reduce[what->func][from] != NULL;
    case NORMALISES: return kernels->softmax[from] != NULL;
    default: return false;
    }
}

static kb_status compute(kbr_pass *pass, const kb_op *op, form as, kb_trail *trail) {
    const kb_template *what = op->what;
    const kb_operand *last = &what->operands[what->operand_count - 1];
    computing how = {.pass = pass, .what = what};
    how.width = last->dims != 0 ? last->shape[last->dims - 1] : 1;
    how.immediate = what->immediate_count != 0 ? what->immediates[0] : 0;
    kbr_task task = {.units = kb_operand_elements(&what->operands[0]), .how = &how};
    task.compute = as == CASTS     ? cast_units
                   : as == MAPS    ? map_units
                   : as == REDUCES ? reduce_units
                                   : softmax_units;
    for (uint32_t i = 0; i < what->operand_count; i++)
        task.unit_sizes[i] = kb_dtype_size(what->operands[i].dtype);
    bool by_rows = as == REDUCES || as == NORMALISES;
    if (by_rows && task.units != 0 &&
        __builtin_mul_overflow(task.unit_sizes[1], how.width, &task.unit_sizes[1]))
        return kbr_pass_allow(pass, UINT64_MAX, trail);
    if (as == NORMALISES && task.units != 0) {
        uint8_t *scratch;
        task.units /= how.width;
        task.unit_sizes[0] *= how.width;
        KB_TRY(kbr_pass_buffer(pass, 2, how.width * sizeof(float), &scratch, trail));
        how.scratch = (float *)(void *)scratch;
    }
    return kbr_compute(pass, op, &task, trail);
}

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    form as = form_of(op->what);
    if (as == MOVES)
        return kbr_move(pass, op, trail);
    if (!has_kernels(pass->kernels, as, op->what))
        return refuse(pass, rank, op, trail);
    return compute(pass, op, as, trail);
}

const kbr_op_impl kbr_op_math = {
    .flow = KBR_FLOW_MAP, .flow_of = flow_of, .reach = KBR_REACH_ENGINE, .fits = fits, .execute = execute};

/* SPDX-License-Identifier: Apache-2.0 */
/* math computes an elementwise function, a copy, a cast or a fill; functions over an axis are refused. */
#include "op/op.h"

#include <stdio.h>
#include <string.h>

#include "number/number.h"
#include "op/access.h"

static kb_status refuse(kbr_pass *pass, uint32_t rank, const kb_op *op, const char *why, kb_trail *trail) {
    const kb_operand *out = &op->what->operands[0];
    const char *func = kb_word_name(KB_VOC_FUNC, op->what->func),
               *dtype = kb_word_name(KB_VOC_DTYPE, out->dtype);
    char what[128];
    snprintf(what, sizeof what, "math.%s of %s%s", func != NULL ? func : "?", dtype != NULL ? dtype : "?",
             why);
    return kbr_op_unsupported(pass, rank, op, what, trail);
}

static bool one_dtype(const kb_template *what) {
    for (uint32_t i = 1; i < what->operand_count; i++)
        if (what->operands[i].dtype != what->operands[0].dtype)
            return false;
    return true;
}

static kb_status cast(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_operand *to = &op->what->operands[0], *from = &op->what->operands[1];
    if (op->what->operand_count != 2 || kbr_dtype_of(to->dtype) == NULL || kbr_dtype_of(from->dtype) == NULL)
        return refuse(pass, rank, op, " from what holds no numbers here", trail);
    uint8_t *out, *in;
    KB_TRY(kbr_pass_buffer(pass, 0, kbr_operand_size(to), &out, trail));
    KB_TRY(kbr_pass_buffer(pass, 1, kbr_operand_size(from), &in, trail));
    KB_TRY(kbr_gather(pass, from, op->offsets[1], in, NULL, trail));
    kbr_cast(to->dtype, out, from->dtype, in, kb_operand_elements(to));
    return kbr_scatter(pass, to, op->offsets[0], out, NULL, trail);
}

static kb_status execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_template *what = op->what;
    const kb_operand *to = &what->operands[0];
    if (what->func == KB_FUNC_CAST)
        return cast(pass, rank, op, trail);
    if (!one_dtype(what))
        return refuse(pass, rank, op, " with inputs of another dtype", trail);
    if (what->func == KB_FUNC_COPY && what->operand_count == 2)
        return kbr_move(pass, op, trail);
    kbr_map *map =
        what->func < KBR_FUNCS && to->dtype < KBR_DTYPES ? pass->kernels->map[what->func][to->dtype] : NULL;
    if (map == NULL)
        return refuse(pass, rank, op, "", trail);
    if (what->operand_count != 1u + pass->kernels->inputs[what->func])
        return refuse(pass, rank, op, " with another number of inputs", trail);
    uint8_t *bytes[1 + KBR_MAP_INPUTS] = {NULL};
    for (uint32_t i = 0; i < what->operand_count; i++)
        KB_TRY(kbr_pass_buffer(pass, i, kbr_operand_size(to), &bytes[i], trail));
    for (uint32_t i = 1; i < what->operand_count; i++)
        KB_TRY(kbr_gather(pass, &what->operands[i], op->offsets[i], bytes[i], NULL, trail));
    map(bytes[0], (const uint8_t *const *)&bytes[1], what->immediate_count != 0 ? what->immediates[0] : 0,
        kb_operand_elements(to));
    return kbr_scatter(pass, to, op->offsets[0], bytes[0], NULL, trail);
}

const kbr_op_impl kbr_op_math = {.flow = KBR_FLOW_MAP, .execute = execute};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: nothing is computed from undefined bytes, and nothing is used that is undefined.
 *
 * Copies carry undefined bytes as such, so padding may travel; whatever depends on them is told, and if it
 * is asked for, copies too. All such uses are one finding: the first undefined byte makes the next.
 */
#include <inttypes.h>

#include "check/check.h"
#include "op/access.h"
#include "op/op.h"
#include "wrong.h"

static kb_status open_init(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    (void)pass, (void)trail;
    *ret_state = NULL;
    return KB_OK;
}

static void close_init(void *state, const kb_alloc *alloc) {
    (void)state, (void)alloc;
}

static void report(kbr_pass *pass, uint32_t rank, const kb_op *op, uint32_t number, uint64_t offset) {
    const kb_operand *operand = &op->what->operands[number];
    kbr_finding finding = kbr_finding_about(pass->defs, "init", "undefined", rank, op);
    kbr_finding_place(&finding, pass->defs, operand->memory, offset, kb_dtype_size(operand->dtype));
    kbr_finding_say(&finding, "operand %" PRIu32 " (%s) holds undefined bytes: nothing has written them",
                    number, kb_kind_role(kb_kind_describe(op->what->kind), number)->name);
    uint32_t tensor;
    uint64_t element;
    if (kbr_regions_element(pass->regions, operand->memory, offset, &tensor, &element)) {
        finding.tensor = tensor;
        finding.element = element;
    }
    kbr_findings_add(pass->findings, &finding);
    kbr_wrongs_offer_undefined(pass->wrongs, rank, op, operand->memory, offset);
}

/* The view with one element for each place: those of stride 0 lie together. */
static kb_operand gathered(const kb_operand *operand) {
    kb_operand view = *operand;
    for (uint32_t i = 0; i < view.dims; i++)
        if (view.stride[i] == 0 && view.shape[i] > 1)
            view.shape[i] = 1;
    return view;
}

static kb_status check_operand(kbr_pass *pass, uint32_t rank, const kb_op *op, uint32_t number,
                               kb_trail *trail) {
    kb_operand view = gathered(&op->what->operands[number]);
    if (kbr_operand_size(&view) > pass->limit_size)
        return kb_fail(trail, KB_E_LIMIT,
                       "rank %u #%llu reads %llu bytes; the limit for rebuilt memory is %llu", rank,
                       (unsigned long long)op->index, (unsigned long long)kbr_operand_size(&view),
                       (unsigned long long)pass->limit_size);
    bool found;
    uint64_t at;
    KB_TRY(kbr_find_undefined(pass, &view, op->offsets[number], &found, &at, trail));
    if (found)
        report(pass, rank, op, number, at);
    return KB_OK;
}

static kb_status touch_init(void *state, kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)state;
    kbr_flow flow = kbr_op_flow(op->what);
    bool depends = flow == KBR_FLOW_MAP || flow == KBR_FLOW_MIX || flow == KBR_FLOW_USE;
    if (!depends && !(pass->strict_init && flow == KBR_FLOW_MOVE))
        return KB_OK;
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        if (op->what->operands[i].access != KB_ACCESS_WRITE)
            KB_TRY(check_operand(pass, rank, op, i, trail));
    return KB_OK;
}

const kbr_check kbr_check_init = {.open = open_init, .touch = touch_init, .close = close_init};

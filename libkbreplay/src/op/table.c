/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, made from ops.def: a kind without its file fails the link. And what is done by it. */
#include "op/access.h"

static const kbr_op_impl *const impls[KB_OP_LIMIT] = {
#define KB_OP(NAME, name, wire, family, roles, id, help) [KB_OP_##NAME] = &kbr_op_##name,
#include "kbtrace/ops.def"
#undef KB_OP
};

const kbr_op_impl *kbr_op_impl_of(uint32_t kind) {
    return kind < KB_OP_LIMIT ? impls[kind] : NULL;
}

kbr_flow kbr_op_flow(const kb_template *what) {
    const kbr_op_impl *impl = kbr_op_impl_of(what->kind);
    return impl->flow_of != NULL ? impl->flow_of(what) : impl->flow;
}

kb_status kbr_op_execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kbr_op_impl *impl = kbr_op_impl_of(op->what->kind);
    pass->rank = rank;
    return impl->execute != NULL ? impl->execute(pass, rank, op, trail) : KB_OK;
}

bool kbr_op_writes(const kb_op *op) {
    bool writes = false;
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        writes = writes || (op->what->operands[i].access != KB_ACCESS_READ &&
                            kb_operand_elements(&op->what->operands[i]) != 0);
    return writes && kbr_op_flow(op->what) != KBR_FLOW_NONE;
}

kb_status kbr_op_abandon(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) {
    pass->rank = rank;
    for (uint32_t i = 0; i < op->what->operand_count && kbr_op_writes(op); i++)
        if (op->what->operands[i].access != KB_ACCESS_READ)
            KB_TRY(kbr_undefine(pass, &op->what->operands[i], op->offsets[i], trail));
    return KB_OK;
}

kb_status kbr_op_unsupported(const kbr_pass *pass, uint32_t rank, const kb_op *op, const char *what,
                             kb_trail *trail) {
    kbr_mention mention = kbr_mention_of(rank, op);
    char text[256];
    return kb_fail(trail, KB_E_UNSUPPORTED, "rank %u %s: %s is not executed by this build (a newer kb may)",
                   rank, kbr_mention_text(pass->defs, &mention, rank, text, sizeof text), what);
}

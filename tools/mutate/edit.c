/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that may be changed; see fault.h. */
#include <string.h>

#include "mutate/fault.h"

void kbt_edit_init(kbt_edit *edit) {
    memset(edit, 0, sizeof *edit);
    kb_arena_init(&edit->arena, kb_alloc_heap(), 0);
}

void kbt_edit_fini(kbt_edit *edit) {
    kb_arena_fini(&edit->arena);
}

kb_status kbt_edit_take(kbt_edit *edit, const kb_op *op, kb_trail *trail) {
    const kb_template *what = op->what;
    void *claims, *claimed, *blames;
    kb_arena_reset(&edit->arena);
    KB_TRY(kb_arena_copy(&edit->arena, what->claims, what->claim_count * sizeof(kb_claim), &claims, trail));
    KB_TRY(kb_arena_copy(&edit->arena, op->claimed, what->claim_count * sizeof(uint64_t), &claimed, trail));
    KB_TRY(kb_arena_copy(&edit->arena, op->blames, what->why_count * sizeof(kb_blame), &blames, trail));
    edit->op = *op;
    edit->what = *what;
    for (uint32_t i = 0; i < what->operand_count && i < KB_OPERANDS_MAX; i++) {
        edit->operands[i] = what->operands[i];
        edit->offsets[i] = op->offsets[i];
    }
    edit->claims = claims;
    edit->claimed = claimed;
    edit->blames = blames;
    edit->what.operands = edit->operands;
    edit->what.claims = edit->claims;
    edit->op.what = &edit->what;
    edit->op.offsets = edit->offsets;
    edit->op.claimed = edit->claimed;
    edit->op.blames = edit->blames;
    return KB_OK;
}

void kbt_edit_drop_claim(kbt_edit *edit, uint32_t number) {
    uint32_t rest = --edit->what.claim_count - number;
    memmove(&edit->claims[number], &edit->claims[number + 1], rest * sizeof(kb_claim));
    memmove(&edit->claimed[number], &edit->claimed[number + 1], rest * sizeof(uint64_t));
}

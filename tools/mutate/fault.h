/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fault: one change to one op of a good trace, which leaves a whole and valid trace that is wrong.
 */
#ifndef KBTOOLS_MUTATE_FAULT_H
#define KBTOOLS_MUTATE_FAULT_H

#include "kbtrace/defs.h"

/* An op that may be changed: a copy with room of its own. */
typedef struct kbt_edit {
    kb_op op; /* op.what is &what, and so on */
    kb_template what;
    kb_operand operands[KB_OPERANDS_MAX];
    uint64_t offsets[KB_OPERANDS_MAX];
    kb_claim *claims;
    uint64_t *claimed;
    kb_blame *blames;
    bool doubled;   /* the op is to stand twice */
    kb_arena arena; /* of the arrays; reset for each op */
} kbt_edit;

typedef struct kbt_fault {
    /* Does it make sense of this op? The op is not changed. */
    bool (*fits)(const kb_op *op, const kb_defs *defs);
    /* Changes the op; NULL for one that is dropped. */
    void (*apply)(kbt_edit *edit, const kb_defs *defs);
} kbt_fault;

#define KBT_FAULT(identifier, name, help) extern const kbt_fault kbt_fault_##identifier;
#include "mutate/faults.def"
#undef KBT_FAULT

void kbt_edit_init(kbt_edit *edit);
void kbt_edit_fini(kbt_edit *edit);
/* Makes `edit` a copy of the op. */
kb_status kbt_edit_take(kbt_edit *edit, const kb_op *op, kb_trail *trail) KB_MUST_USE;
void kbt_edit_drop_claim(kbt_edit *edit, uint32_t number);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds; see kind.h. */
#include "op/kind.h"

const kbs_kind *const kbs_kinds[KB_OP_LIMIT] = {
#define KBS_KIND(NAME, name) [KB_OP_##NAME] = &kbs_kind_##name,
#include "op/kinds.def"
#undef KBS_KIND
};

bool kbs_mark(kbs_pe *pe, kbs_op *op) {
    op->record.start_ps = op->ready_ps;
    kbs_op_end(pe->sim, op, op->record.start_ps);
    return true;
}

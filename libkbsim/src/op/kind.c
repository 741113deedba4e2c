/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds; see kind.h. */
#include "op/kind.h"

#include <assert.h>

static const kbs_kind *const kinds[KB_OP_LIMIT] = {
#define KBS_KIND(NAME, name) [KB_OP_##NAME] = &kbs_kind_##name,
#include "op/kinds.def"
#undef KBS_KIND
};

const kbs_kind *kbs_kind_of(uint32_t kind) {
    assert(kind < KB_OP_LIMIT && kinds[kind] != NULL);
    return kinds[kind];
}

bool kbs_mark(kbs_pe *pe, kbs_op *op) {
    op->start_ps = op->ready_ps;
    kbs_op_sent(pe->sim, op, op->start_ps);
    kbs_op_done(pe->sim, op, op->start_ps);
    return true;
}

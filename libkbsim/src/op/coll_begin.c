/* SPDX-License-Identifier: Apache-2.0 */
/* coll_begin in time: a mark in the stream, which takes none. */
#include "op/kind.h"

static bool begin(kbs_pe *pe, kbs_op *op) {
    op->start_ps = op->ready_ps;
    kbs_op_sent(pe->sim, op, op->start_ps);
    kbs_op_done(pe->sim, op, op->start_ps);
    return true;
}

const kbs_kind kbs_kind_coll_begin = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = begin};

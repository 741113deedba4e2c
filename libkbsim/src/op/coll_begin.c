/* SPDX-License-Identifier: Apache-2.0 */
/* coll_begin in time: a mark in the stream, which takes none. */
#include "op/kind.h"

static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_stay *stay = &pe->sim->stays[op->record.collective - 1];
    if (stay->first_ps == KBS_UNKNOWN || op->ready_ps < stay->first_ps)
        stay->first_ps = op->ready_ps;
    return kbs_mark(pe, op);
}

const kbs_kind kbs_kind_coll_begin = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = begin};

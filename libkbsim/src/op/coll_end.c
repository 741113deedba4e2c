/* SPDX-License-Identifier: Apache-2.0 */
/* coll_end in time: a mark in the stream, which takes none; all that it follows was observed. */
#include "op/kind.h"

static bool begin(kbs_pe *pe, kbs_op *op) {
    kbs_stay *stay = &pe->sim->stays[op->record.collective - 1];
    if (stay->last_ps == KBS_UNKNOWN || op->ready_ps > stay->last_ps)
        stay->last_ps = op->ready_ps;
    stay->left++;
    return kbs_mark(pe, op);
}

const kbs_kind kbs_kind_coll_end = {.engine = KB_ENGINE_SEQUENCER, .is_free = true, .begin = begin};

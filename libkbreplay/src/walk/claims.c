/* SPDX-License-Identifier: Apache-2.0 */
/* Which claims of an op hold already; changes nothing. */
#include <string.h>

#include "walk/state.h"

/* At which point of the claimer a role ends. */
static const uint8_t stages_of[] = {
    [KB_ROLE_OBSERVED] = KBR_AT_ISSUE, [KB_ROLE_COPY] = KBR_AT_START,      [KB_ROLE_CREDIT] = KBR_AT_START,
    [KB_ROLE_ENGINE] = KBR_AT_START,   [KB_ROLE_STAGE] = KBR_AT_START,     [KB_ROLE_LAUNCH] = KBR_AT_ISSUE,
    [KB_ROLE_AWAITED] = KBR_AT_START,  [KB_ROLE_COMPLETION] = KBR_AT_DONE,
};

static bool one_holds(const kbr_walk_state *walk, uint32_t rank, uint64_t index, unsigned point) {
    if (rank >= walk->pass->run->ranks || index >= walk->ranks[rank].read_count)
        return false;
    const kbr_parked *it = (const kbr_parked *)kbr_table_find(&walk->parked, rank, index);
    return it == NULL || (point == KB_POINT_SENT && it->phase == KBR_RAN);
}

static bool same_composite(const kb_op *a, const kb_op *b) {
    const kb_kind_info *x = kb_kind_describe(a->what->kind), *y = kb_kind_describe(b->what->kind);
    return a->id == b->id && x != NULL && y != NULL && strcmp(x->id_name, "composite") == 0 &&
           strcmp(y->id_name, "composite") == 0;
}

/* Is `member` one of those that a claim of `op` on a set names? */
static bool belongs(const kbr_parked *member, const kb_op *op, uint64_t launch, unsigned set) {
    if (member->op.index == op->index)
        return false;
    if (set == KB_SET_STREAM)
        return member->op.what->stream == op->what->stream && member->op.index < op->index;
    if (set == KB_SET_COMPOSITE)
        return same_composite(&member->op, op);
    bool launches = op->what->kind == KB_OP_LAUNCH;
    return member->launch != 0 && member->launch == (launches ? op->index + 1 : launch);
}

static bool set_holds(const kbr_walk_state *walk, uint32_t rank, const kb_op *op, uint64_t launch,
                      const kb_claim *claim, kbr_awaited *ret_awaited) {
    const kbr_walk_rank *in = &walk->ranks[rank];
    bool completion = claim->role == KB_ROLE_COMPLETION;
    /* A completion waits for ops that come after it in the trace: none is issued later than it was done. */
    if (completion && !in->ended && in->last_issue_ps <= op->done_ps) {
        *ret_awaited = (kbr_awaited){.rank = rank, .reading = true};
        return false;
    }
    for (const kbr_parked *it = in->first; it != NULL; it = it->rank_next) {
        bool sent = claim->point == KB_POINT_SENT && it->phase == KBR_RAN;
        if (!belongs(it, op, launch, claim->set) || sent || (!completion && it->op.index > op->index))
            continue;
        *ret_awaited = (kbr_awaited){.rank = rank, .index = it->op.index};
        return false;
    }
    return true;
}

bool kbr_claims_hold(const kbr_walk_state *walk, uint32_t rank, const kb_op *op, uint64_t launch,
                     unsigned stages, kbr_awaited *ret_awaited) {
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if ((stages_of[claim->role] & stages) == 0)
            continue;
        if (claim->set != KB_SET_ONE) {
            if (!set_holds(walk, rank, op, launch, claim, ret_awaited))
                return false;
        } else if (!one_holds(walk, claim->rank, op->claimed[i], claim->point)) {
            *ret_awaited = (kbr_awaited){.rank = claim->rank, .index = op->claimed[i]};
            return false;
        }
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns an op, and whom it waits for: the lines of owners; see state.h. */
#include "op/op.h"
#include "play/state.h"

/* --- owners ------------------------------------------------------------------------------------ */

/* Ranks come first, then one for memories that belong to none, then the collectives. */
static uint32_t owner_of_memory(const kbr_play *play, uint32_t memory) {
    uint32_t rank = play->pass->defs->memories[memory].rank;
    return rank < play->pass->run->ranks ? rank : play->pass->run->ranks;
}

static void name(kbr_play *play, uint32_t owner) {
    if (play->owners[owner].named == play->number + 1)
        return;
    play->owners[owner].named = play->number + 1;
    play->named[play->named_count++] = owner;
}

kb_status kbr_lines_name(kbr_play *play, uint32_t rank, const kb_op *op, kb_trail *trail) {
    void *named = play->named;
    KB_TRY(kb_grow(play->pass->alloc, sizeof *play->named, op->what->operand_count + 2u,
                   &play->named_capacity, &named, trail));
    play->named = named;
    play->named_count = 0;
    name(play, rank);
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        name(play, owner_of_memory(play, op->what->operands[i].memory));
    if (op->collective != 0 && kbr_op_flow(op->what) == KBR_FLOW_USE)
        name(play, play->pass->run->ranks + (uint32_t)op->collective);
    return KB_OK;
}

/* --- lines ------------------------------------------------------------------------------------- */

/* What stands last in a line and has not been forgotten; it may have run. */
static kbr_turn *last_of(const kbr_play *play, const kbr_owner *owner) {
    return owner->last != NULL && owner->number >= play->gone ? owner->last : NULL;
}

bool kbr_lines_idle(const kbr_play *play) {
    for (size_t i = 0; i < play->named_count; i++) {
        const kbr_owner *owner = &play->owners[play->named[i]];
        kbr_turn *last = last_of(play, owner);
        if (last != NULL && atomic_load_explicit(&last->next[owner->place], memory_order_acquire) != last)
            return false;
    }
    return true;
}

bool kbr_lines_join(kbr_play *play, kbr_turn *turn) {
    for (uint32_t place = 0; place < turn->owner_count; place++) {
        kbr_owner *owner = &play->owners[play->named[place]];
        kbr_turn *last = last_of(play, owner), *nobody = NULL;
        if (last != NULL) {
            atomic_fetch_add_explicit(&turn->awaited, 1, memory_order_relaxed);
            if (!atomic_compare_exchange_strong_explicit(&last->next[owner->place], &nobody, turn,
                                                         memory_order_acq_rel, memory_order_acquire))
                atomic_fetch_sub_explicit(&turn->awaited, 1, memory_order_relaxed); /* it has run */
        }
        owner->last = turn;
        owner->number = turn->number;
        owner->place = place;
    }
    return atomic_fetch_sub_explicit(&turn->awaited, 1, memory_order_acq_rel) == 1;
}

void kbr_lines_leave(kbr_turn *turn, kbr_ready *ready) {
    for (uint32_t place = 0; place < turn->owner_count; place++) {
        kbr_turn *next = atomic_exchange_explicit(&turn->next[place], turn, memory_order_acq_rel);
        if (next != NULL && atomic_fetch_sub_explicit(&next->awaited, 1, memory_order_acq_rel) == 1)
            kbr_ready_add(ready, next);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The window: ops that were laid out and have not run, bounded in bytes. Of the walk's thread alone. */
#include <string.h>

#include "play/state.h"
#include "walk/copy.h"

/* A stretch holds some hundred ops; a window of many, so that ranks may be ahead of one another. */
enum { STRETCH_SIZE = 64 << 10, WINDOW_SIZE = 4 << 20 };

static size_t rounded(size_t size) {
    return (size + 15) & ~(size_t)15;
}

/* --- stretches --------------------------------------------------------------------------------- */

/* No turn will be added to it. */
static void close_newest(kbr_play *play) {
    if (play->newest != NULL)
        atomic_fetch_sub_explicit(&play->newest->left, 1, memory_order_acq_rel);
    play->newest = NULL;
}

static bool oldest_is_over(const kbr_play *play) {
    return play->oldest != NULL && atomic_load_explicit(&play->oldest->left, memory_order_acquire) == 0;
}

static void retire_oldest(kbr_play *play) {
    kbr_stretch *it = play->oldest;
    play->oldest = it->next;
    if (play->oldest == NULL)
        play->last = NULL;
    play->gone = it->end_number;
    play->window_size -= it->size;
    if (it->size == STRETCH_SIZE) {
        it->next = play->spare;
        play->spare = it;
    } else {
        kb_delete(play->pass->alloc, it, sizeof *it + it->size);
    }
}

static kb_status open_stretch(kbr_play *play, size_t size, kb_trail *trail) {
    size = size < STRETCH_SIZE ? STRETCH_SIZE : size;
    close_newest(play);
    while (play->oldest != NULL && (oldest_is_over(play) || play->window_size + size > WINDOW_SIZE)) {
        kbr_crew_help(play, play->oldest);
        retire_oldest(play);
    }
    kbr_stretch *it = size == STRETCH_SIZE ? play->spare : NULL;
    if (it != NULL) {
        play->spare = it->next;
    } else {
        void *block;
        KB_TRY(kb_new(play->pass->alloc, sizeof *it + size, &block, trail));
        it = block;
    }
    it->next = NULL;
    it->size = size;
    it->used = 0;
    atomic_init(&it->left, 1);
    *(play->last != NULL ? &play->last->next : &play->oldest) = it;
    play->last = play->newest = it;
    play->window_size += size;
    return KB_OK;
}

void kbr_window_empty(kbr_play *play) {
    close_newest(play);
    while (play->oldest != NULL) {
        kbr_crew_help(play, play->oldest);
        retire_oldest(play);
    }
}

static void delete_all(kbr_play *play, kbr_stretch *it) {
    while (it != NULL) {
        kbr_stretch *next = it->next;
        kb_delete(play->pass->alloc, it, sizeof *it + it->size);
        it = next;
    }
}

void kbr_window_fini(kbr_play *play) {
    delete_all(play, play->oldest);
    delete_all(play, play->spare);
}

/* --- turns ------------------------------------------------------------------------------------- */

kb_status kbr_window_lay(kbr_play *play, uint32_t rank, const kb_op *op, bool abandoned, uint64_t turn_size,
                         kbr_turn **ret_turn, kb_trail *trail) {
    /* Whoever runs it touches memory, and asks neither whom it claimed nor where its time went. */
    kb_template what = *op->what;
    what.claim_count = what.why_count = 0;
    kb_op lean = *op;
    lean.what = &what;
    size_t head = rounded(sizeof(kbr_turn) + play->named_count * sizeof(_Atomic(kbr_turn *)));
    size_t size = head + rounded(kbr_op_lay_size(&lean));
    if (play->newest == NULL || play->newest->size - play->newest->used < size)
        KB_TRY(open_stretch(play, size, trail));
    kbr_stretch *stretch = play->newest;
    kbr_turn *turn = (kbr_turn *)(void *)(stretch->bytes + stretch->used);
    stretch->used += size;
    stretch->end_number = play->number + 1;
    atomic_fetch_add_explicit(&stretch->left, 1, memory_order_relaxed);
    memset(turn, 0, head);
    turn->number = play->number;
    turn->size = turn_size;
    turn->rank = rank;
    turn->abandoned = abandoned;
    turn->owner_count = (uint32_t)play->named_count;
    turn->stretch = stretch;
    atomic_init(&turn->awaited, 1);
    for (size_t i = 0; i < play->named_count; i++)
        atomic_init(&turn->next[i], NULL);
    kbr_op_lay(&lean, (unsigned char *)turn + head, &turn->op);
    *ret_turn = turn;
    return KB_OK;
}

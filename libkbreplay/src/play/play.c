/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an op runs where it is handed in, or is laid out for any thread; see play.h. */
#include "play/play.h"

#include <string.h>

#include "op/access.h"
#include "play/state.h"

/* What is handed over at once, in bytes of operands and in ops. */
enum { BATCH_SIZE = 256 << 10, BATCH_OPS = 64 };

enum { THREADS_MAX = 256 };

/* --- life -------------------------------------------------------------------------------------- */

static kb_status init_worker(kbr_play *play, kbr_worker *worker, kb_trail *trail) {
    const kbr_pass *pass = play->pass;
    worker->play = play;
    worker->pass = *pass;
    memset(worker->pass.buffers, 0, sizeof worker->pass.buffers);
    worker->pass.findings = &worker->findings;
    if (pass->wrongs != NULL) {
        worker->wrongs =
            (kbr_wrongs){.values = pass->wrongs->values, .value_count = pass->wrongs->value_count};
        worker->pass.wrongs = &worker->wrongs;
    }
    kb_trail_init(&worker->trail);
    KB_TRY(kbr_findings_init(&worker->findings, pass->alloc, trail));
    worker->findings.any_order = true;
    return KB_OK;
}

static kb_status set_up(kbr_play *play, unsigned threads, kb_trail *trail) {
    const kbr_pass *pass = play->pass;
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, threads * sizeof(kbr_worker), &block, trail));
    play->workers = block;
    play->worker_capacity = threads;
    for (unsigned i = 0; i < threads; i++)
        KB_TRY(init_worker(play, &play->workers[i], trail));
    play->owner_count = pass->run->ranks + (size_t)1 + pass->defs->collective_count;
    KB_TRY(kb_new_zeroed(pass->alloc, play->owner_count * sizeof(kbr_owner), &block, trail));
    play->owners = block;
    kbr_crew_start(play);
    return KB_OK;
}

kb_status kbr_play_create(const kbr_running *run, unsigned threads, kbr_play **ret_play, kb_trail *trail) {
    kbr_pass *pass = run->pass;
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, sizeof(kbr_play), &block, trail));
    kbr_play *play = block;
    play->pass = pass;
    play->run = run;
    for (size_t i = 0; i < run->count; i++)
        play->any_touch = play->any_touch || run->checks[i]->touch != NULL;
    play->worker_count = 1;
    atomic_init(&play->ready_count, 0);
    atomic_init(&play->failed, UINT64_MAX);
    pthread_mutex_init(&play->lock, NULL);
    pthread_cond_init(&play->changed, NULL);
    /* More threads than ranks, and one for the walk, find nothing to do. */
    unsigned most = pass->run->ranks < THREADS_MAX ? pass->run->ranks + 1 : THREADS_MAX;
    threads = threads == 0 ? 1 : threads < most ? threads : most;
    kb_status status = set_up(play, threads, trail);
    if (status != KB_OK) {
        kbr_play_destroy(play);
        return status;
    }
    *ret_play = play;
    return KB_OK;
}

void kbr_play_destroy(kbr_play *play) {
    if (play == NULL)
        return;
    const kb_alloc *alloc = play->pass->alloc;
    kbr_window_empty(play);
    kbr_crew_stop(play);
    kbr_window_fini(play);
    for (unsigned i = 0; play->workers != NULL && i < play->worker_capacity; i++) {
        kbr_pass_fini(&play->workers[i].pass);
        kbr_findings_fini(&play->workers[i].findings, alloc);
    }
    kb_delete(alloc, play->workers, play->worker_capacity * sizeof(kbr_worker));
    kb_delete(alloc, play->owners, play->owner_count * sizeof(kbr_owner));
    kb_delete(alloc, play->named, play->named_capacity * sizeof *play->named);
    pthread_cond_destroy(&play->changed);
    pthread_mutex_destroy(&play->lock);
    kb_delete(alloc, play, sizeof *play);
}

/* --- ops --------------------------------------------------------------------------------------- */

static uint64_t size_of(const kb_op *op) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < op->what->operand_count && sum < BATCH_SIZE; i++) {
        uint64_t size = kbr_operand_size(&op->what->operands[i]);
        sum += size < BATCH_SIZE ? size : BATCH_SIZE;
    }
    return sum;
}

static bool has_failed(const kbr_play *play) {
    return atomic_load_explicit(&play->failed, memory_order_relaxed) != UINT64_MAX;
}

static kb_status lay_out(kbr_play *play, uint32_t rank, const kb_op *op, bool abandoned, uint64_t size,
                         kb_trail *trail) {
    kbr_turn *turn;
    KB_TRY(kbr_window_lay(play, rank, op, abandoned, size, &turn, trail));
    if (!kbr_lines_join(play, turn))
        return KB_OK;
    kbr_ready_add(&play->fresh, turn);
    if (play->fresh.count >= BATCH_OPS || play->fresh.size >= BATCH_SIZE)
        kbr_crew_give(play, &play->fresh);
    return KB_OK;
}

static kb_status hand_in(kbr_play *play, uint32_t rank, const kb_op *op, bool abandoned, kb_trail *trail) {
    bool here = play->worker_count == 1;
    uint64_t size = 0;
    if (!here) {
        KB_TRY(kbr_lines_name(play, rank, op, trail));
        size = size_of(op);
        here = size < play->pass->little_size && kbr_lines_idle(play);
    }
    if (here)
        kbr_crew_run(&play->workers[0], play->number, rank, op, abandoned);
    else
        KB_TRY(lay_out(play, rank, op, abandoned, size, trail));
    play->number++;
    return has_failed(play) ? kbr_play_finish(play, trail) : KB_OK;
}

kb_status kbr_play_op(kbr_play *play, uint32_t rank, const kb_op *op, kb_trail *trail) {
    if (kbr_op_impl_of(op->what->kind)->execute == NULL &&
        (!play->any_touch || kbr_op_flow(op->what) == KBR_FLOW_NONE))
        return KB_OK; /* no bytes are asked for */
    return hand_in(play, rank, op, false, trail);
}

kb_status kbr_play_abandon(kbr_play *play, uint32_t rank, const kb_op *op, kb_trail *trail) {
    return hand_in(play, rank, op, true, trail);
}

kb_status kbr_play_finish(kbr_play *play, kb_trail *trail) {
    kbr_window_empty(play);
    if (!has_failed(play))
        return KB_OK;
    if (trail != NULL)
        *trail = play->trail;
    return play->status;
}

void kbr_play_tell(kbr_play *play) {
    kbr_findings *all = &play->workers[0].findings;
    for (unsigned i = 0; i < play->worker_capacity; i++) {
        const kbr_worker *from = &play->workers[i];
        if (i != 0)
            kbr_findings_join(all, &from->findings);
        if (play->pass->wrongs != NULL)
            kbr_wrongs_join(play->pass->wrongs, &from->wrongs);
    }
    kbr_findings_sort(all);
    kbr_findings_join(play->pass->findings, all);
}

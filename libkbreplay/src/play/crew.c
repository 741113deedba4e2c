/* SPDX-License-Identifier: Apache-2.0 */
/* Those who run turns: the walk's thread and some beside it, over one list of turns that may run. */
#include "op/op.h"
#include "play/state.h"

/* How often a thread looks for work before it sleeps: some 40 us in all. */
enum { LOOKS = 1000 };

/* Bytes of operands of turns that may run, for each of which one sleeper is woken: some 2 us of work. */
enum { WAKING_SIZE = 16 << 10 };

static void breathe(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* --- the list ---------------------------------------------------------------------------------- */

void kbr_ready_add(kbr_ready *ready, kbr_turn *turn) {
    turn->ready_next = NULL;
    *(ready->last != NULL ? &ready->last->ready_next : &ready->first) = turn;
    ready->last = turn;
    ready->count++;
    ready->size += turn->size;
}

static kbr_turn *take_first(kbr_ready *ready) {
    kbr_turn *turn = ready->first;
    if (turn == NULL)
        return NULL;
    ready->first = turn->ready_next;
    if (ready->first == NULL)
        ready->last = NULL;
    ready->count--;
    ready->size -= turn->size;
    return turn;
}

void kbr_crew_give(kbr_play *play, kbr_ready *ready) {
    if (ready->first == NULL)
        return;
    pthread_mutex_lock(&play->lock);
    *(play->ready.last != NULL ? &play->ready.last->ready_next : &play->ready.first) = ready->first;
    play->ready.last = ready->last;
    play->ready.count += ready->count;
    play->ready.size += ready->size;
    atomic_store_explicit(&play->ready_count, play->ready.count, memory_order_relaxed);
    uint64_t worth = play->ready.size / WAKING_SIZE;
    for (uint64_t i = 0; i < worth && i < play->asleep; i++)
        pthread_cond_signal(&play->changed);
    pthread_mutex_unlock(&play->lock);
    *ready = (kbr_ready){.first = NULL};
}

/* --- running ----------------------------------------------------------------------------------- */

static void note_failure(kbr_worker *worker, uint64_t number, kb_status status) {
    kbr_play *play = worker->play;
    pthread_mutex_lock(&play->lock);
    if (number < atomic_load_explicit(&play->failed, memory_order_relaxed)) {
        atomic_store_explicit(&play->failed, number, memory_order_relaxed);
        play->status = status;
        play->trail = worker->trail;
    }
    pthread_mutex_unlock(&play->lock);
}

void kbr_crew_run(kbr_worker *worker, uint64_t number, uint32_t rank, const kb_op *op, bool abandoned) {
    const kbr_play *play = worker->play;
    if (number > atomic_load_explicit(&play->failed, memory_order_relaxed))
        return;
    kb_status status = abandoned ? kbr_op_abandon(&worker->pass, rank, op, &worker->trail)
                                 : kbr_running_touch(play->run, &worker->pass, rank, op, &worker->trail);
    if (status == KB_OK && !abandoned)
        status = kbr_op_execute(&worker->pass, rank, op, &worker->trail);
    if (status != KB_OK)
        note_failure(worker, number, status);
}

static void finish_stretch(kbr_play *play) {
    pthread_mutex_lock(&play->lock);
    if (play->walk_asleep)
        pthread_cond_broadcast(&play->changed);
    pthread_mutex_unlock(&play->lock);
}

/* Runs a turn; of those that it lets go it takes on the first, and gives the others away. */
static kbr_turn *run_turn(kbr_worker *worker, kbr_turn *turn) {
    kbr_play *play = worker->play;
    kbr_stretch *stretch = turn->stretch;
    kbr_ready ready = {.first = NULL};
    kbr_crew_run(worker, turn->number, turn->rank, &turn->op, turn->abandoned);
    kbr_lines_leave(turn, &ready);
    if (atomic_fetch_sub_explicit(&stretch->left, 1, memory_order_acq_rel) == 1)
        finish_stretch(play);
    kbr_turn *next = take_first(&ready);
    kbr_crew_give(play, &ready);
    return next;
}

/* --- waiting ----------------------------------------------------------------------------------- */

static bool is_over(const kbr_stretch *stretch) {
    return stretch != NULL && atomic_load_explicit(&stretch->left, memory_order_acquire) == 0;
}

/*
 * A turn that may run, after some time; NULL when `stretch` (of the walk's thread; NULL for others) is
 * over, or everything is.
 */
static kbr_turn *await_turn(kbr_play *play, const kbr_stretch *stretch) {
    for (int i = 0; i < LOOKS; i++) {
        if (is_over(stretch))
            return NULL;
        if (atomic_load_explicit(&play->ready_count, memory_order_relaxed) != 0)
            break;
        breathe();
    }
    pthread_mutex_lock(&play->lock);
    while (play->ready.first == NULL && !play->ending && !is_over(stretch)) {
        play->asleep++;
        if (stretch != NULL)
            play->walk_asleep = true;
        pthread_cond_wait(&play->changed, &play->lock);
        if (stretch != NULL)
            play->walk_asleep = false;
        play->asleep--;
    }
    kbr_turn *turn = is_over(stretch) ? NULL : take_first(&play->ready);
    atomic_store_explicit(&play->ready_count, play->ready.count, memory_order_relaxed);
    pthread_mutex_unlock(&play->lock);
    return turn;
}

void kbr_crew_help(kbr_play *play, kbr_stretch *stretch) {
    kbr_crew_give(play, &play->fresh);
    kbr_ready left = {.first = NULL};
    kbr_turn *turn = NULL;
    while (!is_over(stretch)) {
        if (turn == NULL)
            turn = await_turn(play, stretch);
        if (turn != NULL)
            turn = run_turn(&play->workers[0], turn);
    }
    if (turn != NULL)
        kbr_ready_add(&left, turn);
    kbr_crew_give(play, &left);
}

/* --- threads ----------------------------------------------------------------------------------- */

static void *work(void *user) {
    kbr_worker *worker = user;
    kbr_turn *turn;
    while ((turn = await_turn(worker->play, NULL)) != NULL)
        while (turn != NULL)
            turn = run_turn(worker, turn);
    return NULL;
}

void kbr_crew_start(kbr_play *play) {
    while (play->worker_count < play->worker_capacity) {
        kbr_worker *worker = &play->workers[play->worker_count];
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            return;
        play->worker_count++;
    }
}

void kbr_crew_stop(kbr_play *play) {
    pthread_mutex_lock(&play->lock);
    play->ending = true;
    pthread_cond_broadcast(&play->changed);
    pthread_mutex_unlock(&play->lock);
    while (play->worker_count > 1)
        pthread_join(play->workers[--play->worker_count].thread, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A thread beside the caller's: see beside.h. */
#include "write/beside.h"

#include <pthread.h>

struct kb_beside {
    const kb_alloc *alloc;
    kb_beside_fn work;
    void *context;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    void *piece; /* that is worked on; NULL when the thread is idle */
    bool stopping;
    kb_status status; /* the first failure */
    kb_trail trail;
};

static void *run(void *context) {
    kb_beside *beside = context;
    pthread_mutex_lock(&beside->lock);
    for (;;) {
        while (beside->piece == NULL && !beside->stopping)
            pthread_cond_wait(&beside->changed, &beside->lock);
        if (beside->piece == NULL)
            break;
        pthread_mutex_unlock(&beside->lock);
        kb_trail trail;
        kb_trail_init(&trail);
        const kb_status status = beside->work(beside->context, beside->piece, &trail);
        pthread_mutex_lock(&beside->lock);
        if (status != KB_OK) {
            beside->status = status;
            beside->trail = trail;
        }
        beside->piece = NULL;
        pthread_cond_broadcast(&beside->changed);
    }
    pthread_mutex_unlock(&beside->lock);
    return NULL;
}

kb_status kb_beside_create(const kb_alloc *alloc, kb_beside_fn work, void *context, kb_beside **ret_beside,
                           kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(alloc, sizeof(kb_beside), &block, trail));
    kb_beside *beside = block;
    beside->alloc = alloc;
    beside->work = work;
    beside->context = context;
    kb_trail_init(&beside->trail);
    pthread_mutex_init(&beside->lock, NULL);
    pthread_cond_init(&beside->changed, NULL);
    if (pthread_create(&beside->thread, NULL, run, beside) != 0) {
        pthread_cond_destroy(&beside->changed);
        pthread_mutex_destroy(&beside->lock);
        kb_delete(alloc, beside, sizeof *beside);
        beside = NULL;
    }
    *ret_beside = beside;
    return KB_OK;
}

void kb_beside_destroy(kb_beside *beside) {
    if (beside == NULL)
        return;
    pthread_mutex_lock(&beside->lock);
    beside->stopping = true;
    pthread_cond_broadcast(&beside->changed);
    pthread_mutex_unlock(&beside->lock);
    pthread_join(beside->thread, NULL);
    pthread_cond_destroy(&beside->changed);
    pthread_mutex_destroy(&beside->lock);
    kb_delete(beside->alloc, beside, sizeof *beside);
}

/* With the lock held. */
static kb_status await(kb_beside *beside, kb_trail *trail) {
    while (beside->piece != NULL)
        pthread_cond_wait(&beside->changed, &beside->lock);
    if (beside->status != KB_OK && trail != NULL)
        *trail = beside->trail;
    return beside->status;
}

kb_status kb_beside_wait(kb_beside *beside, kb_trail *trail) {
    pthread_mutex_lock(&beside->lock);
    const kb_status status = await(beside, trail);
    pthread_mutex_unlock(&beside->lock);
    return status;
}

kb_status kb_beside_hand(kb_beside *beside, void *piece, kb_trail *trail) {
    pthread_mutex_lock(&beside->lock);
    const kb_status status = await(beside, trail);
    if (status == KB_OK) {
        beside->piece = piece;
        pthread_cond_broadcast(&beside->changed);
    }
    pthread_mutex_unlock(&beside->lock);
    return status;
}

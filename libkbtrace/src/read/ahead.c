/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, one frame: see ahead.h. */
#include "read/ahead.h"

#include <pthread.h>

struct kb_ahead {
    const kb_alloc *alloc;
    kb_loader loader;
    kb_raw_frame raw;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by the lock. While `busy`, loader and raw are the thread's. */
    kb_input *input;
    uint32_t frame;
    bool busy, sound, stopping;
};

static void *run(void *context) {
    kb_ahead *ahead = context;
    pthread_mutex_lock(&ahead->lock);
    for (;;) {
        while (!ahead->busy && !ahead->stopping)
            pthread_cond_wait(&ahead->changed, &ahead->lock);
        if (ahead->stopping)
            break;
        pthread_mutex_unlock(&ahead->lock);
        bool sound =
            kb_input_load_with(ahead->input, &ahead->loader, ahead->frame, &ahead->raw, NULL) == KB_OK;
        pthread_mutex_lock(&ahead->lock);
        ahead->sound = sound;
        ahead->busy = false;
        pthread_cond_broadcast(&ahead->changed);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

kb_status kb_ahead_create(const kb_alloc *alloc, kb_ahead **ret_ahead, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(alloc, sizeof(kb_ahead), &block, trail));
    kb_ahead *ahead = block;
    ahead->alloc = alloc;
    kb_status status = kb_loader_init(&ahead->loader, alloc, trail);
    if (status != KB_OK) {
        kb_loader_fini(&ahead->loader);
        kb_delete(alloc, ahead, sizeof *ahead);
        return status;
    }
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    if (pthread_create(&ahead->thread, NULL, run, ahead) != 0) {
        /* Where the system gives no thread nothing is unpacked ahead: slower, and the same. */
        pthread_cond_destroy(&ahead->changed);
        pthread_mutex_destroy(&ahead->lock);
        kb_loader_fini(&ahead->loader);
        kb_delete(alloc, ahead, sizeof *ahead);
        return KB_OK;
    }
    *ret_ahead = ahead;
    return KB_OK;
}

void kb_ahead_destroy(kb_ahead *ahead) {
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stopping = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    pthread_join(ahead->thread, NULL);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->lock);
    kb_raw_frame_fini(&ahead->raw, ahead->alloc);
    kb_loader_fini(&ahead->loader);
    kb_delete(ahead->alloc, ahead, sizeof *ahead);
}

static void await_idle(kb_ahead *ahead) {
    while (ahead->busy)
        pthread_cond_wait(&ahead->changed, &ahead->lock);
}

void kb_ahead_send(kb_ahead *ahead, kb_input *input, uint32_t frame) {
    pthread_mutex_lock(&ahead->lock);
    await_idle(ahead);
    ahead->input = input;
    ahead->frame = frame;
    ahead->sound = false;
    ahead->busy = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
}

bool kb_ahead_take(kb_ahead *ahead, const kb_input *input, uint32_t frame, kb_raw_frame *inout_raw) {
    pthread_mutex_lock(&ahead->lock);
    bool ours = ahead->input == input && ahead->frame == frame;
    if (ours)
        await_idle(ahead);
    ours = ours && ahead->sound;
    if (ours) {
        kb_raw_frame taken = ahead->raw;
        ahead->raw = *inout_raw;
        *inout_raw = taken;
        ahead->input = NULL;
        ahead->sound = false;
    }
    pthread_mutex_unlock(&ahead->lock);
    return ours;
}

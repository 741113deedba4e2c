/* SPDX-License-Identifier: Apache-2.0 */
/* One frame at a time goes through the press, with a thread of its own if wanted: see press.h. */
#include "write/press.h"

#include <pthread.h>

struct kb_press {
    const kb_alloc *alloc;
    kb_packer *packer;
    uint64_t run;
    kb_buffer raw, packed;
    kb_output *output; /* of the frame in the press; NULL when it is idle */

    /* Of the thread beside, guarded by the lock: output and raw belong to it while output is set. */
    bool beside, stopping;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    kb_status status; /* the first failure; it stays */
    kb_trail trail;
};

static kb_status press_one(kb_press *press, kb_output *output, const kb_buffer *raw, kb_trail *trail) {
    uint32_t packed_size;
    press->packed.size = 0;
    KB_TRY(kb_pack(press->packer, output->frames, press->run, raw->bytes, raw->size, &press->packed,
                   &packed_size, trail));
    return kb_output_frame(output, &press->packed, packed_size, (uint32_t)raw->size, trail);
}

static void *run(void *context) {
    kb_press *press = context;
    pthread_mutex_lock(&press->lock);
    for (;;) {
        while (press->output == NULL && !press->stopping)
            pthread_cond_wait(&press->changed, &press->lock);
        if (press->output == NULL)
            break;
        bool wanted = press->status == KB_OK;
        pthread_mutex_unlock(&press->lock);
        kb_trail trail;
        kb_trail_init(&trail);
        kb_status status = wanted ? press_one(press, press->output, &press->raw, &trail) : KB_OK;
        pthread_mutex_lock(&press->lock);
        if (status != KB_OK) {
            press->status = status;
            press->trail = trail;
        }
        press->output = NULL;
        pthread_cond_broadcast(&press->changed);
    }
    pthread_mutex_unlock(&press->lock);
    return NULL;
}

kb_status kb_press_create(const kb_alloc *alloc, int level, bool beside, uint64_t run_tag,
                          kb_press **ret_press, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(alloc, sizeof(kb_press), &block, trail));
    kb_press *press = block;
    press->alloc = alloc;
    press->run = run_tag;
    kb_buffer_init(&press->raw, alloc);
    kb_buffer_init(&press->packed, alloc);
    kb_trail_init(&press->trail);
    kb_status status = kb_packer_create(alloc, level, &press->packer, trail);
    if (status != KB_OK) {
        kb_delete(alloc, press, sizeof *press);
        return status;
    }
    pthread_mutex_init(&press->lock, NULL);
    pthread_cond_init(&press->changed, NULL);
    /* Where the system gives no thread the work is done in the caller's: slower, and the same. */
    press->beside = beside && pthread_create(&press->thread, NULL, run, press) == 0;
    *ret_press = press;
    return KB_OK;
}

void kb_press_destroy(kb_press *press) {
    if (press == NULL)
        return;
    if (press->beside) {
        pthread_mutex_lock(&press->lock);
        press->stopping = true;
        pthread_cond_broadcast(&press->changed);
        pthread_mutex_unlock(&press->lock);
        pthread_join(press->thread, NULL);
    }
    pthread_cond_destroy(&press->changed);
    pthread_mutex_destroy(&press->lock);
    kb_packer_destroy(press->packer);
    kb_buffer_fini(&press->raw);
    kb_buffer_fini(&press->packed);
    kb_delete(press->alloc, press, sizeof *press);
}

/* Until the thread is idle; tells its first failure. */
static kb_status await_idle(kb_press *press, kb_trail *trail) {
    while (press->output != NULL)
        pthread_cond_wait(&press->changed, &press->lock);
    if (press->status != KB_OK && trail != NULL)
        *trail = press->trail;
    return press->status;
}

kb_status kb_press_submit(kb_press *press, kb_output *output, kb_buffer *raw, kb_trail *trail) {
    if (!press->beside) {
        kb_status status = press_one(press, output, raw, trail);
        raw->size = 0;
        return status;
    }
    pthread_mutex_lock(&press->lock);
    kb_status status = await_idle(press, trail);
    if (status == KB_OK) {
        kb_buffer empty = press->raw;
        empty.size = 0;
        press->raw = *raw;
        *raw = empty;
        press->output = output;
        pthread_cond_broadcast(&press->changed);
    }
    pthread_mutex_unlock(&press->lock);
    return status;
}

kb_status kb_press_drain(kb_press *press, kb_trail *trail) {
    if (!press->beside)
        return KB_OK;
    pthread_mutex_lock(&press->lock);
    kb_status status = await_idle(press, trail);
    pthread_mutex_unlock(&press->lock);
    return status;
}

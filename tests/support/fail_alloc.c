/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator that refuses on demand; see fail_alloc.h. */
#include "support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GUARD_SIZE = 16, NEW_BYTE = 0xA5, FREED_BYTE = 0x5A, GUARD_BYTE = 0xC3 };

static const uint64_t live_mark = 0x6c6976652d626c6b; /* "live-blk" */

/* More than any machine has; beyond it sanitizers stop the process where malloc returns NULL. */
static const size_t most_size = (size_t)1 << 39;

typedef struct block_head {
    uint64_t mark;
    size_t size;
} block_head; /* 16 bytes on 64-bit machines, so what follows stays aligned as malloc aligns */

_Static_assert(sizeof(block_head) % 16 == 0, "the bytes behind the head must stay aligned");

/* For bugs of the code under test, in any thread: cmocka's own failures leave by longjmp. */
static _Noreturn void stop(const char *what) {
    fprintf(stderr, "fail_alloc: %s\n", what);
    abort();
}

static block_head *head_of(void *bytes, size_t size) {
    block_head *head = (block_head *)bytes - 1;
    if (head->mark != live_mark)
        stop("a pointer that this allocator did not give, or gave and took back");
    if (head->size != size) {
        fprintf(stderr, "fail_alloc: a block of %zu bytes is said to have %zu\n", head->size, size);
        abort();
    }
    const unsigned char *guard = (const unsigned char *)bytes + size;
    for (size_t i = 0; i < GUARD_SIZE; i++)
        if (guard[i] != GUARD_BYTE)
            stop("bytes behind the end of a block were written");
    return head;
}

static void *new_block(fail_alloc *memory, size_t size) {
    if (size > most_size)
        return NULL;
    block_head *head = malloc(sizeof *head + size + GUARD_SIZE);
    if (head == NULL)
        return NULL;
    head->mark = live_mark;
    head->size = size;
    unsigned char *bytes = (unsigned char *)(head + 1);
    memset(bytes, NEW_BYTE, size);
    memset(bytes + size, GUARD_BYTE, GUARD_SIZE);
    memory->live_count++;
    memory->live_size += size;
    return bytes;
}

static void free_block(fail_alloc *memory, void *bytes, size_t size) {
    block_head *head = head_of(bytes, size);
    memory->live_count--;
    memory->live_size -= size;
    memset(head, FREED_BYTE, sizeof *head + size + GUARD_SIZE);
    free(head);
}

static void *resize_locked(fail_alloc *memory, void *old, size_t old_size, size_t new_size) {
    if (old != NULL)
        head_of(old, old_size);
    else if (old_size != 0)
        stop("no block, yet an old size");
    if (new_size == 0) {
        if (old != NULL)
            free_block(memory, old, old_size);
        return NULL;
    }
    memory->request_count++;
    if (memory->fail_at != 0 && (memory->request_count == memory->fail_at ||
                                 (memory->from_then_on && memory->request_count > memory->fail_at))) {
        memory->refused_count++;
        return NULL;
    }
    void *bytes = new_block(memory, new_size);
    if (bytes != NULL && old != NULL) {
        memcpy(bytes, old, old_size < new_size ? old_size : new_size);
        free_block(memory, old, old_size);
    }
    if (memory->live_size > memory->peak_size) /* not while a moving block is there twice */
        memory->peak_size = memory->live_size;
    return bytes;
}

static void *resize(void *context, void *old, size_t old_size, size_t new_size) {
    fail_alloc *memory = context;
    pthread_mutex_lock(&memory->lock);
    void *bytes = resize_locked(memory, old, old_size, new_size);
    pthread_mutex_unlock(&memory->lock);
    return bytes;
}

void fail_alloc_init(fail_alloc *memory) {
    memset(memory, 0, sizeof *memory);
    memory->alloc.resize = resize;
    memory->alloc.context = memory;
    pthread_mutex_init(&memory->lock, NULL);
}

void fail_alloc_fini(fail_alloc *memory) {
    assert_int_equal(memory->live_count, 0);
    assert_int_equal(memory->live_size, 0);
    pthread_mutex_destroy(&memory->lock);
}

void fail_alloc_arm(fail_alloc *memory, size_t request, bool from_then_on) {
    memory->fail_at = request;
    memory->from_then_on = from_then_on;
    memory->request_count = 0;
    memory->refused_count = 0;
}

/* --- sweep ----------------------------------------------------------------------------------- */

/* One run with its own allocator; returns whether it came as far as the refusal. */
static bool sweep_once(fail_alloc_job job, void *user, size_t request, bool from_then_on,
                       size_t *ret_request_count) {
    fail_alloc memory;
    fail_alloc_init(&memory);
    fail_alloc_arm(&memory, request, from_then_on);
    kb_trail trail;
    kb_trail_init(&trail);
    kb_status status = job(&memory.alloc, user, &trail);
    const bool refused = memory.refused_count > 0;
    if (status != (refused ? KB_E_MEMORY : KB_OK)) {
        char text[KB_TRAIL_ENTRIES * KB_TRAIL_CHARS];
        fail_msg("request %zu refused %s: \"%s\", said \"%s\"", request,
                 from_then_on ? "from then on" : "once", kb_status_name(status),
                 kb_trail_text(&trail, text, sizeof text));
    }
    if (refused) {
        assert_int_equal(trail.status, KB_E_MEMORY);
        assert_true(trail.count > 0 && trail.text[0][0] != '\0');
    }
    if (memory.live_count != 0)
        fail_msg("request %zu refused %s: %zu blocks of %zu bytes leaked", request,
                 from_then_on ? "from then on" : "once", memory.live_count, memory.live_size);
    *ret_request_count = memory.request_count;
    fail_alloc_fini(&memory);
    return refused;
}

size_t fail_alloc_sweep(fail_alloc_job job, void *user, size_t stride) {
    size_t all_count, count;
    sweep_once(job, user, 0, false, &all_count);
    for (int from_then_on = 0; from_then_on < 2; from_then_on++)
        for (size_t request = 1; sweep_once(job, user, request, from_then_on != 0, &count);)
            request += stride;
    return all_count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes that let a program end, as a list of the queues that need others than they have; see remedy.h. */
#include "lint/remedy.h"

#include <string.h>

#include "lint/sizes.h"

/* Commands that may be played for sizes queue by queue: some seconds. */
#define MOST_PLAYED UINT64_C(300000000)

static kb_status name_sizes(const kbs_program *program, const uint64_t *slots, kb_arena *arena,
                            kbs_remedy *inout, kb_trail *trail) {
    size_t count = 0;
    void *memory;
    for (size_t i = 0; i < program->queue_count; i++)
        count += slots[i] != program->queues[i].slots;
    KB_TRY(kb_arena_new(arena, count * sizeof(kbs_queue_size), &memory, trail));
    inout->sizes = memory;
    for (size_t i = 0; i < program->queue_count; i++) {
        const kbs_queue *queue = &program->queues[i];
        char name[KBS_QUEUE_NAME_CHARS];
        if (slots[i] == queue->slots)
            continue;
        kbs_queue_size *size = &inout->sizes[inout->size_count++];
        *size = (kbs_queue_size){.slots = slots[i], .given = queue->slots};
        kbs_queue_name(queue, name);
        KB_TRY(kb_arena_text(arena, name, strlen(name), &size->queue, trail));
    }
    return KB_OK;
}

static kb_status find(kbs_timeless *t, kb_arena *arena, kbs_remedy *ret, kb_trail *trail) {
    kbs_remedy found = {.are_smallest = true};
    void *memory;
    KB_TRY(kbs_sizes_uniform(t, &found.slots, trail));
    if (found.slots > 0) {
        KB_TRY(kb_arena_new(arena, t->program->queue_count * sizeof(uint64_t), &memory, trail));
        KB_TRY(kbs_sizes_by_queue(t, found.slots, MOST_PLAYED, memory, &found.are_smallest, trail));
        KB_TRY(name_sizes(t->program, memory, arena, &found, trail));
    }
    *ret = found;
    return KB_OK;
}

kb_status kbs_remedy_find(const kbs_program *program, kb_arena *arena, kbs_remedy *ret, kb_trail *trail) {
    kbs_timeless t;
    kb_status status = kbs_timeless_init(&t, program, trail);
    if (status == KB_OK)
        status = find(&t, arena, ret, trail);
    kbs_timeless_fini(&t);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Slots that one end of a queue records and the other does not: once for either end, however many queues. */
#include <inttypes.h>
#include <stdio.h>

#include "lint/linting.h"

/* Where a stream's command of that kind and queue stands that has so many before it. */
static kb_status find_line(kbs_linting *l, const tl_stream *stream, kb_kind kind, uint32_t queue,
                           uint64_t before, const kbs_common **ret) {
    bool wanted[KB_OP_LIMIT] = {false};
    kbs_skim skim;
    kbs_skimmed found;
    kb_arena arena;
    wanted[kind] = true;
    kb_arena_init(&arena, l->program->alloc, 0);
    const kb_status status = kbs_skim_init(&skim, &stream->commands, wanted, &arena, l->trail);
    while (status == KB_OK && kbs_skim_next(&skim, &found)) {
        *ret = found.common;
        if (found.common->queue == queue && before-- == 0)
            break;
    }
    kb_arena_fini(&arena);
    return status;
}

/* Queues of which one end has more: the first of them, and how many. */
typedef struct uneven {
    uint32_t first;
    size_t count;
} uneven;

static const char *others(const uneven *u, char buffer[64]) {
    buffer[0] = '\0';
    if (u->count > 1)
        snprintf(buffer, 64, " (the same of %zu queue%s more)", u->count - 1, u->count > 2 ? "s" : "");
    return buffer;
}

static kb_status tell_starving(kbs_linting *l, const uneven *u) {
    const kbs_queue *queue = &l->program->queues[u->first];
    const kbs_common *common = NULL;
    char name[KBS_QUEUE_NAME_CHARS], more[64];
    KB_TRY(
        find_line(l, &l->program->streams[queue->consumer], KB_OP_IPCQ_RECV, u->first, queue->sent, &common));
    return kbs_lint_find(l, KBS_CHECK_QUEUES, false,
                         "%s:%u: rank %u receives %" PRIu64 " slots from rank %u on queue %s, and %" PRIu64
                         " are sent: it will wait for ever here%s",
                         kb_defs_text(&l->program->defs, common->file), common->line, queue->consumer_rank,
                         queue->received, queue->producer_rank, kbs_queue_name(queue, name), queue->sent,
                         others(u, more));
}

static kb_status tell_unread(kbs_linting *l, const uneven *u) {
    const kbs_queue *queue = &l->program->queues[u->first];
    const kbs_common *common = NULL;
    char name[KBS_QUEUE_NAME_CHARS], more[64];
    KB_TRY(find_line(l, &l->program->streams[queue->producer], KB_OP_IPCQ_COPY, u->first, queue->received,
                     &common));
    return kbs_lint_find(l, KBS_CHECK_QUEUES, true,
                         "%s:%u: rank %u sends %" PRIu64 " slots to rank %u on queue %s, and %" PRIu64
                         " are received: from here on nobody reads them%s",
                         kb_defs_text(&l->program->defs, common->file), common->line, queue->producer_rank,
                         queue->sent, queue->consumer_rank, kbs_queue_name(queue, name), queue->received,
                         others(u, more));
}

kb_status kbs_check_queues(kbs_linting *l) {
    uneven starving = {0, 0}, unread = {0, 0};
    for (uint32_t id = 0; id < l->program->queue_count; id++) {
        const kbs_queue *queue = &l->program->queues[id];
        uneven *one = queue->received > queue->sent   ? &starving
                      : queue->sent > queue->received ? &unread
                                                      : NULL;
        if (one != NULL && one->count++ == 0)
            one->first = id;
    }
    if (starving.count > 0)
        KB_TRY(tell_starving(l, &starving));
    return unread.count > 0 ? tell_unread(l, &unread) : KB_OK;
}

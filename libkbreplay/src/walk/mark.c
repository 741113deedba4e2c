/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks: where a walk by time stands, kept and taken up again; see walk.h.
 *
 * What waits for what need not be kept: every op that is parked is asked again what it waits for, as if it
 * had been woken, and nothing can run by that, for all that could had run when the mark was made.
 */
#include <string.h>

#include "walk/state.h"

typedef struct marked_op {
    kbr_laid *laid;
    uint64_t launch;
    uint32_t rank;
    kbr_phase phase;
} marked_op;

/* Everything behind it in one block. */
struct kbr_mark {
    const kb_alloc *alloc;
    size_t size, shared_size; /* of the block, of the ops */
    int64_t now_ps;
    uint64_t ops, random;
    size_t rank_count, stream_count, op_count, meeting_count, meeting_size;
    uint64_t *read_counts; /* [rank_count] */
    uint64_t *launches;    /* [stream_count] */
    marked_op *parked;     /* by rank and number */
    char *meetings;        /* [meeting_count] of meeting_size bytes, the newest first */
};

static size_t meeting_size(const kbr_walk_state *walk) {
    return sizeof(kbr_meeting) + walk->pass->run->ranks * sizeof(bool);
}

/* --- making ------------------------------------------------------------------------------------ */

static size_t part(size_t size) {
    return (size + 15) & ~(size_t)15;
}

/* Says where its arrays lie, and gives the bytes of all. */
static size_t lay_out(kbr_mark *mark) {
    char *at = (char *)mark;
    size_t used = part(sizeof *mark);
    mark->read_counts = (uint64_t *)(void *)(at + used);
    used += part(mark->rank_count * sizeof *mark->read_counts);
    mark->launches = (uint64_t *)(void *)(at + used);
    used += part(mark->stream_count * sizeof *mark->launches);
    mark->parked = (marked_op *)(void *)(at + used);
    used += part(mark->op_count * sizeof *mark->parked);
    mark->meetings = at + used;
    return used + mark->meeting_count * part(mark->meeting_size);
}

static void keep_parked(const kbr_walk_state *walk, kbr_mark *mark) {
    marked_op *to = mark->parked;
    for (uint32_t rank = 0; rank < mark->rank_count; rank++)
        for (const kbr_parked *it = walk->ranks[rank].first; it != NULL; it = it->rank_next, to++) {
            *to = (marked_op){kbr_laid_share(it->laid), it->launch, rank, it->phase};
            mark->shared_size += it->laid->size;
        }
}

kb_status kbr_walk_mark(const kbr_walk_state *walk, kbr_mark **ret_mark, kb_trail *trail) {
    const kbr_pass *pass = walk->pass;
    kbr_mark like = {.alloc = pass->alloc,
                     .now_ps = walk->now_ps,
                     .ops = pass->result->ops,
                     .random = walk->random,
                     .rank_count = pass->run->ranks,
                     .stream_count = pass->defs->stream_count,
                     .op_count = walk->parked.count,
                     .meeting_size = meeting_size(walk)};
    for (const kbr_meeting *it = walk->meetings; it != NULL; it = it->next)
        like.meeting_count++;
    like.size = lay_out(&like);
    void *block;
    KB_TRY(kb_new(pass->alloc, like.size, &block, trail));
    kbr_mark *mark = block;
    *mark = like;
    lay_out(mark);
    for (size_t rank = 0; rank < mark->rank_count; rank++)
        mark->read_counts[rank] = walk->ranks[rank].read_count;
    for (size_t i = 0; i < mark->stream_count; i++)
        mark->launches[i] = walk->streams[i].launch;
    keep_parked(walk, mark);
    char *to = mark->meetings;
    for (const kbr_meeting *it = walk->meetings; it != NULL; it = it->next, to += part(mark->meeting_size))
        memcpy(to, it, mark->meeting_size);
    *ret_mark = mark;
    return KB_OK;
}

void kbr_mark_destroy(kbr_mark *mark) {
    if (mark == NULL)
        return;
    for (size_t i = 0; i < mark->op_count; i++)
        kbr_laid_release(mark->alloc, mark->parked[i].laid);
    kb_delete(mark->alloc, mark, mark->size);
}

size_t kbr_mark_size(const kbr_mark *mark) {
    return mark->size + mark->shared_size;
}

/* --- resuming ---------------------------------------------------------------------------------- */

static void clear(kbr_walk_state *walk) {
    kbr_walk_forget(walk);
    walk->waking = (kbr_line){NULL, NULL};
    walk->event_count = walk->ready_count = 0;
    for (uint32_t rank = 0; rank < walk->pass->run->ranks; rank++)
        walk->ranks[rank] = (kbr_walk_rank){.cursor = walk->ranks[rank].cursor};
    memset(walk->streams, 0, walk->pass->defs->stream_count * sizeof *walk->streams);
}

/* Does an op in this phase hold its stream? */
static bool holds_stream(const kb_op *op, kbr_phase phase) {
    if (phase == KBR_QUEUED || op->what->blocks == KB_BLOCKS_NO)
        return false;
    return op->what->blocks == KB_BLOCKS_DONE || phase != KBR_RAN;
}

static kb_status park_again(kbr_walk_state *walk, const marked_op *from, kb_trail *trail) {
    kbr_parked *it;
    KB_TRY(kbr_walk_new_parked(walk, from->laid, &it, trail));
    kbr_laid_share(from->laid);
    it->phase = from->phase;
    it->launch = from->launch;
    KB_TRY(kbr_walk_park(walk, from->rank, it, trail));
    kbr_walk_stream *stream = &walk->streams[it->op.what->stream];
    if (it->phase == KBR_QUEUED)
        kbr_walk_queue(stream, it);
    else if (holds_stream(&it->op, it->phase))
        stream->blocker = it;
    return KB_OK;
}

static kb_status meet_again(kbr_walk_state *walk, const kbr_mark *mark, kb_trail *trail) {
    kbr_meeting **last = &walk->meetings;
    for (size_t i = 0; i < mark->meeting_count; i++) {
        void *block;
        KB_TRY(kb_new(walk->pass->alloc, mark->meeting_size, &block, trail));
        kbr_meeting *it = memcpy(block, mark->meetings + i * part(mark->meeting_size), mark->meeting_size);
        it->next = NULL;
        it->waiters = (kbr_line){NULL, NULL};
        *last = it;
        last = &it->next;
    }
    return KB_OK;
}

static kb_status read_on(kbr_walk_state *walk, const kbr_mark *mark, kb_trail *trail) {
    for (uint32_t rank = 0; rank < mark->rank_count; rank++) {
        kbr_walk_rank *in = &walk->ranks[rank];
        in->read_count = mark->read_counts[rank];
        KB_TRY(kb_cursor_seek_op(in->cursor, in->read_count, trail));
        KB_TRY(kbr_walk_fetch(walk, rank, trail));
    }
    return KB_OK;
}

/* Every parked op is asked again what it waits for. */
static kb_status wait_again(kbr_walk_state *walk, kb_trail *trail) {
    for (uint32_t rank = 0; rank < walk->pass->run->ranks; rank++)
        for (kbr_parked *it = walk->ranks[rank].first; it != NULL; it = it->rank_next) {
            if (it->phase == KBR_READY)
                KB_TRY(kbr_walk_await_time(walk, it, trail));
            else if (it->phase == KBR_ISSUED || it->phase == KBR_RAN)
                kbr_line_up(&walk->waking, it);
        }
    for (size_t i = 0; i < walk->pass->defs->stream_count; i++)
        kbr_walk_wake_stream(walk, &walk->streams[i]);
    return kbr_walk_settle(walk, trail);
}

kb_status kbr_walk_resume(kbr_walk_state *walk, const kbr_mark *mark, kb_trail *trail) {
    clear(walk);
    walk->now_ps = mark->now_ps;
    walk->random = mark->random;
    walk->pass->result->ops = mark->ops;
    for (size_t i = 0; i < mark->stream_count; i++)
        walk->streams[i].launch = mark->launches[i];
    for (size_t i = 0; i < mark->op_count; i++)
        KB_TRY(park_again(walk, &mark->parked[i], trail));
    KB_TRY(meet_again(walk, mark, trail));
    KB_TRY(read_on(walk, mark, trail));
    return wait_again(walk, trail);
}

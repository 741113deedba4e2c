/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, and waiting for them: each once, by the rank whose commands it stands for. */
#include <assert.h>
#include <string.h>

#include "record/stream.h"

uint64_t kbs_newest(const tl_stream *stream) {
    return stream->commands.newest;
}

/* Where the newest `count` numbered commands are kept as those of a token; NULL where there are none. */
static inline kbs_live *new_live(tl_stream *stream, uint32_t count, tl_where where) {
    kbs_program *program = stream->program;
    if (count == 0 || program->status != KB_OK)
        return NULL;
    if (stream->live_count == stream->live_capacity) {
        void *lives = stream->live;
        program->status = kb_grow(program->alloc, sizeof(kbs_live), stream->live_count + 1,
                                  &stream->live_capacity, &lives, &program->trail);
        if (program->status != KB_OK)
            return NULL;
        stream->live = lives;
    }
    kbs_live *live = &stream->live[stream->live_count++];
    live->number = kbs_newest(stream) - count + 1;
    live->count = count;
    live->has_stage = false;
    live->where = where;
    return live;
}

tl_token kbs_token_new(tl_stream *stream, uint32_t count, tl_where where) {
    const kbs_live *live = new_live(stream, count, where);
    return live != NULL ? (tl_token){live->number, count, stream->rank} : (tl_token){0, 0, stream->rank};
}

tl_token kbs_token_of_stage(tl_stream *stream, uint32_t count, uint64_t stage_bytes, tl_where where) {
    kbs_live *live = new_live(stream, count, where);
    if (live == NULL)
        return (tl_token){0, 0, stream->rank};
    live->has_stage = true;
    live->stage_bytes = stage_bytes;
    return (tl_token){live->number, count, stream->rank};
}

void kbs_await(tl_stream *stream, uint64_t number, uint32_t count, uint8_t point, tl_where where) {
    kbs_common common;
    kbs_common_init(stream, &common, KB_OP_WAIT, KB_BLOCKS_DONE, where);
    common.point = point;
    common.awaited = count;
    kbs_append(stream, &common, NULL, number);
}

/* Waits for the live token at that place, which is none from then on. */
static void settle(tl_stream *stream, size_t at, uint8_t point, tl_where where) {
    const kbs_live live = stream->live[at];
    stream->live_count--;
    if (at < stream->live_count)
        memmove(stream->live + at, stream->live + at + 1, (stream->live_count - at) * sizeof(kbs_live));
    kbs_await(stream, live.number, live.count, point, where);
    if (live.has_stage)
        kbs_stage_give(stream, live.stage_bytes);
}

static void wait_for(tl_stream *stream, tl_token token, uint8_t point, tl_where where) {
    if (!kbs_is_ok(stream) || token.count == 0)
        return;
    if (token.rank != stream->rank || token.number > kbs_newest(stream)) {
        kbs_mistake_of(stream, KBS_CHECK_TOKENS, where,
                       "this token comes from another rank: only the rank that got it can wait");
        return;
    }
    size_t at = 0;
    while (at < stream->live_count &&
           (stream->live[at].number != token.number || stream->live[at].count != token.count))
        at++;
    if (at == stream->live_count)
        kbs_mistake_of(stream, KBS_CHECK_TOKENS, where, "this token was waited for before");
    else
        settle(stream, at, point, where);
}

void tl_wait_at(tl_stream *stream, tl_token token, tl_where where) {
    wait_for(stream, token, KB_POINT_DONE, where);
}

void tl_wait_sent_at(tl_stream *stream, tl_token token, tl_where where) {
    wait_for(stream, token, KB_POINT_SENT, where);
}

void tl_wait_all_at(tl_stream *stream, tl_where where) {
    while (kbs_is_ok(stream) && stream->live_count > 0)
        settle(stream, 0, KB_POINT_DONE, where);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Work on views, tokens and waits, as kernels record them. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "record/stream.h"

/* --- tokens ---------------------------------------------------------------------------------- */

tl_token kbs_token_new(tl_stream *stream, uint32_t count, tl_where where) {
    kbs_program *program = stream->program;
    const tl_token none = {0, 0};
    if (count == 0 || program->status != KB_OK)
        return none;
    void *live = stream->live;
    program->status = kb_grow(program->alloc, sizeof(kbs_live), stream->live_count + 1,
                              &stream->live_capacity, &live, &program->trail);
    if (program->status != KB_OK)
        return none;
    stream->live = live;
    const tl_token token = {stream->commands.newest - count + 1, count};
    stream->live[stream->live_count++] = (kbs_live){token.number, count, where};
    return token;
}

static void wait_for(tl_stream *stream, tl_token token, uint8_t point, tl_where where) {
    if (!kbs_is_ok(stream) || token.count == 0)
        return;
    size_t at = 0;
    while (at < stream->live_count && stream->live[at].number != token.number)
        at++;
    if (at == stream->live_count) {
        if (token.number > stream->commands.newest)
            kbs_mistake(stream, where, "this token comes from another rank");
        else
            kbs_mistake(stream, where, "this token was waited for before");
        return;
    }
    if (stream->live[at].count != token.count) {
        kbs_mistake(stream, where, "this token comes from another rank");
        return;
    }
    stream->live_count--;
    memmove(stream->live + at, stream->live + at + 1, (stream->live_count - at) * sizeof(kbs_live));
    kbs_common common;
    kbs_common_init(stream, &common, KB_OP_WAIT, KB_BLOCKS_DONE, where);
    common.point = point;
    common.awaited = token.count;
    kbs_append(stream, &common, NULL, token.number);
}

void tl_wait_at(tl_stream *stream, tl_token token, tl_where where) {
    wait_for(stream, token, KB_POINT_DONE, where);
}

void tl_wait_sent_at(tl_stream *stream, tl_token token, tl_where where) {
    wait_for(stream, token, KB_POINT_SENT, where);
}

/* --- views ----------------------------------------------------------------------------------- */

tl_view tl_slice_at(tl_stream *stream, tl_view view, uint64_t first, uint64_t count, tl_where where) {
    if (!kbs_is_ok(stream))
        return view;
    if (view.queue != KB_NONE) {
        kbs_mistake(stream, where, "a message is used as a whole: copy it into a tensor and slice that");
        return view;
    }
    if (first > view.elements || count > view.elements - first) {
        kbs_mistake(stream, where, "elements [%" PRIu64 ", %" PRIu64 ") lie outside a view of %" PRIu64,
                    first, first + count, view.elements);
        return view;
    }
    view.offset_bytes += first * kb_dtype_size(view.dtype);
    view.elements = count;
    return view;
}

bool kbs_is_own(tl_stream *stream, tl_view view, const char *what, tl_where where) {
    if (!kbs_is_ok(stream))
        return false;
    const uint64_t size = kb_dtype_size(view.dtype), bytes = stream->program->machine->at.tcm_bytes;
    if (view.memory != kbs_memory_of(stream->program, KB_SPACE_TCM, stream->rank)) {
        kbs_mistake(stream, where, "the %s does not lie in this PE's TCM", what);
        return false;
    }
    if (size == 0 || view.offset_bytes > bytes || view.elements > (bytes - view.offset_bytes) / size) {
        kbs_mistake(stream, where, "the %s ends behind the TCM of %" PRIu64 " bytes", what, bytes);
        return false;
    }
    return true;
}

static bool are_own(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    if (kbs_is_ok(stream) && into.queue != KB_NONE) {
        kbs_mistake(stream, where, "a received message is read-only: it cannot be the destination");
        return false;
    }
    return kbs_is_own(stream, into, "destination", where) &&
           (from.queue != KB_NONE || kbs_is_own(stream, from, "source", where));
}

/* --- commands -------------------------------------------------------------------------------- */

void tl_reduce_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    static const uint32_t funcs[] = {[KB_REDUCE_SUM] = KB_FUNC_ADD,
                                     [KB_REDUCE_PROD] = KB_FUNC_MUL,
                                     [KB_REDUCE_MIN] = KB_FUNC_MIN,
                                     [KB_REDUCE_MAX] = KB_FUNC_MAX};
    if (!are_own(stream, into, from, where))
        return;
    const uint32_t size = kb_dtype_size(into.dtype);
    kbs_use use;
    for (kbs_use_begin(&use, stream, from, into.dtype, into.elements, where); kbs_use_next(&use);) {
        kbs_common common;
        kbs_common_init(stream, &common, KB_OP_MATH, KB_BLOCKS_DONE, where);
        common.func = funcs[stream->reduce];
        common.operand_count = 3;
        const uint8_t dtype = (uint8_t)into.dtype;
        common.operands[0] = kb_operand_vector(into.memory, KB_ACCESS_WRITE, dtype, use.turn_elements);
        common.operands[1] = kb_operand_vector(into.memory, KB_ACCESS_READ, dtype, use.turn_elements);
        common.operands[2] = kb_operand_vector(use.memory, KB_ACCESS_READ, dtype, use.turn_elements);
        const uint64_t place = into.offset_bytes + use.done * size;
        const uint64_t offsets[] = {place, place, use.offset_bytes};
        kbs_append(stream, &common, offsets, 0);
    }
}

/* Returns how many ops it took. */
static uint32_t record_copy(tl_stream *stream, tl_view into, tl_view from, uint8_t blocks, tl_where where) {
    if (!are_own(stream, into, from, where))
        return 0;
    uint32_t count = 0;
    kbs_use use;
    for (kbs_use_begin(&use, stream, from, into.dtype, into.elements, where); kbs_use_next(&use); count++) {
        kbs_common common;
        /* A slot is released once it has been read, so a long message is copied piece after piece. */
        const uint8_t blocked = use.queue != NULL ? (uint8_t)KB_BLOCKS_DONE : blocks;
        kbs_common_init(stream, &common, KB_OP_DMA_READ, blocked, where);
        common.numbered = blocked == KB_BLOCKS_NO;
        common.operand_count = 2;
        const uint8_t dtype = (uint8_t)into.dtype;
        common.operands[0] = kb_operand_vector(into.memory, KB_ACCESS_WRITE, dtype, use.turn_elements);
        common.operands[1] = kb_operand_vector(use.memory, KB_ACCESS_READ, dtype, use.turn_elements);
        const uint64_t offsets[] = {into.offset_bytes + use.done * kb_dtype_size(into.dtype),
                                    use.offset_bytes};
        kbs_append(stream, &common, offsets, 0);
    }
    return use.queue != NULL || blocks != KB_BLOCKS_NO ? 0 : count;
}

void tl_copy_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    record_copy(stream, into, from, KB_BLOCKS_DONE, where);
}

tl_token tl_copy_async_at(tl_stream *stream, tl_view into, tl_view from, tl_where where) {
    return kbs_token_new(stream, record_copy(stream, into, from, KB_BLOCKS_NO, where), where);
}

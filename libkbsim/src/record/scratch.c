/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scratch: a PE's TCM from its end downwards, handed out by scope while recording. The trace says when each
 * piece begins to live and when it ends, and that it is undefined then.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/view.h"

enum { ALIGNMENT = 64 }; /* as tensors: vectors of any dtype begin on a line of their own */

static uint64_t aligned(uint64_t size_bytes) {
    return (size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Where scratch ends and counting begins. */
static uint64_t top_of(const tl_stream *stream) {
    return stream->program->machine->at.tcm_bytes / ALIGNMENT * ALIGNMENT;
}

/* How far down scratch may reach: what a kernel may have, and what tensors and rings left. */
static uint64_t limit_of(const tl_stream *stream) {
    const uint64_t most = stream->program->machine->at.scratch_bytes, top = top_of(stream);
    const uint64_t used = kbs_used_tcm(stream), left = top > used ? top - used : 0;
    return (most < left ? most : left) / ALIGNMENT * ALIGNMENT;
}

/* --- finding room ---------------------------------------------------------------------------- */

/* The first gap that is large enough: where in the list, and its offset. */
static bool find_gap(const tl_stream *stream, uint64_t size_bytes, size_t *ret_at, uint64_t *ret_offset) {
    const uint64_t limit = limit_of(stream);
    uint64_t end = 0;
    for (size_t i = 0; i <= stream->scratch_count; i++) {
        const uint64_t next = i < stream->scratch_count ? stream->scratch[i].offset_bytes : limit;
        if (next >= end && next - end >= size_bytes) {
            *ret_at = i;
            *ret_offset = end;
            return true;
        }
        if (i < stream->scratch_count)
            end = stream->scratch[i].offset_bytes + stream->scratch[i].size_bytes;
    }
    return false;
}

uint64_t kbs_scratch_left(const tl_stream *stream) {
    const uint64_t limit = limit_of(stream);
    uint64_t end = 0, largest = 0;
    for (size_t i = 0; i <= stream->scratch_count; i++) {
        const uint64_t next = i < stream->scratch_count ? stream->scratch[i].offset_bytes : limit;
        if (next > end && next - end > largest)
            largest = next - end;
        if (i < stream->scratch_count)
            end = stream->scratch[i].offset_bytes + stream->scratch[i].size_bytes;
    }
    return largest;
}

static void too_much(tl_stream *stream, uint64_t size_bytes, tl_where where) {
    const uint64_t left = kbs_scratch_left(stream), most = stream->program->machine->at.scratch_bytes;
    kbs_mistake(stream, where,
                "no room in scratch: %" PRIu64 " bytes asked, %" PRIu64 " of %" PRIu64
                " left in one piece (end a scope earlier, work on smaller pieces, or raise scratch.bytes%s)",
                size_bytes, left, most, limit_of(stream) < most ? " and tcm.bytes" : "");
}

/* An alloc or free of a block, in the stream. */
static void record_life(tl_stream *stream, kb_kind kind, const kbs_scratch_block *block, tl_where where) {
    kbs_common common;
    kbs_common_init(stream, &common, kind, KB_BLOCKS_DONE, where);
    common.operand_count = 1;
    common.operands[0] = kb_operand_vector(stream->tcm, KB_ACCESS_WRITE, KB_DTYPE_BYTES, block->size_bytes);
    kbs_command command = {.id = block->id};
    command.offsets[0] = top_of(stream) - block->offset_bytes - block->size_bytes;
    kbs_append_command(stream, &common, &command);
}

/* Stages that nobody uses make room; false where there are none. */
static bool drop_idle_stages(tl_stream *stream, tl_where where) {
    size_t kept = 0;
    for (size_t i = 0; i < stream->scratch_count; i++) {
        const kbs_scratch_block *block = &stream->scratch[i];
        if (block->is_stage && !block->is_busy)
            record_life(stream, KB_OP_FREE, block, where);
        else
            stream->scratch[kept++] = *block;
    }
    const bool dropped = kept < stream->scratch_count;
    stream->scratch_count = kept;
    return dropped;
}

/* Takes a block of the scope with that number; NULL after a mistake. */
static kbs_scratch_block *take(tl_stream *stream, uint64_t size_bytes, uint32_t scope, tl_where where) {
    kbs_program *program = stream->program;
    size_t at = 0;
    uint64_t offset = 0;
    const bool counts = size_bytes <= UINT64_MAX - ALIGNMENT;
    if (!counts ||
        (!find_gap(stream, aligned(size_bytes), &at, &offset) &&
         !(drop_idle_stages(stream, where) && find_gap(stream, aligned(size_bytes), &at, &offset)))) {
        too_much(stream, size_bytes, where);
        return NULL;
    }
    void *blocks = stream->scratch;
    program->status = kb_grow(program->alloc, sizeof(kbs_scratch_block), stream->scratch_count + 1,
                              &stream->scratch_capacity, &blocks, &program->trail);
    if (program->status != KB_OK)
        return NULL;
    stream->scratch = blocks;
    kbs_scratch_block *block = &stream->scratch[at];
    memmove(block + 1, block, (stream->scratch_count - at) * sizeof *block);
    stream->scratch_count++;
    const uint64_t id = program->hosts[stream->rank].allocations++;
    stream->blocks++;
    *block = (kbs_scratch_block){
        .offset_bytes = offset, .size_bytes = aligned(size_bytes), .id = id, .scope = scope};
    /* What was scratch once is never a tensor: its end may not come before a later use of it is recorded. */
    const uint64_t slack = program->machine->at.tcm_bytes - top_of(stream);
    if (offset + block->size_bytes + slack > stream->scratch_peak_bytes)
        stream->scratch_peak_bytes = offset + block->size_bytes + slack;
    record_life(stream, KB_OP_ALLOC, block, where);
    return block;
}

/* --- scopes ---------------------------------------------------------------------------------- */

static bool open_scope(tl_stream *stream, tl_where where) {
    kbs_program *program = stream->program;
    void *scopes = stream->scopes;
    program->status = kb_grow(program->alloc, sizeof(kbs_scope), stream->scope_count + 1,
                              &stream->scope_capacity, &scopes, &program->trail);
    if (program->status != KB_OK)
        return false;
    stream->scopes = scopes;
    stream->scopes[stream->scope_count++] = (kbs_scope){++stream->scope_number, where};
    return true;
}

static void close_scope(tl_stream *stream, tl_where where) {
    const uint32_t scope = stream->scopes[--stream->scope_count].number;
    size_t kept = 0;
    for (size_t i = 0; i < stream->scratch_count; i++) {
        const kbs_scratch_block *block = &stream->scratch[i];
        if (block->scope == scope)
            record_life(stream, KB_OP_FREE, block, where);
        else
            stream->scratch[kept++] = *block;
    }
    stream->scratch_count = kept;
}

void tl_scope_begin_at(tl_stream *stream, tl_where where) {
    if (kbs_is_kernel(stream, where))
        open_scope(stream, where);
}

void tl_scope_end_at(tl_stream *stream, tl_where where) {
    if (!kbs_is_ok(stream))
        return;
    if (stream->scope_count <= 1) { /* the first is the kernel's own */
        kbs_mistake(stream, where, "no scope to end: every tl_scope_begin has its tl_scope_end");
        return;
    }
    close_scope(stream, where);
}

bool kbs_scope_lives(tl_stream *stream, uint32_t scope, const char *what, tl_where where) {
    for (size_t i = stream->scope_count; i-- > 0;)
        if (stream->scopes[i].number == scope)
            return true;
    kbs_mistake(stream, where, "the %s lies in scratch whose scope has ended", what);
    return false;
}

void kbs_kernel_begin(tl_stream *stream, tl_where where) {
    assert(!kbs_is_ok(stream) || stream->scope_count == 0);
    if (kbs_is_ok(stream))
        open_scope(stream, where);
}

/* What a kernel left behind that it should not have. */
static void check_left(tl_stream *stream) {
    if (stream->live_count > 0)
        kbs_mistake_of(stream, KBS_CHECK_TOKENS, stream->live[0].where,
                       "nobody waits for the token of this command");
    if (stream->scope_count > 1)
        kbs_mistake(stream, stream->scopes[stream->scope_count - 1].where, "this scope is never ended");
    const kbs_program *program = stream->program;
    for (size_t i = 0; i < program->queue_count; i++)
        if (program->queues[i].consumer == stream->pe && program->queues[i].open_count > 0)
            kbs_mistake_of(stream, KBS_CHECK_MESSAGES, kbs_oldest_message(&program->queues[i]),
                           "the message received here from rank %u is never released",
                           program->queues[i].producer_rank);
}

void kbs_kernel_end(tl_stream *stream, tl_where where) {
    if (kbs_is_ok(stream))
        check_left(stream);
    if (kbs_is_ok(stream))
        close_scope(stream, where);
}

/* Scratch lives in a scope, and a kernel is the outermost. */
static bool is_inside_kernel(tl_stream *stream, tl_where where) {
    if (kbs_is_kernel(stream, where) && stream->scope_count == 0)
        kbs_mistake(stream, where, "there is no scratch outside of a kernel: this one has returned");
    return kbs_is_ok(stream);
}

tl_view tl_scratch_at(tl_stream *stream, uint32_t dtype, tl_shape shape, tl_where where) {
    const tl_view none = {.queue = KB_NONE};
    uint64_t elements = 0;
    if (!is_inside_kernel(stream, where))
        return none;
    const uint32_t size = kb_dtype_size(dtype);
    if (size == 0) {
        kbs_mistake(stream, where, "there is no dtype number %u", dtype);
        return none;
    }
    if (!kbs_shape_elements(&shape, &elements)) {
        kbs_mistake(stream, where, "scratch of such a shape exceeds any memory");
        return none;
    }
    const uint32_t scope = stream->scopes[stream->scope_count - 1].number;
    tl_view view = kbs_view_of(stream->tcm, dtype, 0, &shape);
    view.scope = scope;
    if (elements == 0)
        return view;
    const kbs_scratch_block *block = take(stream, elements * size, scope, where);
    if (block == NULL)
        return none;
    view.offset_bytes = top_of(stream) - block->offset_bytes - block->size_bytes;
    return view;
}

/* --- stages ---------------------------------------------------------------------------------- */

bool kbs_stage_take(tl_stream *stream, uint64_t size_bytes, uint64_t *ret_offset, tl_where where) {
    kbs_scratch_block *best = NULL;
    if (!is_inside_kernel(stream, where))
        return false;
    for (size_t i = 0; i < stream->scratch_count; i++) {
        kbs_scratch_block *block = &stream->scratch[i];
        if (block->is_stage && !block->is_busy && block->size_bytes >= size_bytes &&
            (best == NULL || block->size_bytes < best->size_bytes))
            best = block;
    }
    if (best == NULL)
        best = take(stream, size_bytes, stream->scopes[0].number, where);
    if (best == NULL)
        return false;
    best->is_stage = best->is_busy = true;
    *ret_offset = top_of(stream) - best->offset_bytes - best->size_bytes;
    return true;
}

void kbs_stage_give(tl_stream *stream, uint64_t offset_bytes) {
    for (size_t i = 0; i < stream->scratch_count; i++) {
        kbs_scratch_block *block = &stream->scratch[i];
        if (block->is_stage && top_of(stream) - block->offset_bytes - block->size_bytes == offset_bytes)
            block->is_busy = false;
    }
}

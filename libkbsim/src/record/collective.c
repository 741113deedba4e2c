/* SPDX-License-Identifier: Apache-2.0 */
/* Launching a collective: its definition, and its algorithm recorded once a rank. */
#include <assert.h>
#include <string.h>

#include "record/stream.h"

static kb_status define(kbs_program *program, const kbs_all_reduce *what, uint32_t *ret_id, kb_trail *trail) {
    void *memory;
    KB_TRY(kb_arena_new(&program->arena, program->ranks * sizeof(kb_part), &memory, trail));
    kb_part *parts = memory;
    for (uint32_t rank = 0; rank < program->ranks; rank++) {
        const tl_view *view = &what->views[rank];
        parts[rank] = (kb_part){.rank = rank,
                                .stream = kbs_pe_stream(program, rank),
                                .input = view->memory,
                                .output = view->memory,
                                .input_offset_bytes = view->offset_bytes,
                                .output_offset_bytes = view->offset_bytes,
                                .input_count = view->elements,
                                .output_count = view->elements};
    }
    kb_collective row = {.kind = KB_COLL_ALL_REDUCE,
                         .group = program->group,
                         .reduce = what->reduce,
                         .dtype = what->dtype,
                         .elements = what->elements,
                         .root = KB_NONE,
                         .parts = parts,
                         .part_count = program->ranks};
    KB_TRY(kb_defs_intern(&program->defs, what->algorithm->name, &row.algorithm, trail));
    return kb_defs_add_collective(&program->defs, &row, ret_id, trail);
}

/* One launch, in the rank's host and at the head of what its PE does for it. */
static void record_launch(kbs_program *program, uint32_t rank, tl_where where) {
    tl_stream *host = &program->hosts[rank], *stream = &program->streams[rank];
    kbs_command command = {.id = program->launch_count};
    kbs_common common;
    host->kernel = stream->kernel;
    kbs_common_init(host, &common, KB_OP_LAUNCH, KB_BLOCKS_DONE, where);
    common.group = program->group;
    kbs_append_command(host, &common, &command);
    memset(&common, 0, sizeof common);
    common.kind = KBS_BEGIN_LAUNCH;
    kbs_append_command(stream, &common, &command);
}

/* The rank enters or leaves: a read of its part. */
static void record_end(tl_stream *stream, kb_kind kind, uint8_t blocks, tl_view view, tl_where where) {
    kbs_common common;
    stream->step = KB_NONE;
    stream->step_number = 0;
    kbs_common_init(stream, &common, kind, blocks, where);
    if (view.elements > 0) {
        common.operand_count = 1;
        common.operands[0] =
            kb_operand_vector(view.memory, KB_ACCESS_READ, (uint8_t)view.dtype, view.elements);
    }
    kbs_append(stream, &common, &view.offset_bytes, 0);
}

/* What the algorithm left behind that it should not have. */
static void check_left(tl_stream *stream) {
    if (stream->live_count > 0)
        kbs_mistake(stream, stream->live[0].where, "nobody waits for the token of this command");
    const kbs_program *program = stream->program;
    for (size_t i = 0; i < program->queue_count; i++)
        if (program->queues[i].consumer == stream->rank && program->queues[i].open_count > 0)
            kbs_mistake(stream, program->queues[i].open[0].where,
                        "the message received here from rank %u is never released",
                        program->queues[i].producer);
}

kb_status kbs_program_all_reduce(kbs_program *program, const kbs_all_reduce *what, kb_trail *trail) {
    assert(!program->launched);
    uint32_t id, kernel;
    KB_TRY(define(program, what, &id, trail));
    KB_TRY(kb_defs_intern(&program->defs, what->algorithm->name, &kernel, trail));
    for (uint32_t rank = 0; rank < program->ranks && program->status == KB_OK; rank++) {
        if (program->stop != NULL && *program->stop != 0)
            return kb_fail(trail, KB_E_INTERRUPTED,
                           "stopped while recording rank %u of %u: there is no trace yet", rank,
                           program->ranks);
        tl_stream *stream = &program->streams[rank];
        stream->kernel = kernel;
        stream->kernel_name = what->algorithm->name;
        stream->collective = id + 1;
        stream->reduce = what->reduce;
        kb_coll c = {stream, rank, program->ranks, what->dtype, what->reduce, what->views[rank]};
        record_launch(program, rank, what->where);
        record_end(stream, KB_OP_COLL_BEGIN, KB_BLOCKS_DONE, c.buffer, what->where);
        what->algorithm->record(&c);
        check_left(stream);
        record_end(stream, KB_OP_COLL_END, KB_BLOCKS_DONE, c.buffer, what->where);
    }
    program->launched = true;
    program->launch_count++;
    program->launch_kernel = kernel;
    program->launch_line = what->where.line;
    program->launch_file = program->streams[0].file_id;
    if (program->status == KB_OK)
        return KB_OK;
    if (trail != NULL)
        *trail = program->trail;
    return program->status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collectives on tensors that do not lie in their PE's TCM.
 *
 * An algorithm's messages wait for one another, so it cannot load and store what it works on as a kernel
 * does, piece by piece within each command: a send that is longer than the scratch would have to wait for
 * its receiver. Instead the tensor is cut into pieces, and each is a collective of its own: loaded, worked
 * on, stored. There are three buffers, so that one piece is loaded and one stored while a third is worked
 * on. Each byte is moved twice between the memories, whatever the algorithm.
 */
#include "coll/staged.h"

#include <inttypes.h>

#include "record/stream.h"

enum { BUFFERS = 3 };

/* Elements of a piece: every rank comes to the same, because it follows from the machine alone. */
static uint64_t piece_elements(const kb_coll *c) {
    const uint64_t line_bytes = 64, scratch = c->stream->program->machine->at.scratch_bytes;
    const uint64_t elements = scratch / BUFFERS / line_bytes * line_bytes / kb_dtype_size(c->dtype);
    return elements < c->buffer.elements ? elements : c->buffer.elements;
}

static tl_view piece_of(kb_coll *c, tl_view view, uint64_t piece, uint64_t most) {
    const uint64_t first = piece * most, left = c->buffer.elements - first;
    return tl_slice(c, view, first, left < most ? left : most);
}

static void record_pieces(kb_coll *c, const kbs_algorithm *algorithm, uint64_t most) {
    const uint64_t pieces = (c->buffer.elements + most - 1) / most;
    tl_view buffers[BUFFERS];
    tl_token loaded[BUFFERS], stored[BUFFERS];
    for (uint64_t p = 0; p < pieces && p < BUFFERS; p++)
        buffers[p] = tl_scratch(c, c->dtype, most);
    loaded[0] = tl_load_async(c, buffers[0], piece_of(c, c->buffer, 0, most));
    for (uint64_t p = 0; p < pieces && kbs_is_ok(c->stream); p++) {
        const uint64_t next = p + 1, now = p % BUFFERS;
        tl_step(c, "load", next);
        if (next < pieces) {
            if (next >= BUFFERS)
                tl_wait(c, stored[next % BUFFERS]);
            const tl_view from = piece_of(c, c->buffer, next, most);
            const tl_view into = tl_slice(c, buffers[next % BUFFERS], 0, from.elements);
            loaded[next % BUFFERS] = tl_load_async(c, into, from);
        }
        tl_wait(c, loaded[now]);
        const tl_view whole = piece_of(c, c->buffer, p, most);
        kb_coll piece = *c;
        piece.buffer = piece.in = piece.out = tl_slice(c, buffers[now], 0, whole.elements);
        if (c->out.elements == 0)
            piece.out = tl_slice(c, piece.buffer, 0, 0);
        algorithm->record(&piece);
        tl_step(c, "store", p);
        stored[now] = tl_store_async(c, whole, piece.buffer);
    }
    for (uint64_t p = pieces > BUFFERS ? pieces - BUFFERS : 0; p < pieces; p++)
        tl_wait(c, stored[p % BUFFERS]);
}

void kbs_coll_record(kb_coll *c, const kbs_algorithm *algorithm, tl_where where) {
    const kbs_program *program = c->stream->program;
    const bool in_tcm = c->buffer.memory == kbs_memory_of(program, KB_SPACE_TCM, c->stream->pe);
    const bool is_even =
        c->in.elements == c->buffer.elements && c->out.offset_bytes == c->buffer.offset_bytes;
    if (in_tcm || !is_even || c->buffer.elements == 0 ||
        c->ranks == 1) { /* alone there is nothing to be moved */
        algorithm->record(c);
        return;
    }
    const uint64_t most = piece_elements(c);
    if (most == 0) {
        kbs_mistake(
            c->stream, where,
            "a tensor outside of the TCM goes through %d buffers of scratch, and scratch.bytes=%" PRIu64
            " holds no element in each (raise it)",
            BUFFERS, program->machine->at.scratch_bytes);
        return;
    }
    record_pieces(c, algorithm, most);
}

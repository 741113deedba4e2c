/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collectives on tensors that do not lie in their PE's TCM. There are three ways, by docs/decisions/0024:
 *
 * - What is small comes into scratch as a whole, is worked on there, and goes back. Each byte is moved twice
 *   more, and nothing else waits for the memory.
 * - An algorithm that goes slot by slot would wait for the memory in each of its segments. Where elements
 *   keep their places, the tensor is cut into pieces, each a collective of its own: there are three buffers,
 *   so that one piece is loaded and one stored while a third is worked on.
 * - All others work on the tensor where it lies: what they send leaves from there, and what they reduce goes
 *   through scratch, command by command.
 */
#include "coll/staged.h"

#include "record/stream.h"

enum { BUFFERS = 3 };

static bool is_near(const kb_coll *c, const tl_view *view) {
    return view->elements == 0 || view->memory == c->stream->tcm;
}

/* Whether the rank's tensor is an input, and whether it gets something that it did not have. */
static bool gives(const kb_coll *c) {
    return c->kind != KB_COLL_BROADCAST || c->rank == c->root;
}

static bool takes(const kb_coll *c) {
    return c->out.elements > 0 && (c->kind != KB_COLL_BROADCAST || c->rank != c->root);
}

/* --- as a whole ------------------------------------------------------------------------------ */

/* A part of the collective's tensor where the whole of it lies somewhere else. */
static tl_view moved(kb_coll *c, const tl_view *part, const tl_view *whole, const tl_view *there) {
    if (part->elements == 0)
        return tl_slice(c, *there, 0, 0);
    const uint64_t first = (part->offset_bytes - whole->offset_bytes) / kb_dtype_size(c->dtype);
    return tl_slice(c, *there, first, part->elements);
}

static void record_whole(kb_coll *c, const kbs_algorithm *algorithm) {
    kb_coll near = *c;
    if (c->kind == KB_COLL_ALL_TO_ALL) {
        near.in = tl_scratch(c, c->dtype, c->in.elements);
        near.out = tl_scratch(c, c->dtype, c->out.elements);
    } else {
        near.buffer = tl_scratch(c, c->dtype, c->buffer.elements);
        near.in = moved(c, &c->in, &c->buffer, &near.buffer);
        near.out = moved(c, &c->out, &c->buffer, &near.buffer);
    }
    tl_step(c, "load", 0);
    if (gives(c))
        tl_load(c, near.in, c->in);
    algorithm->record(&near);
    tl_step(c, "store", 0);
    if (takes(c))
        tl_store(c, c->out, near.out);
}

/* --- in pieces ------------------------------------------------------------------------------- */

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

/* The piece as a collective of its own. */
static kb_coll piece_in(kb_coll *c, tl_view buffer) {
    kb_coll piece = *c;
    piece.buffer = piece.in = piece.out = buffer;
    if (c->out.elements == 0)
        piece.out = tl_slice(c, buffer, 0, 0);
    return piece;
}

static void record_pieces(kb_coll *c, const kbs_algorithm *algorithm, uint64_t most) {
    const bool loads = gives(c), stores = takes(c);
    const uint64_t pieces = (c->buffer.elements + most - 1) / most;
    tl_view buffers[BUFFERS];
    tl_token loaded[BUFFERS] = {{0, 0, 0}}, stored[BUFFERS] = {{0, 0, 0}}; /* which stand for nothing */
    for (uint64_t p = 0; p < pieces && p < BUFFERS; p++)
        buffers[p] = tl_scratch(c, c->dtype, most);
    if (loads)
        loaded[0] = tl_load_async(c, buffers[0], piece_of(c, c->buffer, 0, most));
    for (uint64_t p = 0; p < pieces && kbs_is_ok(c->stream); p++) {
        const uint64_t next = p + 1, now = p % BUFFERS;
        tl_step(c, "load", next);
        if (next < pieces) {
            if (next >= BUFFERS)
                tl_wait(c, stored[next % BUFFERS]);
            const tl_view from = piece_of(c, c->buffer, next, most);
            const tl_view into = tl_slice(c, buffers[next % BUFFERS], 0, from.elements);
            if (loads)
                loaded[next % BUFFERS] = tl_load_async(c, into, from);
        }
        tl_wait(c, loaded[now]);
        const tl_view whole = piece_of(c, c->buffer, p, most);
        kb_coll piece = piece_in(c, tl_slice(c, buffers[now], 0, whole.elements));
        algorithm->record(&piece);
        tl_step(c, "store", p);
        if (stores)
            stored[now] = tl_store_async(c, whole, piece.buffer);
    }
    for (uint64_t p = pieces > BUFFERS ? pieces - BUFFERS : 0; p < pieces; p++)
        tl_wait(c, stored[p % BUFFERS]);
}

/* --- which way ------------------------------------------------------------------------------- */

/* Algorithms have three quarters of the scratch for themselves. */
static bool is_small(const kb_coll *c) {
    const uint64_t elements =
        c->kind == KB_COLL_ALL_TO_ALL ? c->in.elements + c->out.elements : c->buffer.elements;
    return elements <= c->stream->program->machine->at.scratch_bytes / 4 / kb_dtype_size(c->dtype);
}

static bool keeps_places(const kb_coll *c) {
    return c->kind == KB_COLL_ALL_REDUCE || c->kind == KB_COLL_REDUCE || c->kind == KB_COLL_BROADCAST;
}

void kbs_coll_record(kb_coll *c, const kbs_algorithm *algorithm) {
    const bool near = is_near(c, &c->buffer) && is_near(c, &c->in) && is_near(c, &c->out);
    if (near || c->ranks == 1) /* alone there is little to be moved */
        algorithm->record(c);
    else if (is_small(c))
        record_whole(c, algorithm);
    else if (algorithm->by_slots && keeps_places(c) && piece_elements(c) > 0)
        record_pieces(c, algorithm, piece_elements(c));
    else
        algorithm->record(c);
}

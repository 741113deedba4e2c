/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command of a kernel on views that may lie anywhere, as the commands that it takes: one where an
 * engine reaches them all; else loads, work and stores, piece by piece.
 */
#ifndef KBSIM_SRC_WORK_H
#define KBSIM_SRC_WORK_H

#include "record/view.h"

/* Views of one shape, the written one first; with `rows` their innermost axis cannot be cut. */
typedef struct kbs_work {
    tl_stream *stream;
    tl_where where;
    uint16_t kind; /* KB_OP_MATH, or KB_OP_DMA_READ for a copy, which has no work of its own */
    uint32_t func;
    uint32_t immediate_count;
    uint64_t immediate;
    bool rows;
    bool is_async;
    uint32_t count;
    tl_view views[KBS_OPERANDS];
    kbs_lies lies[KBS_OPERANDS];
} kbs_work;

/* Returns how many commands its token stands for. */
uint32_t kbs_work_record(kbs_work *work);

/* One DMA, out of this PE's TCM or into it. */
void kbs_dma(tl_stream *stream, const tl_view *into, const tl_view *from, uint8_t blocks, tl_where where);

/* Whether views of one command agree; a mistake where not. */
bool kbs_views_agree(tl_stream *stream, const tl_view *a, const tl_view *b, tl_where where);

/* --- pieces ---------------------------------------------------------------------------------- */

/* The pieces of a shape, in order. */
typedef struct kbs_pieces {
    uint32_t axis; /* along which it is cut; those before it are walked one by one */
    bool is_whole; /* there is only one */
    uint64_t step; /* extent of a piece along that axis */
    uint64_t extents[KB_DIMS_MAX], at[KB_DIMS_MAX];
} kbs_pieces;

/* Cuts the first `axes` of the view into pieces of at most so many bytes, `unit_bytes` an element. */
void kbs_pieces_init(kbs_pieces *pieces, const tl_view *view, uint32_t axes, uint64_t unit_bytes,
                     uint64_t most_bytes);
bool kbs_pieces_next(kbs_pieces *pieces);
/* The part of a view, of that shape in its first axes, that belongs to the piece. */
tl_view kbs_pieces_part(const kbs_pieces *pieces, const tl_view *view);

/* The size of pieces that are moved through scratch: small beside it, large beside a DMA's latency. */
uint64_t kbs_piece_bytes(const tl_stream *stream);

#endif

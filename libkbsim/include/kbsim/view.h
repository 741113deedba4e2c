/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: which elements of which memory a command works on, and the smaller views that are made of them.
 *
 * A view names its memory, offset, dtype, shape and strides; there is no default memory. It is a plain
 * value, and making one costs no simulated time. All of these are checked: what would lie outside of the
 * view that it is made of is a mistake of the program.
 */
#ifndef KBSIM_VIEW_H
#define KBSIM_VIEW_H

#include <stdint.h>

#include "kbtrace/op.h"

typedef struct tl_stream tl_stream;

typedef struct tl_where {
    const char *file;
    uint32_t line;
} tl_where;

#define TL_HERE ((tl_where){__FILE__, __LINE__})

/* Up to KB_DIMS_MAX extents, outermost first: TL_SHAPE(rows, columns). */
typedef struct tl_shape {
    uint32_t dims;
    uint64_t of[KB_DIMS_MAX];
} tl_shape;

#define TL_SHAPE(...) \
    ((tl_shape){(uint32_t)(sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)), {__VA_ARGS__}})

/* Elements in a memory, or a message that was received. Change none of it by hand. */
typedef struct tl_view {
    uint32_t memory;       /* its id in the trace; of a message, and of a tensor over several PEs: KB_NONE */
    uint32_t dtype;        /* KB_DTYPE_…; of a message: 0, it is what it is used as */
    uint64_t offset_bytes; /* of the first element */
    uint64_t elements;     /* the product of its shape; of a message: 0 */
    uint32_t queue;        /* of a message, else KB_NONE */
    uint32_t scope;        /* of scratch: where it lives, else 0 */
    uint64_t message;      /* its number in the queue; of a tensor over several PEs: which, from 1 */
    uint32_t dims;         /* 0: a single element; of a message: no shape was given yet */
    uint64_t shape[KB_DIMS_MAX];
    int64_t stride[KB_DIMS_MAX]; /* elements from one to the next along each axis */
} tl_view;

/* `count` elements from `first` on, along the outermost axis or along another. */
#define tl_slice(c, view, first, count) tl_slice_at((c)->stream, (view), 0, (first), (count), TL_HERE)
#define tl_slice_axis(c, view, axis, first, count) \
    tl_slice_at((c)->stream, (view), (axis), (first), (count), TL_HERE)
/* One index of the outermost axis, which goes away: a row of a matrix, an element of a vector. */
#define tl_row(c, view, index) tl_row_at((c)->stream, (view), (index), TL_HERE)
/* The same elements in another shape; rows must lie without gaps. Gives a message its shape. */
#define tl_reshape(c, view, ...) tl_reshape_at((c)->stream, (view), TL_SHAPE(__VA_ARGS__), TL_HERE)
/* A matrix with its two axes exchanged. */
#define tl_transpose(c, view) tl_transpose_at((c)->stream, (view), TL_HERE)
/* The same elements, those of one axis in their order backwards. */
#define tl_flip(c, view, axis) tl_flip_at((c)->stream, (view), (axis), TL_HERE)
/*
 * The view repeated until it has that shape: its axes are the innermost ones of the new shape, and each has
 * that extent already, or 1. What is repeated can be read only.
 */
#define tl_broadcast(c, view, ...) tl_broadcast_at((c)->stream, (view), TL_SHAPE(__VA_ARGS__), TL_HERE)

/*
 * What of a tensor lies on this PE, or on another one of its rank, by number. Where ranks are SIPs a host's
 * tensors lie over all PEs of its rank: the last axis is cut into as many blocks, rounded up, so that the
 * last ones are shorter or empty. Where ranks are PEs, it is the whole tensor.
 */
#define tl_part(c, view) tl_part_at((c)->stream, (view), TL_HERE)
#define tl_part_of(c, view, pe) tl_part_of_at((c)->stream, (view), (pe), TL_HERE)

tl_view tl_part_at(tl_stream *stream, tl_view view, tl_where where);
tl_view tl_part_of_at(tl_stream *stream, tl_view view, uint32_t pe, tl_where where);
tl_view tl_slice_at(tl_stream *stream, tl_view view, uint32_t axis, uint64_t first, uint64_t count,
                    tl_where where);
tl_view tl_row_at(tl_stream *stream, tl_view view, uint64_t index, tl_where where);
tl_view tl_reshape_at(tl_stream *stream, tl_view view, tl_shape shape, tl_where where);
tl_view tl_transpose_at(tl_stream *stream, tl_view view, tl_where where);
tl_view tl_flip_at(tl_stream *stream, tl_view view, uint32_t axis, tl_where where);
tl_view tl_broadcast_at(tl_stream *stream, tl_view view, tl_shape shape, tl_where where);

#endif

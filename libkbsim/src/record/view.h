/* SPDX-License-Identifier: Apache-2.0 */
/* Views as the files that record commands make, check and take them apart. */
#ifndef KBSIM_SRC_VIEW_H
#define KBSIM_SRC_VIEW_H

#include "record/stream.h"

/* Whether it stands for a tensor over the PEs of a rank, whose number it has; see spread.c. */
static inline bool kbs_view_is_spread(const tl_view *view) {
    return view->memory == KB_NONE && view->queue == KB_NONE && view->message != 0;
}

/* A row of elements without gaps. */
static inline tl_view kbs_view_vector(uint32_t memory, uint32_t dtype, uint64_t offset_bytes,
                                      uint64_t elements) {
    tl_view view; /* member by member: as a whole it would be cleared by a slow instruction first */
    view.memory = memory;
    view.dtype = dtype;
    view.offset_bytes = offset_bytes;
    view.elements = elements;
    view.queue = KB_NONE;
    view.scope = 0;
    view.message = 0;
    view.dims = 1;
    memset(view.shape, 0, sizeof view.shape);
    memset(view.stride, 0, sizeof view.stride);
    view.shape[0] = elements;
    view.stride[0] = 1;
    return view;
}
/* The same of a shape, whose product must not overflow. */
tl_view kbs_view_of(uint32_t memory, uint32_t dtype, uint64_t offset_bytes, const tl_shape *shape);

/* Product of the extents; false where it overflows, or where there are too many. */
bool kbs_shape_elements(const tl_shape *shape, uint64_t *ret);

/* `elements` of a view with at most one axis, from `first` on; no check. */
tl_view kbs_view_part(const tl_view *view, uint64_t first, uint64_t elements);

/* Says why there is no such slice, if there was no mistake before. */
void kbs_not_slice(tl_stream *stream, const tl_view *view, uint32_t axis, uint64_t first, uint64_t count,
                   tl_where where) KBS_RARE;
/* Cuts a view down to `count` elements of an axis, from `first` on; a mistake where it has not so many. */
static inline void kbs_view_slice(tl_stream *stream, tl_view *view, uint32_t axis, uint64_t first,
                                  uint64_t count, tl_where where) {
    if (!kbs_is_ok(stream) || view->queue != KB_NONE || view->message != 0 || axis >= view->dims ||
        view->dims > KB_DIMS_MAX || first > view->shape[axis] || count > view->shape[axis] - first) {
        kbs_not_slice(stream, view, axis, first, count, where);
        return;
    }
    view->offset_bytes += first * (uint64_t)view->stride[axis] * kb_dtype_size(view->dtype);
    view->shape[axis] = count;
    view->elements = 1;
    for (uint32_t i = 0; i < view->dims; i++)
        view->elements *= view->shape[i];
}

/* Merges axes that lie without gaps in all of the views, which have one shape; true where one is left. */
bool kbs_views_flatten(tl_view *views, uint32_t count);

static inline void kbs_operand_of(kb_operand *operand, const tl_view *view, uint8_t access) {
    operand->memory = view->memory;
    operand->access = access;
    operand->dtype = (uint8_t)view->dtype;
    operand->dims = (uint8_t)view->dims;
    operand->zero = 0;
    memcpy(operand->shape, view->shape, sizeof operand->shape);
    memcpy(operand->stride, view->stride, sizeof operand->stride);
}

/* Makes a view without gaps the row of elements that it is; a mistake where it has gaps. */
bool kbs_view_straighten(tl_stream *stream, tl_view *view, const char *what, tl_where where);

/* Where a view lies, seen from the PE that records. */
typedef enum kbs_lies {
    KBS_LIES_NOWHERE, /* a mistake, which was noted */
    KBS_LIES_OWN,     /* in its TCM: engines reach it */
    KBS_LIES_FAR,     /* in its HBM or SRAM, or in a memory of another PE */
    KBS_LIES_MESSAGE  /* it is a message, of which nothing was checked */
} kbs_lies;

/* Checks a view that a command is about to use: inside its memory, a known dtype, scratch that lives. */
kbs_lies kbs_view_check(tl_stream *stream, const tl_view *view, const char *what, tl_where where);
/* The same of what is written: no message, no element twice. */
kbs_lies kbs_view_check_written(tl_stream *stream, const tl_view *view, const char *what, tl_where where);

/* A host wrote those bytes into a view of a tensor. */
void kbs_know_bytes(kbs_program *program, const tl_view *view, const void *bytes, tl_where where);

/* "3 x 5 x f16" */
enum { KBS_VIEW_CHARS = 112 };
const char *kbs_view_text(const tl_view *view, char buffer[KBS_VIEW_CHARS]);

/* The id of the fabric's route from one memory to another; KB_NONE after a failure, which was noted. */
uint32_t kbs_route_between(tl_stream *stream, uint32_t from, uint32_t to, tl_where where);

#endif

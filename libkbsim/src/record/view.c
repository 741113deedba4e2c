/* SPDX-License-Identifier: Apache-2.0 */
/* Views: making them of others, checking them, and telling where they lie. Records no command. */
#include "record/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- making ---------------------------------------------------------------------------------- */

static void lay_out(tl_view *view, const tl_shape *shape) {
    int64_t stride = 1;
    memset(view->shape, 0, sizeof view->shape);
    memset(view->stride, 0, sizeof view->stride);
    view->dims = shape->dims;
    for (uint32_t axis = shape->dims; axis-- > 0;) {
        view->shape[axis] = shape->of[axis];
        view->stride[axis] = stride;
        stride *= (int64_t)shape->of[axis];
    }
}

tl_view kbs_view_of(uint32_t memory, uint32_t dtype, uint64_t offset_bytes, const tl_shape *shape) {
    uint64_t elements = 1;
    for (uint32_t axis = 0; axis < shape->dims; axis++)
        elements *= shape->of[axis];
    tl_view view = kbs_view_vector(memory, dtype, offset_bytes, elements);
    lay_out(&view, shape);
    return view;
}

bool kbs_shape_elements(const tl_shape *shape, uint64_t *ret) {
    uint64_t elements = 1;
    bool is_empty = false;
    if (shape->dims > KB_DIMS_MAX)
        return false;
    for (uint32_t axis = 0; axis < shape->dims; axis++) {
        if (shape->of[axis] == 0)
            is_empty = true;
        else if (__builtin_mul_overflow(elements, shape->of[axis], &elements) || elements > INT64_MAX / 8)
            return false;
    }
    *ret = is_empty ? 0 : elements;
    return true;
}

tl_view kbs_view_part(const tl_view *view, uint64_t first, uint64_t elements) {
    tl_view part = *view;
    const int64_t stride = view->dims > 0 ? view->stride[0] : 1;
    part.offset_bytes += first * (uint64_t)stride * kb_dtype_size(view->dtype);
    part.elements = elements;
    part.dims = 1;
    part.shape[0] = elements;
    part.stride[0] = stride;
    return part;
}

static void drop_axis(tl_view *view, uint32_t axis) {
    for (uint32_t i = axis; i + 1 < view->dims; i++) {
        view->shape[i] = view->shape[i + 1];
        view->stride[i] = view->stride[i + 1];
    }
    view->dims--;
    view->shape[view->dims] = 0;
    view->stride[view->dims] = 0;
}

/* Whether going on along `axis` is going on along the axis within it. */
static bool joins(const tl_view *view, uint32_t axis) {
    return view->stride[axis] == view->stride[axis + 1] * (int64_t)view->shape[axis + 1];
}

bool kbs_views_flatten(tl_view *views, uint32_t count) {
    uint32_t axis = 0;
    while (axis + 1 < views[0].dims) {
        bool all = true;
        const bool is_one = views[0].shape[axis] == 1, holds_one = views[0].shape[axis + 1] == 1;
        for (uint32_t i = 0; i < count; i++)
            all = all && (is_one || holds_one || joins(&views[i], axis));
        for (uint32_t i = 0; i < count && all; i++) {
            if (!holds_one)
                views[i].shape[axis + 1] *= views[i].shape[axis];
            drop_axis(&views[i], holds_one ? axis + 1 : axis);
        }
        axis += !all;
    }
    return views[0].dims <= 1;
}

bool kbs_view_straighten(tl_stream *stream, tl_view *view, const char *what, tl_where where) {
    const bool is_row =
        kbs_views_flatten(view, 1) && (view->dims == 0 || view->stride[0] == 1 || view->elements < 2);
    if (!is_row)
        kbs_mistake(stream, where, "the %s has gaps between its elements, and must lie in one piece", what);
    else
        *view = kbs_view_vector(view->memory, view->dtype, view->offset_bytes, view->elements);
    return is_row;
}

const char *kbs_view_text(const tl_view *view, char buffer[KBS_VIEW_CHARS]) {
    int length = 0;
    for (uint32_t axis = 0; axis < view->dims && axis < KB_DIMS_MAX; axis++)
        length +=
            snprintf(buffer + length, KBS_VIEW_CHARS - (size_t)length, "%" PRIu64 " x ", view->shape[axis]);
    const char *dtype = kb_word_name(KB_VOC_DTYPE, view->dtype);
    snprintf(buffer + length, KBS_VIEW_CHARS - (size_t)length, "%s", dtype != NULL ? dtype : "message");
    return buffer;
}

/* --- checking -------------------------------------------------------------------------------- */

static kbs_lies fails(tl_stream *stream, const tl_view *view, const char *what, tl_where where) {
    const kb_memory *memory = &stream->program->defs.memories[view->memory];
    char text[KBS_VIEW_CHARS];
    kbs_mistake(stream, where,
                "the %s (%s at byte %" PRIu64 ") does not lie inside %s, which has %" PRIu64 " bytes", what,
                kbs_view_text(view, text), view->offset_bytes, memory->name, memory->size_bytes);
    return KBS_LIES_NOWHERE;
}

static bool is_inside(const tl_view *view, uint64_t size_bytes) {
    int64_t low = 0, high = 0;
    const uint64_t size = kb_dtype_size(view->dtype);
    if (view->dims == 1 && view->stride[0] == 1)
        return view->offset_bytes <= size_bytes && view->shape[0] <= (size_bytes - view->offset_bytes) / size;
    kb_operand operand;
    kbs_operand_of(&operand, view, KB_ACCESS_READ);
    return kb_operand_extent(&operand, &low, &high) && view->offset_bytes <= size_bytes &&
           (uint64_t)-low <= view->offset_bytes && high <= (int64_t)(size_bytes - view->offset_bytes);
}

static bool has_sound_shape(const tl_view *view) {
    tl_shape shape;
    uint64_t elements;
    if (view->dims > KB_DIMS_MAX || kb_dtype_size(view->dtype) == 0)
        return false;
    if (view->dims == 1)
        return view->shape[0] == view->elements;
    shape.dims = view->dims;
    memcpy(shape.of, view->shape, sizeof shape.of);
    return kbs_shape_elements(&shape, &elements) && elements == view->elements;
}

/* A mistake where it is: commands work on what lies on one PE. */
static bool is_spread(tl_stream *stream, const tl_view *view, const char *what, tl_where where) {
    if (kbs_view_is_spread(view))
        kbs_mistake(stream, where,
                    "the %s lies over all PEs of its rank: tl_part gives what of it lies on this one", what);
    return kbs_view_is_spread(view);
}

/* Most views are rows in the PE's own TCM and not in scratch: whether all is well with one is soon said. */
static inline bool is_own_row(const tl_stream *stream, const tl_view *view) {
    if (view->memory != stream->tcm || view->dims != 1 || view->stride[0] != 1 || view->scope != 0 ||
        view->shape[0] != view->elements || !kbs_is_ok(stream))
        return false;
    const uint64_t size_bytes = stream->tcm_bytes;
    const uint64_t size = kb_dtype_size(view->dtype), offset = view->offset_bytes;
    return size != 0 && offset <= size_bytes && view->elements <= size_bytes &&
           view->elements * size <= size_bytes - offset;
}

/* What kbs_view_check() says of any view. */
static __attribute__((noinline)) kbs_lies check(tl_stream *stream, const tl_view *view, const char *what,
                                                tl_where where) {
    const kb_defs *defs = &stream->program->defs;
    if (!kbs_is_ok(stream))
        return KBS_LIES_NOWHERE;
    if (view->queue != KB_NONE && view->memory == KB_NONE)
        return KBS_LIES_MESSAGE;
    if (is_spread(stream, view, what, where))
        return KBS_LIES_NOWHERE;
    if (view->memory >= defs->memory_count || !has_sound_shape(view)) {
        kbs_mistake(stream, where, "the %s is no view: it did not come from a tensor, scratch or a message",
                    what);
        return KBS_LIES_NOWHERE;
    }
    const kb_memory *memory = &defs->memories[view->memory];
    if (memory->space == KB_SPACE_HOST) {
        kbs_mistake(stream, where, "the %s lies in a host's memory, which no PE can reach", what);
        return KBS_LIES_NOWHERE;
    }
    if (!is_inside(view, memory->size_bytes))
        return fails(stream, view, what, where);
    if (view->memory != stream->tcm)
        return KBS_LIES_FAR;
    return view->scope == 0 || kbs_scope_lives(stream, view->scope, what, where) ? KBS_LIES_OWN
                                                                                 : KBS_LIES_NOWHERE;
}

kbs_lies kbs_view_check(tl_stream *stream, const tl_view *view, const char *what, tl_where where) {
    return is_own_row(stream, view) ? KBS_LIES_OWN : check(stream, view, what, where);
}

static __attribute__((noinline)) kbs_lies check_written(tl_stream *stream, const tl_view *view,
                                                        const char *what, tl_where where) {
    const kbs_lies lies = check(stream, view, what, where);
    if (lies == KBS_LIES_MESSAGE) {
        kbs_mistake(stream, where, "a received message is read-only: it cannot be the %s", what);
        return KBS_LIES_NOWHERE;
    }
    for (uint32_t axis = 0; lies != KBS_LIES_NOWHERE && axis < view->dims; axis++)
        if (view->stride[axis] == 0 && view->shape[axis] > 1 && view->elements > 0) {
            kbs_mistake(stream, where, "the %s is repeated by tl_broadcast, and can be read only", what);
            return KBS_LIES_NOWHERE;
        }
    return lies;
}

kbs_lies kbs_view_check_written(tl_stream *stream, const tl_view *view, const char *what, tl_where where) {
    return is_own_row(stream, view) ? KBS_LIES_OWN : check_written(stream, view, what, where);
}

/* --- places ---------------------------------------------------------------------------------- */

uint32_t kbs_route_between(tl_stream *stream, uint32_t from, uint32_t to, tl_where where) {
    kbs_program *program = stream->program;
    if (!kbs_is_ok(stream))
        return KB_NONE;
    kbs_known_route *known = &stream->routes[(from ^ to) % KBS_KNOWN_ROUTES];
    if (known->is_known && known->from == from && known->to == to)
        return known->route;
    const kb_memory *memories = program->defs.memories;
    const uint32_t of_host = memories[from].pe == KB_NONE ? memories[to].pe : memories[from].pe;
    const kbs_place source = {memories[from].space, of_host};
    const kbs_place target = {memories[to].space, memories[to].pe != KB_NONE ? memories[to].pe : of_host};
    const kbs_route *route;
    const kb_status status =
        kbs_fabric_route(&program->fabric, source, target, KBS_CHANNEL_DMA, &route, &program->trail);
    if (status != KB_OK) {
        kbs_trouble(stream, where, status);
        return KB_NONE;
    }
    *known = (kbs_known_route){from, to, route->id, true};
    return route->id;
}

/* --- what kernels call ----------------------------------------------------------------------- */

static bool is_message(tl_stream *stream, const tl_view *view, tl_where where) {
    if (view->queue != KB_NONE)
        kbs_mistake(stream, where, "a message is used as a whole: copy it into a tensor and slice that");
    return view->queue != KB_NONE || is_spread(stream, view, "tensor", where);
}

static bool has_axis(tl_stream *stream, const tl_view *view, uint32_t axis, tl_where where) {
    if (axis < view->dims && view->dims <= KB_DIMS_MAX)
        return true;
    kbs_mistake(stream, where, "there is no axis %u in a view of %u axes", axis, view->dims);
    return false;
}

void kbs_not_slice(tl_stream *stream, const tl_view *view, uint32_t axis, uint64_t first, uint64_t count,
                   tl_where where) {
    if (kbs_is_ok(stream) && !is_message(stream, view, where) && has_axis(stream, view, axis, where))
        kbs_mistake(stream, where, "%s [%" PRIu64 ", %" PRIu64 ") lie outside a view of %" PRIu64,
                    view->dims == 1 ? "elements" : "indices", first, first + count, view->shape[axis]);
}

tl_view tl_slice_at(tl_stream *stream, tl_view view, uint32_t axis, uint64_t first, uint64_t count,
                    tl_where where) {
    kbs_view_slice(stream, &view, axis, first, count, where);
    return view;
}

tl_view tl_row_at(tl_stream *stream, tl_view view, uint64_t index, tl_where where) {
    const tl_view row = tl_slice_at(stream, view, 0, index, 1, where);
    if (!kbs_is_ok(stream))
        return view;
    tl_view inner = row;
    drop_axis(&inner, 0);
    return inner;
}

tl_view tl_reshape_at(tl_stream *stream, tl_view view, tl_shape shape, tl_where where) {
    uint64_t elements = 0;
    if (!kbs_is_ok(stream) || is_spread(stream, &view, "tensor", where))
        return view;
    if (!kbs_shape_elements(&shape, &elements) || (view.queue == KB_NONE && elements != view.elements)) {
        kbs_mistake(stream, where, "a view of %" PRIu64 " elements has no such shape", view.elements);
        return view;
    }
    if (view.queue == KB_NONE && !kbs_views_flatten(&view, 1)) {
        kbs_mistake(stream, where, "the view has gaps between its rows: it has no other shape");
        return view;
    }
    const int64_t stride = view.queue == KB_NONE && view.dims == 1 ? view.stride[0] : 1;
    lay_out(&view, &shape);
    for (uint32_t axis = 0; axis < view.dims; axis++)
        view.stride[axis] *= stride;
    return view;
}

tl_view tl_transpose_at(tl_stream *stream, tl_view view, tl_where where) {
    if (!kbs_is_ok(stream) || is_message(stream, &view, where))
        return view;
    if (view.dims != 2) {
        kbs_mistake(stream, where, "a view of %u axes is transposed, and a matrix has 2", view.dims);
        return view;
    }
    tl_view turned = view;
    for (uint32_t axis = 0; axis < 2; axis++) {
        turned.shape[axis] = view.shape[1 - axis];
        turned.stride[axis] = view.stride[1 - axis];
    }
    return turned;
}

tl_view tl_flip_at(tl_stream *stream, tl_view view, uint32_t axis, tl_where where) {
    if (!kbs_is_ok(stream) || is_message(stream, &view, where) || !has_axis(stream, &view, axis, where) ||
        view.elements == 0)
        return view;
    tl_view flipped = view;
    flipped.offset_bytes += (view.shape[axis] - 1) * (uint64_t)view.stride[axis] * kb_dtype_size(view.dtype);
    flipped.stride[axis] = -view.stride[axis];
    return flipped;
}

tl_view tl_broadcast_at(tl_stream *stream, tl_view view, tl_shape shape, tl_where where) {
    uint64_t elements = 0;
    if (!kbs_is_ok(stream) || is_message(stream, &view, where))
        return view;
    if (!kbs_shape_elements(&shape, &elements) || shape.dims < view.dims) {
        kbs_mistake(stream, where, "a view of %u axes cannot be repeated to a shape of %u", view.dims,
                    shape.dims);
        return view;
    }
    tl_view wide = view;
    wide.dims = shape.dims;
    wide.elements = elements;
    for (uint32_t axis = 0; axis < shape.dims; axis++) {
        const uint32_t added = shape.dims - view.dims;
        const uint64_t had = axis < added ? 1 : view.shape[axis - added];
        if (had != 1 && had != shape.of[axis]) {
            kbs_mistake(stream, where, "an extent of %" PRIu64 " cannot be repeated to %" PRIu64, had,
                        shape.of[axis]);
            return view;
        }
        wide.shape[axis] = shape.of[axis];
        wide.stride[axis] = axis < added || had != shape.of[axis] ? 0 : view.stride[axis - added];
    }
    return wide;
}

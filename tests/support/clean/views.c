/* SPDX-License-Identifier: Apache-2.0 */
/* Views of a program that is being drawn; see views.h. */
#include "support/clean/views.h"

#include <assert.h>
#include <string.h>

#include "support/clean/waits.h"

/* --- making ---------------------------------------------------------------------------------- */

static void lay_out(clean_view *view, uint32_t dims, const uint64_t *shape, int64_t stride) {
    view->dims = dims;
    for (uint32_t axis = dims; axis-- > 0;) {
        view->shape[axis] = shape[axis];
        view->stride[axis] = stride;
        stride *= (int64_t)shape[axis];
    }
}

clean_view clean_view_of(const clean_plan *plan, int tensor) {
    const clean_tensor *of = &plan->tensors[tensor];
    clean_view view = {.tensor = tensor, .message = CLEAN_NONE, .dtype = of->dtype};
    lay_out(&view, of->dims, of->shape, 1);
    return view;
}

clean_view clean_view_of_message(const clean_plan *plan, int message) {
    const clean_message *of = &plan->messages[message];
    clean_view view = {.tensor = CLEAN_NONE, .message = message, .dtype = of->dtype};
    lay_out(&view, 1, &of->elements, 1);
    return view;
}

uint64_t clean_count(const clean_view *view) {
    uint64_t count = 1;
    for (uint32_t axis = 0; axis < view->dims; axis++)
        count *= view->shape[axis];
    return count;
}

/* Axes that lie without gaps become one; false where more than one is left. */
static bool flatten(clean_view *view) {
    uint32_t dims = 0;
    for (uint32_t axis = 0; axis < view->dims; axis++) {
        if (view->shape[axis] == 1)
            continue;
        const bool joins =
            dims > 0 && view->stride[dims - 1] == view->stride[axis] * (int64_t)view->shape[axis];
        if (!joins)
            view->shape[dims++] = 1;
        view->shape[dims - 1] *= view->shape[axis];
        view->stride[dims - 1] = view->stride[axis];
    }
    view->dims = dims;
    return dims <= 1;
}

bool clean_is_row(const clean_view *view) {
    clean_view flat = *view;
    return flatten(&flat) && (flat.dims == 0 || flat.stride[0] == 1);
}

bool clean_same_place(const clean_view *a, const clean_view *b) {
    bool same = a->tensor == b->tensor && a->first == b->first && a->dims == b->dims;
    for (uint32_t axis = 0; same && axis < a->dims; axis++)
        same = a->shape[axis] == b->shape[axis] && a->stride[axis] == b->stride[axis];
    return same;
}

bool clean_is_near(const clean_plan *plan, const clean_view *view, uint32_t rank) {
    if (view->message != CLEAN_NONE)
        return true;
    const clean_tensor *tensor = &plan->tensors[view->tensor];
    return tensor->rank == rank && tensor->space == KB_SPACE_TCM;
}

static clean_step *add_step(clean_view *view, clean_way way) {
    if (view->step_count == CLEAN_STEPS)
        return NULL;
    clean_step *step = &view->steps[view->step_count++];
    *step = (clean_step){.way = way};
    return step;
}

bool clean_slice(clean_view *view, uint32_t axis, uint64_t first, uint64_t count) {
    assert(axis < view->dims && first + count <= view->shape[axis]);
    clean_step *step = add_step(view, CLEAN_SLICE);
    if (step == NULL)
        return false;
    step->axis = axis;
    step->first = first;
    step->count = count;
    view->first += (int64_t)first * view->stride[axis];
    view->shape[axis] = count;
    return true;
}

bool clean_row(clean_view *view, uint64_t index) {
    clean_step *step = view->dims > 0 ? add_step(view, CLEAN_ROW) : NULL;
    if (step == NULL)
        return false;
    step->first = index;
    view->first += (int64_t)index * view->stride[0];
    view->dims--;
    memmove(view->shape, view->shape + 1, view->dims * sizeof view->shape[0]);
    memmove(view->stride, view->stride + 1, view->dims * sizeof view->stride[0]);
    return true;
}

static void keep_shape(clean_step *step, uint32_t dims, const uint64_t *shape) {
    step->shape.dims = dims;
    memcpy(step->shape.of, shape, dims * sizeof shape[0]);
}

bool clean_reshape(clean_view *view, uint32_t dims, const uint64_t *shape) {
    clean_view flat = *view;
    if (dims == 0 || !flatten(&flat))
        return false;
    clean_step *step = add_step(view, CLEAN_RESHAPE);
    if (step == NULL)
        return false;
    keep_shape(step, dims, shape);
    lay_out(view, dims, shape, flat.dims == 1 ? flat.stride[0] : 1);
    return true;
}

bool clean_transpose(clean_view *view) {
    if (view->dims != 2 || add_step(view, CLEAN_TRANSPOSE) == NULL)
        return false;
    const uint64_t extent = view->shape[0];
    const int64_t stride = view->stride[0];
    view->shape[0] = view->shape[1];
    view->stride[0] = view->stride[1];
    view->shape[1] = extent;
    view->stride[1] = stride;
    return true;
}

bool clean_broadcast(clean_view *view, uint32_t dims, const uint64_t *shape) {
    const clean_view had = *view;
    clean_step *step = dims > 0 && dims >= had.dims ? add_step(view, CLEAN_BROADCAST) : NULL;
    if (step == NULL)
        return false;
    keep_shape(step, dims, shape);
    const uint32_t added = dims - had.dims;
    view->dims = dims;
    for (uint32_t axis = 0; axis < dims; axis++) {
        const bool is_kept = axis >= added && had.shape[axis - added] == shape[axis];
        view->shape[axis] = shape[axis];
        view->stride[axis] = is_kept ? had.stride[axis - added] : 0;
    }
    return true;
}

/* --- elements -------------------------------------------------------------------------------- */

uint64_t clean_list(const clean_view *view, uint32_t ret[CLEAN_ELEMENTS]) {
    const uint64_t count = clean_count(view);
    assert(count <= CLEAN_ELEMENTS);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t rest = i;
        int64_t at = view->first;
        for (uint32_t axis = view->dims; axis-- > 0;) {
            at += (int64_t)(rest % view->shape[axis]) * view->stride[axis];
            rest /= view->shape[axis];
        }
        ret[i] = (uint32_t)at;
    }
    return count;
}

void clean_mask(const clean_view *view, uint64_t ret[CLEAN_MASK_WORDS]) {
    uint32_t list[CLEAN_ELEMENTS];
    const uint64_t count = clean_list(view, list);
    memset(ret, 0, CLEAN_MASK_WORDS * sizeof ret[0]);
    for (uint64_t i = 0; i < count; i++)
        clean_set(ret, list[i], true);
}

/* --- at random ------------------------------------------------------------------------------- */

static bool any_slice(clean_plan *plan, clean_view *view) {
    if (view->dims == 0)
        return false;
    const uint32_t axis = (uint32_t)clean_below(plan, view->dims);
    const uint64_t count = 1 + clean_below(plan, view->shape[axis]);
    return clean_slice(view, axis, clean_below(plan, view->shape[axis] - count + 1), count);
}

/* In one axis or two. */
static bool any_reshape(clean_plan *plan, clean_view *view) {
    uint64_t count = clean_count(view), divisor = 1 + clean_below(plan, 12);
    while (count % divisor != 0)
        divisor--;
    const uint64_t shape[] = {divisor, count / divisor};
    return clean_once_in(plan, 2) ? clean_reshape(view, 1, &count) : clean_reshape(view, 2, shape);
}

static bool any_broadcast(clean_plan *plan, clean_view *view) {
    if (view->dims >= KB_DIMS_MAX)
        return false;
    const uint64_t times = 1 + clean_below(plan, 6);
    uint64_t shape[KB_DIMS_MAX] = {times};
    memcpy(shape + 1, view->shape, view->dims * sizeof shape[0]);
    return clean_count(view) * times <= CLEAN_ELEMENTS && clean_broadcast(view, view->dims + 1, shape);
}

static void any_view(clean_plan *plan, const clean_want *want, clean_view *view) {
    for (uint64_t steps = clean_below(plan, 4); steps > 0; steps--) {
        switch (clean_below(plan, want->writes ? 7 : 8)) {
        case 0: (void)(view->dims > 0 && clean_row(view, clean_below(plan, view->shape[0]))); break;
        case 1:
        case 2: (void)any_reshape(plan, view); break;
        case 3: (void)clean_transpose(view); break;
        case 7: (void)any_broadcast(plan, view); break;
        default: (void)any_slice(plan, view); break;
        }
    }
}

/* --- of a shape ------------------------------------------------------------------------------ */

/* Cut down to that shape, of as many axes. */
static bool cut(clean_plan *plan, clean_view *view, uint32_t dims, const uint64_t *shape) {
    for (uint32_t axis = 0; view->dims == dims && axis < dims; axis++) {
        const uint64_t had = view->shape[axis];
        if (had < shape[axis])
            return false;
        if (had > shape[axis] &&
            !clean_slice(view, axis, clean_below(plan, had - shape[axis] + 1), shape[axis]))
            return false;
    }
    return view->dims == dims;
}

static bool by_slices(clean_plan *plan, clean_view *view, uint32_t dims, const uint64_t *shape) {
    if (view->dims == dims + 1 && !clean_row(view, clean_below(plan, view->shape[0])))
        return false;
    if (view->dims == 2 && clean_once_in(plan, 3) && !clean_transpose(view))
        return false;
    return cut(plan, view, dims, shape);
}

static bool by_reshape(clean_plan *plan, clean_view *view, uint32_t dims, const uint64_t *shape) {
    uint64_t count = 1, had = clean_count(view);
    for (uint32_t axis = 0; axis < dims; axis++)
        count *= shape[axis];
    if (had < count || (view->dims != 1 && had != count && !clean_reshape(view, 1, &had)))
        return false;
    if (had != count && !clean_slice(view, 0, clean_below(plan, had - count + 1), count))
        return false;
    return clean_reshape(view, dims, shape);
}

static bool by_broadcast(clean_plan *plan, clean_view *view, uint32_t dims, const uint64_t *shape) {
    uint64_t smaller[KB_DIMS_MAX];
    const uint32_t kept = (uint32_t)clean_below(plan, dims + 1);
    for (uint32_t axis = 0; axis < kept; axis++)
        smaller[axis] = clean_once_in(plan, 2) ? 1 : shape[dims - kept + axis];
    return by_slices(plan, view, kept, smaller) && clean_broadcast(view, dims, shape);
}

static bool fit(clean_plan *plan, const clean_want *want, clean_view *view) {
    const uint64_t way = clean_below(plan, want->writes || want->is_whole ? 4 : 6);
    return way < 2   ? by_slices(plan, view, want->dims, want->shape)
           : way < 4 ? by_reshape(plan, view, want->dims, want->shape)
                     : by_broadcast(plan, view, want->dims, want->shape);
}

/* --- finding --------------------------------------------------------------------------------- */

static bool is_fine(const clean_plan *plan, const clean_want *want, int number) {
    const clean_tensor *tensor = &plan->tensors[number];
    const bool is_number = tensor->dtype <= KB_DTYPE_I32;
    return tensor->is_live && (tensor->rank == want->rank || (tensor->scope == 0 && !want->is_near)) &&
           (want->dtype != 0 ? tensor->dtype == want->dtype : is_number || want->any_dtype) &&
           (!want->is_near || tensor->space == KB_SPACE_TCM) &&
           !(want->writes && tensor->is_table && tensor->rank != want->rank) && tensor->elements > 0;
}

static bool is_defined(const clean_plan *plan, const clean_view *view) {
    uint32_t list[CLEAN_ELEMENTS];
    const uint64_t count = clean_list(view, list);
    for (uint64_t i = 0; i < count; i++)
        if (!clean_has(plan->tensors[view->tensor].defined, list[i]))
            return false;
    return true;
}

bool clean_admit(clean_plan *plan, const clean_want *want, uint32_t engine, const clean_view *view) {
    uint64_t mask[CLEAN_MASK_WORDS];
    bool done = false;
    if (clean_count(view) > CLEAN_ELEMENTS || (want->is_whole && !clean_is_row(view)) ||
        (!want->writes && !want->may_be_undefined && !is_defined(plan, view)))
        return false;
    clean_mask(view, mask);
    for (int turns = 0; turns < 64; turns++) {
        clean_consider(plan, want->stream, engine);
        const int before = clean_conflict(plan, &plan->tensors[view->tensor], mask, want->writes, &done);
        if (before == CLEAN_NONE)
            return true;
        if (!clean_settle(plan, want->stream, before, done))
            return false;
    }
    return false;
}

bool clean_find(clean_plan *plan, const clean_want *want, uint32_t engine, clean_view *ret) {
    const bool is_own = !clean_once_in(plan, 3);
    for (int tries = 0; tries < 40; tries++) {
        const int number = (int)clean_below(plan, (uint64_t)plan->tensor_count);
        if (!is_fine(plan, want, number) || (is_own && plan->tensors[number].rank != want->rank))
            continue;
        clean_view view = clean_view_of(plan, number);
        if (want->has_shape && !fit(plan, want, &view))
            continue;
        if (!want->has_shape)
            any_view(plan, want, &view);
        if (!clean_admit(plan, want, engine, &view))
            continue;
        *ret = view;
        return true;
    }
    return false;
}

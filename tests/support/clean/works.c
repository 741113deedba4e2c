/* SPDX-License-Identifier: Apache-2.0 */
/* What engines do in a program that is being drawn; see works.h. */
#include "support/clean/works.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "support/clean/waits.h"

/* --- ops ------------------------------------------------------------------------------------- */

/* What of the result is defined: all, or what is where it comes from. */
static void define(clean_plan *plan, const clean_call *call, const uint32_t *out, uint64_t count) {
    clean_tensor *tensor = &plan->tensors[call->views[0].tensor];
    uint32_t in[CLEAN_ELEMENTS];
    const clean_view *from = &call->views[1];
    const uint64_t *defined = NULL;
    if (call->kind == CLEAN_MOVE && from->tensor != CLEAN_NONE) {
        clean_list(from, in);
        defined = plan->tensors[from->tensor].defined;
    } else if (call->kind == CLEAN_MOVE) {
        for (uint32_t i = 0; i < count; i++)
            in[i] = i;
        defined = plan->messages[from->message].defined;
    }
    bool states[CLEAN_ELEMENTS];
    for (uint64_t i = 0; i < count; i++)
        states[i] = defined == NULL || clean_has(defined, in[i]);
    for (uint64_t i = 0; i < count; i++)
        clean_set(tensor->defined, out[i], states[i]);
    tensor->is_known = false;
}

static void touch(clean_plan *plan, int op, const clean_view *view, bool writes) {
    uint64_t mask[CLEAN_MASK_WORDS];
    if (view->message != CLEAN_NONE) {
        clean_message *message = &plan->messages[view->message];
        assert(message->reader_count < CLEAN_READERS);
        message->readers[message->reader_count++] = op;
        return;
    }
    clean_mask(view, mask);
    clean_touch(plan, op, &plan->tensors[view->tensor], mask, writes);
}

bool clean_still_admitted(clean_plan *plan, const clean_call *call, uint32_t rank, uint32_t engine) {
    uint64_t mask[CLEAN_MASK_WORDS];
    bool admitted = true, done;
    clean_consider(plan, rank, engine);
    for (uint32_t i = 0; i < call->count && admitted; i++) {
        const clean_view *view = &call->views[i];
        if (view->message != CLEAN_NONE)
            continue;
        clean_mask(view, mask);
        const clean_tensor *tensor = &plan->tensors[view->tensor];
        admitted = tensor->is_live && clean_conflict(plan, tensor, mask, i == 0, &done) == CLEAN_NONE;
    }
    return admitted;
}

int clean_do(clean_plan *plan, clean_call *call, uint32_t rank, uint32_t engine) {
    const bool writes = call->kind != CLEAN_SEND && call->kind != CLEAN_PEEK;
    uint32_t out[CLEAN_ELEMENTS];
    clean_consider(plan, rank, engine);
    const int op = clean_issue(plan, rank, engine);
    call->op = op;
    for (uint32_t i = 0; i < call->count; i++)
        touch(plan, op, &call->views[i], writes && i == 0);
    if (writes)
        define(plan, call, out, clean_list(&call->views[0], out));
    plan->ops[op].is_awaitable = call->is_async;
    if (!call->is_async)
        clean_observe(plan, rank, op, true);
    bool is_far = false;
    for (uint32_t i = 0; i < call->count; i++)
        is_far = is_far || !clean_is_near(plan, &call->views[i], rank);
    plan->cost += is_far ? 8 : 1;
    return op;
}

/* --- functions ------------------------------------------------------------------------------- */

const clean_function *clean_any_function(clean_plan *plan) {
    enum { FLOAT = 1, NUMBER = 0 };
    static const clean_function functions[] = {
#define TL_MATH(name, FUNC, FORM, DTYPES, help) {KB_FUNC_##FUNC, FORM, DTYPES},
#include "kbsim/math.def"
#undef TL_MATH
    };
    return &functions[clean_below(plan, sizeof functions / sizeof functions[0])];
}

uint32_t clean_any_dtype(clean_plan *plan, bool is_float) {
    return (uint32_t)(KB_DTYPE_F16 + clean_below(plan, is_float ? 3 : 5));
}

double clean_any_scalar(clean_plan *plan, uint32_t dtype) {
    const double whole = (double)random_between(&plan->random, -9, 9);
    return dtype == KB_DTYPE_I8 || dtype == KB_DTYPE_I32 || clean_once_in(plan, 2) ? whole : whole / 8 + 0.1;
}

/* --- operands -------------------------------------------------------------------------------- */

typedef struct drawing {
    clean_plan *plan;
    uint32_t rank, engine;
    bool is_near;
    clean_call call; /* what it will be */
} drawing;

static clean_want want_of(const drawing *d, uint32_t dtype) {
    return (clean_want){.rank = d->rank, .stream = d->rank, .dtype = dtype, .is_near = d->is_near};
}

static bool find_any(drawing *d, clean_want want) {
    return clean_find(d->plan, &want, d->engine, &d->call.views[d->call.count]) && ++d->call.count > 0;
}

static void set_shape(clean_want *want, uint32_t dims, const uint64_t *shape) {
    want->has_shape = true;
    want->dims = dims;
    memcpy(want->shape, shape, dims * sizeof shape[0]);
}

/* An operand of that shape: the result itself, another tensor, or scratch that is filled for it. */
static bool find_like(drawing *d, uint32_t dtype, uint32_t dims, const uint64_t *shape) {
    clean_want want = want_of(d, dtype);
    clean_view *view = &d->call.views[d->call.count];
    set_shape(&want, dims, shape);
    if (d->call.count > 0 && d->call.views[0].dtype == dtype && clean_once_in(d->plan, 5) &&
        d->call.views[0].dims == dims && memcmp(d->call.views[0].shape, shape, dims * sizeof shape[0]) == 0 &&
        clean_admit(d->plan, &want, d->engine, &d->call.views[0])) {
        *view = d->call.views[0];
    } else if (!clean_find(d->plan, &want, d->engine, view)) {
        *view = clean_filled(d->plan, d->rank, dtype, dims, shape);
        if (!clean_admit(d->plan, &want, d->engine, view))
            return false;
    }
    d->call.count++;
    return true;
}

/* The result: a tensor, or fresh scratch. */
static bool find_out(drawing *d, uint32_t dtype, uint32_t dims, const uint64_t *shape) {
    clean_want want = want_of(d, dtype);
    want.writes = true;
    set_shape(&want, dims, shape);
    if (find_any(d, want))
        return true;
    d->call.views[d->call.count++] = clean_scratch(d->plan, d->rank, dtype, dims, shape);
    return true;
}

/* What is moved in pieces must not write into what it still reads. */
static bool is_tangled(const drawing *d) {
    bool tangled = false;
    for (uint32_t i = 1; i < d->call.count && !d->is_near; i++)
        tangled = tangled || (d->call.views[i].tensor == d->call.views[0].tensor &&
                              !clean_same_place(&d->call.views[i], &d->call.views[0]));
    return tangled;
}

static bool finish(drawing *d) {
    const bool writes = d->call.kind != CLEAN_PEEK;
    if (is_tangled(d) || (writes && !clean_still_admitted(d->plan, &d->call, d->rank, d->engine)))
        return false;
    clean_call *call = clean_add_call(d->plan, d->rank, d->call.kind);
    const uint32_t number = call->number;
    *call = d->call;
    call->number = number;
    clean_do(d->plan, call, d->rank, d->engine);
    return true;
}

static drawing begin(clean_plan *plan, uint32_t rank, clean_call_kind kind, uint32_t engine) {
    const bool is_near = !clean_once_in(plan, 4);
    return (drawing){.plan = plan,
                     .rank = rank,
                     .engine = is_near ? engine : CLEAN_ENGINE_NONE,
                     .is_near = is_near,
                     .call = {.kind = kind, .is_async = is_near && !clean_once_in(plan, 3)}};
}

/* --- math ------------------------------------------------------------------------------------ */

static uint32_t sum_dtype(clean_plan *plan, uint32_t dtype) {
    if (!clean_once_in(plan, 2))
        return dtype;
    return dtype == KB_DTYPE_I8 || dtype == KB_DTYPE_I32 ? KB_DTYPE_I32 : KB_DTYPE_F32;
}

/* out = function of the rows of in; the reduced axis goes, or is kept as 1. */
static bool reduction(drawing *d, uint32_t dtype) {
    clean_view in;
    clean_want want = want_of(d, dtype);
    if (!clean_find(d->plan, &want, d->engine, &in) || in.dims == 0)
        return false;
    const uint32_t out = sum_dtype(d->plan, dtype);
    uint64_t shape[KB_DIMS_MAX];
    memcpy(shape, in.shape, sizeof shape);
    shape[in.dims - 1] = 1;
    if (!find_out(d, out, clean_once_in(d->plan, 3) ? in.dims : in.dims - 1, shape))
        return false;
    d->call.views[d->call.count++] = in;
    return clean_admit(d->plan, &want, d->engine, &in);
}

static bool elementwise(drawing *d, const clean_function *f, uint32_t dtype) {
    static const uint32_t inputs[] = {
        [UNARY] = 1, [BINARY] = 2, [TERNARY] = 3, [SCALAR] = 1, [CAST] = 1, [ROWS] = 1};
    clean_want want = want_of(d, dtype);
    want.writes = true;
    const uint64_t shape[] = {d->plan->extents[clean_below(d->plan, CLEAN_EXTENTS)],
                              d->plan->extents[clean_below(d->plan, CLEAN_EXTENTS)]};
    if (!find_any(d, want))
        d->call.views[d->call.count++] =
            clean_scratch(d->plan, d->rank, dtype, 1 + (uint32_t)clean_below(d->plan, 2), shape);
    const clean_view out = d->call.views[0];
    for (uint32_t i = 0; i < inputs[f->form]; i++) {
        const uint32_t in = f->form == CAST ? clean_any_dtype(d->plan, false) : dtype;
        if (!find_like(d, in, out.dims, out.shape))
            return false;
    }
    return f->form != ROWS || out.dims > 0;
}

/* One that a tensor of the rank has, or any. */
static uint32_t dtype_at_hand(clean_plan *plan, uint32_t rank, bool is_float) {
    for (int tries = 0; tries < 30 && !clean_once_in(plan, 8); tries++) {
        const clean_tensor *tensor = &plan->tensors[clean_below(plan, (uint64_t)plan->tensor_count)];
        if (tensor->is_live && tensor->rank == rank && tensor->space == KB_SPACE_TCM &&
            tensor->dtype <= (is_float ? KB_DTYPE_F32 : KB_DTYPE_I32))
            return tensor->dtype;
    }
    return clean_any_dtype(plan, is_float);
}

bool clean_math(clean_plan *plan, uint32_t rank) {
    drawing d = begin(plan, rank, CLEAN_MATH, CLEAN_ENGINE_MATH);
    const clean_function *f = clean_any_function(plan);
    const uint32_t dtype = dtype_at_hand(plan, rank, f->is_for_floats);
    d.call.func = f->func;
    d.call.value = clean_any_scalar(plan, dtype);
    d.call.uses_peek = clean_once_in(plan, 4);
    return (f->form == REDUCE ? reduction(&d, dtype) : elementwise(&d, f, dtype)) && finish(&d);
}

bool clean_dot(clean_plan *plan, uint32_t rank) {
    drawing d = begin(plan, rank, CLEAN_DOT, CLEAN_ENGINE_GEMM);
    const uint32_t in = clean_any_dtype(plan, false);
    const uint32_t out = in == KB_DTYPE_I8 || in == KB_DTYPE_I32 ? KB_DTYPE_I32 : sum_dtype(plan, in);
    const uint64_t *extents = plan->extents;
    const uint64_t m = extents[clean_below(plan, CLEAN_EXTENTS)],
                   n = extents[clean_below(plan, CLEAN_EXTENTS)],
                   k = extents[clean_below(plan, CLEAN_EXTENTS)];
    d.call.adds = clean_once_in(plan, 3);
    if (d.call.adds ? !find_like(&d, out, 2, (const uint64_t[]){m, n})
                    : !find_out(&d, out, 2, (const uint64_t[]){m, n}))
        return false;
    clean_want want = want_of(&d, out);
    want.writes = true;
    for (uint32_t axis = 0; axis < 2; axis++) /* what is added to is read, and may be repeated there */
        if (d.call.views[0].stride[axis] == 0)
            return false;
    return clean_admit(plan, &want, d.engine, &d.call.views[0]) &&
           find_like(&d, in, 2, (const uint64_t[]){m, k}) && find_like(&d, in, 2, (const uint64_t[]){k, n}) &&
           finish(&d);
}

/* --- moves ----------------------------------------------------------------------------------- */

enum { LOAD, STORE, COPY };

bool clean_move(clean_plan *plan, uint32_t rank) {
    drawing d = begin(plan, rank, CLEAN_MOVE, CLEAN_ENGINE_NONE);
    d.call.variant = (uint32_t)clean_below(plan, 3);
    clean_want want = want_of(&d, 0);
    want.any_dtype = true;
    want.writes = true;
    want.is_near = d.call.variant == LOAD;
    if (!find_any(&d, want))
        return false;
    const clean_view *out = &d.call.views[0];
    want = want_of(&d, out->dtype);
    want.is_near = d.call.variant == STORE;
    want.may_be_undefined = clean_once_in(plan, 6);
    set_shape(&want, out->dims, out->shape);
    if (!clean_find(plan, &want, d.engine, &d.call.views[d.call.count++]))
        return false;
    const bool is_direct =
        clean_is_near(plan, &d.call.views[0], rank) || clean_is_near(plan, &d.call.views[1], rank);
    d.is_near = is_direct;
    d.call.is_async = is_direct && !clean_once_in(plan, 3);
    return finish(&d);
}

bool clean_peek(clean_plan *plan, uint32_t rank) {
    int known[CLEAN_TENSORS];
    uint64_t count = 0;
    for (int i = 0; i < plan->tensor_count; i++) {
        const clean_tensor *tensor = &plan->tensors[i];
        if (tensor->is_live && tensor->is_table && tensor->is_known && tensor->rank == rank)
            known[count++] = i;
    }
    if (count == 0)
        return false;
    drawing d = {
        .plan = plan, .rank = rank, .engine = CLEAN_ENGINE_NONE, .call = {.kind = CLEAN_PEEK, .count = 1}};
    const clean_want want = {.rank = rank, .stream = rank};
    clean_view view = clean_view_of(plan, known[clean_below(plan, count)]);
    const uint64_t all = clean_count(&view), index = clean_below(plan, all);
    if (!clean_reshape(&view, 1, &all) || !clean_row(&view, index) ||
        !clean_admit(plan, &want, d.engine, &view))
        return false;
    d.call.views[0] = view;
    return finish(&d);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a kernel does with a message; see uses.h. */
#include "support/clean/uses.h"

#include <string.h>

#include "support/clean/works.h"

typedef struct using {
    clean_plan *plan;
    const clean_message *message;
    int number;
    uint32_t rank, engine;
    bool is_near, is_long;
    clean_call call; /* what it will be */
}
using;

static bool is_all_defined(const clean_message *message) {
    for (uint64_t i = 0; i < message->elements; i++)
        if (!clean_has(message->defined, i))
            return false;
    return true;
}

/* Its elements, in the shape in which they were sent, or in a row. */
static void set_shape(const using *u, clean_want *want) {
    want->has_shape = true;
    want->dims = 1;
    want->shape[0] = u->message->elements;
    if (u->message->dims == 0 || clean_once_in(u->plan, 2))
        return;
    want->dims = u->message->dims;
    memcpy(want->shape, u->message->shape, sizeof want->shape);
}

static clean_want want_of(const using *u) {
    return (clean_want){.rank = u->rank,
                        .stream = u->rank,
                        .dtype = u->message->dtype,
                        .is_near = u->is_near,
                        .is_whole = u->is_long};
}

static bool find(using *u, const clean_want *want) {
    return clean_find(u->plan, want, u->engine, &u->call.views[u->call.count]) && ++u->call.count > 0;
}

/* A result of that shape: a tensor or, near, fresh scratch. */
static bool find_out(using *u, clean_want want) {
    want.writes = true;
    if (find(u, &want))
        return true;
    if (u->is_near)
        u->call.views[u->call.count++] = clean_scratch(u->plan, u->rank, want.dtype, want.dims, want.shape);
    return u->is_near;
}

/* --- what is done ---------------------------------------------------------------------------- */

/* Copied, or worked on alone or with another tensor of its shape. */
static bool elementwise(using *u, const clean_function *f, bool works) {
    clean_want want = want_of(u);
    clean_view *message;
    u->call.kind = works ? CLEAN_MATH : CLEAN_MOVE;
    u->call.variant = 2;
    u->call.func = f->func;
    u->call.value = clean_any_scalar(u->plan, u->message->dtype);
    set_shape(u, &want);
    if (!find_out(u, want))
        return false;
    message = &u->call.views[u->call.count++];
    *message = clean_view_of_message(u->plan, u->number);
    if (want.dims != 1 && clean_once_in(u->plan, 2))
        (void)clean_reshape(message, want.dims, want.shape);
    return !works || f->form != BINARY || find(u, &want);
}

/* One number a row of it. */
static bool reduction(using *u, const clean_function *f) {
    clean_want want = want_of(u);
    u->call.kind = CLEAN_MATH;
    u->call.func = f->func;
    set_shape(u, &want);
    clean_view message = clean_view_of_message(u->plan, u->number);
    if (!clean_reshape(&message, want.dims, want.shape))
        return false;
    want.dims--;
    if (!find_out(u, want))
        return false;
    u->call.views[u->call.count++] = message;
    return true;
}

/* out = message times b, where it was sent as a matrix. */
static bool product(using *u) {
    const bool is_integer = u->message->dtype == KB_DTYPE_I8 || u->message->dtype == KB_DTYPE_I32;
    const uint64_t n = u->plan->extents[clean_below(u->plan, CLEAN_EXTENTS)];
    clean_want want = want_of(u);
    clean_view message = clean_view_of_message(u->plan, u->number);
    const uint64_t *shape = u->message->shape;
    if (u->message->dims != 2 || shape[0] * n > CLEAN_ELEMENTS || shape[1] * n > CLEAN_ELEMENTS ||
        !clean_reshape(&message, 2, u->message->shape))
        return false;
    u->call.kind = CLEAN_DOT;
    want.has_shape = true;
    want.dims = 2;
    want.shape[0] = u->message->shape[0];
    want.shape[1] = n;
    want.dtype = is_integer ? KB_DTYPE_I32 : u->message->dtype;
    if (!find_out(u, want))
        return false;
    u->call.views[u->call.count++] = message;
    u->call.views[u->call.count++] =
        clean_filled(u->plan, u->rank, u->message->dtype, 2, (const uint64_t[]){u->message->shape[1], n});
    want = want_of(u);
    return clean_admit(u->plan, &want, u->engine, &u->call.views[2]);
}

/* --- whether it can be ----------------------------------------------------------------------- */

/* What was drawn meanwhile may have used it up, or touched what was found. */
static bool is_sound(const using *u) {
    const clean_view *out = &u->call.views[0];
    for (uint32_t i = 1; i < u->call.count && !u->is_near; i++)
        if (u->call.views[i].tensor == out->tensor && !clean_same_place(&u->call.views[i], out))
            return false;
    const bool is_there = u->message->state == CLEAN_OPEN ||
                          (u->message->state == CLEAN_SENT &&
                           clean_receivable(u->plan, &u->plan->queues[u->message->queue]) == u->number);
    return is_there && clean_still_admitted(u->plan, &u->call, u->rank, u->engine);
}

static bool is_for(const using *u, const clean_function *f) {
    const bool is_float = u->message->dtype <= KB_DTYPE_F32;
    return u->message->dtype <= KB_DTYPE_I32 && (is_float || !f->is_for_floats) && is_all_defined(u->message);
}

bool clean_use_once(clean_plan *plan, int number) {
    const clean_function *f = clean_any_function(plan);
    if (plan->messages[number].elements == 0)
        return false;
    using u = {.plan = plan,
               .message = &plan->messages[number],
               .number = number,
               .rank = plan->queues[plan->messages[number].queue].to,
               .engine = CLEAN_ENGINE_NONE,
               .is_near = !clean_once_in(plan, 4),
               .is_long = plan->messages[number].slots > 1};
    const bool may_work = is_for(&u, f), is_short = may_work && !u.is_long;
    const bool multiplies = is_short && clean_once_in(plan, 6), reduces = is_short && f->form == REDUCE;
    const bool works = may_work && (f->form == BINARY || f->form == UNARY || f->form == SCALAR);
    if (u.is_near && is_short && (multiplies || reduces || works))
        u.engine = multiplies ? CLEAN_ENGINE_GEMM : CLEAN_ENGINE_MATH;
    const bool drawn = multiplies ? product(&u) : reduces ? reduction(&u, f) : elementwise(&u, f, works);
    if (!drawn || !is_sound(&u))
        return false;
    u.call.is_async = u.is_near && !u.is_long && clean_once_in(plan, 2);
    clean_use(plan, &u.call, number, u.engine);
    return true;
}

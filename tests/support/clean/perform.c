/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performing the calls of a program that was drawn; see perform.h.
 *
 * A rank's calls name tensors of ranks whose hosts have not made them yet. So the program is recorded twice:
 * first with its tensors and queues alone, which says where all of them lie, and then as a whole.
 */
#include "support/clean/perform.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct performance {
    const clean_plan *plan;
    bool is_rehearsal;
    bool differs;                      /* a view is not the one that was drawn; after a mistake none is */
    const clean_call *at[CLEAN_RANKS]; /* the rank's next call */
    double peeked[CLEAN_RANKS];
    tl_view tensors[CLEAN_TENSORS], messages[CLEAN_MESSAGES];
    tl_token tokens[CLEAN_OPS], flights[CLEAN_RANKS][CLEAN_LAUNCHES];
} performance;

/* Who calls: a host or a kernel. */
typedef struct caller {
    tl_stream *stream;
    uint32_t rank;
    performance *it;
} caller;

/* --- views ----------------------------------------------------------------------------------- */

/* What the library makes of a view is what the plan thinks of it. */
static void check_view(const caller *c, const clean_view *drawn, const tl_view *made) {
    const tl_view *tensor = &c->it->tensors[drawn->tensor];
    bool same =
        made->dims == drawn->dims &&
        made->offset_bytes == tensor->offset_bytes + (uint64_t)drawn->first * kb_dtype_size(drawn->dtype);
    for (uint32_t axis = 0; same && axis < made->dims; axis++)
        same = made->shape[axis] == drawn->shape[axis] &&
               (made->shape[axis] == 1 || made->elements == 0 || made->stride[axis] == drawn->stride[axis]);
    c->it->differs = c->it->differs || !same;
}

static tl_view view_of(const caller *c, const clean_view *drawn) {
    const bool is_message = drawn->message != CLEAN_NONE;
    tl_view view = is_message ? c->it->messages[drawn->message] : c->it->tensors[drawn->tensor];
    for (uint32_t i = 0; i < drawn->step_count; i++) {
        const clean_step *step = &drawn->steps[i];
        switch (step->way) {
        case CLEAN_SLICE:
            view = step->axis == 0 ? tl_slice(c, view, step->first, step->count)
                                   : tl_slice_axis(c, view, step->axis, step->first, step->count);
            break;
        case CLEAN_ROW: view = tl_row(c, view, step->first); break;
        case CLEAN_RESHAPE: view = tl_reshape_at(c->stream, view, step->shape, TL_HERE); break;
        case CLEAN_TRANSPOSE: view = tl_transpose(c, view); break;
        case CLEAN_BROADCAST: view = tl_broadcast_at(c->stream, view, step->shape, TL_HERE); break;
        }
    }
    if (!is_message)
        check_view(c, drawn, &view);
    return view;
}

/* --- hosts ----------------------------------------------------------------------------------- */

static void perform_tensor(caller *c, const clean_call *call) {
    const clean_tensor *tensor = &c->it->plan->tensors[call->tensor];
    tl_shape shape = {.dims = tensor->dims};
    memcpy(shape.of, tensor->shape, sizeof shape.of);
    const kb_contents contents = {tensor->dtype, tensor->recipe, tensor->low, tensor->high, tensor->bytes};
    c->it->tensors[call->tensor] =
        kb_tensor_at(c->stream, tensor->name, tensor->space, shape, &contents, TL_HERE);
}

static void perform_free(caller *c, const clean_call *call) {
    kb_free(c, c->it->tensors[call->tensor]);
}

static void perform_host_write(caller *c, const clean_call *call) {
    const tl_view view = view_of(c, &call->views[0]);
    kb_host_write(c, view, call->bytes, view.elements * kb_dtype_size(view.dtype));
}

static void perform_host_read(caller *c, const clean_call *call) {
    kb_host_read(c, view_of(c, &call->views[0]));
}

static void perform_host_barrier(caller *c, const clean_call *call) {
    (void)call;
    kb_barrier(c);
}

static void perform_all_reduce(caller *c, const clean_call *call) {
    kb_all_reduce(c, view_of(c, &call->views[0]), call->variant, call->word);
}

/* --- kernels --------------------------------------------------------------------------------- */

static void perform_scratch(caller *c, const clean_call *call) {
    const clean_tensor *tensor = &c->it->plan->tensors[call->tensor];
    tl_shape shape = {.dims = tensor->dims};
    memcpy(shape.of, tensor->shape, sizeof shape.of);
    c->it->tensors[call->tensor] = tl_scratch_at(c->stream, tensor->dtype, shape, TL_HERE);
}

static void perform_scope_begin(caller *c, const clean_call *call) {
    (void)call;
    tl_scope_begin(c);
}

static void perform_scope_end(caller *c, const clean_call *call) {
    (void)call;
    tl_scope_end(c);
}

static void keep(caller *c, const clean_call *call, tl_token token) {
    c->it->tokens[call->op] = token;
}

static void perform_move(caller *c, const clean_call *call) {
    const tl_view into = view_of(c, &call->views[0]), from = view_of(c, &call->views[1]);
    switch (call->variant + 3 * call->is_async) {
    case 0: tl_load(c, into, from); break;
    case 1: tl_store(c, into, from); break;
    case 2: tl_copy(c, into, from); break;
    case 3: keep(c, call, tl_load_async(c, into, from)); break;
    case 4: keep(c, call, tl_store_async(c, into, from)); break;
    default: keep(c, call, tl_copy_async(c, into, from)); break;
    }
}

/* A scalar that a kernel saw: what any dtype holds of it. */
static double scalar_of(const caller *c, const clean_call *call) {
    const double seen = c->it->peeked[c->rank];
    return call->uses_peek && seen >= -100 && seen <= 100 ? floor(seen) : call->value;
}

static void perform_math(caller *c, const clean_call *call) {
    tl_view in[CLEAN_OPERANDS];
    for (uint32_t i = 1; i < call->count; i++)
        in[i - 1] = view_of(c, &call->views[i]);
    const tl_view out = view_of(c, &call->views[0]);
    if (call->is_async)
        keep(c, call,
             tl_math_async_at(c->stream, call->func, out, in, call->count - 1, scalar_of(c, call), TL_HERE));
    else
        tl_math_at(c->stream, call->func, out, in, call->count - 1, scalar_of(c, call), TL_HERE);
}

static void perform_dot(caller *c, const clean_call *call) {
    const tl_view out = view_of(c, &call->views[0]), a = view_of(c, &call->views[1]),
                  b = view_of(c, &call->views[2]);
    if (call->is_async)
        keep(c, call, tl_dot_async_at(c->stream, out, a, b, call->adds, TL_HERE));
    else
        tl_dot_at(c->stream, out, a, b, call->adds, TL_HERE);
}

static tl_queue queue_of(caller *c, const clean_call *call) {
    const clean_queue *queue = &c->it->plan->queues[call->queue];
    return queue->from == c->rank ? tl_queue_to_on(c, queue->to, queue->channel)
                                  : tl_queue_from_on(c, queue->from, queue->channel);
}

static void perform_send(caller *c, const clean_call *call) {
    const tl_queue queue = queue_of(c, call);
    if (c->it->is_rehearsal)
        return;
    if (call->is_async)
        keep(c, call, tl_send_async(c, queue, view_of(c, &call->views[0])));
    else
        tl_send(c, queue, view_of(c, &call->views[0]));
}

static void perform_recv(caller *c, const clean_call *call) {
    const tl_queue queue = queue_of(c, call);
    if (!c->it->is_rehearsal)
        c->it->messages[call->message] = tl_recv(c, queue);
}

static void perform_release(caller *c, const clean_call *call) {
    tl_release(c, queue_of(c, call));
}

static void perform_wait(caller *c, const clean_call *call) {
    tl_wait(c, c->it->tokens[call->op]);
}

static void perform_wait_sent(caller *c, const clean_call *call) {
    tl_wait_sent(c, c->it->tokens[call->op]);
}

static void perform_wait_all(caller *c, const clean_call *call) {
    (void)call;
    tl_wait_all(c);
}

static void perform_fence(caller *c, const clean_call *call) {
    (void)call;
    tl_fence(c);
}

/* Returns how many they are. */
static uint32_t list_members(const caller *c, const clean_call *call, uint32_t ret_ranks[CLEAN_RANKS]) {
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < c->it->plan->ranks; rank++)
        if ((call->members >> rank & 1) != 0)
            ret_ranks[count++] = rank;
    return count;
}

static void perform_barrier(caller *c, const clean_call *call) {
    uint32_t ranks[CLEAN_RANKS];
    const uint32_t count = list_members(c, call, ranks);
    if (count == c->it->plan->ranks)
        tl_barrier(c);
    else
        tl_barrier_of(c, tl_group_of(c, ranks, count));
}

static void perform_peek(caller *c, const clean_call *call) {
    c->it->peeked[c->rank] = tl_peek(c, view_of(c, &call->views[0]), 0);
}

static void perform_step(caller *c, const clean_call *call) {
    tl_step(c, call->word, call->variant);
}

/* --- one after another ----------------------------------------------------------------------- */

static void perform_launch(caller *c, const clean_call *call);
static void perform_wait_launch(caller *c, const clean_call *call);
static void perform_wait_launches(caller *c, const clean_call *call);
static void perform_end(caller *c, const clean_call *call);

static void (*const perform[CLEAN_CALLS])(caller *, const clean_call *) = {
#define CLEAN_CALL(name, NAME, WHERE) perform_##name,
#include "support/clean/calls.def"
#undef CLEAN_CALL
};

/* What a rehearsal does: what takes memory that tensors could take. */
static bool is_rehearsed(clean_call_kind kind) {
    return kind == CLEAN_TENSOR || kind == CLEAN_FREE || kind == CLEAN_LAUNCH || kind == CLEAN_ALL_REDUCE ||
           kind == CLEAN_WAIT_LAUNCH || kind == CLEAN_WAIT_LAUNCHES || kind == CLEAN_SEND ||
           kind == CLEAN_RECV;
}

/* Up to the end of the program, or of the kernel. */
static void perform_all(caller *c) {
    performance *it = c->it;
    while (it->at[c->rank] != NULL) {
        const clean_call *call = it->at[c->rank];
        it->at[c->rank] = call->next;
        if (call->kind == CLEAN_END)
            return;
        if (!call->is_left_out && (!it->is_rehearsal || is_rehearsed(call->kind)))
            perform[call->kind](c, call);
    }
}

static void kernel(tl_kernel *k) {
    caller c = {k->stream, k->rank, *(performance *const *)k->args};
    if (c.it->is_rehearsal)
        tl_fence(&c); /* a program that does nothing is refused */
    perform_all(&c);
}

static void other_kernel(tl_kernel *k) {
    kernel(k);
}

static void perform_launch(caller *c, const clean_call *call) {
    uint32_t ranks[CLEAN_RANKS];
    const uint32_t count = list_members(c, call, ranks);
    const tl_group group = kb_group_of(c, ranks, count);
    c->it->flights[c->rank][call->launch] =
        kb_launch_at(c->stream, count < c->it->plan->ranks ? &group : NULL, call->is_async,
                     call->variant == 0 ? "kernel" : "other_kernel",
                     call->variant == 0 ? kernel : other_kernel, &c->it, sizeof c->it, TL_HERE);
}

static void perform_wait_launch(caller *c, const clean_call *call) {
    kb_wait(c, c->it->flights[c->rank][call->launch]);
}

static void perform_wait_launches(caller *c, const clean_call *call) {
    (void)call;
    kb_wait_all(c);
}

static void perform_end(caller *c, const clean_call *call) {
    (void)c;
    (void)call;
}

static void host(kb_host *h, void *context) {
    caller c = {h->stream, h->rank, context};
    perform_all(&c);
}

/* --- runs ------------------------------------------------------------------------------------ */

/* What lint finds undefined: the caller of a program knows whether it may. */
static void say(void *context, kb_log_level level, const char *area, const char *text) {
    (void)context, (void)level;
    if (strcmp(area, "lint") == 0 && strstr(text, "that nothing has written") != NULL)
        fprintf(stderr, "lint: %s\n", text);
}

static kb_status run_once(performance *it, kbs_machine *machine, const kbs_run_options *like,
                          bool is_rehearsal, kbs_result *ret_result, kb_trail *trail) {
    kbs_run_options options = *like;
    options.machine = machine;
    options.host_context = it;
    options.path = is_rehearsal ? "/dev/null" : like->path;
    options.log = is_rehearsal ? NULL : like->log;
    it->is_rehearsal = is_rehearsal;
    memcpy(it->at, it->plan->first, sizeof it->at);
    return kbs_run(&options, ret_result, trail);
}

static kb_status run_twice(performance *it, kbs_machine *machine, const kbs_run_options *options,
                           kbs_result *ret_result, kb_trail *trail) {
    kbs_result rehearsed;
    KB_TRY(run_once(it, machine, options, true, &rehearsed, trail));
    kbs_result_fini(&rehearsed);
    return run_once(it, machine, options, false, ret_result, trail);
}

kb_status clean_run(const clean_plan *plan, const char *path, uint64_t shuffle, unsigned threads,
                    kbs_result *ret_result, kb_trail *trail) {
    performance *it = calloc(1, sizeof *it);
    char text[2048];
    if (it == NULL)
        abort();
    it->plan = plan;
    const kb_log log = {say, NULL, KB_LOG_WARNING};
    const kbs_run_options options = {.bench = "random",
                                     .log = &log,
                                     .host = host,
                                     .ranks = plan->ranks,
                                     .seed = plan->seed,
                                     .path = path,
                                     .threads = threads,
                                     .shuffle = shuffle};
    kbs_machine machine = plan->machine;
    kb_status status = run_twice(it, &machine, &options, ret_result, trail);
    while (status != KB_OK && machine.at.scratch_bytes < (UINT64_C(1) << 22) &&
           strstr(kb_trail_text(trail, text, sizeof text), "no room in scratch") != NULL) {
        machine.at.scratch_bytes *= 2;
        kb_trail_init(trail);
        it->differs = false;
        status = run_twice(it, &machine, &options, ret_result, trail);
    }
    if (status == KB_OK && it->differs) {
        kbs_result_fini(ret_result);
        status = kb_fail(trail, KB_E_PROGRAM, "a view that the library made is not the one that was drawn");
    }
    free(it);
    return status;
}

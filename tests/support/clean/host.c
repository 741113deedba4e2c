/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts do in a program that is being drawn; see host.h. */
#include "support/clean/host.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "support/clean/messages.h"
#include "support/clean/waits.h"
#include "support/clean/works.h"

/* --- tensors --------------------------------------------------------------------------------- */

static uint64_t any_extent(clean_plan *plan) {
    const uint64_t extent = plan->extents[clean_below(plan, CLEAN_EXTENTS)];
    return clean_once_in(plan, 6) ? 1 : clean_once_in(plan, 4) ? extent + clean_below(plan, 9) : extent;
}

static void draw_shape(clean_plan *plan, clean_tensor *tensor) {
    static const uint32_t dims[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 0};
    do {
        tensor->dims = dims[clean_below(plan, sizeof dims / sizeof dims[0])];
        tensor->elements = 1;
        for (uint32_t axis = 0; axis < tensor->dims; axis++)
            tensor->elements *= tensor->shape[axis] =
                any_extent(plan) * (tensor->dims == 1 ? any_extent(plan) : 1);
    } while (tensor->elements > CLEAN_ELEMENTS);
}

/* Bytes that are numbers of a dtype, or anything. */
static const void *any_bytes(clean_plan *plan, uint64_t size_bytes) {
    uint8_t *bytes = clean_new(plan, size_bytes + 1);
    if (clean_once_in(plan, 2))
        random_bytes(&plan->random, bytes, size_bytes);
    else
        for (uint64_t i = 0; i < size_bytes; i++)
            bytes[i] = (uint8_t)clean_below(plan, 5);
    return bytes;
}

static void draw_contents(clean_plan *plan, clean_tensor *tensor) {
    static const uint32_t recipes[] = {0,
                                       0,
                                       KB_RECIPE_ZEROS,
                                       KB_RECIPE_CONSTANT,
                                       KB_RECIPE_IOTA,
                                       KB_RECIPE_INTS,
                                       KB_RECIPE_INTS,
                                       KB_RECIPE_UNIFORM,
                                       KB_RECIPE_BYTES};
    const bool is_float = tensor->dtype <= KB_DTYPE_F32;
    tensor->recipe = recipes[clean_below(plan, sizeof recipes / sizeof recipes[0])];
    if (tensor->dtype == KB_DTYPE_BYTES && tensor->recipe != 0)
        tensor->recipe = clean_once_in(plan, 2) ? KB_RECIPE_ZEROS : KB_RECIPE_BYTES;
    if (tensor->recipe == KB_RECIPE_UNIFORM && !is_float)
        tensor->recipe = KB_RECIPE_INTS;
    tensor->low = (double)random_between(&plan->random, -9, 9);
    tensor->high = tensor->low + (double)clean_below(plan, 12);
    if (tensor->recipe ==
        KB_RECIPE_IOTA) /* low is where it begins, high how it goes on: no more than i8 holds */
        tensor->high = tensor->elements < 100 ? 1 : is_float ? 0.25 : 0;
    if (tensor->recipe == KB_RECIPE_CONSTANT && is_float)
        tensor->low += 0.3;
    if (tensor->recipe == KB_RECIPE_BYTES)
        tensor->bytes = any_bytes(plan, tensor->elements * kb_dtype_size(tensor->dtype));
}

/* It is there before the run begins, but for what is undefined: that begins with an op. */
static int add_tensor(clean_plan *plan, uint32_t rank, const clean_tensor *drawn) {
    assert(plan->tensor_count < CLEAN_TENSORS);
    const int number = plan->tensor_count++;
    const uint32_t host = clean_host_of(plan, rank);
    clean_tensor *tensor = &plan->tensors[number];
    *tensor = *drawn;
    tensor->rank = rank;
    tensor->is_live = true;
    tensor->is_known = tensor->recipe != 0 && tensor->dtype <= KB_DTYPE_I32;
    snprintf(tensor->name, sizeof tensor->name, "t%d", number);
    tensor->defined = clean_new(plan, CLEAN_MASK_WORDS * sizeof(uint64_t));
    clean_add_call(plan, rank, CLEAN_TENSOR)->tensor = number;
    if (tensor->recipe != 0) {
        memset(tensor->defined, 0xFF, CLEAN_MASK_WORDS * sizeof(uint64_t));
        return number;
    }
    clean_consider(plan, host, CLEAN_ENGINE_NONE);
    const int op = clean_issue(plan, host, CLEAN_ENGINE_NONE);
    uint64_t mask[CLEAN_MASK_WORDS];
    const clean_view whole = clean_view_of(plan, number);
    clean_mask(&whole, mask);
    clean_touch(plan, op, tensor, mask, true);
    clean_observe(plan, host, op, true);
    return number;
}

bool clean_tensor_any(clean_plan *plan, uint32_t rank) {
    static const uint32_t spaces[] = {KB_SPACE_TCM, KB_SPACE_TCM, KB_SPACE_TCM,
                                      KB_SPACE_HBM, KB_SPACE_HBM, KB_SPACE_SRAM};
    clean_tensor drawn = {.space = spaces[clean_below(plan, sizeof spaces / sizeof spaces[0])]};
    drawn.dtype = clean_once_in(plan, 12) ? KB_DTYPE_BYTES : clean_any_dtype(plan, clean_once_in(plan, 3));
    draw_shape(plan, &drawn);
    draw_contents(plan, &drawn);
    drawn.is_table = drawn.dtype != KB_DTYPE_BYTES && clean_once_in(plan, 5);
    add_tensor(plan, rank, &drawn);
    return true;
}

/* --- the host's own -------------------------------------------------------------------------- */

static int own_tensor(clean_plan *plan, uint32_t rank) {
    for (int tries = 0; tries < 20; tries++) {
        const int number = (int)clean_below(plan, (uint64_t)plan->tensor_count);
        const clean_tensor *tensor = &plan->tensors[number];
        if (tensor->is_live && tensor->rank == rank && tensor->scope == 0)
            return number;
    }
    return CLEAN_NONE;
}

/* An op of the host on a part of a tensor, or on all of it, if it may be touched. */
static clean_call *touch(clean_plan *plan, uint32_t rank, clean_call_kind kind, const clean_view *view) {
    const uint32_t host = clean_host_of(plan, rank);
    const clean_want want = {
        .rank = rank, .stream = host, .writes = kind != CLEAN_HOST_READ, .is_whole = true, .any_dtype = true};
    uint64_t mask[CLEAN_MASK_WORDS];
    if (!clean_admit(plan, &want, CLEAN_ENGINE_NONE, view))
        return NULL;
    clean_mask(view, mask);
    const int op = clean_issue(plan, host, CLEAN_ENGINE_NONE);
    clean_touch(plan, op, &plan->tensors[view->tensor], mask, want.writes);
    clean_observe(plan, host, op, true);
    clean_call *call = clean_add_call(plan, rank, kind);
    call->tensor = view->tensor;
    call->count = 1;
    call->views[0] = *view;
    return call;
}

bool clean_free(clean_plan *plan, uint32_t rank) {
    const int number = own_tensor(plan, rank);
    if (number == CLEAN_NONE)
        return false;
    const clean_view whole = clean_view_of(plan, number);
    if (touch(plan, rank, CLEAN_FREE, &whole) == NULL)
        return false;
    plan->tensors[number].is_live = false;
    return true;
}

static clean_view part_of(clean_plan *plan, int number) {
    clean_view view = clean_view_of(plan, number);
    if (view.dims > 0 && view.shape[0] > 0 && clean_once_in(plan, 2)) {
        const uint64_t count = 1 + clean_below(plan, view.shape[0]);
        clean_slice(&view, 0, clean_below(plan, view.shape[0] - count + 1), count);
    }
    return view;
}

bool clean_host_write(clean_plan *plan, uint32_t rank) {
    const int number = own_tensor(plan, rank);
    if (number == CLEAN_NONE)
        return false;
    const clean_view view = part_of(plan, number);
    clean_call *call = touch(plan, rank, CLEAN_HOST_WRITE, &view);
    if (call == NULL)
        return false;
    clean_tensor *tensor = &plan->tensors[number];
    const uint64_t count = clean_count(&view);
    uint32_t list[CLEAN_ELEMENTS];
    clean_list(&view, list);
    for (uint64_t i = 0; i < count; i++)
        clean_set(tensor->defined, list[i], true);
    tensor->is_known = tensor->dtype <= KB_DTYPE_I32 && count == tensor->elements;
    call->bytes = any_bytes(plan, count * kb_dtype_size(tensor->dtype));
    return true;
}

bool clean_host_read(clean_plan *plan, uint32_t rank) {
    const int number = own_tensor(plan, rank);
    if (number == CLEAN_NONE)
        return false;
    const clean_view view = part_of(plan, number);
    return touch(plan, rank, CLEAN_HOST_READ, &view) != NULL;
}

/* --- launches -------------------------------------------------------------------------------- */

/* A PE begins when its host has come there, and all its own ops are done. */
static void begin(clean_plan *plan, uint32_t rank) {
    clean_stream *pe = &plan->streams[rank];
    clean_join(&pe->known, &plan->streams[clean_host_of(plan, rank)].known);
    clean_join(&pe->known, &pe->all);
}

static void end(clean_plan *plan, uint32_t rank) {
    clean_join(&plan->streams[clean_host_of(plan, rank)].known, &plan->streams[rank].all);
}

/* On all, or on some; and each host waits for it, or goes on. */
void clean_launch(clean_plan *plan, bool is_last) {
    const uint32_t variant = (uint32_t)clean_below(plan, 2), everybody = clean_everybody(plan);
    const uint32_t some = (uint32_t)clean_below(plan, everybody + 1);
    assert(plan->launch_count < CLEAN_LAUNCHES);
    plan->members = is_last || some == 0 || !clean_once_in(plan, 3) ? everybody : some;
    plan->goes_on = clean_once_in(plan, 2)   ? 0
                    : clean_once_in(plan, 3) ? (uint32_t)clean_below(plan, everybody + 1)
                                             : everybody;
    for (uint32_t rank = 0; rank < plan->ranks; rank++) {
        clean_call *call = clean_add_call(plan, rank, CLEAN_LAUNCH);
        call->variant = variant;
        call->launch = plan->launch_count;
        call->members = plan->members;
        call->is_async = (plan->goes_on >> rank & 1) != 0;
        if (clean_takes_part(plan, rank))
            begin(plan, rank);
    }
}

/* What is recorded behind it comes while the kernel runs. */
static void go_on(clean_plan *plan, uint32_t rank) {
    clean_flight *flight = &plan->flights[rank][plan->flight_counts[rank]++];
    *flight = (clean_flight){.number = plan->launch_count};
    if (!clean_takes_part(plan, rank))
        return;
    clean_known *done = clean_new(plan, sizeof *done);
    *done = plan->streams[rank].all;
    flight->done = done;
}

static void land(clean_plan *plan, uint32_t rank, const clean_flight *flight) {
    if (flight->done != NULL)
        clean_join(&plan->streams[clean_host_of(plan, rank)].known, flight->done);
}

void clean_wait_launches(clean_plan *plan, uint32_t rank) {
    for (uint32_t i = 0; i < plan->flight_counts[rank]; i++)
        land(plan, rank, &plan->flights[rank][i]);
    plan->flight_counts[rank] = 0;
    clean_add_call(plan, rank, CLEAN_WAIT_LAUNCHES);
}

bool clean_wait_launch(clean_plan *plan, uint32_t rank) {
    uint32_t *count = &plan->flight_counts[rank];
    if (*count == 0)
        return false;
    if (clean_once_in(plan, 5)) {
        clean_wait_launches(plan, rank);
        return true;
    }
    const uint64_t which = clean_below(plan, *count);
    const clean_flight flight = plan->flights[rank][which];
    plan->flights[rank][which] = plan->flights[rank][--*count];
    clean_add_call(plan, rank, CLEAN_WAIT_LAUNCH)->launch = flight.number;
    land(plan, rank, &flight);
    return true;
}

/* Tokens in some order, or all at one go. */
static void wait_for_rest(clean_plan *plan, uint32_t rank) {
    if (clean_once_in(plan, 3)) {
        clean_wait_all(plan, rank);
        return;
    }
    const bool backwards = clean_once_in(plan, 2);
    for (int i = 0; i < plan->op_count; i++) { /* more may come while others take messages */
        const int op = backwards ? plan->op_count - 1 - i : i;
        if (plan->ops[op].stream == rank && plan->ops[op].is_awaitable)
            clean_wait(plan, op, clean_once_in(plan, 2));
    }
}

/*
 * A launch in which a rank does nothing says nothing of those before it, which its host may not have waited
 * for: there is a fence.
 */
static void end_kernel(clean_plan *plan, uint32_t rank) {
    const bool goes_on = (plan->goes_on >> rank & 1) != 0;
    if (clean_takes_part(plan, rank)) {
        clean_end_scratch(plan, rank);
        clean_wait_all(plan, rank);
        if (goes_on || plan->flight_counts[rank] > 0)
            clean_fence(plan, rank);
        clean_add_call(plan, rank, CLEAN_END);
    }
    if (goes_on)
        go_on(plan, rank);
    else if (clean_takes_part(plan, rank))
        end(plan, rank);
}

void clean_end(clean_plan *plan, bool is_last) {
    const bool all = is_last || clean_once_in(plan, 3);
    clean_use_up(plan, all);
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        if (clean_takes_part(plan, rank))
            wait_for_rest(plan, rank);
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        if (clean_takes_part(plan, rank))
            clean_give_credits(plan, rank); /* a launch ends when all that it sent has arrived */
    clean_use_up(plan, false);
    for (uint32_t rank = 0; rank < plan->ranks; rank++)
        end_kernel(plan, rank);
    plan->launch_count++;
    plan->members = clean_everybody(plan);
}

/* --- collectives ----------------------------------------------------------------------------- */

/* What a rank reduces: a tensor that is there, or a new one of integers. */
static clean_view buffer_of(clean_plan *plan, uint32_t rank, bool is_near, uint32_t dtype,
                            uint64_t elements) {
    const clean_want reads = {.rank = rank,
                              .stream = rank,
                              .dtype = dtype,
                              .is_near = is_near,
                              .is_whole = true,
                              .has_shape = true,
                              .dims = 1,
                              .shape = {elements}};
    clean_want writes = reads;
    writes.writes = true;
    clean_view view;
    if (elements > 0 && clean_once_in(plan, 2) && clean_find(plan, &reads, CLEAN_ENGINE_NONE, &view) &&
        plan->tensors[view.tensor].rank == rank && clean_admit(plan, &writes, CLEAN_ENGINE_NONE, &view) &&
        clean_is_near(plan, &view, rank) == is_near)
        return view;
    const clean_tensor fresh = {.space = is_near                  ? KB_SPACE_TCM
                                         : clean_once_in(plan, 2) ? KB_SPACE_HBM
                                                                  : KB_SPACE_SRAM,
                                .dtype = dtype,
                                .recipe = KB_RECIPE_INTS,
                                .dims = 1,
                                .shape = {elements},
                                .elements = elements,
                                .low = -3,
                                .high = 4};
    return clean_view_of(plan, add_tensor(plan, rank, &fresh));
}

void clean_all_reduce(clean_plan *plan) {
    static const char *const algorithms[] = {"ring", "direct", "tree"};
    const char *algorithm = algorithms[clean_below(plan, 3)];
    const uint32_t dtype = clean_any_dtype(plan, false);
    const uint64_t elements = clean_once_in(plan, 20) ? 0 : 1 + clean_below(plan, 300);
    const bool is_near = clean_once_in(plan, 2), was_settling = plan->is_settling;
    const uint32_t reduce = (uint32_t)(KB_REDUCE_SUM + clean_below(plan, 4));
    clean_view views[CLEAN_RANKS];
    plan->is_settling = true; /* nothing may be called in between */
    for (uint32_t rank = 0; rank < plan->ranks; rank++) {
        begin(plan, rank);
        views[rank] = buffer_of(plan, rank, is_near, dtype, elements);
    }
    for (uint32_t rank = 0; rank < plan->ranks; rank++) {
        clean_call *call = clean_add_call(plan, rank, CLEAN_ALL_REDUCE);
        call->word = algorithm;
        call->variant = reduce;
        call->count = 1;
        call->views[0] = views[rank];
        clean_do(plan, call, rank, CLEAN_ENGINE_NONE);
        end(plan, rank);
    }
    plan->cost +=
        plan->ranks * plan->ranks * 10 + elements / plan->machine.at.ipcq_slot_bytes * plan->ranks * 20;
    plan->is_settling = was_settling;
}

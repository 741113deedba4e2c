/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch of kernels that are being drawn; see works.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "support/clean/waits.h"
#include "support/clean/works.h"

clean_view clean_scratch(clean_plan *plan, uint32_t rank, uint32_t dtype, uint32_t dims,
                         const uint64_t *shape) {
    assert(plan->tensor_count < CLEAN_TENSORS);
    const int number = plan->tensor_count++;
    clean_tensor *tensor = &plan->tensors[number];
    *tensor = (clean_tensor){.rank = rank,
                             .space = KB_SPACE_TCM,
                             .dtype = dtype,
                             .dims = dims,
                             .elements = 1,
                             .scope = 1 + plan->streams[rank].depth,
                             .is_live = true};
    for (uint32_t axis = 0; axis < dims; axis++)
        tensor->elements *= tensor->shape[axis] = shape[axis];
    tensor->defined = clean_new(plan, CLEAN_MASK_WORDS * sizeof(uint64_t));
    clean_add_call(plan, rank, CLEAN_SCRATCH)->tensor = number;
    plan->cost += 2;
    return clean_view_of(plan, number);
}

clean_view clean_filled(clean_plan *plan, uint32_t rank, uint32_t dtype, uint32_t dims,
                        const uint64_t *shape) {
    const clean_view view = clean_scratch(plan, rank, dtype, dims, shape);
    clean_call *call = clean_add_call(plan, rank, CLEAN_MATH);
    call->func = KB_FUNC_FILL;
    call->value = clean_any_scalar(plan, dtype);
    call->is_async = clean_once_in(plan, 2);
    call->views[call->count++] = view;
    clean_do(plan, call, rank, CLEAN_ENGINE_MATH);
    return view;
}

bool clean_scope_begin(clean_plan *plan, uint32_t rank) {
    if (plan->streams[rank].depth == CLEAN_SCOPES)
        return false;
    plan->streams[rank].depth++;
    clean_add_call(plan, rank, CLEAN_SCOPE_BEGIN);
    return true;
}

/* Its room is undefined from then on. */
static void end(clean_plan *plan, uint32_t rank, uint32_t scope) {
    const clean_want want = {.rank = rank, .stream = rank, .writes = true};
    for (int i = 0; i < plan->tensor_count; i++) {
        clean_tensor *tensor = &plan->tensors[i];
        if (!tensor->is_live || tensor->rank != rank || tensor->scope != scope)
            continue;
        const clean_view whole = clean_view_of(plan, i);
        const bool admitted = clean_admit(plan, &want, CLEAN_ENGINE_NONE, &whole);
        assert(admitted); /* nobody but this stream has touched it */
        (void)admitted;
        tensor->is_live = false;
    }
}

bool clean_scope_end(clean_plan *plan, uint32_t rank) {
    if (plan->streams[rank].depth == 0)
        return false;
    end(plan, rank, 1 + plan->streams[rank].depth);
    plan->streams[rank].depth--;
    clean_add_call(plan, rank, CLEAN_SCOPE_END);
    return true;
}

void clean_end_scratch(clean_plan *plan, uint32_t rank) {
    while (clean_scope_end(plan, rank))
        continue;
    end(plan, rank, 1);
}

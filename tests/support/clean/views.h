/* SPDX-License-Identifier: Apache-2.0 */
/* Views of a program that is being drawn: making them at random, and finding ones of a given shape. */
#ifndef KB_TESTS_CLEAN_VIEWS_H
#define KB_TESTS_CLEAN_VIEWS_H

#include "support/clean/order.h"

/* What an operand must be. */
typedef struct clean_want {
    uint32_t rank, stream; /* whose kernel or host uses it */
    uint32_t dtype;        /* 0: any number */
    bool any_dtype;        /* and bytes, too */
    bool writes, is_near, is_whole, may_be_undefined;
    bool has_shape;
    uint32_t dims;
    uint64_t shape[KB_DIMS_MAX];
} clean_want;

clean_view clean_view_of(const clean_plan *plan, int tensor);
clean_view clean_view_of_message(const clean_plan *plan, int message);
uint64_t clean_count(const clean_view *view);
/* One piece of memory, in order. */
bool clean_is_row(const clean_view *view);
bool clean_same_place(const clean_view *a, const clean_view *b);

/* Where a PE's engines reach it. */
bool clean_is_near(const clean_plan *plan, const clean_view *view, uint32_t rank);

/* The elements in row-major order; returns their number. */
uint64_t clean_list(const clean_view *view, uint32_t ret[CLEAN_ELEMENTS]);
void clean_mask(const clean_view *view, uint64_t ret[CLEAN_MASK_WORDS]);

/* Makes a view of the view by one more call; false, and nothing done, where it has no such. */
bool clean_slice(clean_view *view, uint32_t axis, uint64_t first, uint64_t count);
bool clean_row(clean_view *view, uint64_t index);
bool clean_reshape(clean_view *view, uint32_t dims, const uint64_t *shape);
bool clean_transpose(clean_view *view);
bool clean_broadcast(clean_view *view, uint32_t dims, const uint64_t *shape);

/*
 * Finds an operand that may be touched by the op that is considered (order.h), after waiting for what stands
 * in its way where that helps. False where none was found.
 */
bool clean_find(clean_plan *plan, const clean_want *want, uint32_t engine, clean_view *ret);
/* The same, for one view. */
bool clean_admit(clean_plan *plan, const clean_want *want, uint32_t engine, const clean_view *view);

#endif

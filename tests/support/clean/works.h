/* SPDX-License-Identifier: Apache-2.0 */
/* What engines do in a program that is being drawn: moves, math, products; and scratch. */
#ifndef KB_TESTS_CLEAN_WORKS_H
#define KB_TESTS_CLEAN_WORKS_H

#include "support/clean/views.h"

/* Each draws one call, and those that it needs; false where nothing fits. */
bool clean_math(clean_plan *plan, uint32_t rank);
bool clean_dot(clean_plan *plan, uint32_t rank);
bool clean_move(clean_plan *plan, uint32_t rank);
bool clean_peek(clean_plan *plan, uint32_t rank);

/* Whether all that a call touches may still be touched, after what was drawn since it was admitted. */
bool clean_still_admitted(clean_plan *plan, const clean_call *call, uint32_t rank, uint32_t engine);
/* The op of a call whose operands are admitted: it is issued, and touches them. */
int clean_do(clean_plan *plan, clean_call *call, uint32_t rank, uint32_t engine);

/* --- scratch --------------------------------------------------------------------------------- */

/* A piece of it, undefined. */
clean_view clean_scratch(clean_plan *plan, uint32_t rank, uint32_t dtype, uint32_t dims,
                         const uint64_t *shape);
/* The same, filled by an op. */
clean_view clean_filled(clean_plan *plan, uint32_t rank, uint32_t dtype, uint32_t dims,
                        const uint64_t *shape);
bool clean_scope_begin(clean_plan *plan, uint32_t rank);
bool clean_scope_end(clean_plan *plan, uint32_t rank);
/* All of a kernel's, when it ends. */
void clean_end_scratch(clean_plan *plan, uint32_t rank);

/* --- functions ------------------------------------------------------------------------------- */

typedef enum clean_form { UNARY, BINARY, TERNARY, SCALAR, FILL, CAST, REDUCE, ROWS } clean_form;

typedef struct clean_function {
    uint32_t func;
    clean_form form;
    bool is_for_floats;
} clean_function;

const clean_function *clean_any_function(clean_plan *plan);
/* A scalar that a function takes on that dtype. */
double clean_any_scalar(clean_plan *plan, uint32_t dtype);
uint32_t clean_any_dtype(clean_plan *plan, bool is_float);

#endif

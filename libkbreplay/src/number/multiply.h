/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices: the portable kernels, and the widening that all kernels share. */
#ifndef KBREPLAY_SRC_MULTIPLY_H
#define KBREPLAY_SRC_MULTIPLY_H

#include "number/kernels.h"

kbr_multiply kbr_multiply_floats, kbr_multiply_integers;
/* As kbr_multiply_floats, for numbers whose products f32 holds: product and sum then round as fma does. */
kbr_multiply kbr_multiply_exact;

/* A matrix of so many rows and columns as f32 or i32; a `transposed` one lies there column by column. */
void kbr_widen(uint32_t dtype, void *wide, const uint8_t *in, size_t rows, size_t columns, bool transposed);
/* Rounds f32 once to the dtype, or cuts i32 to its size. */
void kbr_narrow(uint32_t dtype, uint8_t *out, const void *wide, size_t count);

#endif

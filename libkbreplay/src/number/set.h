/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One set of kernels: all of them and their table, for the level that KBR_LEVEL says. Included once by each
 * file kernels_*.c, which is compiled for the instructions of that level.
 */
#ifndef KBREPLAY_SRC_SET_H
#define KBREPLAY_SRC_SET_H

#include "number/draws.h"
#include "number/folds.h"
#include "number/products.h"
#include "number/sets.h"
#include "number/tallies.h"

#define ROW_FLOAT(what, NAME)                                                     \
    [KB_DTYPE_F16] = what##_##NAME##_f16, [KB_DTYPE_BF16] = what##_##NAME##_bf16, \
    [KB_DTYPE_F32] = what##_##NAME##_f32
#define ROW_INTEGER(what, NAME) [KB_DTYPE_I8] = what##_##NAME##_i8, [KB_DTYPE_I32] = what##_##NAME##_i32
#define ROW_CASTS(NAME, from, lanes_t, size) \
    .cast[KB_DTYPE_##NAME] = {ROW_FLOAT(cast, from), ROW_INTEGER(cast, from)},
#define ROW_SOFTMAX(NAME, type, lanes_t, size) .softmax[KB_DTYPE_##NAME] = softmax_##type,
#define ROW_TALLY(NAME, type, lanes_t, size)                                            \
    .whole[KB_DTYPE_##NAME] = all_whole_##type, .tally[KB_DTYPE_##NAME] = tally_##type, \
    .tallied[KB_DTYPE_##NAME] = tallied_##type, .weigh[KB_DTYPE_##NAME] = weigh_##type, \
    .doubt[KB_DTYPE_##NAME] = doubt_##type,
#define ROW_ROUND(NAME, type, lanes_t, size) .round[KB_DTYPE_##NAME] = round_##type,
#define ROW_DRAW(NAME) .draw[KB_RECIPE_##NAME] = draw_##NAME,
#define ROW_MULTIPLY(NAME, type, lanes_t, size) .multiply[KB_DTYPE_##NAME] = multiply_##type,

const kbr_kernels KBR_SET = {.name = KBR_SET_NAME,
#define KBR_FUNC(NAME, used, floats, integers) \
    .map[KB_FUNC_##NAME] = {ROW_FLOAT(map, NAME), ROW_INTEGER(map, NAME)}, .inputs[KB_FUNC_##NAME] = (used),
#define KBR_FLOAT_FUNC(NAME, used, floats) \
    .map[KB_FUNC_##NAME] = {ROW_FLOAT(map, NAME)}, .inputs[KB_FUNC_##NAME] = (used),
#define KBR_SMOOTH_FUNC(NAME, function) \
    .map[KB_FUNC_##NAME] = {ROW_FLOAT(map, NAME)}, .inputs[KB_FUNC_##NAME] = 1,
#define KBR_REDUCTION(NAME, floats, integers) \
    .reduce[KB_FUNC_##NAME] = {ROW_FLOAT(reduce, NAME), ROW_INTEGER(reduce, NAME)},
#include "number/kernels.def"
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC
#undef KBR_SMOOTH_FUNC
#undef KBR_REDUCTION
                             ALL_DTYPES(ROW_CASTS) FLOAT_DTYPES(ROW_SOFTMAX) ALL_DTYPES(ROW_MULTIPLY)
                                 FLOAT_DTYPES(ROW_TALLY) DRAWN_RECIPES(ROW_DRAW) ALL_DTYPES(ROW_ROUND)};

#endif

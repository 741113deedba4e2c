/* SPDX-License-Identifier: Apache-2.0 */
/* The portable kernels, made from kernels.def; see kernels.h. */
#include "number/kernels.h"

#include <math.h>
#include <string.h>

#include "number/elements.h"
#include "number/multiply.h"

/* --- immediates ------------------------------------------------------------------------------- */

/* An immediate is the bits of a double for floats, and two's complement for integers. */
static float scalar_float(uint64_t immediate) {
    double value;
    memcpy(&value, &immediate, sizeof value);
    return (float)value;
}

static uint32_t scalar_integer(uint64_t immediate) {
    return (uint32_t)immediate;
}

/* --- kernels ----------------------------------------------------------------------------------- */

#define UNUSED __attribute__((unused))

#define LOOP_FLOAT(NAME, used, expression, type, size)                                              \
    static void map_##NAME##_##type(uint8_t *out, const uint8_t *const *inputs, uint64_t immediate, \
                                    size_t count) {                                                 \
        float s UNUSED = scalar_float(immediate);                                                   \
        for (size_t i = 0; i < count; i++) {                                                        \
            float a UNUSED = (used) > 0 ? kbr_load_##type(inputs[0] + (size)*i) : 0.0f;             \
            float b UNUSED = (used) > 1 ? kbr_load_##type(inputs[1] + (size)*i) : 0.0f;             \
            float c UNUSED = (used) > 2 ? kbr_load_##type(inputs[2] + (size)*i) : 0.0f;             \
            kbr_store_##type(out + (size)*i, (expression));                                         \
        }                                                                                           \
    }

#define LOOP_INTEGER(NAME, used, expression, type, size)                                            \
    static void map_##NAME##_##type(uint8_t *out, const uint8_t *const *inputs, uint64_t immediate, \
                                    size_t count) {                                                 \
        uint32_t s UNUSED = scalar_integer(immediate);                                              \
        for (size_t i = 0; i < count; i++) {                                                        \
            uint32_t a UNUSED = (used) > 0 ? kbr_load_##type(inputs[0] + (size)*i) : 0;             \
            uint32_t b UNUSED = (used) > 1 ? kbr_load_##type(inputs[1] + (size)*i) : 0;             \
            uint32_t c UNUSED = (used) > 2 ? kbr_load_##type(inputs[2] + (size)*i) : 0;             \
            int32_t A UNUSED = (int32_t)a, B UNUSED = (int32_t)b;                                   \
            kbr_store_##type(out + (size)*i, (expression));                                         \
        }                                                                                           \
    }

#define LOOPS_FLOAT(NAME, used, expression)      \
    LOOP_FLOAT(NAME, used, expression, f16, 2u)  \
    LOOP_FLOAT(NAME, used, expression, bf16, 2u) \
    LOOP_FLOAT(NAME, used, expression, f32, 4u)

#define KBR_FUNC(NAME, used, floats, integers) \
    LOOPS_FLOAT(NAME, used, floats)            \
    LOOP_INTEGER(NAME, used, integers, i8, 1u) \
    LOOP_INTEGER(NAME, used, integers, i32, 4u)
#define KBR_FLOAT_FUNC(NAME, used, floats) LOOPS_FLOAT(NAME, used, floats)
#define KBR_REDUCTION(NAME, floats, integers)
#include "number/kernels.def"
#undef KBR_REDUCTION
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC

/* --- reductions --------------------------------------------------------------------------------- */

/*
 * The tree joins neighbours in pairs, carries an odd last one, and does so again until one is left. As a
 * binary counter: whole subtrees wait by their height, and the rest is joined from the lowest up.
 */
#define TREE(value_t, count, value_at, join)                                            \
    value_t waiting[64], result;                                                        \
    for (size_t k = 0; k < (count); k++) {                                              \
        value_t b = (value_at);                                                         \
        unsigned height = 0;                                                            \
        for (; (k >> height & 1) != 0; height++) {                                      \
            value_t a = waiting[height];                                                \
            b = (join);                                                                 \
        }                                                                               \
        waiting[height] = b;                                                            \
    }                                                                                   \
    unsigned lowest = (unsigned)__builtin_ctzll(count);                                 \
    result = waiting[lowest];                                                           \
    for (unsigned height = lowest + 1; height < 64 && (count) >> height != 0; height++) \
        if (((count) >> height & 1) != 0) {                                             \
            value_t a = waiting[height], b = result;                                    \
            result = (join);                                                            \
        }

#define REDUCE_FLOAT(NAME, expression, type, size)                                               \
    static void reduce_##NAME##_##type(uint8_t *out, bool wide, const uint8_t *in, size_t count, \
                                       size_t width) {                                           \
        for (size_t i = 0; i < count; i++, in += (size)*width) {                                 \
            TREE(float, width, kbr_load_##type(in + (size)*k), expression)                       \
            if (wide)                                                                            \
                kbr_store_f32(out + 4 * i, result);                                              \
            else                                                                                 \
                kbr_store_##type(out + (size)*i, result);                                        \
        }                                                                                        \
    }

#define REDUCE_INTEGER(NAME, expression, type, size)                                             \
    static void reduce_##NAME##_##type(uint8_t *out, bool wide, const uint8_t *in, size_t count, \
                                       size_t width) {                                           \
        for (size_t i = 0; i < count; i++, in += (size)*width) {                                 \
            TREE(uint32_t, width, kbr_load_##type(in + (size)*k), expression)                    \
            if (wide)                                                                            \
                kbr_store_i32(out + 4 * i, result);                                              \
            else                                                                                 \
                kbr_store_##type(out + (size)*i, result);                                        \
        }                                                                                        \
    }

#define KBR_REDUCTION(NAME, floats, integers) \
    REDUCE_FLOAT(NAME, floats, f16, 2u)       \
    REDUCE_FLOAT(NAME, floats, bf16, 2u)      \
    REDUCE_FLOAT(NAME, floats, f32, 4u)       \
    REDUCE_INTEGER(NAME, integers, i8, 1u)    \
    REDUCE_INTEGER(NAME, integers, i32, 4u)
#define KBR_FUNC(NAME, used, floats, integers)
#define KBR_FLOAT_FUNC(NAME, used, floats)
#include "number/kernels.def"
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC
#undef KBR_REDUCTION

/* --- the table --------------------------------------------------------------------------------- */

#define ROW_FLOAT(what, NAME)                                                     \
    [KB_DTYPE_F16] = what##_##NAME##_f16, [KB_DTYPE_BF16] = what##_##NAME##_bf16, \
    [KB_DTYPE_F32] = what##_##NAME##_f32
#define ROW_INTEGER(what, NAME) [KB_DTYPE_I8] = what##_##NAME##_i8, [KB_DTYPE_I32] = what##_##NAME##_i32

static const kbr_kernels portable = {
    .name = "portable",
#define KBR_FUNC(NAME, used, floats, integers) \
    .map[KB_FUNC_##NAME] = {ROW_FLOAT(map, NAME), ROW_INTEGER(map, NAME)}, .inputs[KB_FUNC_##NAME] = (used),
#define KBR_FLOAT_FUNC(NAME, used, floats) \
    .map[KB_FUNC_##NAME] = {ROW_FLOAT(map, NAME)}, .inputs[KB_FUNC_##NAME] = (used),
#define KBR_REDUCTION(NAME, floats, integers) \
    .reduce[KB_FUNC_##NAME] = {ROW_FLOAT(reduce, NAME), ROW_INTEGER(reduce, NAME)},
#include "number/kernels.def"
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC
#undef KBR_REDUCTION
    .multiply = {[KB_DTYPE_F16] = kbr_multiply_exact,
                 [KB_DTYPE_BF16] = kbr_multiply_floats,
                 [KB_DTYPE_F32] = kbr_multiply_floats,
                 [KB_DTYPE_I8] = kbr_multiply_integers,
                 [KB_DTYPE_I32] = kbr_multiply_integers},
};

const kbr_kernels *kbr_kernels_choose(void) {
    return &portable;
}

/* --- casts ------------------------------------------------------------------------------------- */

void kbr_cast(uint32_t to, uint8_t *out, uint32_t from, const uint8_t *in, size_t count) {
    const kbr_dtype *target = kbr_dtype_of(to), *source = kbr_dtype_of(from);
    for (size_t i = 0; i < count; i++)
        target->store(source->load(in + i * source->size_bytes), out + i * target->size_bytes);
}

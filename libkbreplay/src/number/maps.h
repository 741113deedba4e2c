/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise kernels, made from kernels.def, and casts. See kernels.h for what they are to do. */
#ifndef KBREPLAY_SRC_MAPS_H
#define KBREPLAY_SRC_MAPS_H

#include "number/functions.h"
#include "number/kernels.h"

/* --- one dtype --------------------------------------------------------------------------------- */

/* An immediate is the bits of a double for floats, and two's complement for integers. */
INLINE vf immediate_vf(uint64_t immediate) {
    double value;
    memcpy(&value, &immediate, sizeof value);
    return all_f((float)value);
}

INLINE vu immediate_vu(uint64_t immediate) {
    return all_u((uint32_t)immediate);
}

/* What is left of an array after the last whole vector is worked on in a copy that is one vector long. */
typedef struct staged {
    uint8_t out[sizeof(vf)], in[KBR_MAP_INPUTS][sizeof(vf)];
} staged;

INLINE void stage(staged *it, const uint8_t *const *inputs, size_t used, size_t offset, size_t size) {
    memset(it, 0, sizeof *it);
    for (size_t i = 0; i < used; i++)
        memcpy(it->in[i], inputs[i] + offset, size);
}

#define STEP(NAME, used, expression, type, lanes_t)                                                         \
    INLINE void step_##NAME##_##type(uint8_t *out, const uint8_t *pa, const uint8_t *pb, const uint8_t *pc, \
                                     lanes_t s __attribute__((unused))) {                                   \
        lanes_t a __attribute__((unused)) = (used) > 0 ? load_##type(pa) : s;                               \
        lanes_t b __attribute__((unused)) = (used) > 1 ? load_##type(pb) : s;                               \
        lanes_t c __attribute__((unused)) = (used) > 2 ? load_##type(pc) : s;                               \
        vs A __attribute__((unused)) = (vs)a, B __attribute__((unused)) = (vs)b;                            \
        store_##type(out, (expression));                                                                    \
    }

#define LOOP(NAME, used, type, lanes_t, size)                                                       \
    static void map_##NAME##_##type(uint8_t *out, const uint8_t *const *inputs, uint64_t immediate, \
                                    size_t count) {                                                 \
        const uint8_t *a = (used) > 0 ? inputs[0] : NULL, *b = (used) > 1 ? inputs[1] : NULL;       \
        const uint8_t *c = (used) > 2 ? inputs[2] : NULL;                                           \
        lanes_t s = immediate_##lanes_t(immediate);                                                 \
        size_t i = 0, end = (size)*count;                                                           \
        for (; i + (size)*LANES <= end; i += (size)*LANES)                                          \
            step_##NAME##_##type(out + i, (used) > 0 ? a + i : a, (used) > 1 ? b + i : b,           \
                                 (used) > 2 ? c + i : c, s);                                        \
        if (i < end) {                                                                              \
            staged rest;                                                                            \
            stage(&rest, inputs, used, i, end - i);                                                 \
            step_##NAME##_##type(rest.out, rest.in[0], rest.in[1], rest.in[2], s);                  \
            memcpy(out + i, rest.out, end - i);                                                     \
        }                                                                                           \
    }

#define MAP(NAME, used, expression, type, lanes_t, size) \
    STEP(NAME, used, expression, type, lanes_t)          \
    LOOP(NAME, used, type, lanes_t, size)

/* --- transcendental functions ------------------------------------------------------------------ */

/* One half of the lanes after the other, in doubles. */
#define CUT_f16 cut_d
#define CUT_bf16 cut_d
#define CUT_f32

#define MAP_SMOOTH(NAME, function, type, size)                                                    \
    static __attribute__((noinline)) void step_##NAME##_##type(uint8_t *out, const uint8_t *in) { \
        vf x = load_##type(in);                                                                   \
        vh halves[2];                                                                             \
        memcpy(halves, &x, sizeof x);                                                             \
        _Pragma("GCC unroll 2") for (size_t h = 0; h < 2; h++) halves[h] =                        \
            narrowed_d(CUT_##type(function(widened_d(halves[h]))));                               \
        memcpy(&x, halves, sizeof x);                                                             \
        store_##type(out, x);                                                                     \
    }                                                                                             \
    static void map_##NAME##_##type(uint8_t *out, const uint8_t *const *inputs,                   \
                                    uint64_t immediate __attribute__((unused)), size_t count) {   \
        size_t i = 0, end = (size)*count;                                                         \
        for (; i + (size)*LANES <= end; i += (size)*LANES)                                        \
            step_##NAME##_##type(out + i, inputs[0] + i);                                         \
        if (i < end) {                                                                            \
            staged rest;                                                                          \
            stage(&rest, inputs, 1, i, end - i);                                                  \
            step_##NAME##_##type(rest.out, rest.in[0]);                                           \
            memcpy(out + i, rest.out, end - i);                                                   \
        }                                                                                         \
    }

#define KBR_FUNC(NAME, used, floats, integers) \
    MAP(NAME, used, floats, f16, vf, 2u)       \
    MAP(NAME, used, floats, bf16, vf, 2u)      \
    MAP(NAME, used, floats, f32, vf, 4u)       \
    MAP(NAME, used, integers, i8, vu, 1u)      \
    MAP(NAME, used, integers, i32, vu, 4u)
#define KBR_FLOAT_FUNC(NAME, used, floats) \
    MAP(NAME, used, floats, f16, vf, 2u)   \
    MAP(NAME, used, floats, bf16, vf, 2u)  \
    MAP(NAME, used, floats, f32, vf, 4u)
#define KBR_SMOOTH_FUNC(NAME, function)  \
    MAP_SMOOTH(NAME, function, f16, 2u)  \
    MAP_SMOOTH(NAME, function, bf16, 2u) \
    MAP_SMOOTH(NAME, function, f32, 4u)
#define KBR_REDUCTION(NAME, floats, integers)
#include "number/kernels.def"
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC
#undef KBR_SMOOTH_FUNC
#undef KBR_REDUCTION

/* --- casts ------------------------------------------------------------------------------------- */

/* Nearest even of a float that is below 2^31 in magnitude. */
INLINE vf whole(vf a) {
    vf shift = (vf)(((vu)a & 0x80000000u) | 0x4B000000u); /* 2^23 with the sign of a */
    return pick(absolute(a) < 0x1p23f, (a + shift) - shift, a);
}

/* Kept in what i32 holds; 0 for a NaN. */
INLINE vu integer_of(vf a) {
    vs within = absolute(a) < 0x1p31f;
    vu result = (vu) __builtin_convertvector(whole(pick(within, a, all_f(0.0f))), vs);
    result = pick_u(a >= 0x1p31f, all_u(INT32_MAX), result);
    return pick_u(a <= -0x1p31f, all_u((uint32_t)INT32_MIN), result);
}

INLINE vu kept_in_i8(vu a) {
    vs low = (vs)all_u((uint32_t)INT8_MIN), high = (vs)all_u(INT8_MAX);
    return pick_u((vs)a < low, (vu)low, pick_u((vs)a > high, (vu)high, a));
}

/* An integer as an f32 that one more rounding, to f16 or bf16, makes right; f32 itself is nearest. */
INLINE vf float_of(vu a, int cut) {
    vf result = __builtin_convertvector((vs)a, vf);
    if (cut == 0)
        return result;
    vhs halves[2];
    vh floats[2];
    memcpy(halves, &a, sizeof a);
    for (size_t h = 0; h < 2; h++)
        floats[h] = narrowed_d(cut_d(__builtin_convertvector(halves[h], vd)));
    memcpy(&result, floats, sizeof result);
    return result;
}

#define FLOAT_TO_f16(a) (a)
#define FLOAT_TO_bf16(a) (a)
#define FLOAT_TO_f32(a) (a)
#define FLOAT_TO_i8(a) kept_in_i8(integer_of(a))
#define FLOAT_TO_i32(a) integer_of(a)
#define INTEGER_TO_f16(a) float_of(a, 1)
#define INTEGER_TO_bf16(a) float_of(a, 1)
#define INTEGER_TO_f32(a) float_of(a, 0)
#define INTEGER_TO_i8(a) kept_in_i8(a)
#define INTEGER_TO_i32(a) (a)

#define CAST(kind, from, to, lanes_t, size, out_size)                               \
    static void cast_##from##_##to(uint8_t *out, const uint8_t *in, size_t count) { \
        size_t i = 0;                                                               \
        for (; i + LANES <= count; i += LANES) {                                    \
            lanes_t a = load_##from(in + (size)*i);                                 \
            store_##to(out + (out_size)*i, kind##_TO_##to(a));                      \
        }                                                                           \
        if (i < count) {                                                            \
            uint8_t rest[sizeof(vf)] = {0};                                         \
            memcpy(rest, in + (size)*i, (size) * (count - i));                      \
            lanes_t a = load_##from(rest);                                          \
            store_##to(rest, kind##_TO_##to(a));                                    \
            memcpy(out + (out_size)*i, rest, (out_size) * (count - i));             \
        }                                                                           \
    }

#define CASTS(kind, from, lanes_t, size)      \
    CAST(kind, from, f16, lanes_t, size, 2u)  \
    CAST(kind, from, bf16, lanes_t, size, 2u) \
    CAST(kind, from, f32, lanes_t, size, 4u)  \
    CAST(kind, from, i8, lanes_t, size, 1u)   \
    CAST(kind, from, i32, lanes_t, size, 4u)
#define FLOAT_CASTS(NAME, from, lanes_t, size) CASTS(FLOAT, from, lanes_t, size)
#define INTEGER_CASTS(NAME, from, lanes_t, size) CASTS(INTEGER, from, lanes_t, size)
FLOAT_DTYPES(FLOAT_CASTS)
INTEGER_DTYPES(INTEGER_CASTS)

#endif

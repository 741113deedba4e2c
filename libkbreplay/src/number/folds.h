/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels over an axis: reductions, made from kernels.def, and softmax. See kernels.h. */
#ifndef KBREPLAY_SRC_FOLDS_H
#define KBREPLAY_SRC_FOLDS_H

#include "number/maps.h"

/*
 * The tree joins neighbours in pairs, carries an odd last one, and does so again until one is left. Whole
 * subtrees of BLOCK elements are folded by themselves, level by level; a binary counter keeps what waits for
 * a neighbour of its height. A row's last subtrees, of the powers of two that its rest is made of, are joined
 * from the lowest up.
 */
enum { BLOCK = 1024 };

/* Joins `count`, a power of two up to BLOCK, elements to one, in place. */
#define FOLD_BLOCK(NAME, expression, scalar_t, lanes_t, kind)                                              \
    static scalar_t fold_##NAME##_##kind(scalar_t *restrict x, size_t count) {                             \
        scalar_t halves[BLOCK / 2];                                                                        \
        while (count > 1) {                                                                                \
            count /= 2;                                                                                    \
            size_t i = 0;                                                                                  \
            for (; i + LANES <= count; i += LANES) {                                                       \
                lanes_t even, odds, a, b;                                                                  \
                memcpy(&even, x + 2 * i, sizeof even);                                                     \
                memcpy(&odds, x + 2 * i + LANES, sizeof odds);                                             \
                deal_##lanes_t(even, odds, &a, &b);                                                        \
                a = (expression);                                                                          \
                memcpy(halves + i, &a, sizeof a);                                                          \
            }                                                                                              \
            for (; i < count; i++) {                                                                       \
                lanes_t a = all_##kind(x[2 * i]), b = all_##kind(x[2 * i + 1]);                            \
                a = (expression);                                                                          \
                halves[i] = a[0];                                                                          \
            }                                                                                              \
            memcpy(x, halves, count * sizeof *x);                                                          \
        }                                                                                                  \
        return x[0];                                                                                       \
    }                                                                                                      \
    /* Adds a subtree of 2^height elements behind those that wait. */                                      \
    INLINE void wait_##NAME##_##kind(scalar_t *waiting, uint64_t *taken, unsigned height, scalar_t last) { \
        for (; (*taken >> height & 1) != 0; height++) {                                                    \
            lanes_t a = all_##kind(waiting[height]), b = all_##kind(last);                                 \
            *taken &= ~((uint64_t)1 << height);                                                            \
            a = (expression);                                                                              \
            last = a[0];                                                                                   \
        }                                                                                                  \
        waiting[height] = last;                                                                            \
        *taken |= (uint64_t)1 << height;                                                                   \
    }                                                                                                      \
    INLINE scalar_t end_##NAME##_##kind(const scalar_t *waiting, uint64_t taken) {                         \
        unsigned lowest = (unsigned)__builtin_ctzll(taken);                                                \
        scalar_t result = waiting[lowest];                                                                 \
        for (taken &= taken - 1; taken != 0; taken &= taken - 1) {                                         \
            lanes_t a = all_##kind(waiting[__builtin_ctzll(taken)]), b = all_##kind(result);               \
            a = (expression);                                                                              \
            result = a[0];                                                                                 \
        }                                                                                                  \
        return result;                                                                                     \
    }

/* The even and the odd elements of two vectors that lie one after the other. */
#if KBR_LEVEL == 0
#define EVENS 0, 2, 4, 6
#define ODDS 1, 3, 5, 7
#elif KBR_LEVEL == 1
#define EVENS 0, 2, 4, 6, 8, 10, 12, 14
#define ODDS 1, 3, 5, 7, 9, 11, 13, 15
#else
#define EVENS 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODDS 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#endif

INLINE void deal_vf(vf first, vf second, vf *ret_even, vf *ret_odd) {
    *ret_even = __builtin_shufflevector(first, second, EVENS);
    *ret_odd = __builtin_shufflevector(first, second, ODDS);
}

INLINE void deal_vu(vu first, vu second, vu *ret_even, vu *ret_odd) {
    *ret_even = __builtin_shufflevector(first, second, EVENS);
    *ret_odd = __builtin_shufflevector(first, second, ODDS);
}

#define REDUCE(NAME, scalar_t, kind, type, size, wide_type)                                      \
    static void reduce_##NAME##_##type(uint8_t *out, bool wide, const uint8_t *in, size_t count, \
                                       size_t width) {                                           \
        for (size_t row = 0; row < count; row++) {                                               \
            scalar_t waiting[64], block[BLOCK];                                                  \
            uint64_t taken = 0;                                                                  \
            for (size_t left = width; left != 0;) {                                              \
                size_t part = left < BLOCK ? (size_t)1 << (63 - __builtin_clzll(left)) : BLOCK;  \
                cast_##type##_##wide_type((uint8_t *)block, in, part);                           \
                wait_##NAME##_##kind(waiting, &taken, (unsigned)__builtin_ctzll(part),           \
                                     fold_##NAME##_##kind(block, part));                         \
                left -= part;                                                                    \
                in += (size)*part;                                                               \
            }                                                                                    \
            scalar_t result = end_##NAME##_##kind(waiting, taken);                               \
            if (wide)                                                                            \
                cast_##wide_type##_##wide_type(out + 4 * row, (uint8_t *)&result, 1);            \
            else                                                                                 \
                cut_##wide_type##_##type(out + (size)*row, (uint8_t *)&result, 1);               \
        }                                                                                        \
    }

/* Floats are rounded, integers cut. */
#define cut_f32_f16 cast_f32_f16
#define cut_f32_bf16 cast_f32_bf16
#define cut_f32_f32 cast_f32_f32
#define cut_i32_i32 cast_i32_i32
static void cut_i32_i8(uint8_t *out, const uint8_t *in, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = in[4 * i];
}

#define KBR_FUNC(NAME, used, floats, integers)
#define KBR_FLOAT_FUNC(NAME, used, floats)
#define KBR_SMOOTH_FUNC(NAME, function)
#define KBR_REDUCTION(NAME, floats, integers)   \
    FOLD_BLOCK(NAME, floats, float, vf, f)      \
    FOLD_BLOCK(NAME, integers, uint32_t, vu, u) \
    REDUCE(NAME, float, f, f16, 2u, f32)        \
    REDUCE(NAME, float, f, bf16, 2u, f32)       \
    REDUCE(NAME, float, f, f32, 4u, f32)        \
    REDUCE(NAME, uint32_t, u, i8, 1u, i32)      \
    REDUCE(NAME, uint32_t, u, i32, 4u, i32)
#include "number/kernels.def"
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC
#undef KBR_SMOOTH_FUNC
#undef KBR_REDUCTION

/* --- softmax ----------------------------------------------------------------------------------- */

/* Every step is a kernel of f32, rounded as that is: what other programs compute step by step is the same. */
static void softmax_row(float *row, size_t width) {
    uint8_t *bytes = (uint8_t *)row;
    const uint8_t *input[] = {bytes};
    float greatest, sum;
    reduce_REDUCE_MAX_f32((uint8_t *)&greatest, true, bytes, 1, width);
    double minus = -(double)greatest;
    uint64_t immediate;
    memcpy(&immediate, &minus, sizeof immediate);
    map_ADD_SCALAR_f32(bytes, input, immediate, width);
    map_EXP_f32(bytes, input, 0, width);
    reduce_SUM_f32((uint8_t *)&sum, true, bytes, 1, width);
    for (size_t i = 0; i < width; i++)
        row[i] /= sum;
}

#define SOFTMAX(NAME, type, lanes_t, size)                                                  \
    static void softmax_##type(uint8_t *out, const uint8_t *in, size_t count, size_t width, \
                               float *scratch) {                                            \
        for (size_t i = 0; i < count; i++) {                                                \
            cast_##type##_f32((uint8_t *)scratch, in + (size)*i * width, width);            \
            softmax_row(scratch, width);                                                    \
            cast_f32_##type(out + (size)*i * width, (const uint8_t *)scratch, width);       \
        }                                                                                   \
    }
FLOAT_DTYPES(SOFTMAX)

#endif

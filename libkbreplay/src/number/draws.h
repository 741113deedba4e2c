/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents by recipe: the numbers of elements as doubles, and doubles rounded to a dtype. What each is, to
 * the bit, stands in docs/trace-format.md, section 11. See kernels.h for what the kernels are to do.
 */
#ifndef KBREPLAY_SRC_DRAWS_H
#define KBREPLAY_SRC_DRAWS_H

#include "number/kernels.h"
#include "number/maps.h"

/* --- numbers of elements ------------------------------------------------------------------------- */

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

/* Elements under way: their numbers, and seed + (number + 1) * GOLDEN, which is added up, not multiplied. */
typedef struct walked {
    vq element, state;
} walked;

INLINE walked begin_at(uint64_t seed, uint64_t first) {
    walked at;
    for (size_t lane = 0; lane < LANES / 2; lane++) {
        at.element[lane] = first + lane;
        at.state[lane] = seed + (first + lane + 1) * GOLDEN;
    }
    return at;
}

INLINE walked next_of(walked at) {
    return (walked){at.element + LANES / 2, at.state + LANES / 2 * GOLDEN};
}

/* splitmix64 (Steele, Lea, Flood 2014), as a function of the element's number. */
INLINE vq hash_of(vq x) {
    x ^= x >> 30;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 27;
    x *= UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* The nearest double. Halves of the integer are put into the last bits of 2^52 and 2^84. */
INLINE vd number_of(vq a) {
#if KBR_LEVEL == 2
    return _mm512_cvtepu64_pd((__m512i)a);
#else
    vd low = (vd)((a & 0xFFFFFFFFu) | UINT64_C(0x4330000000000000));
    vd high = (vd)(a >> 32 | UINT64_C(0x4530000000000000));
    return (high - (0x1p84 + 0x1p52)) + low;
#endif
}

/* Of numbers below 2^32. */
INLINE vq product_32(vq a, vq b) {
#if KBR_LEVEL == 2
    return (vq)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif KBR_LEVEL == 1
    return (vq)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
    return a * b;
#endif
}

/* Up to this divisor all that is divided, and what is taken from it, is below 2^53: doubles are exact. */
#define DIVISOR_MAX (UINT64_C(1) << 20)

/* What is the same for all elements of a recipe. */
typedef struct drawing {
    double low, high;
    uint64_t values; /* that `ints` draws from */
    vq upper;        /* 2^32 mod that */
    vd by, part;     /* that, and its inverse */
} drawing;

INLINE drawing begin_drawing(const kbr_contents *of, int ints) {
    drawing it = {.low = of->low, .high = of->high};
    if (ints == 0)
        return it;
    it.values = (uint64_t)(of->high - of->low) + 1;
    it.upper = (vq){0} + (UINT64_C(1) << 32) % it.values;
    it.by = number_of((vq){0} + it.values);
    it.part = 1.0 / it.by;
    return it;
}

INLINE vd draw_lanes_CONSTANT(const drawing *it, walked at) {
    (void)at;
    return all_d(it->low);
}

INLINE vd draw_lanes_IOTA(const drawing *it, walked at) {
    return it->low + number_of(at.element) * it->high;
}

INLINE vd draw_lanes_UNIFORM(const drawing *it, walked at) {
    vd unit = number_of(hash_of(at.state) >> 11) * 0x1p-53;
    return it->low + (it->high - it->low) * unit;
}

INLINE vd draw_lanes_SIGNS(const drawing *it, walked at) {
    (void)it;
    return (vd)((hash_of(at.state) & UINT64_C(0x8000000000000000)) | (vq)all_d(1.0));
}

/* Of few integers. The quotient is the nearest one, so the remainder may be negative first. */
INLINE vd draw_lanes_FEW(const drawing *it, walked at) {
    vq h = hash_of(at.state);
    vd x = number_of(product_32(h >> 32, it->upper) + (h & 0xFFFFFFFFu));
    vd quotient = (x * it->part + TO_INTEGER) - TO_INTEGER, rest = x - quotient * it->by;
    return it->low + pick_d(rest < 0.0, rest + it->by, rest);
}

/* Of many: one division each. */
INLINE vd draw_lanes_MANY(const drawing *it, walked at) {
    vq h = hash_of(at.state);
    for (size_t i = 0; i < LANES / 2; i++)
        h[i] %= it->values;
    return it->low + number_of(h);
}

#define DRAW(NAME, ints)                                                           \
    static void draw_##NAME(double *out, const kbr_contents *of, uint64_t first) { \
        const drawing it = begin_drawing(of, ints);                                \
        walked at = begin_at(of->seed, first);                                     \
        for (size_t i = 0; i < KBR_DRAWN; i += LANES / 2, at = next_of(at)) {      \
            vd value = draw_lanes_##NAME(&it, at);                                 \
            memcpy(out + i, &value, sizeof value);                                 \
        }                                                                          \
    }
DRAW(CONSTANT, 0)
DRAW(IOTA, 0)
DRAW(UNIFORM, 0)
DRAW(SIGNS, 0)
DRAW(FEW, 1)
DRAW(MANY, 1)

static void draw_INTS(double *out, const kbr_contents *of, uint64_t first) {
    if ((uint64_t)(of->high - of->low) < DIVISOR_MAX)
        draw_FEW(out, of, first);
    else
        draw_MANY(out, of, first);
}

#define DRAWN_RECIPES(X) X(CONSTANT) X(IOTA) X(UNIFORM) X(INTS) X(SIGNS)

/* --- doubles to a dtype -------------------------------------------------------------------------- */

INLINE vf joined(vd low, vd high) {
#if KBR_LEVEL == 2
    return _mm512_insertf32x8(_mm512_castps256_ps512(narrowed_d(low)), narrowed_d(high), 1);
#elif KBR_LEVEL == 1
    return _mm256_set_m128(narrowed_d(high), narrowed_d(low));
#else
    vf all;
    for (size_t i = 0; i < LANES / 2; i++)
        all[i] = (float)low[i], all[i + LANES / 2] = (float)high[i];
    return all;
#endif
}

/* The nearest integer in [low, high], the even one of two; 0 for a NaN. */
INLINE vd kept_d(vd value, double low, double high) {
    value = pick_d(value != value, all_d(0.0), between(value, low, high));
    return (value + TO_INTEGER) - TO_INTEGER;
}

/* Integers that i32 holds. */
INLINE vu joined_u(vd low, vd high) {
#if KBR_LEVEL == 2
    __m256i a = _mm512_cvttpd_epi32(low), b = _mm512_cvttpd_epi32(high);
    return (vu)_mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
#elif KBR_LEVEL == 1
    return (vu)_mm256_set_m128i(_mm256_cvttpd_epi32(high), _mm256_cvttpd_epi32(low));
#else
    vu all;
    for (size_t i = 0; i < LANES / 2; i++)
        all[i] = (uint32_t)(int32_t)low[i], all[i + LANES / 2] = (uint32_t)(int32_t)high[i];
    return all;
#endif
}

#define NARROWED_f16(a, b) joined(cut_d(a), cut_d(b))
#define NARROWED_bf16(a, b) NARROWED_f16(a, b)
#define NARROWED_f32(a, b) joined(a, b)
#define NARROWED_i8(a, b) joined_u(kept_d(a, INT8_MIN, INT8_MAX), kept_d(b, INT8_MIN, INT8_MAX))
#define NARROWED_i32(a, b) joined_u(kept_d(a, INT32_MIN, INT32_MAX), kept_d(b, INT32_MIN, INT32_MAX))

#define ROUND(NAME, type, lanes_t, size)                              \
    static void round_##type(uint8_t *out, const double *in) {        \
        for (size_t i = 0; i < KBR_DRAWN; i += LANES) {               \
            vd low, high;                                             \
            memcpy(&low, in + i, sizeof low);                         \
            memcpy(&high, in + i + LANES / 2, sizeof high);           \
            store_##type(out + (size)*i, NARROWED_##type(low, high)); \
        }                                                             \
    }
ALL_DTYPES(ROUND)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: vectors of numbers, as wide as the instruction set at hand. For the kernels alone.
 *
 * Who includes this says how wide by KBR_LEVEL: 0 is portable GNU C, 1 AVX2 with FMA and F16C, 2 AVX-512.
 * All that the kernels do is written once, over these types and the operators of C, which round as IEEE 754
 * says in every lane; only what C has no operator for differs by level, and gives the same bits in each.
 */
#ifndef KBREPLAY_SRC_LANES_H
#define KBREPLAY_SRC_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if KBR_LEVEL > 0
#include <immintrin.h>
#endif

#define LANES (4 << KBR_LEVEL)

#define INLINE static inline __attribute__((always_inline, unused))

/* A type of `lanes` elements. */
#define VECTOR(element, lanes) __attribute__((vector_size(sizeof(element) * (size_t)(lanes)))) element

typedef VECTOR(float, LANES) vf;
typedef VECTOR(uint32_t, LANES) vu;
typedef VECTOR(int32_t, LANES) vs;
typedef VECTOR(uint16_t, LANES) vw;
typedef VECTOR(int8_t, LANES) vb;
/* Half as many doubles, as wide in bytes; and what they come from. */
typedef VECTOR(double, LANES / 2) vd;
typedef VECTOR(uint64_t, LANES / 2) vq;
typedef VECTOR(int64_t, LANES / 2) vi;
typedef VECTOR(float, LANES / 2) vh;
typedef VECTOR(int32_t, LANES / 2) vhs;

/* Without optimisation gcc's intrinsics are macros, with its own conversions in them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"

/* --- what C has no operator for ---------------------------------------------------------------- */

#if KBR_LEVEL == 0

INLINE vf fma_f(vf a, vf b, vf c) {
    vf sum;
    for (int i = 0; i < LANES; i++)
        sum[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return sum;
}

INLINE vd fma_d(vd a, vd b, vd c) {
    vd sum;
    for (int i = 0; i < LANES / 2; i++)
        sum[i] = __builtin_fma(a[i], b[i], c[i]);
    return sum;
}

INLINE vf sqrt_f(vf a) {
    for (int i = 0; i < LANES; i++)
        a[i] = __builtin_sqrtf(a[i]);
    return a;
}

INLINE vd sqrt_d(vd a) {
    for (int i = 0; i < LANES / 2; i++)
        a[i] = __builtin_sqrt(a[i]);
    return a;
}

/* The exponent is moved by a multiplication, which counts subnormals right. */
INLINE vf f16_widened(vw bits) {
    vu wide = __builtin_convertvector(bits, vu), rest = wide & 0x7FFFu;
    vu moved = (vu)((vf)(rest << 13) * 0x1p112f);
    return (vf)(moved | ((vu)(rest >= 0x7C00u) & 0x7F800000u) | (wide & 0x8000u) << 16);
}

INLINE vu widened_16(vw a) {
    return __builtin_convertvector(a, vu);
}

INLINE vw narrowed_16(vu a) {
    return __builtin_convertvector(a, vw);
}

INLINE vs widened_8(vb a) {
    return __builtin_convertvector(a, vs);
}

INLINE vb narrowed_8(vs a) {
    return __builtin_convertvector(a, vb);
}

/* No lane is a NaN. A subnormal is rounded by an addition that leaves its bits at the low end. */
INLINE vw f16_narrowed(vf value) {
    vu bits = (vu)value, rest = bits & 0x7FFFFFFFu;
    vu normal = (rest - (112u << 23) + 0x0FFFu + (rest >> 13 & 1u)) >> 13;
    vu small = (vu)((vf)rest + 0.5f) - 0x3F000000u;
    vu is_small = (vu)(rest < 0x38800000u), is_large = (vu)(rest >= 0x47800000u);
    vu result = (is_small & small) | (is_large & 0x7C00u) | (~(is_small | is_large) & normal);
    return __builtin_convertvector(result | (bits >> 16 & 0x8000u), vw);
}

#elif KBR_LEVEL == 1

INLINE vf fma_f(vf a, vf b, vf c) {
    return _mm256_fmadd_ps(a, b, c);
}

INLINE vd fma_d(vd a, vd b, vd c) {
    return _mm256_fmadd_pd(a, b, c);
}

INLINE vf sqrt_f(vf a) {
    return _mm256_sqrt_ps(a);
}

INLINE vd sqrt_d(vd a) {
    return _mm256_sqrt_pd(a);
}

INLINE vf f16_widened(vw bits) {
    vf wide = _mm256_cvtph_ps((__m128i)bits);
    __asm__("" : "+x"(wide)); /* else clang moves comparisons before the widening, one lane at a time */
    return wide;
}

INLINE vw f16_narrowed(vf value) {
    return (vw)_mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE vu widened_16(vw a) {
    return (vu)_mm256_cvtepu16_epi32((__m128i)a);
}

/* The low parts of the lanes, brought together in each half and then across. */
INLINE vw narrowed_16(vu a) {
    const __m256i low = _mm256_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 4, 5,
                                         8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
    __m256i parts = _mm256_permute4x64_epi64(_mm256_shuffle_epi8((__m256i)a, low), 0x08);
    return (vw)_mm256_castsi256_si128(parts);
}

INLINE vs widened_8(vb a) {
    __m128i bytes = _mm_setzero_si128();
    memcpy(&bytes, &a, sizeof a);
    return (vs)_mm256_cvtepi8_epi32(bytes);
}

INLINE vb narrowed_8(vs a) {
    vu low = (vu)a & 0xFFu;
    __m128i words = (__m128i)narrowed_16(low), bytes = _mm_packus_epi16(words, words);
    vb result;
    memcpy(&result, &bytes, sizeof result);
    return result;
}

#else

INLINE vf fma_f(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}

INLINE vd fma_d(vd a, vd b, vd c) {
    return _mm512_fmadd_pd(a, b, c);
}

INLINE vf sqrt_f(vf a) {
    return _mm512_sqrt_ps(a);
}

INLINE vd sqrt_d(vd a) {
    return _mm512_sqrt_pd(a);
}

INLINE vf f16_widened(vw bits) {
    vf wide = _mm512_cvtph_ps((__m256i)bits);
    __asm__("" : "+v"(wide)); /* else clang moves comparisons before the widening, one lane at a time */
    return wide;
}

INLINE vw f16_narrowed(vf value) {
    return (vw)_mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE vu widened_16(vw a) {
    return (vu)_mm512_cvtepu16_epi32((__m256i)a);
}

INLINE vw narrowed_16(vu a) {
    return (vw)_mm512_cvtepi32_epi16((__m512i)a);
}

INLINE vs widened_8(vb a) {
    return (vs)_mm512_cvtepi8_epi32((__m128i)a);
}

INLINE vb narrowed_8(vs a) {
    return (vb)_mm512_cvtepi32_epi8((__m512i)a);
}

#endif

/* --- choosing ---------------------------------------------------------------------------------- */

/* Lane by lane `yes` where the mask is all ones, `no` where it is 0: masks are what comparisons give. */
INLINE vf pick(vs mask, vf yes, vf no) {
#if KBR_LEVEL == 1
    return _mm256_blendv_ps(no, yes, (vf)mask);
#elif KBR_LEVEL == 2
    return _mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)mask), no, yes);
#else
    return (vf)(((vu)yes & (vu)mask) | ((vu)no & ~(vu)mask));
#endif
}

INLINE vu pick_u(vs mask, vu yes, vu no) {
    return (vu)pick(mask, (vf)yes, (vf)no);
}

INLINE vd pick_d(vi mask, vd yes, vd no) {
#if KBR_LEVEL == 1
    return _mm256_blendv_pd(no, yes, (vd)mask);
#elif KBR_LEVEL == 2
    return _mm512_mask_blend_pd(_mm512_movepi64_mask((__m512i)mask), no, yes);
#else
    return (vd)(((vq)yes & (vq)mask) | ((vq)no & ~(vq)mask));
#endif
}

/* --- the same number in every lane ------------------------------------------------------------- */

INLINE vf all_f(float value) {
    return value - (vf){0};
}

INLINE vu all_u(uint32_t value) {
    return value - (vu){0};
}

INLINE vd all_d(double value) {
    return value - (vd){0};
}

/* --- small functions --------------------------------------------------------------------------- */

INLINE vf absolute(vf a) {
    return (vf)((vu)a & 0x7FFFFFFFu);
}

INLINE vd absolute_d(vd a) {
    return (vd)((vq)a & 0x7FFFFFFFFFFFFFFFu);
}

/* The magnitude of a positive number with the sign of another. */
INLINE vd signed_d(vd magnitude, vd sign) {
    return (vd)((vq)magnitude | ((vq)sign & 0x8000000000000000u));
}

/* IEEE 754-2019: a NaN wins; the zeros are equal, and there the bits decide. */
INLINE vf minimum(vf a, vf b) {
    vf least = pick(a < b, a, pick(a == b, (vf)((vu)a | (vu)b), b));
    return pick(a != a, a, least);
}

INLINE vf maximum(vf a, vf b) {
    vf greatest = pick(a > b, a, pick(a == b, (vf)((vu)a & (vu)b), b));
    return pick(a != a, a, greatest);
}

INLINE vf canonical(vf a) {
#if KBR_LEVEL == 2
    return _mm512_mask_mov_ps(a, _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), (vf)all_u(0x7FC00000u));
#else
    return pick(a != a, (vf)all_u(0x7FC00000u), a);
#endif
}

#pragma GCC diagnostic pop

#endif

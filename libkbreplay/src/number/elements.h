/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements of arrays: how as many of a dtype as there are lanes are loaded, computed with and stored. Floats
 * are computed in f32, integers in uint32_t that wraps; a stored NaN is canonical. For the kernels alone.
 */
#ifndef KBREPLAY_SRC_ELEMENTS_H
#define KBREPLAY_SRC_ELEMENTS_H

#include "number/lanes.h"
#include "number/number.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "arrays are little-endian, and so must the machine be");

/* X(NAME, name, type of its lanes, bytes of an element) */
#define FLOAT_DTYPES(X) X(F16, f16, vf, 2u) X(BF16, bf16, vf, 2u) X(F32, f32, vf, 4u)
#define INTEGER_DTYPES(X) X(I8, i8, vu, 1u) X(I32, i32, vu, 4u)
#define ALL_DTYPES(X) FLOAT_DTYPES(X) INTEGER_DTYPES(X)

INLINE vf load_f16(const uint8_t *bytes) {
    vw bits;
    memcpy(&bits, bytes, sizeof bits);
    return f16_widened(bits);
}

INLINE void store_f16(uint8_t *bytes, vf value) {
    vw bits = f16_narrowed(canonical(value));
#if KBR_LEVEL == 0
    vw is_nan = narrowed_16((vu)(value != value)); /* which the portable narrowing does not know */
    bits = (bits & ~is_nan) | (is_nan & KBR_F16_NAN);
#endif
    memcpy(bytes, &bits, sizeof bits);
}

INLINE vf load_bf16(const uint8_t *bytes) {
    vw bits;
    memcpy(&bits, bytes, sizeof bits);
    return (vf)(widened_16(bits) << 16);
}

INLINE void store_bf16(uint8_t *bytes, vf value) {
    vu wide = (vu)canonical(value);
    vw bits = narrowed_16((wide + 0x7FFFu + (wide >> 16 & 1u)) >> 16);
    memcpy(bytes, &bits, sizeof bits);
}

INLINE vf load_f32(const uint8_t *bytes) {
    vf value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

INLINE void store_f32(uint8_t *bytes, vf value) {
    value = canonical(value);
    memcpy(bytes, &value, sizeof value);
}

INLINE vu load_i8(const uint8_t *bytes) {
    vb bits;
    memcpy(&bits, bytes, sizeof bits);
    return (vu)widened_8(bits);
}

INLINE void store_i8(uint8_t *bytes, vu value) {
    vb bits = narrowed_8((vs)value);
    memcpy(bytes, &bits, sizeof bits);
}

INLINE vu load_i32(const uint8_t *bytes) {
    vu value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

INLINE void store_i32(uint8_t *bytes, vu value) {
    memcpy(bytes, &value, sizeof value);
}

/* --- doubles ----------------------------------------------------------------------------------- */

INLINE vd widened_d(vh half) {
    return __builtin_convertvector(half, vd);
}

INLINE vh narrowed_d(vd value) {
    return __builtin_convertvector(value, vh);
}

/*
 * `value` with 14 significant bits, the last of which stands for all that was cut off. That is enough for
 * one right rounding to f16 or bf16 afterwards, and f32 holds it down to half of bf16's least subnormal.
 */
INLINE vd cut_d(vd value) {
    vq bits = (vq)value, low = bits & 0x7FFFFFFFFFu;
    return (vd)((bits ^ low) | ((vq)(low != 0) & 0x8000000000u));
}

#endif

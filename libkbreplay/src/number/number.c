/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions of single values; see number.h. Integer arithmetic alone decides every rounding. */
#include "number/number.h"

#include <math.h>
#include <string.h>

#include "kbtrace/words.h"

/* --- f32 and f64 as bits ----------------------------------------------------------------------- */

float kbr_f32_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t f32_raw(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t f64_raw(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

uint32_t kbr_f32_to_bits(float value) {
    return value != value ? KBR_F32_NAN : f32_raw(value);
}

/* --- rounding to a narrow float ---------------------------------------------------------------- */

/* `value` without its low `drop` bits, rounded to nearest even. */
static uint64_t round_off(uint64_t value, unsigned drop) {
    if (drop == 0)
        return value;
    if (drop > 63)
        return 0;
    uint64_t half = (uint64_t)1 << (drop - 1), kept = value >> drop;
    uint64_t rest = value & ((half << 1) - 1);
    return kept + (uint64_t)(rest > half || (rest == half && (kept & 1) != 0));
}

/*
 * A finite or infinite double as a float of `exponent` and `fraction` bits. Exponent and fraction
 * are rounded as one number, so that a carry out of the fraction is the next power of two and one
 * out of the largest finite value is infinity.
 */
static uint32_t narrow(double value, unsigned exponent, unsigned fraction) {
    uint64_t bits = f64_raw(value);
    uint32_t sign = (uint32_t)(bits >> 63) << (exponent + fraction);
    uint32_t infinity = ((1U << exponent) - 1) << fraction;
    int bias = (1 << (exponent - 1)) - 1;
    int wide = (int)(bits >> 52 & 0x7FF);
    if (wide == 0) /* below every subnormal of a narrower type */
        return sign;
    int place = wide - 1023 + bias; /* the exponent field that it would get */
    if (place >= (int)(1U << exponent) - 1)
        return sign | infinity;
    uint64_t significand = (bits & 0xFFFFFFFFFFFFF) | (uint64_t)1 << 52;
    unsigned drop = 52 - fraction;
    if (place <= 0) {
        unsigned more = (unsigned)(1 - place);
        return sign | (uint32_t)round_off(significand, drop + more > 64 ? 64 : drop + more);
    }
    uint64_t whole = (uint64_t)(place - 1) << 52;
    return sign | (uint32_t)round_off(whole + significand, drop);
}

/* --- f16 --------------------------------------------------------------------------------------- */

float kbr_f16_to_f32(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, rest = bits & 0x7FFFu;
    if (rest > 0x7C00u)
        return kbr_f32_from_bits(KBR_F32_NAN);
    if (rest == 0x7C00u)
        return kbr_f32_from_bits(sign | 0x7F800000u);
    if (rest >= 0x0400u)
        return kbr_f32_from_bits(sign | ((rest << 13) + (112u << 23)));
    float magnitude = (float)rest * 0x1p-24f; /* exact: a subnormal counts in units of 2^-24 */
    return sign != 0 ? -magnitude : magnitude;
}

uint16_t kbr_f16_from_f32(float value) {
    uint32_t bits = f32_raw(value);
    uint32_t sign = bits >> 16 & 0x8000u, rest = bits & 0x7FFFFFFFu;
    if (rest > 0x7F800000u)
        return KBR_F16_NAN;
    if (rest >= 0x47800000u) /* 2^16 and above */
        return (uint16_t)(sign | 0x7C00u);
    if (rest >= 0x38800000u) { /* a normal f16: rebias, and round the low 13 bits off */
        uint32_t moved = rest - (112u << 23);
        return (uint16_t)(sign | ((moved + 0x0FFFu + (moved >> 13 & 1u)) >> 13));
    }
    if (rest < 0x33000000u) /* below half of the smallest subnormal */
        return (uint16_t)sign;
    uint32_t significand = (rest & 0x007FFFFFu) | 0x00800000u;
    return (uint16_t)(sign | (uint32_t)round_off(significand, 126u - (rest >> 23)));
}

uint16_t kbr_f16_from_f64(double value) {
    return (uint16_t)(value != value ? KBR_F16_NAN : narrow(value, 5, 10));
}

/* --- bf16 -------------------------------------------------------------------------------------- */

float kbr_bf16_to_f32(uint16_t bits) {
    float value = kbr_f32_from_bits((uint32_t)bits << 16);
    return value != value ? kbr_f32_from_bits(KBR_F32_NAN) : value;
}

uint16_t kbr_bf16_from_f32(float value) {
    if (value != value)
        return KBR_BF16_NAN;
    uint32_t bits = f32_raw(value);
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

uint16_t kbr_bf16_from_f64(double value) {
    return (uint16_t)(value != value ? KBR_BF16_NAN : narrow(value, 8, 7));
}

/* --- integers, minimum, maximum ---------------------------------------------------------------- */

int64_t kbr_integer_from_f64(double value, int64_t low, int64_t high) {
    if (value != value)
        return 0;
    if (value <= (double)low)
        return low;
    if (value >= (double)high)
        return high;
    double down = floor(value), rest = value - down; /* exact: |value| < 2^53 where a fraction is left */
    int64_t whole = (int64_t)down;
    return rest > 0.5 || (rest == 0.5 && (whole & 1) != 0) ? whole + 1 : whole;
}

#define KBR_EXTREMES(type, suffix)                    \
    type kbr_minimum_##suffix(type a, type b) {       \
        if (a != a || b != b)                         \
            return (type)NAN;                         \
        if (a == b) /* the zeros: either sign wins */ \
            return signbit(a) ? a : b;                \
        return a < b ? a : b;                         \
    }                                                 \
    type kbr_maximum_##suffix(type a, type b) {       \
        if (a != a || b != b)                         \
            return (type)NAN;                         \
        if (a == b)                                   \
            return signbit(a) ? b : a;                \
        return a > b ? a : b;                         \
    }
KBR_EXTREMES(float, f32)
KBR_EXTREMES(double, f64)

/* --- dtypes ------------------------------------------------------------------------------------ */

static uint32_t get_le(const uint8_t *bytes, unsigned size) {
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)bytes[i] << 8 * i;
    return value;
}

static void put_le(uint32_t value, uint8_t *bytes, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static double load_f16(const uint8_t *bytes) {
    return (double)kbr_f16_to_f32((uint16_t)get_le(bytes, 2));
}

static void store_f16(double value, uint8_t *bytes) {
    put_le(kbr_f16_from_f64(value), bytes, 2);
}

static double load_bf16(const uint8_t *bytes) {
    return (double)kbr_bf16_to_f32((uint16_t)get_le(bytes, 2));
}

static void store_bf16(double value, uint8_t *bytes) {
    put_le(kbr_bf16_from_f64(value), bytes, 2);
}

static double load_f32(const uint8_t *bytes) {
    return (double)kbr_f32_from_bits(get_le(bytes, 4));
}

static void store_f32(double value, uint8_t *bytes) {
    put_le(value != value ? KBR_F32_NAN : f32_raw((float)value), bytes, 4);
}

static double load_i8(const uint8_t *bytes) {
    return (double)(int8_t)bytes[0];
}

static void store_i8(double value, uint8_t *bytes) {
    put_le((uint32_t)kbr_integer_from_f64(value, INT8_MIN, INT8_MAX), bytes, 1);
}

static double load_i32(const uint8_t *bytes) {
    return (double)(int32_t)get_le(bytes, 4);
}

static void store_i32(double value, uint8_t *bytes) {
    put_le((uint32_t)kbr_integer_from_f64(value, INT32_MIN, INT32_MAX), bytes, 4);
}

static const kbr_dtype dtypes[] = {
    [KB_DTYPE_F16] = {2, true, 11, 65504.0, 0x1p-25, 2048.0, load_f16, store_f16},
    [KB_DTYPE_BF16] = {2, true, 8, 0x1.FEp127, 0x1p-134, 256.0, load_bf16, store_bf16},
    [KB_DTYPE_F32] = {4, true, 24, 0x1.FFFFFEp127, 0x1p-150, 0x1p24, load_f32, store_f32},
    [KB_DTYPE_I8] = {1, false, 7, 127.0, 0.0, 127.0, load_i8, store_i8},
    [KB_DTYPE_I32] = {4, false, 31, 2147483647.0, 0.0, 2147483647.0, load_i32, store_i32},
};

const kbr_dtype *kbr_dtype_of(uint32_t dtype) {
    return dtype < sizeof dtypes / sizeof dtypes[0] && dtypes[dtype].load != NULL ? &dtypes[dtype] : NULL;
}

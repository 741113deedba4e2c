/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of elements; see number.h. Written for itself from docs/trace-format.md: pass two, which computes
 * with data, checks what comes out of here.
 */
#include "record/number.h"

#include <math.h>
#include <string.h>

typedef struct format {
    bool is_float;
    int precision, least_exponent; /* bits of the significand; of the smallest normal number */
    int fraction_bits, exponent_bits;
    double most;
} format;

static const format formats[] = {
    [KB_DTYPE_F16] = {true, 11, -14, 10, 5, 65504},
    [KB_DTYPE_BF16] = {true, 8, -126, 7, 8, 0x1.FEp127},
    [KB_DTYPE_F32] = {true, 24, -126, 23, 8, 0x1.FFFFFEp127},
    [KB_DTYPE_I8] = {false, 8, 0, 0, 0, 127},
    [KB_DTYPE_I32] = {false, 32, 0, 0, 0, 2147483647},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

bool kbs_is_float(uint32_t dtype) {
    return dtype < FORMATS && formats[dtype].is_float;
}

bool kbs_is_integer(uint32_t dtype) {
    return dtype == KB_DTYPE_I8 || dtype == KB_DTYPE_I32;
}

double kbs_most_of(uint32_t dtype) {
    return formats[dtype].most;
}

double kbs_exact_of(uint32_t dtype) {
    return formats[dtype].is_float ? ldexp(1, formats[dtype].precision) : formats[dtype].most;
}

/* Rounds to a float dtype, to nearest even; integers stay. */
static double round_to(uint32_t dtype, double value) {
    const format *f = &formats[dtype];
    if (!f->is_float || value == 0 || !isfinite(value))
        return value;
    int exponent = ilogb(value);
    if (exponent < f->least_exponent)
        exponent = f->least_exponent;
    const int last = exponent - f->precision + 1; /* weight of the last bit */
    const double rounded = ldexp(nearbyint(ldexp(value, -last)), last);
    return fabs(rounded) > f->most ? copysign(INFINITY, rounded) : rounded;
}

/* --- bits ------------------------------------------------------------------------------------ */

static uint64_t float_bits(const format *f, double value) {
    const uint64_t top = (UINT64_C(1) << f->exponent_bits) - 1;
    const uint64_t sign = (uint64_t)(signbit(value) != 0) << (f->fraction_bits + f->exponent_bits);
    const double size = fabs(value);
    if (isnan(value))
        return top << f->fraction_bits | UINT64_C(1) << (f->fraction_bits - 1);
    if (isinf(value))
        return sign | top << f->fraction_bits;
    if (size < ldexp(1, f->least_exponent)) /* subnormal, or 0 */
        return sign | (uint64_t)ldexp(size, f->precision - 1 - f->least_exponent);
    const int exponent = ilogb(size);
    const uint64_t significand = (uint64_t)ldexp(size, f->precision - 1 - exponent);
    const uint64_t biased = (uint64_t)(exponent - f->least_exponent + 1);
    return sign | biased << f->fraction_bits | (significand & ((UINT64_C(1) << f->fraction_bits) - 1));
}

uint64_t kbs_bits_of(uint32_t dtype, double value) {
    const format *f = &formats[dtype];
    if (f->is_float)
        return float_bits(f, value);
    return (uint64_t)(int64_t)value & ((UINT64_C(1) << f->precision) - 1);
}

double kbs_value_of(uint32_t dtype, uint64_t bits) {
    const format *f = &formats[dtype];
    if (!f->is_float)
        return dtype == KB_DTYPE_I8 ? (double)(int8_t)bits : (double)(int32_t)bits;
    const uint64_t fraction = bits & ((UINT64_C(1) << f->fraction_bits) - 1);
    const int top = (1 << f->exponent_bits) - 1, biased = (int)(bits >> f->fraction_bits) & top;
    const bool is_negative = (bits >> (f->fraction_bits + f->exponent_bits) & 1U) != 0;
    double size;
    if (biased == top)
        size = fraction != 0 ? NAN : INFINITY;
    else if (biased == 0)
        size = ldexp((double)fraction, f->least_exponent - f->precision + 1);
    else
        size = ldexp((double)(fraction | UINT64_C(1) << f->fraction_bits),
                     biased - 1 + f->least_exponent - f->precision + 1);
    return is_negative ? -size : size;
}

/* --- recipes --------------------------------------------------------------------------------- */

/* splitmix64's step and finaliser (Steele, Lea, Flood 2014). */
static uint64_t hash_of(uint64_t seed, uint64_t number) {
    uint64_t x = seed + (number + 1) * UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30U) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27U) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31U;
}

double kbs_initial_value(const kb_initial *initial, uint64_t element) {
    const uint64_t number = initial->first_element + element, hash = hash_of(initial->seed, number);
    const double low = initial->low, high = initial->high;
    double value = 0;
    if (initial->recipe == KB_RECIPE_CONSTANT)
        value = low;
    else if (initial->recipe == KB_RECIPE_IOTA)
        value = low + (double)number * high;
    else if (initial->recipe == KB_RECIPE_UNIFORM)
        value = low + (high - low) * ((double)(hash >> 11U) * 0x1p-53);
    else if (initial->recipe == KB_RECIPE_INTS)
        value = low + (double)(hash % (uint64_t)(high - low + 1));
    else if (initial->recipe == KB_RECIPE_SIGNS)
        value = hash >> 63U != 0 ? -1 : 1;
    return round_to(initial->dtype, value);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transcendental functions, of doubles that came from an f16, a bf16 or an f32. For the kernels alone.
 *
 * Only + - * / sqrt and fma are used, which round alike everywhere, so each function gives the same bits on
 * every machine. A result is computed as a sum of two doubles, high and low, to some 2^-56 of itself, and
 * rounded to odd: the last bit of the double says whether anything was left. Rounding that once more, to
 * nearest in the dtype of the output, gives the exact result rounded once, as docs/numbers.md says. That
 * this is so for every f32 is shown by tests/campaign/functions.sh.
 */
#ifndef KBREPLAY_SRC_FUNCTIONS_H
#define KBREPLAY_SRC_FUNCTIONS_H

#include <math.h>

#include "number/elements.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* A polynomial by Horner's rule, the highest power first. */
INLINE vd horner(vd x, const double *coefficients, size_t count) {
    vd sum = all_d(coefficients[0]);
    for (size_t i = 1; i < count; i++)
        sum = fma_d(sum, x, all_d(coefficients[i]));
    return sum;
}
#define HORNER(x, array) horner(x, array, LENGTH(array))

/* A number in two doubles; low is below the last bit of high where nothing else is said. */
typedef struct pair {
    vd high, low;
} pair;

/* a + b to the last bit, where |a| >= |b| or a is 0. */
INLINE pair ordered_sum(vd a, vd b) {
    vd sum = a + b;
    return (pair){sum, b - (sum - a)};
}

/* The same for any two. */
INLINE pair exact_sum(vd a, vd b) {
    vd sum = a + b, taken = sum - a;
    return (pair){sum, (a - (sum - taken)) + (b - taken)};
}

/* high + low rounded to odd, where |high| >= |low|: if that is no double, its odd neighbour. */
INLINE vd odd(vd high, vd low) {
    pair sum = ordered_sum(high, low);
    vq bits = (vq)sum.high;
    vq inexact = (vq)((sum.low < 0.0) | (sum.low > 0.0)), even = (bits & 1) - 1;
    vq step = 1 - (((vq)sum.low ^ bits) >> 63 << 1);
    return (vd)(bits + (step & inexact & even));
}

/* 2^k */
INLINE vd power(vi k) {
    return (vd)(((vq)k + 1023) << 52);
}

/* --- exponential ------------------------------------------------------------------------------- */

#define LN2_HIGH 0x1.62e42fefp-1 /* 33 bits: its products with a small integer are exact */
#define LN2_LOW 0x1.473de6af278edp-34
#define LOG2_E 0x1.71547652b82fep+0
#define TO_INTEGER 0x1.8p52 /* added to a double, it leaves an integer in the low bits */

/* e^x = 2^k (1 + r + rest), |r| <= 0.35, rest < r^2. */
typedef struct exponential {
    vi k;
    vd r, rest;
} exponential;

/* For |x| <= 400. The series of e^r, whose first term left out is below 2^-57. */
INLINE exponential exponential_of(vd x) {
    static const double inverse_factorials[] = {
        1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
        1.0 / 5040,       1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      1.0 / 2};
    vd shifted = fma_d(x, all_d(LOG2_E), all_d(TO_INTEGER)), k = shifted - TO_INTEGER;
    vd high = fma_d(k, all_d(-LN2_HIGH), x), r = fma_d(k, all_d(-LN2_LOW), high);
    vd lost = fma_d(k, all_d(-LN2_LOW), high - r);
    vd rest = fma_d(r * r, HORNER(r, inverse_factorials), fma_d(lost, r, lost));
    return (exponential){(vi)((vq)shifted - (vq)all_d(TO_INTEGER)), r, rest};
}

/* 1 + r + rest */
INLINE pair mantissa(exponential e) {
    pair sum = ordered_sum(all_d(1.0), e.r);
    return ordered_sum(sum.high, sum.low + e.rest);
}

INLINE vd between(vd x, double low, double high) {
    return pick_d(x < low, all_d(low), pick_d(x > high, all_d(high), x));
}

INLINE vd exp_of(vd x) {
    exponential e = exponential_of(between(x, -200.0, 200.0)); /* beyond, every dtype has 0 or infinity */
    pair result = mantissa(e);
    return pick_d(x != x, x, odd(result.high, result.low) * power(e.k));
}

/* --- logarithm --------------------------------------------------------------------------------- */

/*
 * x = 2^k (1 + f), with 1 + f between the roots of 1/2 and 2. With s = f / (2 + f), log(1 + f) is
 * 2 atanh(s) = f - f^2/2 + s (f^2/2 + R), where R = 2/3 s^2 + 2/5 s^4 + ...
 */
INLINE vd log_of(vd x) {
    static const double odds[] = {2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13,
                                  2.0 / 11, 2.0 / 9,  2.0 / 7,  2.0 / 5,  2.0 / 3};
    const vq root_half = (vq)all_d(0x1.6a09e667f3bcdp-1);
    vi exponent = (vi)((vq)x - root_half) >> 52;
    vd f = (vd)((vq)x - ((vq)exponent << 52)) - 1.0, k = (vd)(exponent + (vi)all_d(TO_INTEGER)) - TO_INTEGER;
    vd s = f / (2.0 + f), z = s * s, half_square = f * f * 0.5;
    vd shift = k * LN2_HIGH, first = shift + f, high = first - half_square;
    vd low = ((shift - first) + f) + ((first - high) - half_square);
    low += fma_d(s, fma_d(z, HORNER(z, odds), half_square), k * LN2_LOW);
    vd result = odd(high, low);
    result = pick_d(x == (double)INFINITY, x, result);
    result = pick_d(x == 0.0, all_d(-(double)INFINITY), result);
    return pick_d((x < 0.0) | (x != x), all_d((double)NAN), result);
}

/* --- quotients of exponentials ----------------------------------------------------------------- */

INLINE pair quotient(pair over, pair under) {
    vd inverse = 1.0 / under.high, high = over.high * inverse;
    vd rest = fma_d(-high, under.high, over.high) + fma_d(-high, under.low, over.low);
    return (pair){high, rest * inverse};
}

/* With m = e^(2|x|) - 1: m / (m + 2). */
INLINE vd tanh_of(vd x) {
    vd size = between(absolute_d(x), 0.0, 22.0); /* beyond, every dtype has 1 */
    exponential e = exponential_of(2.0 * size);
    vd scale = power(e.k);
    pair m = ordered_sum(scale - 1.0, scale * e.r);
    m = ordered_sum(m.high, m.low + scale * e.rest);
    pair under = exact_sum(m.high, all_d(2.0));
    under.low += m.low;
    pair result = quotient(m, under);
    return pick_d(x != x, x, signed_d(odd(result.high, result.low), x));
}

/* 1 / (1 + e^-x), x within 200 of 0. */
INLINE pair logistic(vd x) {
    exponential e = exponential_of(-x);
    vd scale = power(e.k);
    pair over = mantissa(e), under = exact_sum(scale * over.high, all_d(1.0));
    under.low += scale * over.low;
    return quotient((pair){all_d(1.0), all_d(0.0)}, under);
}

INLINE vd sigmoid_of(vd x) {
    pair result = logistic(between(x, -200.0, 200.0));
    return pick_d(x != x, x, odd(result.high, result.low));
}

INLINE vd silu_of(vd x) {
    vd within = between(x, -200.0, 200.0);
    pair part = logistic(within);
    vd high = within * part.high, low = fma_d(within, part.low, fma_d(within, part.high, -high));
    return pick_d((x != x) | (x > 100.0) | (x == 0.0), x, odd(high, low));
}

/* --- x times the normal distribution ----------------------------------------------------------- */

#define INVERSE_ROOT_2_PI 0x1.9884533d43651p-2

/* Near 0: x/2 + x^2 / sqrt(2 pi) * (1 - x^2/6 + x^4/40 - ...). */
INLINE vd gelu_near(vd x) {
    static const double terms[] = {
        -1.0 / 1880240947200, 1.0 / 78033715200, -1.0 / 3530096640, 1.0 / 175472640,
        -1.0 / 9676800,       1.0 / 599040,      -1.0 / 42240,      1.0 / 3456,
        -1.0 / 336,           1.0 / 40,          -1.0 / 6,          1.0};
    vd square = x * x;
    return odd(0.5 * x, square * (INVERSE_ROOT_2_PI * HORNER(square, terms)));
}

/*
 * Elsewhere: the distribution at -a is its density there times Mills' ratio M(a), which is smooth:
 * (1 + a) M(a) is a polynomial in u = (a - 4) / (a + 4) to 2^-60 for a from 0.375 to 14.5.
 * tests/campaign/mills.py makes the coefficients.
 */
INLINE vd gelu_far(vd x) {
    static const double mills[] = {
        0x1.03bfbb1e71fa5p-28,  0x1.837551ef20af8p-26,  0x1.3003db48df37ep-25, -0x1.1e98d530f770ap-24,
        -0x1.295f9cb8cc4f9p-22, 0x1.45b1d513919d3p-26,  0x1.745558b144f89p-20, 0x1.0e081fbf355f7p-20,
        -0x1.b7b99cce8c485p-18, -0x1.209642428213ep-17, 0x1.1e8b1348070a8p-15, 0x1.bed27c47c0ff1p-15,
        -0x1.cdd35148cfc8bp-13, -0x1.f0661f6b07a6ep-13, 0x1.c89d7dfb656fap-10, -0x1.775d4f140e142p-11,
        -0x1.9ae19ffc007f6p-7,  0x1.704e20a1b7d5ap-5,   -0x1.4a947b618ccbfp-4, 0x1.25a4eb031bf33p-4,
        0x1.1f7901bed41dfp-5,   -0x1.f06f3d0b9e634p-3,  0x1.2eea40b9abcabp+0};
    vd a = between(absolute_d(x), 0.0, 16.0);
    vd ratio = HORNER((a - 4.0) / (a + 4.0), mills) * INVERSE_ROOT_2_PI / (1.0 + a);
    exponential e = exponential_of(-0.5 * (a * a));
    vd scaled = ratio * power(e.k);
    pair density = mantissa(e);
    vd tail = scaled * density.high;
    vd tail_low = fma_d(scaled, density.low, fma_d(scaled, density.high, -tail));
    vd product = a * tail, product_low = fma_d(a, tail_low, fma_d(a, tail, -product));
    vd above = a - product, above_low = ((a - above) - product) - product_low;
    return pick_d(x < 0.0, odd(-product, -product_low), odd(above, above_low));
}

INLINE vd gelu_of(vd x) {
    vd result = pick_d(absolute_d(x) < 0.5, gelu_near(x), gelu_far(x));
    return pick_d((x != x) | (x > 16.0) | (x == 0.0), x, result);
}

/* --- inverse root ------------------------------------------------------------------------------ */

INLINE vd rsqrt_of(vd x) {
    vd root = sqrt_d(x), inverse = 1.0 / root;
    vd beyond = fma_d(-root, root, x); /* x - root^2, exactly */
    vd low = inverse * (fma_d(-inverse, root, all_d(1.0)) - 0.5 * beyond * inverse * inverse);
    return pick_d((x == 0.0) | (x == (double)INFINITY), inverse, odd(inverse, low));
}

#endif

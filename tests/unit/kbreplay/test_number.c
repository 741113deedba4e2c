/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversions: every 16-bit pattern there and back, and rounding against the neighbours of every value.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kbtrace/words.h"
#include "number/number.h"

/* The value of a pattern by the definition of its format, in doubles. */
static double defined_value(unsigned bits, int exponent_bits, int fraction_bits) {
    int bias = (1 << (exponent_bits - 1)) - 1;
    unsigned field = bits >> fraction_bits & ((1u << exponent_bits) - 1);
    double fraction = ldexp((double)(bits & ((1u << fraction_bits) - 1)), -fraction_bits);
    double sign = (bits >> 15 & 1) != 0 ? -1.0 : 1.0;
    if (field == (1u << exponent_bits) - 1)
        return fraction != 0.0 ? (double)NAN : sign * (double)INFINITY;
    if (field == 0)
        return sign * ldexp(fraction, 1 - bias);
    return sign * ldexp(1.0 + fraction, (int)field - bias);
}

typedef struct format {
    int exponent_bits, fraction_bits;
    unsigned nan;
    float (*widen)(uint16_t bits);
    uint16_t (*from_f32)(float value);
    uint16_t (*from_f64)(double value);
} format;

static const format formats[] = {
    {5, 10, KBR_F16_NAN, kbr_f16_to_f32, kbr_f16_from_f32, kbr_f16_from_f64},
    {8, 7, KBR_BF16_NAN, kbr_bf16_to_f32, kbr_bf16_from_f32, kbr_bf16_from_f64},
};

static void every_pattern_widens_by_definition_and_returns(void **state) {
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const format *it = &formats[f];
        for (unsigned bits = 0; bits < 0x10000; bits++) {
            double want = defined_value(bits, it->exponent_bits, it->fraction_bits);
            float got = it->widen((uint16_t)bits);
            if (want != want) {
                assert_int_equal(kbr_f32_to_bits(got), KBR_F32_NAN);
                assert_int_equal(it->from_f32(got), it->nan);
                assert_int_equal(it->from_f64((double)got), it->nan);
                continue;
            }
            assert_true((double)got == want && signbit((double)got) == signbit(want));
            assert_int_equal(it->from_f32(got), bits);
            assert_int_equal(it->from_f64((double)got), bits);
        }
    }
}

/* Between each two neighbours: just below the middle, the middle (to even), just above it. */
static void every_interval_rounds_to_nearest_even(void **state) {
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        const format *it = &formats[f];
        unsigned infinity = ((1u << it->exponent_bits) - 1) << it->fraction_bits;
        for (unsigned sign = 0; sign <= 0x8000; sign += 0x8000) {
            for (unsigned bits = 0; bits < infinity; bits++) {
                double low = defined_value(bits, it->exponent_bits, it->fraction_bits);
                double high = bits + 1 < infinity
                                  ? defined_value(bits + 1, it->exponent_bits, it->fraction_bits)
                                  : 2 * low - defined_value(bits - 1, it->exponent_bits, it->fraction_bits);
                double middle = (low + high) / 2;
                double sides[3] = {nextafter(middle, low), middle, nextafter(middle, high)};
                unsigned want[3] = {bits, bits + (bits & 1), bits + 1};
                for (int k = 0; k < 3; k++) {
                    double value = sign != 0 ? -sides[k] : sides[k];
                    assert_int_equal(it->from_f64(value), sign | want[k]);
                    float narrow = (float)value;
                    if ((double)narrow == value)
                        assert_int_equal(it->from_f32(narrow), sign | want[k]);
                }
                float above = nextafterf((float)middle, INFINITY), below = nextafterf((float)middle, 0.0f);
                assert_int_equal(it->from_f32(sign != 0 ? -above : above), sign | (bits + 1));
                assert_int_equal(it->from_f32(sign != 0 ? -below : below), sign | bits);
            }
        }
    }
}

static void f32_and_f64_agree(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 2000000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        float value = kbr_f32_from_bits((uint32_t)(seed >> 32));
        assert_int_equal(kbr_f16_from_f32(value), kbr_f16_from_f64((double)value));
        assert_int_equal(kbr_bf16_from_f32(value), kbr_bf16_from_f64((double)value));
    }
}

static void integers_round_and_stay_in_range(void **state) {
    (void)state;
    assert_int_equal(kbr_integer_from_f64(2.5, -128, 127), 2);
    assert_int_equal(kbr_integer_from_f64(3.5, -128, 127), 4);
    assert_int_equal(kbr_integer_from_f64(-2.5, -128, 127), -2);
    assert_int_equal(kbr_integer_from_f64(-3.5, -128, 127), -4);
    assert_int_equal(kbr_integer_from_f64(-0.5000001, -128, 127), -1);
    assert_int_equal(kbr_integer_from_f64(1e300, -128, 127), 127);
    assert_int_equal(kbr_integer_from_f64(-(double)INFINITY, -128, 127), -128);
    assert_int_equal(kbr_integer_from_f64((double)NAN, -128, 127), 0);
    for (int v = -128; v < 128; v++) {
        uint8_t byte;
        kbr_dtype_of(KB_DTYPE_I8)->store((double)v, &byte);
        assert_int_equal((int8_t)byte, v);
        assert_true(kbr_dtype_of(KB_DTYPE_I8)->load(&byte) == (double)v);
    }
}

static void extremes_follow_the_standard(void **state) {
    (void)state;
    assert_true(signbit(kbr_minimum_f32(0.0f, -0.0f)) && signbit(kbr_minimum_f32(-0.0f, 0.0f)));
    assert_false(signbit(kbr_maximum_f32(0.0f, -0.0f)) || signbit(kbr_maximum_f32(-0.0f, 0.0f)));
    assert_true(isnan(kbr_minimum_f32(NAN, 1.0f)) && isnan(kbr_maximum_f32(1.0f, NAN)));
    assert_true(kbr_minimum_f64(2.0, -3.0) == -3.0 && kbr_maximum_f64(2.0, -3.0) == 2.0);
}

static void dtypes_say_what_they_hold(void **state) {
    (void)state;
    assert_null(kbr_dtype_of(0));
    assert_null(kbr_dtype_of(KB_DTYPE_BYTES));
    assert_null(kbr_dtype_of(KB_DTYPE_F8E4M3));
    assert_null(kbr_dtype_of(UINT32_MAX));
    static const uint32_t floats[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32};
    for (size_t i = 0; i < 3; i++) {
        const kbr_dtype *it = kbr_dtype_of(floats[i]);
        uint8_t bytes[4];
        it->store(it->largest, bytes);
        assert_true(it->load(bytes) == it->largest);
        it->store(it->half_smallest, bytes); /* a tie between 0 and the smallest: to even */
        assert_true(it->load(bytes) == 0.0);
        it->store(2 * it->half_smallest, bytes);
        assert_true(it->load(bytes) == 2 * it->half_smallest);
        it->store(it->exact_integers + 1, bytes); /* the first integer that it cannot hold */
        assert_true(it->load(bytes) == it->exact_integers);
        it->store(it->exact_integers - 1, bytes);
        assert_true(it->load(bytes) == it->exact_integers - 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pattern_widens_by_definition_and_returns),
        cmocka_unit_test(every_interval_rounds_to_nearest_even),
        cmocka_unit_test(f32_and_f64_agree),
        cmocka_unit_test(integers_round_and_stay_in_range),
        cmocka_unit_test(extremes_follow_the_standard),
        cmocka_unit_test(dtypes_say_what_they_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transcendental functions are the exact results, rounded once: every f16 and bf16, and a sample of f32 from
 * every power of two. The argument `every` takes every f32; tests/campaign/functions.sh does so.
 *
 * The reference is the C library's double, which is right to far less than 2^-44 of itself. Where that much
 * more or less would round otherwise, MPFR decides with 200 bits.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <mpfr.h>

#include "kbtrace/words.h"
#include "number/kernels.h"
#include "number/number.h"

#define TOLERANCE 0x1p-44
#define BITS 200

/* --- references -------------------------------------------------------------------------------- */

static double near_rsqrt(double x) {
    return 1.0 / sqrt(x);
}

static double near_sigmoid(double x) {
    return 1.0 / (1.0 + exp(-x));
}

static double near_silu(double x) {
    return x < -200.0 ? -0.0 : x * near_sigmoid(x);
}

static double near_gelu(double x) {
    return x < -40.0 ? -0.0 : 0.5 * x * erfc(-x * 0.70710678118654752440);
}

typedef void exact(mpfr_t result, mpfr_t x);

static void exact_rsqrt(mpfr_t result, mpfr_t x) {
    mpfr_rec_sqrt(result, x, MPFR_RNDN);
}

static void exact_exp(mpfr_t result, mpfr_t x) {
    mpfr_exp(result, x, MPFR_RNDN);
}

static void exact_log(mpfr_t result, mpfr_t x) {
    mpfr_log(result, x, MPFR_RNDN);
}

static void exact_tanh(mpfr_t result, mpfr_t x) {
    mpfr_tanh(result, x, MPFR_RNDN);
}

static void exact_sigmoid(mpfr_t result, mpfr_t x) {
    mpfr_neg(result, x, MPFR_RNDN);
    mpfr_exp(result, result, MPFR_RNDN);
    mpfr_add_ui(result, result, 1, MPFR_RNDN);
    mpfr_ui_div(result, 1, result, MPFR_RNDN);
}

static void exact_silu(mpfr_t result, mpfr_t x) {
    exact_sigmoid(result, x);
    mpfr_mul(result, result, x, MPFR_RNDN);
}

static void exact_gelu(mpfr_t result, mpfr_t x) {
    mpfr_sqrt_ui(result, 2, MPFR_RNDN);
    mpfr_div(result, x, result, MPFR_RNDN);
    mpfr_neg(result, result, MPFR_RNDN);
    mpfr_erfc(result, result, MPFR_RNDN);
    mpfr_mul(result, result, x, MPFR_RNDN);
    mpfr_div_2ui(result, result, 1, MPFR_RNDN);
}

static const struct function {
    const char *name;
    uint32_t func;
    double (*near)(double x);
    exact *exact;
} functions[] = {
    {"rsqrt", KB_FUNC_RSQRT, near_rsqrt, exact_rsqrt},
    {"exp", KB_FUNC_EXP, exp, exact_exp},
    {"log", KB_FUNC_LOG, log, exact_log},
    {"tanh", KB_FUNC_TANH, tanh, exact_tanh},
    {"sigmoid", KB_FUNC_SIGMOID, near_sigmoid, exact_sigmoid},
    {"gelu", KB_FUNC_GELU, near_gelu, exact_gelu},
    {"silu", KB_FUNC_SILU, near_silu, exact_silu},
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

/* The exact result, rounded to odd in a double: one more rounding, to any dtype, is right. */
static double exact_odd(const struct function *it, double x) {
    mpfr_t from, to;
    mpfr_init2(from, BITS);
    mpfr_init2(to, BITS);
    mpfr_set_d(from, x, MPFR_RNDN);
    it->exact(to, from);
    double down = mpfr_get_d(to, MPFR_RNDZ);
    uint64_t bits;
    memcpy(&bits, &down, sizeof bits);
    bits |= mpfr_cmp_d(to, down) != 0;
    memcpy(&down, &bits, sizeof bits);
    mpfr_clear(from);
    mpfr_clear(to);
    return down;
}

static uint32_t bits_of(const uint8_t *bytes, uint32_t size) {
    uint32_t bits = 0;
    memcpy(&bits, bytes, size);
    return bits;
}

/* The bits that the function of `x` is to have in a dtype. */
static uint32_t wanted(const struct function *it, const kbr_dtype *dtype, double x) {
    uint8_t low[4], high[4], right[4];
    double near = it->near(x);
    dtype->store(near * (1.0 - TOLERANCE), low);
    dtype->store(near * (1.0 + TOLERANCE), high);
    if (memcmp(low, high, dtype->size_bytes) == 0)
        return bits_of(low, dtype->size_bytes);
    dtype->store(exact_odd(it, x), right);
    return bits_of(right, dtype->size_bytes);
}

/* --- comparisons ------------------------------------------------------------------------------- */

enum { BLOCK = 4096 };

static size_t wrong_in(const struct function *it, uint32_t dtype, const uint8_t *in, size_t count) {
    const kbr_dtype *of = kbr_dtype_of(dtype);
    uint8_t out[4 * BLOCK];
    size_t wrong = 0;
    kbr_kernels_choose()->map[it->func][dtype](out, &in, 0, count);
    for (size_t i = 0; i < count; i++) {
        double x = of->load(in + i * of->size_bytes);
        uint32_t want = wanted(it, of, x), got = bits_of(out + i * of->size_bytes, of->size_bytes);
        if (want != got && wrong++ < 5)
            print_message("%s(%a) is %x, and should be %x\n", it->name, x, got, want);
    }
    return wrong;
}

static void every_16_bit_number(void **state) {
    (void)state;
    static const uint32_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16};
    for (size_t f = 0; f < FUNCTIONS; f++)
        for (size_t d = 0; d < 2; d++) {
            uint16_t in[BLOCK];
            size_t wrong = 0;
            for (unsigned first = 0; first < 0x10000; first += BLOCK) {
                for (unsigned i = 0; i < BLOCK; i++)
                    in[i] = (uint16_t)(first + i);
                wrong += wrong_in(&functions[f], dtypes[d], (const uint8_t *)in, BLOCK);
            }
            assert_int_equal(wrong, 0);
        }
}

/* Every `step`-th bit pattern from `first` on. */
static size_t wrong_floats(const struct function *it, uint32_t first, uint64_t step) {
    uint32_t in[BLOCK];
    size_t count = 0, wrong = 0;
    for (uint64_t bits = first; bits <= UINT32_MAX; bits += step) {
        in[count++] = (uint32_t)bits;
        if (count == BLOCK || bits + step > UINT32_MAX) {
            wrong += wrong_in(it, KB_DTYPE_F32, (const uint8_t *)in, count);
            count = 0;
        }
    }
    return wrong;
}

static void some_floats_of_every_size(void **state) {
    (void)state;
    for (size_t f = 0; f < FUNCTIONS; f++)
        assert_int_equal(wrong_floats(&functions[f], 0, 16381), 0);
}

/* Near 0 some results lie so close to the middle between two floats that only the last bit tells. */
static void small_floats_of_few_bits(void **state) {
    (void)state;
    for (size_t f = 0; f < FUNCTIONS; f++)
        for (uint32_t low = 0; low < 64; low++)
            assert_int_equal(wrong_floats(&functions[f], low << 17, 1 << 23), 0);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "every") == 0) {
        size_t all = 0;
        for (size_t f = 0; f < FUNCTIONS; f++) {
            if (argc > 2 && strcmp(argv[2], functions[f].name) != 0)
                continue;
            size_t wrong = wrong_floats(&functions[f], 0, 1);
            printf("%s: %zu of 2^32 wrong\n", functions[f].name, wrong);
            fflush(stdout);
            all += wrong;
        }
        return all != 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_16_bit_number),
        cmocka_unit_test(some_floats_of_every_size),
        cmocka_unit_test(small_floats_of_few_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every set of kernels gives the bits of the definition, whatever the length, whatever the numbers. With the
 * argument `every` the casts of every f32 to f16 and bf16, and the sum and the product of every two f16 and
 * bf16, as tests/campaign/kernels.sh does.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "number/kernels.h"
#include "number/number.h"

enum { ROOM = 4096 };

static uint64_t random_state = 7;

static uint32_t draw(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

/* Random bits; every fourth element is one of those that are apt to go wrong. */
static void fill(uint8_t *bytes, uint32_t dtype, size_t count) {
    static const double odd[] = {0.0,  -0.0,     INFINITY, -INFINITY, NAN,   1.0,
                                 -1.0, 0x1p-149, -0x1p-24, 65504.0,   127.0, -128.0};
    const kbr_dtype *of = kbr_dtype_of(dtype);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = draw(), which = draw();
        memcpy(bytes + i * of->size_bytes, &bits, of->size_bytes);
        if (which % 4 == 0)
            of->store(odd[which / 4 % (sizeof odd / sizeof odd[0])], bytes + i * of->size_bytes);
    }
}

static const uint32_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};
#define EACH_DTYPE(d) (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++)

static size_t size_of(uint32_t dtype) {
    return kbr_dtype_of(dtype)->size_bytes;
}

/* --- sets -------------------------------------------------------------------------------------- */

static void sets_are_found_by_name(void **state) {
    (void)state;
    assert_string_equal(kbr_kernels_at(0)->name, "portable");
    size_t count = 0;
    for (const kbr_kernels *it; (it = kbr_kernels_at(count)) != NULL; count++)
        assert_ptr_equal(kbr_kernels_named(it->name), it);
    assert_ptr_equal(kbr_kernels_choose(), kbr_kernels_at(count - 1));
    assert_null(kbr_kernels_named("none such"));
}

/* --- elementwise ------------------------------------------------------------------------------- */

static void check_map(kbr_map *map, kbr_map *meaning, uint32_t dtype, uint64_t immediate, size_t count) {
    static uint8_t in[KBR_MAP_INPUTS][4 * ROOM], want[4 * ROOM], got[4 * ROOM + 1];
    const uint8_t *inputs[KBR_MAP_INPUTS] = {in[0], in[1], in[2]};
    size_t size = size_of(dtype) * count;
    for (size_t i = 0; i < KBR_MAP_INPUTS; i++)
        fill(in[i], dtype, count);
    meaning(want, inputs, immediate, count);
    memset(got, 0xA5, sizeof got);
    map(got, inputs, immediate, count);
    assert_memory_equal(got, want, size);
    assert_int_equal(got[size], 0xA5);
    map(in[0], inputs, immediate, count); /* in place */
    assert_memory_equal(in[0], want, size);
}

static void every_set_maps_alike(void **state) {
    (void)state;
    const kbr_kernels *portable = kbr_kernels_at(0);
    double scalar = 1.7;
    uint64_t of_floats;
    memcpy(&of_floats, &scalar, sizeof scalar);
    for (size_t s = 1; kbr_kernels_at(s) != NULL; s++)
        for (uint32_t func = 0; func < KBR_FUNCS; func++)
            for
                EACH_DTYPE(d) {
                    kbr_map *map = kbr_kernels_at(s)->map[func][dtypes[d]];
                    assert_int_equal(map != NULL, portable->map[func][dtypes[d]] != NULL);
                    assert_int_equal(kbr_kernels_at(s)->inputs[func], portable->inputs[func]);
                    uint64_t immediate = kbr_dtype_of(dtypes[d])->is_float ? of_floats : (uint64_t)-77;
                    for (size_t count = 0; map != NULL && count < 40; count++)
                        check_map(map, portable->map[func][dtypes[d]], dtypes[d], immediate, count);
                    if (map != NULL)
                        check_map(map, portable->map[func][dtypes[d]], dtypes[d], immediate, ROOM - 3);
                }
}

/* --- casts ------------------------------------------------------------------------------------- */

/* By way of a double, which holds every number of every dtype: one rounding. */
static void check_cast(const kbr_kernels *kernels, uint32_t from, uint32_t to, const uint8_t *in,
                       size_t count) {
    static uint8_t got[4 * ROOM];
    kernels->cast[from][to](got, in, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t want[4];
        kbr_dtype_of(to)->store(kbr_dtype_of(from)->load(in + i * size_of(from)), want);
        assert_memory_equal(got + i * size_of(to), want, size_of(to));
    }
}

static void casts_round_once(void **state) {
    (void)state;
    static uint8_t in[4 * ROOM];
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++)
        for
            EACH_DTYPE(from)
            for
                EACH_DTYPE(to) {
                    for (size_t count = 0; count < 40; count++) {
                        fill(in, dtypes[from], count);
                        check_cast(kbr_kernels_at(s), dtypes[from], dtypes[to], in, count);
                    }
                    for (uint32_t bits = 0; bits < 0x10000 && size_of(dtypes[from]) == 2; bits += ROOM) {
                        for (uint32_t i = 0; i < ROOM; i++)
                            memcpy(in + 2 * i, &(uint16_t){(uint16_t)(bits + i)}, 2);
                        check_cast(kbr_kernels_at(s), dtypes[from], dtypes[to], in, ROOM);
                    }
                }
}

/* Small floats and integers about the places where something is rounded or cut. */
static void casts_at_the_edges(void **state) {
    (void)state;
    static const float edges[] = {0.5f,    1.5f,    2.5f,    126.5f,         127.5f,  128.5f,   256.0f,
                                  0x1p22f, 0x1p23f, 0x1p24f, 0x1.fffffep30f, 0x1p31f, 65519.0f, 65520.0f};
    static const int32_t wholes[] = {
        127,           128,           -128,      -129,      2049,       2051,       65519,      65520,
        (1 << 24) + 1, (1 << 24) + 3, INT32_MAX, INT32_MIN, 0x7FFFFFC0, 0x01010001, 0x01008001, 0x01007FFF};
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++)
        for
            EACH_DTYPE(to) {
                for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
                    float in[] = {edges[i], -edges[i], nextafterf(edges[i], 0.0f),
                                  nextafterf(edges[i], INFINITY)};
                    check_cast(kbr_kernels_at(s), KB_DTYPE_F32, dtypes[to], (uint8_t *)in, 4);
                }
                check_cast(kbr_kernels_at(s), KB_DTYPE_I32, dtypes[to], (const uint8_t *)wholes,
                           sizeof wholes / sizeof wholes[0]);
            }
}

/* Every `step`-th float becomes an f16 and a bf16 as one by one. */
static size_t wrong_floats(uint64_t step) {
    static uint32_t in[ROOM];
    static uint16_t f16[ROOM], bf16[ROOM];
    size_t count = 0, wrong = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += step) {
        in[count++] = (uint32_t)bits;
        if (count != ROOM && bits + step <= UINT32_MAX)
            continue;
        for (size_t s = 0; kbr_kernels_at(s) != NULL; s++) {
            const kbr_kernels *it = kbr_kernels_at(s);
            it->cast[KB_DTYPE_F32][KB_DTYPE_F16]((uint8_t *)f16, (uint8_t *)in, count);
            it->cast[KB_DTYPE_F32][KB_DTYPE_BF16]((uint8_t *)bf16, (uint8_t *)in, count);
            for (size_t i = 0; i < count; i++) {
                float x = kbr_f32_from_bits(in[i]);
                wrong += f16[i] != kbr_f16_from_f32(x) || bf16[i] != kbr_bf16_from_f32(x);
            }
        }
        count = 0;
    }
    return wrong;
}

static void some_floats_of_every_size_are_narrowed(void **state) {
    (void)state;
    assert_int_equal(wrong_floats(4093), 0);
}

/* --- sums and products of two, in all 16-bit numbers ------------------------------------------- */

/* The sum or product in a double is exact, or so near that one rounding of it is that of the exact one. */
static size_t wrong_pairs(uint32_t dtype, uint32_t func, uint32_t first, uint32_t step) {
    const kbr_dtype *of = kbr_dtype_of(dtype);
    static uint16_t a[ROOM], b[ROOM], got[ROOM], want[ROOM];
    size_t wrong = 0;
    for (uint32_t x = first; x < 0x10000; x += step)
        for (uint32_t y = 0; y < 0x10000; y += ROOM) {
            for (uint32_t i = 0; i < ROOM; i++) {
                a[i] = (uint16_t)x;
                b[i] = (uint16_t)(y + i);
                double left = of->load((uint8_t *)&a[i]), right = of->load((uint8_t *)&b[i]);
                double exact = func == KB_FUNC_ADD ? left + right : left * right;
                want[i] = dtype == KB_DTYPE_F16 ? kbr_f16_from_f64(exact) : kbr_bf16_from_f64(exact);
            }
            for (size_t s = 0; kbr_kernels_at(s) != NULL; s++) {
                kbr_kernels_at(s)->map[func][dtype](
                    (uint8_t *)got, (const uint8_t *[]){(uint8_t *)a, (uint8_t *)b, NULL}, 0, ROOM);
                for (size_t i = 0; i < ROOM; i++)
                    wrong += got[i] != want[i];
            }
        }
    return wrong;
}

static void some_pairs_are_rounded_once(void **state) {
    (void)state;
    for (size_t d = 0; d < 2; d++) {
        assert_int_equal(wrong_pairs(dtypes[d], KB_FUNC_ADD, 1, 6553), 0);
        assert_int_equal(wrong_pairs(dtypes[d], KB_FUNC_MUL, 2, 6553), 0);
    }
}

/* --- over an axis ------------------------------------------------------------------------------ */

static const uint32_t reductions[] = {KB_FUNC_SUM, KB_FUNC_PROD, KB_FUNC_REDUCE_MIN, KB_FUNC_REDUCE_MAX};

static float joined(uint32_t func, float a, float b) {
    return func == KB_FUNC_SUM          ? a + b
           : func == KB_FUNC_PROD       ? a * b
           : func == KB_FUNC_REDUCE_MIN ? kbr_minimum_f32(a, b)
                                        : kbr_maximum_f32(a, b);
}

/* The tree as docs/numbers.md defines it: the largest power of two below the count, and the rest. */
static float tree(uint32_t func, const float *x, size_t count) {
    if (count == 1)
        return x[0];
    size_t left = 1;
    while (2 * left < count)
        left *= 2;
    return joined(func, tree(func, x, left), tree(func, x + left, count - left));
}

static void check_rows(const kbr_kernels *kernels, uint32_t func, uint32_t dtype, size_t width) {
    enum { COUNT = 3 };
    static uint8_t in[4 * COUNT * 5000], got[4 * COUNT], wide[4 * COUNT];
    static float x[5000];
    for (size_t i = 0; i < COUNT * width; i++) /* numbers whose sums and products round, and stay finite */
        kbr_dtype_of(dtype)->store(1.0 + ((double)draw() * 0x1p-32 - 0.5) * 0.1, in + i * size_of(dtype));
    kernels->reduce[func][dtype](got, false, in, COUNT, width);
    kernels->reduce[func][dtype](wide, true, in, COUNT, width);
    for (size_t row = 0; row < COUNT; row++) {
        uint8_t want[4];
        for (size_t i = 0; i < width; i++)
            x[i] = (float)kbr_dtype_of(dtype)->load(in + (row * width + i) * size_of(dtype));
        float result = tree(func, x, width);
        kbr_dtype_of(dtype)->store((double)result, want);
        assert_memory_equal(got + row * size_of(dtype), want, size_of(dtype));
        assert_memory_equal(wide + 4 * row, &result, 4);
    }
}

static void check_integer_rows(const kbr_kernels *kernels, uint32_t func, uint32_t dtype, size_t width) {
    static uint8_t in[4 * 5000];
    int32_t wide;
    uint8_t narrow[4];
    uint32_t want = 0;
    fill(in, dtype, width);
    for (size_t i = 0; i < width; i++) {
        int32_t x = (int32_t)kbr_dtype_of(dtype)->load(in + i * size_of(dtype));
        want = i == 0                       ? (uint32_t)x
               : func == KB_FUNC_SUM        ? want + (uint32_t)x
               : func == KB_FUNC_PROD       ? want * (uint32_t)x
               : func == KB_FUNC_REDUCE_MIN ? (uint32_t)(x < (int32_t)want ? x : (int32_t)want)
                                            : (uint32_t)(x > (int32_t)want ? x : (int32_t)want);
    }
    kernels->reduce[func][dtype]((uint8_t *)&wide, true, in, 1, width);
    kernels->reduce[func][dtype](narrow, false, in, 1, width);
    assert_int_equal((uint32_t)wide, want);
    assert_memory_equal(narrow, &want, size_of(dtype)); /* cut, not kept in range */
}

static void reductions_are_the_pairwise_tree(void **state) {
    (void)state;
    static const size_t widths[] = {1,  2,  3,  4,  5,   6,    7,    8,    9,    15,   16,  17,
                                    31, 33, 63, 65, 100, 1023, 1024, 1025, 2047, 3072, 4999};
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++)
        for (size_t f = 0; f < 4; f++)
            for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++)
                for
                    EACH_DTYPE(d) {
                        if (kbr_dtype_of(dtypes[d])->is_float)
                            check_rows(kbr_kernels_at(s), reductions[f], dtypes[d], widths[w]);
                        else
                            check_integer_rows(kbr_kernels_at(s), reductions[f], dtypes[d], widths[w]);
                    }
}

/* --- softmax ----------------------------------------------------------------------------------- */

static float exponential(float x) {
    const uint8_t *in = (uint8_t *)&x;
    float result;
    kbr_kernels_at(0)->map[KB_FUNC_EXP][KB_DTYPE_F32]((uint8_t *)&result, &in, 0, 1);
    return result;
}

static void check_softmax(const kbr_kernels *kernels, uint32_t dtype, size_t width, double spread) {
    static uint8_t in[4 * 2 * 2000], got[4 * 2 * 2000];
    static float x[2000], scratch[2000];
    const kbr_dtype *of = kbr_dtype_of(dtype);
    for (size_t i = 0; i < 2 * width; i++)
        of->store(((double)draw() * 0x1p-32 - 0.5) * spread, in + i * of->size_bytes);
    kernels->softmax[dtype](got, in, 2, width, scratch);
    for (size_t row = 0; row < 2; row++) {
        float greatest = -INFINITY;
        for (size_t i = 0; i < width; i++) {
            x[i] = (float)of->load(in + (row * width + i) * of->size_bytes);
            greatest = kbr_maximum_f32(greatest, x[i]);
        }
        for (size_t i = 0; i < width; i++)
            x[i] = exponential(x[i] - greatest);
        float sum = tree(KB_FUNC_SUM, x, width);
        for (size_t i = 0; i < width; i++) {
            uint8_t want[4];
            of->store((double)(x[i] / sum), want);
            assert_memory_equal(got + (row * width + i) * of->size_bytes, want, of->size_bytes);
        }
    }
}

static void softmax_is_its_steps(void **state) {
    (void)state;
    static const size_t widths[] = {1, 2, 7, 16, 33, 1000, 1999};
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++)
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++)
            for (size_t d = 0; d < 3; d++) {
                check_softmax(kbr_kernels_at(s), dtypes[d], widths[w], 10.0);
                check_softmax(kbr_kernels_at(s), dtypes[d], widths[w], 300.0);
            }
}

static void softmax_of_what_is_not_finite(void **state) {
    (void)state;
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++) {
        float rows[] = {1.0f, -INFINITY, 1.0f, INFINITY, NAN, 0.0f}, scratch[2];
        kbr_kernels_at(s)->softmax[KB_DTYPE_F32]((uint8_t *)rows, (uint8_t *)rows, 3, 2, scratch);
        assert_true(rows[0] == 1.0f && rows[1] == 0.0f);
        for (size_t i = 2; i < 6; i++)
            assert_int_equal(kbr_f32_to_bits(rows[i]), KBR_F32_NAN);
    }
}

/* --- recipes ----------------------------------------------------------------------------------- */

/* The rule as docs/trace-format.md states it. */
static double element_of(uint32_t recipe, const kbr_contents *of, uint64_t i) {
    uint64_t h = of->seed + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ h >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    h = (h ^ h >> 27) * UINT64_C(0x94D049BB133111EB);
    h ^= h >> 31;
    if (recipe == KB_RECIPE_IOTA)
        return of->low + (double)i * of->high;
    if (recipe == KB_RECIPE_UNIFORM)
        return of->low + (of->high - of->low) * ((double)(h >> 11) * 0x1p-53);
    if (recipe == KB_RECIPE_INTS)
        return of->low + (double)(h % ((uint64_t)(of->high - of->low) + 1));
    return recipe == KB_RECIPE_SIGNS ? h >> 63 != 0 ? -1.0 : 1.0 : of->low;
}

static void contents_follow_their_rules(void **state) {
    (void)state;
    static const double ranges[][2] = {{-16, 16},         {0, 0},   {0, 1},    {-5, 1048570},
                                       {-5, 1048571},     {7, 263}, {3, 1e12}, {-0x1p53, 0x1p53},
                                       {-0x1p53, -0x1p52}};
    static const uint32_t recipes[] = {KB_RECIPE_CONSTANT, KB_RECIPE_IOTA, KB_RECIPE_UNIFORM, KB_RECIPE_INTS,
                                       KB_RECIPE_SIGNS};
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++)
        for (size_t r = 0; r < sizeof recipes / sizeof recipes[0]; r++)
            for (size_t n = 0; n < 40 * sizeof ranges / sizeof ranges[0]; n++) {
                const double *range = ranges[n % (sizeof ranges / sizeof ranges[0])];
                kbr_contents of = {(uint64_t)draw() << 32 | draw(), range[0], range[1]};
                uint64_t first = ((uint64_t)draw() << 32 | draw()) >> draw() % 64;
                double got[KBR_DRAWN];
                kbr_kernels_at(s)->draw[recipes[r]](got, &of, first);
                for (uint64_t i = 0; i < KBR_DRAWN; i++) {
                    double want = element_of(recipes[r], &of, first + i);
                    assert_memory_equal(&got[i], &want, sizeof want);
                }
            }
}

/* Doubles of every size, and those about half of what is lost. */
static double any_double(void) {
    static const double odd[] = {0.0,     -0.0,       INFINITY,  -INFINITY, NAN,         65519.99999,
                                 65520.0, 0x1.FFp127, 0x1p-134,  0x1p-25,   0x1.001p-25, 2147483647.5,
                                 126.5,   -128.5,     0x1p-1070, 1e300,     -0.5,        2.5};
    uint64_t bits = (uint64_t)draw() << 32 | draw();
    double value;
    memcpy(&value, &bits, sizeof value);
    switch (draw() % 4) {
    case 0: return odd[draw() % (sizeof odd / sizeof odd[0])];
    case 1: return value;
    case 2: return (double)(int32_t)draw() / (double)(1 << draw() % 24);
    default: return ldexp((double)(draw() % 8192 + 1), (int)(draw() % 80) - 60) * (1.0 + ldexp(1.0, -50));
    }
}

static void doubles_are_rounded_once(void **state) {
    (void)state;
    for (size_t s = 0; kbr_kernels_at(s) != NULL; s++)
        for
            EACH_DTYPE(d)
    for (int round = 0; round < 100; round++) {
        double in[KBR_DRAWN];
        uint8_t got[4 * KBR_DRAWN], want[4 * KBR_DRAWN];
        for (size_t i = 0; i < KBR_DRAWN; i++) {
            in[i] = any_double();
            kbr_dtype_of(dtypes[d])->store(in[i], want + i * size_of(dtypes[d]));
        }
        kbr_kernels_at(s)->round[dtypes[d]](got, in);
        assert_memory_equal(got, want, KBR_DRAWN * size_of(dtypes[d]));
    }
}

/* --- everything, by hand ----------------------------------------------------------------------- */

static int check_every(void) {
    size_t wrong = wrong_floats(1), all = wrong;
    printf("f32 to f16 and bf16: %zu of 2^32 wrong\n", wrong);
    for (size_t d = 0; d < 2; d++)
        for (size_t f = 0; f < 2; f++) {
            fflush(stdout);
            wrong = wrong_pairs(dtypes[d], f == 0 ? KB_FUNC_ADD : KB_FUNC_MUL, 0, 1);
            printf("%s of two %s: %zu of 2^32 wrong\n", f == 0 ? "sum" : "product", d == 0 ? "f16" : "bf16",
                   wrong);
            all += wrong;
        }
    return all != 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "every") == 0)
        return check_every();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_found_by_name),
        cmocka_unit_test(every_set_maps_alike),
        cmocka_unit_test(casts_round_once),
        cmocka_unit_test(casts_at_the_edges),
        cmocka_unit_test(some_floats_of_every_size_are_narrowed),
        cmocka_unit_test(some_pairs_are_rounded_once),
        cmocka_unit_test(reductions_are_the_pairwise_tree),
        cmocka_unit_test(softmax_is_its_steps),
        cmocka_unit_test(softmax_of_what_is_not_finite),
        cmocka_unit_test(contents_follow_their_rules),
        cmocka_unit_test(doubles_are_rounded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

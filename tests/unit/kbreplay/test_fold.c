/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counts as right and wrong of a result that was rounded on its way; and that the forms of a fold are
 * what one double after the other would have been, to the last bit of every verdict.
 */
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold/fold.h"
#include "kbtrace/words.h"

static uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* --- verdicts ----------------------------------------------------------------------------------------- */

typedef struct trial {
    kbr_fold_plan plan;
    double values[16];
    size_t count;
} trial;

static void trial_init(trial *it, uint32_t dtype, uint32_t reduce, uint32_t inputs) {
    *it = (trial){.plan = {.kernels = kbr_kernels_choose(),
                           .reduce = reduce,
                           .dtype = dtype,
                           .inputs = inputs,
                           .count = 1,
                           .limit_size = 1 << 20}};
}

static void trial_take(trial *it, double value) {
    it->values[it->count++] = value;
}

static kbr_verdict trial_judge(const trial *it, double value) {
    const kbr_dtype *dtype = kbr_dtype_of(it->plan.dtype);
    uint8_t bytes[8];
    kb_trail trail;
    kb_trail_init(&trail);
    kbr_fold *fold;
    check_ok(kbr_fold_create(&it->plan, kb_alloc_heap(), &fold, &trail), &trail);
    for (size_t i = 0; i < it->count; i++) {
        dtype->store(it->values[i], bytes);
        check_ok(kbr_fold_take(fold, 0, bytes, 1, &trail), &trail);
    }
    check_ok(kbr_fold_close(fold, &trail), &trail);
    dtype->store(value, bytes);
    kbr_verdict verdict = kbr_fold_judge(fold, 0, bytes);
    kbr_fold_destroy(fold);
    return verdict;
}

static double rounded(const trial *it, double value) {
    const kbr_dtype *dtype = kbr_dtype_of(it->plan.dtype);
    uint8_t bytes[8];
    dtype->store(value, bytes);
    return dtype->load(bytes);
}

/* Any order of additions, each rounded, is within the bound; and the bound is no excuse for everything. */
static void every_order_is_within_the_bound(void **state) {
    (void)state;
    static const uint32_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32};
    uint64_t random = 1;
    for (int i = 0; i < 30000; i++) {
        uint32_t inputs = 2 + (uint32_t)(draw(&random) % 15),
                 reduce = i % 3 != 0 ? KB_REDUCE_SUM : KB_REDUCE_PROD;
        trial it;
        double values[16], size = 0.0;
        trial_init(&it, dtypes[i % 7 % 3], reduce, inputs);
        double scale = ldexp(1.0, (int)(draw(&random) % 12) - 6);
        for (uint32_t k = 0; k < inputs; k++) {
            values[k] = rounded(&it, scale * ((double)(draw(&random) >> 11) * 0x1p-52 - 1.0));
            size += fabs(values[k]);
            trial_take(&it, values[k]);
        }
        for (uint32_t left = inputs; left > 1; left--) { /* joins any two, as trees of any shape do */
            uint32_t a = (uint32_t)(draw(&random) % left), b = (uint32_t)(draw(&random) % (left - 1));
            b += b >= a;
            double joined = reduce == KB_REDUCE_SUM ? values[a] + values[b] : values[a] * values[b];
            values[a < b ? a : b] = rounded(&it, joined);
            values[a < b ? b : a] = values[left - 1];
        }
        assert_true(trial_judge(&it, values[0]).right);
        if (reduce == KB_REDUCE_SUM)
            assert_false(trial_judge(&it, values[0] + size).right);
    }
}

static void exact_data_must_match_to_the_bit(void **state) {
    (void)state;
    trial it;
    trial_init(&it, KB_DTYPE_F16, KB_REDUCE_SUM, 3);
    trial_take(&it, 1000.0);
    trial_take(&it, -999.0);
    trial_take(&it, 17.0);
    assert_true(trial_judge(&it, 18.0).right && trial_judge(&it, 18.0).bound == 0.0);
    assert_false(trial_judge(&it, 18.015625).right); /* the next f16 */
    trial_init(&it, KB_DTYPE_F16, KB_REDUCE_SUM, 2);
    trial_take(&it, 5.0);
    trial_take(&it, -5.0);
    assert_true(trial_judge(&it, 0.0).right);
    assert_false(trial_judge(&it, -0.0).right); /* x - x is +0 */
    trial_init(&it, KB_DTYPE_F16, KB_REDUCE_SUM, 2);
    trial_take(&it, -0.0);
    trial_take(&it, -0.0);
    assert_true(trial_judge(&it, -0.0).right);
    assert_false(trial_judge(&it, 0.0).right);
    trial_init(&it, KB_DTYPE_F32, KB_REDUCE_MAX, 2);
    trial_take(&it, 0.1);
    trial_take(&it, 0.3);
    assert_true(trial_judge(&it, 0.3).right);
    assert_false(trial_judge(&it, (double)nextafterf(0.3f, 1.0f)).right);
}

static void integers_wrap(void **state) {
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 5000; i++) {
        trial it;
        bool narrow = i % 2 != 0, sum = i % 4 < 2;
        uint32_t want = sum ? 0 : 1;
        trial_init(&it, narrow ? KB_DTYPE_I8 : KB_DTYPE_I32, sum ? KB_REDUCE_SUM : KB_REDUCE_PROD, 5);
        for (int k = 0; k < 5; k++) {
            uint32_t value = (uint32_t)draw(&random);
            int32_t as = narrow ? (int8_t)value : (int32_t)value;
            trial_take(&it, (double)as);
            want = sum ? want + (uint32_t)as : want * (uint32_t)as;
        }
        int32_t result = narrow ? (int8_t)want : (int32_t)want;
        assert_true(trial_judge(&it, (double)result).right);
        assert_false(trial_judge(&it, (double)(result == 0 ? 1 : result - (result > 0 ? 1 : -1))).right);
    }
}

static void what_overflows_is_not_judged(void **state) {
    (void)state;
    trial it;
    trial_init(&it, KB_DTYPE_F16, KB_REDUCE_SUM, 3);
    trial_take(&it, 60000.0);
    trial_take(&it, 60000.0);
    trial_take(&it, -60000.0);
    kbr_verdict verdict = trial_judge(&it, (double)INFINITY); /* the first two came together first */
    assert_true(verdict.right && !verdict.judged);
    assert_true(trial_judge(&it, 60000.0).right);
    assert_false(trial_judge(&it, -60000.0).right);
    trial_init(&it, KB_DTYPE_F16, KB_REDUCE_PROD, 4);
    trial_take(&it, 0.0);
    trial_take(&it, 500.0);
    trial_take(&it, 500.0);
    trial_take(&it, -500.0);
    verdict = trial_judge(&it, (double)NAN); /* the others came together first, to infinity */
    assert_true(verdict.right && !verdict.judged);
    assert_true(trial_judge(&it, -0.0).right);
    assert_false(trial_judge(&it, 500.0).right);
    trial_init(&it, KB_DTYPE_F16, KB_REDUCE_SUM, 2);
    trial_take(&it, (double)INFINITY);
    trial_take(&it, 1.0);
    assert_true(trial_judge(&it, (double)INFINITY).right);
    assert_false(trial_judge(&it, 1.0).right);
    trial_take(&it, -(double)INFINITY);
    assert_true(trial_judge(&it, (double)NAN).right);
    assert_false(trial_judge(&it, 0.0).right);
}

/* --- one double after the other ----------------------------------------------------------------------- */

enum { MOST = 9000 };

typedef struct slow_fold {
    const kbr_fold_plan *plan;
    const kbr_dtype *dtype;
    double value[MOST], size[MOST], large[MOST];
    bool fraction[MOST], endless[MOST];
} slow_fold;

static void slow_clear(slow_fold *it, const kbr_fold_plan *plan) {
    static const double nothing[] = {[KB_REDUCE_NONE] = -0.0,
                                     [KB_REDUCE_SUM] = -0.0,
                                     [KB_REDUCE_PROD] = 1.0,
                                     [KB_REDUCE_MIN] = (double)INFINITY,
                                     [KB_REDUCE_MAX] = -(double)INFINITY};
    it->plan = plan;
    it->dtype = kbr_dtype_of(plan->dtype);
    for (uint64_t i = 0; i < plan->count; i++) {
        it->value[i] = nothing[plan->reduce];
        it->size[i] = plan->reduce == KB_REDUCE_PROD ? 1.0 : 0.0;
        it->large[i] = 1.0;
        it->fraction[i] = it->endless[i] = false;
    }
}

static double slow_join(const slow_fold *it, double a, double b) {
    uint32_t reduce = it->plan->reduce;
    if (reduce == KB_REDUCE_MIN)
        return kbr_minimum_f64(a, b);
    if (reduce == KB_REDUCE_MAX)
        return kbr_maximum_f64(a, b);
    if (it->dtype->is_float)
        return reduce == KB_REDUCE_PROD ? a * b : a + b;
    uint32_t x = (uint32_t)(int64_t)a, y = (uint32_t)(int64_t)b;
    uint32_t joined = reduce == KB_REDUCE_PROD ? x * y : x + y;
    return it->dtype->size_bytes == 1 ? (double)(int8_t)joined : (double)(int32_t)joined;
}

static void slow_take(slow_fold *it, uint64_t first, const uint8_t *bytes, uint64_t count) {
    for (uint64_t i = first; i < first + count; i++, bytes += it->dtype->size_bytes) {
        double x = it->dtype->load(bytes);
        it->value[i] = slow_join(it, it->value[i], x);
        it->size[i] = it->plan->reduce == KB_REDUCE_PROD ? it->size[i] * fabs(x) : it->size[i] + fabs(x);
        it->large[i] *= fabs(x) > 1.0 ? fabs(x) : 1.0;
        it->endless[i] = it->endless[i] || !isfinite(x);
        it->fraction[i] = it->fraction[i] || (isfinite(x) && floor(x) != x);
    }
}

static kbr_verdict slow_judge(const slow_fold *it, uint64_t at, const uint8_t *bytes) {
    uint32_t reduce = it->plan->reduce;
    bool product = reduce == KB_REDUCE_PROD, rounds = product || reduce == KB_REDUCE_SUM;
    kbr_verdict is = {.judged = true, .expected = it->value[at], .got = it->dtype->load(bytes)};
    uint8_t bits[8];
    it->dtype->store(is.expected, bits);
    bool same = memcmp(bits, bytes, it->dtype->size_bytes) == 0;
    is.error = same ? 0.0 : fabs(is.got - is.expected);
    double most = product ? it->large[at] : it->size[at];
    bool exact = !rounds || it->plan->inputs <= 1 || !it->dtype->is_float ||
                 (!it->fraction[at] && most <= it->dtype->exact_integers);
    if (it->endless[at] || exact) {
        is.right = same || (it->endless[at] && isnan(is.got) && isnan(is.expected));
        return is;
    }
    double steps = it->plan->inputs - 1, u = ldexp(1.0, -(int)it->dtype->precision) + 0x1p-53;
    is.bound = (double)INFINITY;
    if (steps * u < 1.0)
        is.bound = steps * u / (1.0 - steps * u) * it->size[at] +
                   (product ? it->plan->inputs * it->large[at] * it->dtype->half_smallest : 0.0);
    is.judged = isfinite(is.bound) && (isfinite(is.got) || most + is.bound <= it->dtype->largest);
    is.right = !is.judged || is.error <= is.bound;
    return is;
}

/* --- inputs ------------------------------------------------------------------------------------------- */

enum { SMALL, SIGNS, LARGE, GENERAL, MIXED, KINDS };

static double draw_value(unsigned kind, uint64_t *random) {
    uint64_t x = draw(random);
    double whole = (double)(int64_t)(x % 9) - 4.0;
    if (kind == MIXED && (x >> 32) % 128 == 0)
        kind = (unsigned)(x >> 40) % KINDS;
    switch (kind) {
    case SMALL: return whole;
    case SIGNS: return (x & 1) != 0 ? 1.0 : -1.0;
    case LARGE: return whole * 700.0;
    case GENERAL: return whole + (double)(x >> 11) * 0x1p-53;
    default: break;
    }
    static const double odd[] = {0.0, -0.0, (double)INFINITY, -(double)INFINITY, (double)NAN, 0x1p-20};
    return (x >> 20) % 512 < 6 ? odd[(x >> 20) % 512] : whole == 0.0 ? 1.0 : whole;
}

static void draw_values(const kbr_dtype *dtype, unsigned kind, uint8_t *bytes, uint64_t count,
                        uint64_t *random) {
    for (uint64_t i = 0; i < count; i++)
        dtype->store(draw_value(kind, random), bytes + i * dtype->size_bytes);
}

/* Mostly the whole range in order, in pieces; now and then with a hole or a part that comes twice. */
static void take_input(kbr_fold *fold, slow_fold *slow, const uint8_t *bytes, uint64_t *random,
                       kb_trail *trail) {
    uint64_t count = slow->plan->count, size = slow->dtype->size_bytes;
    for (uint64_t at = 0, some; at < count; at += some) {
        some = draw(random) % 3 == 0 ? 1 + draw(random) % (count - at) : count - at;
        if (draw(random) % 64 == 0)
            continue;
        for (uint64_t times = draw(random) % 64 == 0 ? 2 : 1; times > 0; times--) {
            check_ok(kbr_fold_take(fold, at, bytes + at * size, some, trail), trail);
            slow_take(slow, at, bytes + at * size, some);
        }
    }
}

/* --- the comparison ----------------------------------------------------------------------------------- */

typedef struct seen {
    const slow_fold *slow;
    const uint8_t *bytes;
    uint64_t next; /* elements before this one are either right or were told */
} seen;

static bool same_double(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void assert_same(const kbr_verdict *a, const kbr_verdict *b) {
    assert_true(a->right == b->right && a->judged == b->judged && same_double(a->expected, b->expected) &&
                same_double(a->got, b->got) && same_double(a->error, b->error) &&
                same_double(a->bound, b->bound));
}

static void assert_right_until(seen *it, uint64_t end) {
    for (; it->next < end; it->next++)
        assert_true(slow_judge(it->slow, it->next, it->bytes + it->next * it->slow->dtype->size_bytes).right);
}

static void see_wrong(void *user, uint64_t number, const kbr_verdict *verdict) {
    seen *it = user;
    assert_right_until(it, number);
    kbr_verdict want = slow_judge(it->slow, number, it->bytes + number * it->slow->dtype->size_bytes);
    assert_false(want.right);
    assert_same(verdict, &want);
    it->next++;
}

/* Results as they should be, next to that, and anywhere. */
static void draw_results(const slow_fold *slow, uint8_t *bytes, uint64_t *random) {
    for (uint64_t i = 0; i < slow->plan->count; i++, bytes += slow->dtype->size_bytes) {
        slow->dtype->store(slow->value[i], bytes);
        uint64_t x = draw(random);
        if (x % 16 == 0)
            bytes[0] = (uint8_t)(bytes[0] + (x >> 8) % 3);
        else if (x % 512 == 1)
            slow->dtype->store(draw_value(MIXED, random), bytes);
    }
}

static void compare_all(const kbr_fold *fold, const slow_fold *slow, const uint8_t *bytes) {
    seen it = {slow, bytes, 0};
    kbr_comparison comparison = {.wrong = see_wrong, .user = &it};
    uint64_t unjudged = 0;
    kbr_extreme worst = {0.0, 0.0, 0.0};
    kbr_fold_compare(fold, 0, bytes, slow->plan->count, &comparison);
    assert_right_until(&it, slow->plan->count);
    for (uint64_t i = 0; i < slow->plan->count; i++) {
        const uint8_t *here = bytes + i * slow->dtype->size_bytes;
        kbr_verdict want = slow_judge(slow, i, here), verdict = kbr_fold_judge(fold, i, here);
        assert_same(&verdict, &want);
        unjudged += !want.judged;
        if (want.judged && isfinite(want.error))
            kbr_extreme_keep(&worst, (kbr_extreme){want.bound > 0.0   ? want.error / want.bound
                                                   : want.error > 0.0 ? (double)INFINITY
                                                                      : 0.0,
                                                   want.error, want.bound});
    }
    assert_int_equal(comparison.unjudged, unjudged);
    assert_memory_equal(&comparison.worst, &worst, sizeof worst);
}

static void forms_change_no_verdict(void **state) {
    (void)state;
    static const uint32_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};
    static const uint64_t counts[] = {1, 15, 33, 4096, 4097, MOST};
    slow_fold *slow = malloc(sizeof *slow);
    uint8_t *bytes = malloc(MOST * 4);
    assert_true(slow != NULL && bytes != NULL);
    kb_trail trail;
    kb_trail_init(&trail);
    uint64_t random = 3;
    for (uint32_t i = 0; i < 1200; i++) {
        size_t sets = 0;
        while (kbr_kernels_at(sets) != NULL)
            sets++;
        kbr_fold_plan plan = {.kernels = kbr_kernels_at(draw(&random) % sets),
                              .reduce = i % 2 != 0 ? KB_REDUCE_SUM : KB_REDUCE_NONE + i / 2 % 5,
                              .dtype = dtypes[draw(&random) % 5],
                              .inputs = 1 + (uint32_t)(draw(&random) % 6),
                              .count = counts[draw(&random) % 6],
                              .limit_size = 1 << 24};
        unsigned kind = (unsigned)(draw(&random) % KINDS);
        uint32_t inputs = plan.inputs;
        plan.inputs = draw(&random) % 16 == 0 ? 4000 : inputs; /* no bound, then, for narrow floats */
        kbr_fold *fold;
        check_ok(kbr_fold_create(&plan, kb_alloc_heap(), &fold, &trail), &trail);
        slow_clear(slow, &plan);
        for (uint32_t k = 0; k < inputs; k++) {
            draw_values(slow->dtype, kind, bytes, plan.count, &random);
            take_input(fold, slow, bytes, &random, &trail);
        }
        check_ok(kbr_fold_close(fold, &trail), &trail);
        draw_results(slow, bytes, &random);
        compare_all(fold, slow, bytes);
        kbr_fold_destroy(fold);
    }
    free(bytes);
    free(slow);
}

/* What the default data takes: two cells an element while it comes, one element afterwards. */
static void small_numbers_take_little(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    kbr_fold_plan plan = {.kernels = kbr_kernels_choose(),
                          .reduce = KB_REDUCE_SUM,
                          .dtype = KB_DTYPE_F16,
                          .inputs = 2,
                          .count = MOST,
                          .limit_size = 6 * MOST};
    uint8_t bytes[2 * MOST];
    uint64_t random = 5;
    kbr_fold *fold;
    check_ok(kbr_fold_create(&plan, kb_alloc_heap(), &fold, &trail), &trail);
    for (int i = 0; i < 2; i++) {
        draw_values(kbr_dtype_of(plan.dtype), SMALL, bytes, MOST, &random);
        check_ok(kbr_fold_take(fold, 0, bytes, MOST, &trail), &trail);
    }
    check_ok(kbr_fold_close(fold, &trail), &trail);
    kbr_fold_destroy(fold);
    check_ok(kbr_fold_create(&plan, kb_alloc_heap(), &fold, &trail), &trail);
    draw_values(kbr_dtype_of(plan.dtype), GENERAL, bytes, MOST, &random);
    assert_int_equal(kbr_fold_take(fold, 0, bytes, MOST, &trail), KB_E_LIMIT);
    kbr_fold_destroy(fold);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_is_within_the_bound),
        cmocka_unit_test(exact_data_must_match_to_the_bit),
        cmocka_unit_test(integers_wrap),
        cmocka_unit_test(what_overflows_is_not_judged),
        cmocka_unit_test(forms_change_no_verdict),
        cmocka_unit_test(small_numbers_take_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

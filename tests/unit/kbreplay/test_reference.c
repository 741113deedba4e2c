/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What collectives mean, against their textbook definitions, and what counts as right and wrong of a
 * result that was rounded on its way.
 */
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "kbtrace/words.h"
#include "number/number.h"
#include "reference.h"

static uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* --- meanings ---------------------------------------------------------------------------------------- */

enum { RANKS = 7, ELEMENTS = 20 };

/* Which (rank, element) inputs belong to an output element, by the words of each collective. */
static bool belongs(uint32_t kind, uint32_t ranks, uint64_t elements, uint32_t root, uint32_t output_rank,
                    uint64_t output, uint32_t input_rank, uint64_t input) {
    uint64_t block = (elements + ranks - 1) / ranks;
    if (kind == KB_COLL_ALL_REDUCE || kind == KB_COLL_REDUCE)
        return input == output;
    if (kind == KB_COLL_REDUCE_SCATTER)
        return input == output_rank * block + output;
    if (kind == KB_COLL_ALL_GATHER)
        return output == input_rank * elements + input;
    if (kind == KB_COLL_BROADCAST)
        return input_rank == root && input == output;
    uint64_t first = output_rank * block, mine = first >= elements ? 0 : elements - first;
    mine = mine > block ? block : mine;
    return input >= first && input < first + mine && output == input_rank * mine + input - first;
}

static void check_meaning(const kb_defs *defs, uint32_t kind, uint32_t ranks, uint64_t elements,
                          uint32_t root) {
    bool reduces = kind == KB_COLL_ALL_REDUCE || kind == KB_COLL_REDUCE || kind == KB_COLL_REDUCE_SCATTER;
    kb_collective collective = {.kind = kind,
                                .group = ranks - 1,
                                .reduce = reduces ? KB_REDUCE_SUM : KB_REDUCE_NONE,
                                .dtype = KB_DTYPE_F16,
                                .elements = elements,
                                .root = root};
    kbr_reference reference;
    assert_true(kbr_reference_init(&reference, defs, &collective));
    uint64_t outputs = 0;
    for (uint32_t to = 0; to < ranks; to++)
        for (uint64_t out = 0; out < kbr_reference_outputs(&reference, to); out++) {
            uint64_t element = kbr_reference_of_output(&reference, to, out), inputs = 0;
            assert_true(element < reference.count);
            outputs++;
            for (uint32_t from = 0; from < ranks; from++) {
                bool any = false;
                for (uint64_t in = 0; in < kbr_reference_inputs(&reference, from); in++) {
                    bool here = kbr_reference_of_input(&reference, from, in) == element;
                    assert_int_equal(here, belongs(kind, ranks, elements, root, to, out, from, in));
                    any = any || here;
                    inputs += here;
                }
                assert_int_equal(kbr_reference_contributes(&reference, from, element), any);
            }
            assert_int_equal(inputs, reference.inputs);
        }
    uint64_t want = kind == KB_COLL_REDUCE           ? elements
                    : kind == KB_COLL_REDUCE_SCATTER ? elements
                    : kind == KB_COLL_ALL_GATHER     ? ranks * ranks * elements
                                                     : ranks * elements;
    assert_int_equal(outputs, want);
}

static void collectives_mean_what_they_say(void **state) {
    (void)state;
    kb_defs defs;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_defs_init(&defs, kb_alloc_heap(), 0);
    uint32_t members[RANKS] = {0, 1, 2, 3, 4, 5, 6}, id;
    for (uint32_t ranks = 1; ranks <= RANKS; ranks++)
        check_ok(kb_defs_add_group(&defs, &(kb_group){"some", members, ranks}, &id, &trail), &trail);
    for (uint32_t kind = KB_COLL_ALL_REDUCE; kind <= KB_COLL_ALL_TO_ALL; kind++)
        for (uint32_t ranks = 1; ranks <= RANKS; ranks++)
            for (uint64_t elements = 0; elements <= ELEMENTS; elements++)
                check_meaning(&defs, kind, ranks, elements, (uint32_t)elements % ranks);
    kb_collective bad = {
        .kind = KB_COLL_ALL_GATHER, .group = 3, .reduce = KB_REDUCE_NONE, .elements = UINT64_MAX / 2};
    kbr_reference reference;
    assert_false(kbr_reference_init(&reference, &defs, &bad)); /* impossibly large */
    bad = (kb_collective){.kind = 99, .group = 0};
    assert_false(kbr_reference_init(&reference, &defs, &bad));
    bad = (kb_collective){.kind = KB_COLL_ALL_REDUCE, .group = 99, .reduce = KB_REDUCE_SUM};
    assert_false(kbr_reference_init(&reference, &defs, &bad));
    bad = (kb_collective){.kind = KB_COLL_ALL_REDUCE, .group = 0, .reduce = KB_REDUCE_NONE};
    assert_false(kbr_reference_init(&reference, &defs, &bad));
    bad = (kb_collective){.kind = KB_COLL_BROADCAST, .group = 0, .reduce = KB_REDUCE_NONE, .root = 1};
    assert_false(kbr_reference_init(&reference, &defs, &bad)); /* a root that is no member */
    kb_defs_fini(&defs);
}

/* --- verdicts ----------------------------------------------------------------------------------------- */

typedef struct trial {
    kbr_fold fold;
    double value[1], size[1], large[1];
    uint8_t flags[1];
} trial;

static void trial_init(trial *it, uint32_t dtype, uint32_t reduce, uint32_t inputs) {
    it->fold = (kbr_fold){.reduce = reduce,
                          .dtype = kbr_dtype_of(dtype),
                          .inputs = inputs,
                          .value = it->value,
                          .size = it->size,
                          .large = reduce == KB_REDUCE_PROD ? it->large : NULL,
                          .flags = it->flags};
    kbr_fold_clear(&it->fold, 1);
}

static void trial_take(trial *it, double value) {
    uint8_t bytes[8];
    it->fold.dtype->store(value, bytes);
    kbr_fold_take(&it->fold, 0, bytes, 1);
}

static kbr_verdict trial_judge(const trial *it, double value) {
    uint8_t bytes[8];
    it->fold.dtype->store(value, bytes);
    return kbr_fold_judge(&it->fold, 0, bytes);
}

static double rounded(const trial *it, double value) {
    uint8_t bytes[8];
    it->fold.dtype->store(value, bytes);
    return it->fold.dtype->load(bytes);
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
    trial_init(&it, KB_DTYPE_F16, KB_REDUCE_SUM, 2);
    trial_take(&it, (double)INFINITY);
    trial_take(&it, 1.0);
    assert_true(trial_judge(&it, (double)INFINITY).right);
    assert_false(trial_judge(&it, 1.0).right);
    trial_take(&it, -(double)INFINITY);
    assert_true(trial_judge(&it, (double)NAN).right);
    assert_false(trial_judge(&it, 0.0).right);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collectives_mean_what_they_say),   cmocka_unit_test(every_order_is_within_the_bound),
        cmocka_unit_test(exact_data_must_match_to_the_bit), cmocka_unit_test(integers_wrap),
        cmocka_unit_test(what_overflows_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

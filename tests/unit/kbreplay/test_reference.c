/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What collectives mean, against their textbook definitions.
 */
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

#include "kbtrace/words.h"
#include "reference.h"

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

static void outputs_come_in_runs(void **state) {
    (void)state;
    uint32_t members[RANKS] = {0, 1, 2, 3, 4, 5, 6};
    kb_group group = {"all", members, RANKS};
    kb_defs defs = {.groups = &group, .group_count = 1};
    for (uint32_t kind = KB_COLL_ALL_REDUCE; kind <= KB_COLL_ALL_TO_ALL; kind++) {
        bool reduces = kind == KB_COLL_ALL_REDUCE || kind == KB_COLL_REDUCE || kind == KB_COLL_REDUCE_SCATTER;
        kb_collective collective = {
            .kind = kind, .reduce = reduces ? KB_REDUCE_SUM : KB_REDUCE_NONE, .elements = ELEMENTS};
        kbr_reference reference;
        assert_true(kbr_reference_init(&reference, &defs, &collective));
        for (uint32_t to = 0; to < RANKS; to++) {
            uint64_t count = kbr_reference_outputs(&reference, to), run;
            for (uint64_t out = 0; out < count; out += run) {
                uint64_t first = kbr_reference_run_of_output(&reference, to, out, &run);
                assert_in_range(run, 1, count - out);
                for (uint64_t i = 0; i < run; i++)
                    assert_int_equal(kbr_reference_of_output(&reference, to, out + i), first + i);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collectives_mean_what_they_say),
        cmocka_unit_test(outputs_come_in_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

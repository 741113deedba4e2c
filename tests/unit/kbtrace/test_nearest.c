/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest known name: which slips are forgiven, and which names are simply others. */
#include "support/check.h"

#include "kbtrace/nearest.h"

static const char *nearest_of(const char *wanted) {
    static const char *const names[] = {"ranks",           "rank-unit",    "output", "ipcq.slots",
                                        "ipcq.slot_bytes", "dma.setup_ns", "seed",   "x"};
    kb_nearest nearest;
    kb_nearest_init(&nearest, wanted);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        kb_nearest_offer(&nearest, names[i]);
    return kb_nearest_best(&nearest);
}

static void slips_of_fingers_are_found(void **state) {
    (void)state;
    assert_string_equal(nearest_of("rank"), "ranks");
    assert_string_equal(nearest_of("ransk"), "ranks");
    assert_string_equal(nearest_of("otuput"), "output");
    assert_string_equal(nearest_of("outpt"), "output");
    assert_string_equal(nearest_of("ipcq.slot_byte"), "ipcq.slot_bytes");
    assert_string_equal(nearest_of("ranks"), "ranks");
}

static void a_part_of_a_name_is_found(void **state) {
    (void)state;
    assert_string_equal(nearest_of("setup"), "dma.setup_ns");
    assert_string_equal(nearest_of("slot_bytes"), "ipcq.slot_bytes");
}

static void other_names_are_not(void **state) {
    (void)state;
    assert_null(nearest_of("frobnicate"));
    assert_null(nearest_of("hbm.timing"));
    kb_nearest nearest;
    kb_nearest_init(&nearest, "anything");
    assert_null(kb_nearest_best(&nearest));
}

static void names_may_be_of_any_length(void **state) {
    (void)state;
    char text[500];
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    text[sizeof text - 1] = '\0';
    assert_null(nearest_of(text));
    nearest_of("");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_of_fingers_are_found),
        cmocka_unit_test(a_part_of_a_name_is_found),
        cmocka_unit_test(other_names_are_not),
        cmocka_unit_test(names_may_be_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people write them: what is one, to the picosecond, and what is none. */
#include "support/check.h"

#include "common/time.h"
#include "kbtrace/op.h"

static void times_are_read_exactly(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ps;
        const char *rest;
    } good[] = {
        {"0", 0, ""},
        {"1250000", 1250000, ""},
        {"17ps", 17, ""},
        {"1.5ns", 1500, ""},
        {"1.25us", 1250000, ""},
        {"0.000001us", 1, ""},
        {"3ms:4ms", 3000000000, ":4ms"},
        {"2.123456789012s", INT64_C(2123456789012), ""},
        {"1us:", 1000000, ":"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const char *at = good[i].text;
        int64_t ps = -1;
        assert_true(kbt_take_time(&at, &ps));
        assert_int_equal(ps, good[i].ps);
        assert_string_equal(at, good[i].rest);
    }
}

static void what_is_no_time_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "-1",
        "+1",
        "us",
        ".5us",
        "1.5",
        "0.5ps",
        "1.0001ns",
        "1 us",
        "1h",
        "1usx",
        "1e3",
        "3000000s",
        "99999999999999999999",
        "0.0000000000001s",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *at = bad[i];
        int64_t ps = -1;
        assert_false(kbt_take_time(&at, &ps));
        assert_ptr_equal(at, bad[i]);
        assert_int_equal(ps, -1);
    }
}

/* The longest time there is, in every unit, and not one more. */
static void times_end_somewhere(void **state) {
    (void)state;
    char text[64];
    const char *at = text;
    int64_t ps;
    snprintf(text, sizeof text, "%lld", (long long)KB_TIME_MAX_PS);
    assert_true(kbt_take_time(&at, &ps));
    assert_int_equal(ps, KB_TIME_MAX_PS);
    at = text;
    snprintf(text, sizeof text, "%lld", (long long)KB_TIME_MAX_PS + 1);
    assert_false(kbt_take_time(&at, &ps));
}

static void shown(int64_t ps, const char *words) {
    char text[64];
    FILE *stream = fmemopen(text, sizeof text, "w");
    kbt_print_time(stream, ps);
    fclose(stream);
    assert_string_equal(text, words);
}

static void times_are_shown_in_the_unit_that_fits(void **state) {
    (void)state;
    shown(0, "0 ps");
    shown(999, "999 ps");
    shown(1000, "1.000 ns");
    shown(2500000, "2.500 us");
    shown(INT64_C(1000000000000), "1.000 s");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_exactly),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_end_somewhere),
        cmocka_unit_test(times_are_shown_in_the_unit_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

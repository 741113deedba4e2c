/* SPDX-License-Identifier: Apache-2.0 */
/* Names of statuses, and what the trail keeps, cuts and joins. */
#include <string.h>

#include "support/check.h"

#include "kbtrace/status.h"

static void every_status_has_a_name_of_its_own(void **state) {
    (void)state;
    for (int a = 0; a < KB_STATUS_COUNT; a++) {
        assert_non_null(kb_status_name((kb_status)a));
        assert_true(strlen(kb_status_name((kb_status)a)) > 1);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(kb_status_name((kb_status)a), kb_status_name((kb_status)b));
    }
    assert_string_equal(kb_status_name(KB_STATUS_COUNT), "unknown status");
    assert_string_equal(kb_status_name((kb_status)-1), "unknown status");
}

static void a_trail_begins_empty(void **state) {
    (void)state;
    kb_trail trail;
    memset(&trail, 0xff, sizeof trail);
    kb_trail_init(&trail);
    char text[8] = "before";
    assert_string_equal(kb_trail_text(&trail, text, sizeof text), "");
    assert_int_equal(trail.status, KB_OK);
    assert_int_equal(trail.count, 0);
    assert_int_equal(trail.dropped, 0);
}

static void a_cause_and_its_callers_are_joined(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_status status = kb_fail(&trail, KB_E_CORRUPT, "frame %d is cut at byte %lld", 7, 1LL << 40);
    assert_int_equal(status, KB_E_CORRUPT);
    assert_int_equal(kb_while(&trail, status, "reading %s", "run.zst"), KB_E_CORRUPT);
    assert_int_equal(kb_while(&trail, status, "verifying"), KB_E_CORRUPT);
    char text[200];
    assert_string_equal(kb_trail_text(&trail, text, sizeof text),
                        "frame 7 is cut at byte 1099511627776: while reading run.zst: while verifying");
    assert_int_equal(trail.status, KB_E_CORRUPT);
    assert_int_equal(trail.count, 3);
}

static void a_new_cause_starts_anew(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    for (int i = 0; i < 20; i++)
        kb_while(&trail, kb_fail(&trail, KB_E_IO, "first"), "older");
    kb_fail(&trail, KB_E_MEMORY, "second");
    char text[100];
    assert_string_equal(kb_trail_text(&trail, text, sizeof text), "second");
    assert_int_equal(trail.status, KB_E_MEMORY);
    assert_int_equal(trail.dropped, 0);
}

static void no_failure_leaves_no_word(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    assert_int_equal(kb_while(&trail, KB_OK, "working"), KB_OK);
    assert_int_equal(kb_while(&trail, KB_END, "reading"), KB_END);
    assert_int_equal(trail.count, 0);
}

/* Some callee had no trail to write to. */
static void a_failure_without_words_names_its_status(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    assert_int_equal(kb_while(&trail, KB_E_DEADLOCK, "running"), KB_E_DEADLOCK);
    char text[100];
    assert_string_equal(kb_trail_text(&trail, text, sizeof text), "deadlock: while running");
    assert_int_equal(trail.status, KB_E_DEADLOCK);
}

static void null_trails_are_allowed(void **state) {
    (void)state;
    assert_int_equal(kb_fail(NULL, KB_E_LIMIT, "%d", 1), KB_E_LIMIT);
    assert_int_equal(kb_while(NULL, KB_E_LIMIT, "%d", 1), KB_E_LIMIT);
    char text[10] = "before";
    assert_string_equal(kb_trail_text(NULL, text, sizeof text), "");
}

static void entries_beyond_the_last_are_counted(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_fail(&trail, KB_E_IO, "cause");
    for (int i = 1; i < KB_TRAIL_ENTRIES + 3; i++)
        kb_while(&trail, KB_E_IO, "level %d", i);
    assert_int_equal(trail.count, KB_TRAIL_ENTRIES);
    assert_int_equal(trail.dropped, 3);
    char text[KB_TRAIL_ENTRIES * KB_TRAIL_CHARS];
    check_says(&trail, "cause: while level 1: ");
    kb_trail_text(&trail, text, sizeof text);
    const char *end = ": while level 7 (and 3 more)";
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void a_long_entry_is_cut_and_says_so(void **state) {
    (void)state;
    char word[KB_TRAIL_CHARS + 100];
    memset(word, 'x', sizeof word);
    kb_trail trail;
    kb_trail_init(&trail);
    /* All that fit stay whole: one less than the room, for the end. */
    for (size_t length = KB_TRAIL_CHARS - 5; length < KB_TRAIL_CHARS + 5; length++) {
        word[length] = '\0';
        kb_fail(&trail, KB_E_IO, "%s", word);
        const size_t kept = strlen(trail.text[0]);
        assert_int_equal(kept, length < KB_TRAIL_CHARS ? length : KB_TRAIL_CHARS - 1);
        assert_int_equal(strcmp(trail.text[0] + kept - 3, "...") == 0, length >= KB_TRAIL_CHARS);
        word[length] = 'x';
    }
}

static void a_cut_falls_between_characters(void **state) {
    (void)state;
    char word[KB_TRAIL_CHARS * 2];
    kb_trail trail;
    kb_trail_init(&trail);
    for (size_t shift = 0; shift < 3; shift++) {
        size_t length = 0;
        memset(word, 'a', shift);
        for (length = shift; length + 3 < sizeof word; length += 3)
            memcpy(word + length, "\xe2\x82\xac", 3); /* the euro sign */
        word[length] = '\0';
        kb_fail(&trail, KB_E_IO, "%s", word);
        const size_t kept = strlen(trail.text[0]) - 3;
        assert_string_equal(trail.text[0] + kept, "...");
        assert_int_equal((kept - shift) % 3, 0);
        assert_true(kept + 3 > KB_TRAIL_CHARS - 4);
    }
}

static void a_small_buffer_is_never_overrun(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    kb_while(&trail, kb_fail(&trail, KB_E_IO, "the cause"), "calling");
    for (int i = 0; i < KB_TRAIL_ENTRIES; i++)
        kb_while(&trail, KB_E_IO, "again");
    char whole[300];
    const size_t length = strlen(kb_trail_text(&trail, whole, sizeof whole));
    for (size_t size = 1; size <= length + 2; size++) {
        char text[320];
        memset(text, '#', sizeof text);
        kb_trail_text(&trail, text, size);
        assert_true(memchr(text, '\0', size) != NULL);
        for (size_t i = size; i < sizeof text; i++)
            assert_int_equal(text[i], '#');
        if (size > length)
            assert_string_equal(text, whole);
    }
}

static kb_status three_steps(int failing, int *ret_done, kb_trail *trail) {
    for (int step = 0; step < 3; step++) {
        KB_TRY(step == failing ? kb_fail(trail, KB_E_LIMIT, "step %d", step) : KB_OK);
        *ret_done = step + 1;
    }
    return KB_OK;
}

static void try_leaves_at_the_first_failure(void **state) {
    (void)state;
    kb_trail trail;
    kb_trail_init(&trail);
    int done = 0;
    check_ok(three_steps(-1, &done, &trail), &trail);
    assert_int_equal(done, 3);
    done = 0;
    check_status(three_steps(1, &done, &trail), KB_E_LIMIT, &trail);
    assert_int_equal(done, 1);
    check_says(&trail, "step 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(a_trail_begins_empty),
        cmocka_unit_test(a_cause_and_its_callers_are_joined),
        cmocka_unit_test(a_new_cause_starts_anew),
        cmocka_unit_test(no_failure_leaves_no_word),
        cmocka_unit_test(a_failure_without_words_names_its_status),
        cmocka_unit_test(null_trails_are_allowed),
        cmocka_unit_test(entries_beyond_the_last_are_counted),
        cmocka_unit_test(a_long_entry_is_cut_and_says_so),
        cmocka_unit_test(a_cut_falls_between_characters),
        cmocka_unit_test(a_small_buffer_is_never_overrun),
        cmocka_unit_test(try_leaves_at_the_first_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches the reader of a log, and what does not. */
#include <stdio.h>
#include <string.h>

#include "support/check.h"

#include "kbtrace/log.h"

typedef struct heard {
    size_t count;
    kb_log_level level;
    char area[32];
    char text[4096];
} heard;

static void hear(void *context, kb_log_level level, const char *area, const char *text) {
    heard *last = context;
    last->count++;
    last->level = level;
    snprintf(last->area, sizeof last->area, "%s", area);
    snprintf(last->text, sizeof last->text, "%s", text);
}

static void a_line_arrives_as_it_was_said(void **state) {
    (void)state;
    heard last = {0};
    const kb_log log = {hear, &last, KB_LOG_DETAIL};
    kb_log_say(&log, KB_LOG_NOTE, "reader", "frame %u of %s", 3U, "run.zst");
    assert_int_equal(last.count, 1);
    assert_int_equal(last.level, KB_LOG_NOTE);
    assert_string_equal(last.area, "reader");
    assert_string_equal(last.text, "frame 3 of run.zst");
}

static void levels_above_the_most_are_silent(void **state) {
    (void)state;
    for (int most = KB_LOG_WARNING; most <= KB_LOG_DETAIL; most++) {
        heard last = {0};
        const kb_log log = {hear, &last, (kb_log_level)most};
        for (int level = KB_LOG_WARNING; level <= KB_LOG_DETAIL; level++)
            kb_log_say(&log, (kb_log_level)level, "area", "line");
        assert_int_equal(last.count, most + 1);
        assert_int_equal(last.level, most);
    }
}

static void a_log_that_nobody_reads_is_fine(void **state) {
    (void)state;
    const kb_log deaf = {NULL, NULL, KB_LOG_DETAIL};
    kb_log_say(NULL, KB_LOG_WARNING, "area", "%d", 1);
    kb_log_say(&deaf, KB_LOG_WARNING, "area", "%d", 1);
}

static void a_line_is_one_line(void **state) {
    (void)state;
    heard last = {0};
    const kb_log log = {hear, &last, KB_LOG_DETAIL};
    kb_log_say(&log, KB_LOG_WARNING, "writer", "%s", "odd\nname\r\n.zst");
    assert_string_equal(last.text, "odd name  .zst");
}

static void a_long_line_is_cut_and_says_so(void **state) {
    (void)state;
    heard last = {0};
    const kb_log log = {hear, &last, KB_LOG_DETAIL};
    char word[3000];
    memset(word, 'w', sizeof word);
    word[sizeof word - 1] = '\0';
    kb_log_say(&log, KB_LOG_WARNING, "writer", "%s", word);
    const size_t length = strlen(last.text);
    assert_true(length > 500 && length < sizeof word - 1);
    assert_string_equal(last.text + length - 3, "...");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_arrives_as_it_was_said),   cmocka_unit_test(levels_above_the_most_are_silent),
        cmocka_unit_test(a_log_that_nobody_reads_is_fine), cmocka_unit_test(a_line_is_one_line),
        cmocka_unit_test(a_long_line_is_cut_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

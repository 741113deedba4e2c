/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines by their tables: every form of every kind, refusals, hints, numbers. */
#include <string.h>

#include "support/check.h"

#include "common/options.h"

typedef struct values {
    kbt_common common;
    const char *output, *mode;
    kbt_list sets;
    uint64_t ranks, seed;
    bool fast;
} values;

static const kbt_option options[] = {
    {'o', "output", KBT_TEXT, offsetof(values, output), "OUT", "where", 0, 0, NULL, true},
    {0, "ranks", KBT_COUNT, offsetof(values, ranks), "N", "how many", 1, 100, NULL, false},
    {0, "seed", KBT_COUNT, offsetof(values, seed), "N", "any", 0, 0, NULL, false},
    {'s', "set", KBT_LIST, offsetof(values, sets), "K=V", "set", 0, 0, NULL, false},
    {0, "mode", KBT_CHOICE, offsetof(values, mode), "M", "one of", 0, 0, "slow fast faster", false},
    {'f', "fast", KBT_FLAG, offsetof(values, fast), NULL, "flag", 0, 0, NULL, false},
};

static const kbt_command command = {.options = options,
                                    .option_count = sizeof options / sizeof options[0],
                                    .least_words = 1,
                                    .most_words = 2,
                                    .word_name = "BENCH",
                                    .values_size = sizeof(values)};

typedef struct parsed {
    values v;
    kbt_list words;
    kb_status status;
    kb_trail trail;
    kb_arena arena;
} parsed;

/* Parses a line whose arguments are parted by blanks. */
static void parse(parsed *p, const char *line) {
    static char text[512];
    char *argv[32];
    int argc = 0;
    memset(p, 0, sizeof *p);
    kb_trail_init(&p->trail);
    kb_arena_init(&p->arena, NULL, 0);
    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    p->status = kbt_parse(&command, argc, argv, &p->arena, &p->v, &p->words, &p->trail);
}

static void accept(parsed *p, const char *line) {
    parse(p, line);
    check_ok(p->status, &p->trail);
}

static void refuse(const char *line, const char *words) {
    static parsed p;
    parse(&p, line);
    check_status(p.status, KB_E_ARGUMENT, &p.trail);
    check_says(&p.trail, words);
    kb_arena_fini(&p.arena);
}

static void values_come_in_every_form(void **state) {
    (void)state;
    static const char *const lines[] = {
        "bench -o out -s a=1 --ranks 7 -f --set b=2", "--output=out bench --set=a=1 --ranks=7 --fast -sb=2",
        "-fo out -sa=1 -s b=2 --ranks 7 bench", "-oout --fast --ranks 7 --set a=1 --set b=2 -- bench"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        static parsed p;
        accept(&p, lines[i]);
        assert_string_equal(p.v.output, "out");
        assert_int_equal(p.v.ranks, 7);
        assert_true(p.v.fast);
        assert_int_equal(p.v.sets.count, 2);
        assert_string_equal(p.v.sets.items[0], "a=1");
        assert_string_equal(p.v.sets.items[1], "b=2");
        assert_int_equal(p.words.count, 1);
        assert_string_equal(p.words.items[0], "bench");
        kb_arena_fini(&p.arena);
    }
}

static void what_comes_last_counts_and_words_may_look_like_options(void **state) {
    (void)state;
    static parsed p;
    accept(&p, "-o a -o b --mode slow --mode faster -q -v --json --threads 3 --color never -- -x -");
    assert_string_equal(p.v.output, "b");
    assert_string_equal(p.v.mode, "faster");
    assert_true(p.v.common.quiet && p.v.common.verbose && p.v.common.json);
    assert_int_equal(p.v.common.threads, 3);
    assert_string_equal(p.v.common.color, "never");
    assert_int_equal(p.words.count, 2);
    assert_string_equal(p.words.items[0], "-x");
    assert_string_equal(p.words.items[1], "-");
    kb_arena_fini(&p.arena);
}

static void help_and_version_end_the_parsing(void **state) {
    (void)state;
    static parsed p;
    accept(&p, "--help --nonsense");
    assert_true(p.v.common.help);
    kb_arena_fini(&p.arena);
    accept(&p, "--version");
    assert_true(p.v.common.version);
    kb_arena_fini(&p.arena);
}

static void what_cannot_be_is_refused_with_a_hint(void **state) {
    (void)state;
    refuse("-o x", "BENCH is missing");
    refuse("bench", "--output OUT is missing: where");
    refuse("a b c -o x", "'c' is one argument too many");
    refuse("a --outptu x", "unknown option --outptu (did you mean --output?)");
    refuse("a --zzzzzz x", "unknown option --zzzzzz (--help lists them)");
    refuse("a -x", "unknown option -x in '-x'");
    refuse("a -fx", "unknown option -x in '-fx'");
    refuse("a -o", "-o needs a value (OUT)");
    refuse("a --ranks", "--ranks needs a value (N)");
    refuse("a -o x --fast=1", "--fast takes no value");
    refuse("a -o x --ranks 0", "--ranks: 0 is out of range (1 to 100)");
    refuse("a -o x --ranks 101", "out of range");
    refuse("a -o x --ranks -1", "is not a whole number");
    refuse("a -o x --ranks 1.5", "is not a whole number");
    refuse("a -o x --mode fas", "'fas' is not one of: slow fast faster");
    refuse("a -o x --mode=", "is not one of");
    refuse("a -o x --threads 0", "out of range");
}

static void numbers_may_carry_a_sign_of_size(void **state) {
    (void)state;
    uint64_t number = 5;
    assert_true(kbt_number("12", &number) && number == 12);
    assert_true(kbt_number("3K", &number) && number == 3000);
    assert_true(kbt_number("3Ki", &number) && number == 3072);
    assert_true(kbt_number("2Gi", &number) && number == UINT64_C(2) << 30);
    assert_true(kbt_number("18446744073709551615", &number) && number == UINT64_MAX);
    number = 5;
    assert_false(kbt_number("", &number) || kbt_number("K", &number) || kbt_number("-1", &number) ||
                 kbt_number("1 ", &number) || kbt_number("18446744073709551616", &number) ||
                 kbt_number("18446744073709551615K", &number));
    assert_int_equal(number, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_in_every_form),
        cmocka_unit_test(what_comes_last_counts_and_words_may_look_like_options),
        cmocka_unit_test(help_and_version_end_the_parsing),
        cmocka_unit_test(what_cannot_be_is_refused_with_a_hint),
        cmocka_unit_test(numbers_may_carry_a_sign_of_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

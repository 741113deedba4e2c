/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins as a library's caller meets them: what is a file's name, who compiles, and what is left where
 * opening fails. What plugins do and how they go wrong is tried through kb-sim, in tests/cli/own_*.sh.
 */
#include <string.h>

#include "support/check.h"

#include "plugin/plugin.h"

typedef struct workshop {
    const char *makes; /* NULL: what is given does not compile */
    unsigned compiled, discarded;
} workshop;

static kb_status compile(void *context, const char *source, const char **ret_object, kb_trail *trail) {
    workshop *w = context;
    w->compiled++;
    if (w->makes == NULL)
        return kb_fail(trail, KB_E_PROGRAM, "%s is wrong", source);
    *ret_object = w->makes;
    return KB_OK;
}

static void discard(void *context, const char *object) {
    workshop *w = context;
    assert_string_equal(object, w->makes);
    w->discarded++;
}

static void write_file(const char *path, const char *text) {
    kb_file file;
    kb_trail trail;
    kb_fs_unlink(NULL, path);
    check_ok(kb_file_open(&file, NULL, path, KB_OPEN_CREATE, &trail), &trail);
    check_ok(kb_file_write(&file, text, strlen(text), &trail), &trail);
    check_ok(kb_file_close(&file, &trail), &trail);
}

static void names_of_files(void **state) {
    static const char *const files[] = {"./ring", "a/b", "mine.c", "mine.so", "/x"};
    static const char *const names[] = {"ring", "", ".c", ".so", "halving_doubling", "mine.cc", "c", "so"};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_true(kbs_is_plugin(files[i]));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_false(kbs_is_plugin(names[i]));
}

/* Whatever was made is given back once, and nothing is kept of what could not be opened. */
static void who_compiles_cleans_up(void **state) {
    workshop w = {.makes = NULL};
    const kbs_compiler compiler = {compile, discard, &w};
    const kbs_run_options with = {.compiler = &compiler}, without = {.bench = ""};
    const kbs_plugin *plugin;
    kbs_plugins plugins;
    kb_trail trail;
    (void)state;
    write_file("text.c", "int x;\n");
    write_file("text.so", "int x;\n");

    kbs_plugins_init(&plugins, &without);
    check_status(kbs_plugins_open(&plugins, "text.c", &plugin, &trail), KB_E_UNSUPPORTED, &trail);
    kbs_plugins_fini(&plugins);

    kbs_plugins_init(&plugins, &with);
    check_status(kbs_plugins_open(&plugins, "text.c", &plugin, &trail), KB_E_PROGRAM, &trail);
    assert_int_equal(w.discarded, 0);
    w.makes = "./text.so";
    check_status(kbs_plugins_open(&plugins, "text.c", &plugin, &trail), KB_E_ARGUMENT, &trail);
    assert_int_equal(w.compiled, 2);
    assert_int_equal(w.discarded, 1);
    check_status(kbs_plugins_open(&plugins, "nothing.c", &plugin, &trail), KB_E_IO, &trail);
    assert_int_equal(w.compiled, 2);
    assert_null(plugins.first);
    assert_int_equal(plugins.recording->stage, KBS_FOREIGN_NOT);
    kbs_plugins_fini(&plugins);
}

static void nobody_records(void **state) {
    const kbs_recording recording = {0};
    kbs_recording_place place;
    (void)state;
    assert_false(kbs_recording_look(&recording, &place));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(who_compiles_cleans_up),
        cmocka_unit_test(nobody_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

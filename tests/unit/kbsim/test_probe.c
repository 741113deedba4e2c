/* SPDX-License-Identifier: Apache-2.0 */
/* What single transfers take against their closed forms, on the machines that ship and on random ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

#include "drawn.h"
#include "kbsim/config.h"
#include "kbsim/probe.h"

static const uint64_t sizes[] = {1, 2, 255, 256, 257, 1000, 4095, 4096, 4097, 16384, 65536, 262144, 1048576};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void check_rows(const kbs_probe_result *result, const char *machine) {
    for (size_t i = 0; i < result->row_count; i++) {
        const kbs_probe_row *row = &result->rows[i];
        if (row->took_ps != row->form_ps)
            fail_msg("%s: %s of %lu bytes, %s to %s: %ld ps, and by its form %ld", machine, row->what,
                     (unsigned long)row->size_bytes, row->from, row->to, (long)row->took_ps,
                     (long)row->form_ps);
    }
    assert_int_equal(result->different, 0);
}

static void probe(const kbs_machine *machine, uint32_t pe, bool alone, kbs_probe_result *ret) {
    const kbs_probe_options options = {
        .machine = machine, .pe = pe, .sizes = sizes, .size_count = SIZES, .alone = alone};
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kbs_machine_check(machine, &trail), &trail);
    check_ok(kbs_probe(&options, ret, &trail), &trail);
}

static void the_default_machine_meets_its_forms(void **state) {
    (void)state;
    kbs_machine machine;
    kbs_probe_result result;
    kbs_machine_init(&machine);
    static const uint32_t pes[] = {0, 63, 126, 213};
    for (size_t i = 0; i < sizeof pes / sizeof pes[0]; i++) {
        probe(&machine, pes[i], true, &result);
        check_rows(&result, "default");
        kbs_probe_fini(&result);
    }
}

static void what_ships_meets_its_forms(void **state) {
    (void)state;
    static const char *const names[] = {"kernbench", "tiny"};
    char share[4096];
    snprintf(share, sizeof share, "%s/share", getenv("KB_ROOT"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        kbs_machine machine;
        kbs_config config;
        kbs_probe_result result;
        kb_trail trail;
        kb_trail_init(&trail);
        kbs_machine_init(&machine);
        kbs_config_init(&config, &machine, NULL, NULL, share);
        check_ok(kbs_config_topology(&config, names[i], &trail), &trail);
        probe(&machine, 1, true, &result);
        check_rows(&result, names[i]);
        kbs_probe_fini(&result);
        kbs_config_fini(&config);
    }
}

/* --- random machines --------------------------------------------------------------------------- */

/* As many as the argument says; a few where there is none. */
static uint64_t seeds = 40;

static void random_machines_meet_their_forms(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        char name[32];
        kbs_machine machine;
        kbs_probe_result result;
        random_source random;
        random_init(&random, seed);
        drawn_machine(&machine, &random);
        const uint32_t pes = (uint32_t)kbs_machine_pes(&machine);
        snprintf(name, sizeof name, "machine %lu", (unsigned long)seed);
        probe(&machine, (uint32_t)random_below(&random, pes), true, &result);
        check_rows(&result, name);
        kbs_probe_fini(&result);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_machine_meets_its_forms),
        cmocka_unit_test(what_ships_meets_its_forms),
        cmocka_unit_test(random_machines_meet_their_forms),
    };
    if (argc > 1)
        seeds = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

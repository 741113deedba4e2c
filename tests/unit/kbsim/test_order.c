/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing depends on the order in which components are made, or in which what happens at one instant is
 * taken: runs that shuffle both give the same records.
 */
#include <string.h>

#include "support/check.h"

#include "kbsim/run.h"

enum { SEEDS = 12, PARAMS = 4 };

static kbs_result run(uint64_t shuffle, uint32_t ranks, const char *const *params, size_t count) {
    kbs_machine machine;
    kbs_result result;
    kb_trail trail;
    kb_trail_init(&trail);
    kbs_machine_init(&machine);
    const kbs_run_options options = {.bench = "allreduce",
                                     .params = params,
                                     .param_count = count,
                                     .machine = &machine,
                                     .ranks = ranks,
                                     .seed = 1,
                                     .path = "/dev/null",
                                     .shuffle = shuffle};
    check_ok(kbs_run(&options, &result, &trail), &trail);
    return result;
}

/* Where many send to one at once, who comes first is decided all the time. */
static void no_order_but_the_models_decides(void **state) {
    (void)state;
    static const struct {
        uint32_t ranks;
        const char *params[PARAMS];
    } cases[] = {
        {8, {"algo=direct", "bytes=40000"}},
        {16, {"algo=direct", "bytes=65536", "ring=hbm"}},
        {16, {"algo=direct", "bytes=40000", "buffer=hbm"}},
        {16, {"algo=ring", "bytes=100000"}},
        {8, {"algo=ring", "bytes=50000", "ring=sram"}},
        {13, {"algo=tree", "bytes=40000", "backpressure=poll"}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t count = 0;
        while (count < PARAMS && cases[c].params[count] != NULL)
            count++;
        kbs_result wanted = run(0, cases[c].ranks, cases[c].params, count);
        assert_int_equal(wanted.outcome, KB_OUTCOME_COMPLETE);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            kbs_result got = run(seed, cases[c].ranks, cases[c].params, count);
            assert_true(kb_digest_equal(&got.record_digest, &wanted.record_digest));
            assert_int_equal(got.time_ps, wanted.time_ps);
            kbs_result_fini(&got);
        }
        kbs_result_fini(&wanted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_order_but_the_models_decides)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

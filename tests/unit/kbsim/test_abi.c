/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of plugins, as its version KB_PLUGIN_ABI has it: who changes a number below changes that one,
 * too, once a version has been released.
 */
#include <stddef.h>

#include "support/check.h"

#include "kbsim/bench.h"

enum { POINTER = 8 };

/* Of a 64-bit system, which all of kb is for. */
static void structs_of_version_1(void **state) {
    (void)state;
    assert_int_equal(KB_PLUGIN_ABI, 1);
    assert_int_equal(sizeof(void *), POINTER);
    assert_int_equal(sizeof(tl_view), 112);
    assert_int_equal(sizeof(tl_token), 16);
    assert_int_equal(sizeof(tl_queue), 4);
    assert_int_equal(sizeof(tl_kernel), 40);
    assert_int_equal(sizeof(kb_coll), 32 + 3 * sizeof(tl_view));
    assert_int_equal(sizeof(kb_host), 24);
    assert_int_equal(sizeof(kbs_bench_param), 4 * POINTER);
}

/* Whatever the version, this is read first. */
static void heads_of_all_versions(void **state) {
    (void)state;
    assert_int_equal(offsetof(kbs_algorithm, abi), 0);
    assert_int_equal(offsetof(kbs_algorithm, size_bytes), 4);
    assert_int_equal(offsetof(kb_bench, abi), 0);
    assert_int_equal(offsetof(kb_bench, size_bytes), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structs_of_version_1),
        cmocka_unit_test(heads_of_all_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

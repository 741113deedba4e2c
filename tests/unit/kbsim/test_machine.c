/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters: parsing, ranges, shorthands, hints, origins; numbers as users write them. */
#include <string.h>

#include "support/check.h"

#include "kbsim/machine.h"
#include "machine/number.h"

static kb_status set(kbs_machine *machine, const char *assignment, kb_trail *trail) {
    kb_trail_init(trail);
    return kbs_machine_assign(machine, assignment, "set", trail);
}

static void every_parameter_has_a_default_in_its_range_and_words(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    kbs_machine_init(&machine);
    for (uint32_t i = 0; i < kbs_param_count(); i++) {
        const kbs_param *param = kbs_param_describe(i);
        char value[KBS_VALUE_CHARS];
        kb_trail_init(&trail);
        check_ok(kbs_machine_set(&machine, param->path, param->standard, "set", &trail), &trail);
        assert_string_equal(kbs_machine_origin(&machine, i)->by, "set");
        /* What is printed is read back as the same, in either form. */
        char again[KBS_VALUE_CHARS], written[KBS_VALUE_CHARS];
        kbs_machine_value(&machine, i, value);
        check_ok(kbs_machine_set(&machine, param->path, value, "default", &trail), &trail);
        assert_string_equal(kbs_machine_value(&machine, i, again), value);
        kbs_machine_written(&machine, i, written);
        check_ok(kbs_machine_set(&machine, param->path, written, "default", &trail), &trail);
        assert_string_equal(kbs_machine_value(&machine, i, again), value);
        assert_int_equal(kbs_param_find(param->path), i);
        assert_true(strlen(param->help) > 3 && strlen(param->unit) > 0);
        assert_non_null(strstr("KSC", param->source));
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(kbs_param_describe(j)->path, param->path);
    }
    check_ok(kbs_machine_check(&machine, &trail), &trail);
    assert_int_equal(kbs_machine_pes_of_sip(&machine), 128);
    assert_int_equal(kbs_machine_pes(&machine), 256);
}

static void bounds_hold_and_are_named(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    kbs_machine_init(&machine);
    check_status(set(&machine, "ipcq.slots=0", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "ipcq.slots: 0 is out of range (1 to 1048576 slots)");
    check_status(set(&machine, "noc.link_gbps=0", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "out of range");
    check_status(set(&machine, "sip.cubes=4x0", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "each side");
    check_status(set(&machine, "sip.cubes=17", &trail), KB_E_ARGUMENT, &trail);
    check_status(set(&machine, "tcm.bytes=99999999999999999999", &trail), KB_E_ARGUMENT, &trail);
    check_status(set(&machine, "tcm.bytes=2TiB", &trail), KB_E_ARGUMENT, &trail);
    check_status(set(&machine, "clock_ghz=-1", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "is not a decimal number");
    check_status(set(&machine, "dma.setup_ns=nan", &trail), KB_E_ARGUMENT, &trail);
    check_status(set(&machine, "cube.pes=", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "is not a whole number");
    assert_int_equal(machine.at.ipcq_slots, 4);
}

static void an_unknown_path_names_the_nearest(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    kbs_machine_init(&machine);
    check_status(set(&machine, "ipcq.slot=3", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "did you mean 'ipcq.slots'?");
    check_status(set(&machine, "dma.setup=3", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "did you mean 'dma.setup_ns'?");
    check_status(set(&machine, "hbm.time=hbm3", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "did you mean 'hbm.timing'?");
    check_status(set(&machine, "hbm.timing=hbm2", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "did you mean 'hbm3'?");
    check_status(set(&machine, "frobnicate=3", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "explain-config");
    check_status(set(&machine, "ipcq.slots", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "is not PATH=VALUE");
    check_status(set(&machine, "=4", &trail), KB_E_ARGUMENT, &trail);
}

static void words_and_boxes_are_read(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    kbs_machine_init(&machine);
    assert_int_equal(machine.at.ipcq_credit_path, KBS_CREDIT_FAST);
    assert_int_equal(machine.at.hbm_channel_hash, KBS_HASH_XOR);
    assert_int_equal(machine.at.pe_compute_slots, KBS_SLOTS_SEPARATE);
    check_ok(set(&machine, "ipcq.credit_path=vc", &trail), &trail);
    check_ok(set(&machine, "hbm.channel_hash=none", &trail), &trail);
    check_ok(set(&machine, "pe.compute_slots=shared", &trail), &trail);
    assert_int_equal(machine.at.ipcq_credit_path, KBS_CREDIT_VC);
    assert_int_equal(machine.at.hbm_channel_hash, KBS_HASH_NONE);
    assert_int_equal(machine.at.pe_compute_slots, KBS_SLOTS_SHARED);
    check_status(set(&machine, "pe.compute_slots=share", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "'share' is not one of separate/shared (did you mean 'shared'?)");
    check_status(set(&machine, "ipcq.credit_path=", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "'' is not one of fast/vc");
    check_status(set(&machine, "ipcq.credit_path=fast/vc", &trail), KB_E_ARGUMENT, &trail);
    check_ok(set(&machine, "gemm.tile=8x4096x1", &trail), &trail);
    assert_int_equal(kbs_side(machine.at.gemm_tile, 0), 8);
    assert_int_equal(kbs_side(machine.at.gemm_tile, 1), 4096);
    assert_int_equal(kbs_side(machine.at.gemm_tile, 2), 1);
    check_status(set(&machine, "gemm.tile=8x4097x1", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "each side");
    check_status(set(&machine, "gemm.tile=8x0x1", &trail), KB_E_ARGUMENT, &trail);
    check_status(set(&machine, "gemm.tile=8x8", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "is not a box such as 32x64x32");
    check_status(set(&machine, "gemm.tile=8x8x8x8", &trail), KB_E_ARGUMENT, &trail);
    check_status(set(&machine, "gemm.tile=8x8x2097153", &trail), KB_E_ARGUMENT, &trail);
}

static void a_shorthand_sets_shapes(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    kbs_machine_init(&machine);
    check_ok(kbs_machine_shorthand(&machine, "sips=3x2,cubes=2x1,pes=16", &trail), &trail);
    assert_int_equal(kbs_columns(machine.at.system_sips), 3);
    assert_int_equal(kbs_rows(machine.at.system_sips), 2);
    assert_int_equal(kbs_machine_pes_of_sip(&machine), 32);
    check_ok(kbs_machine_shorthand(&machine, "cubes=5", &trail), &trail);
    assert_int_equal(kbs_machine_pes(&machine), 6 * 5 * 16);
    check_status(kbs_machine_shorthand(&machine, "cores=3", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "not 'cores'");
    check_status(kbs_machine_shorthand(&machine, "pes", &trail), KB_E_ARGUMENT, &trail);
    check_status(kbs_machine_shorthand(&machine, "pes=129", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "while reading --machine pes=129");
}

static void values_that_do_not_fit_together_are_refused(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    kbs_machine_init(&machine);
    check_ok(set(&machine, "cube.pes=32", &trail), &trail);
    check_ok(kbs_machine_check(&machine, &trail), &trail);
    check_ok(set(&machine, "cube.pes=33", &trail), &trail);
    check_status(kbs_machine_check(&machine, &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "33 PEs need a router each, and cube.routers=6x6 has 32");
    kbs_machine_init(&machine);
    check_ok(set(&machine, "ucie.links=7", &trail), &trail);
    check_status(kbs_machine_check(&machine, &trail), KB_E_ARGUMENT, &trail);
    static const char *const odd[][2] = {{"hbm.channels_per_pe=6", "6 is no power of two"},
                                         {"hbm.burst_bytes=300", "300 is no power of two"},
                                         {"hbm.access_bytes=48", "no whole number of accesses of 48"}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        kbs_machine_init(&machine);
        check_ok(set(&machine, odd[i][0], &trail), &trail);
        check_status(kbs_machine_check(&machine, &trail), KB_E_ARGUMENT, &trail);
        check_says(&trail, odd[i][1]);
    }
}

static void banks_fit_together(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    static const char *const odd[][2] = {
        {"hbm3.banks=12", "hbm3.banks: 12 is no power of two"},
        {"hbm3.bank_groups=3", "hbm3.bank_groups: 3 is no power of two"},
        {"hbm3.row_bytes=1000", "hbm3.row_bytes: 1000 is no power of two"},
        {"hbm3.group_bytes=96", "hbm3.group_bytes: 96 is no power of two"},
        {"hbm3.banks=2", "2 banks cannot be in 4 groups"},
        {"hbm3.row_bytes=64", "hbm3.group_bytes: 128 bytes are more than a row"},
        {"hbm3.group_bytes=16", "hbm3.group_bytes: 16 bytes are less than an access (hbm.access_bytes=32)"},
        {"hbm3.refi_ns=99", "hbm3.refi_ns: a bank would be busy with refreshes"},
        {"hbm3.rfcpb_ns=1940", "hbm3.refi_ns: a bank would be busy with refreshes"}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        kbs_machine_init(&machine);
        check_ok(set(&machine, odd[i][0], &trail), &trail);
        check_ok(kbs_machine_check(&machine, &trail), &trail); /* which has no banks */
        check_ok(set(&machine, "hbm.timing=hbm3", &trail), &trail);
        check_status(kbs_machine_check(&machine, &trail), KB_E_ARGUMENT, &trail);
        check_says(&trail, odd[i][1]);
    }
    check_ok(set(&machine, "hbm3.refi_ns=0", &trail), &trail);
    check_ok(kbs_machine_check(&machine, &trail), &trail);
}

static void numbers_are_read_exactly(void **state) {
    (void)state;
    uint64_t value = 7;
    assert_true(kbs_parse_bytes("4096", &value) && value == 4096);
    assert_true(kbs_parse_bytes("16KiB", &value) && value == 16384);
    assert_true(kbs_parse_bytes("16K", &value) && value == 16000);
    assert_true(kbs_parse_bytes("1MiB", &value) && value == 1 << 20);
    assert_true(kbs_parse_bytes("6GiB", &value) && value == UINT64_C(6) << 30);
    assert_true(kbs_parse_bytes("2MB", &value) && value == 2000000);
    assert_true(kbs_parse_bytes("18446744073709551615", &value) && value == UINT64_MAX);
    value = 7;
    const char *const wrong[] = {"",     " 1",  "1 ", "1x",  "KiB",        "18446744073709551616",
                                 "0x10", "1.5", "+1", "1e3", "99999999TiB"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(kbs_parse_bytes(wrong[i], &value));
    assert_true(value == 7);
    assert_true(kbs_parse_bytes("1.5KiB", &value) && value == 1536);
    assert_true(kbs_parse_bytes("64 KiB", &value) && value == 65536);
    assert_true(kbs_parse_grid("4x3", &value) && kbs_columns(value) == 4 && kbs_rows(value) == 3);
    assert_true(kbs_parse_grid("4", &value) && kbs_columns(value) == 4 && kbs_rows(value) == 1);
    assert_false(kbs_parse_grid("4x", &value));
    assert_false(kbs_parse_grid("x4", &value));
    assert_false(kbs_parse_grid("4294967296", &value));
}

/* With its unit, a relative of it or none; exactly, or not at all. */
static void quantities_are_read_with_their_units(void **state) {
    (void)state;
    static const struct {
        const char *text, *own;
        uint64_t value; /* in millionths */
    } right[] = {
        {"57.6", "GB/s", 57600000},
        {"57.6 GB/s", "GB/s", 57600000},
        {"0.000001", "ns", 1},
        {"3.", "ns", 3000000},
        {"2us", "ns", 2000000000},
        {"1.5  us", "ns", 1500000000},
        {"1ps", "ns", 1000},
        {"0.001ps", "ns", 1},
        {"0.0000000000010 s", "ns", 1000},
        {"500MB/s", "GB/s", 500000},
        {"1.2TB/s", "GB/s", 1200000000},
        {"3 kB/s", "GB/s", 3},
        {"1800MHz", "GHz", 1800000},
        {"100 ps/mm", "ns/mm", 100000},
        {"17000um", "mm", 17000000},
        {"18446744073709.551615", "", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        uint64_t value = 0;
        assert_int_equal(kbs_parse_quantity(right[i].text, right[i].own, KBS_MILLION, &value),
                         KBS_NUMBER_FINE);
        assert_true(value == right[i].value);
    }
    static const struct {
        const char *text, *own;
        kbs_number_fault fault;
    } wrong[] = {
        {"", "ns", KBS_NUMBER_NONE},
        {".5", "ns", KBS_NUMBER_NONE},
        {"-1", "ns", KBS_NUMBER_NONE},
        {" 1", "ns", KBS_NUMBER_NONE},
        {"us", "ns", KBS_NUMBER_NONE},
        {"1e3", "ns", KBS_NUMBER_UNIT},
        {"1,5", "ns", KBS_NUMBER_UNIT},
        {"1 ", "ns", KBS_NUMBER_UNIT},
        {"1 us ", "ns", KBS_NUMBER_UNIT},
        {"1 GB/s", "ns", KBS_NUMBER_UNIT},
        {"1us", "GB/s", KBS_NUMBER_UNIT},
        {"1 GiB/s", "GB/s", KBS_NUMBER_UNIT},
        {"0.0000001", "ns", KBS_NUMBER_FINER},
        {"0.0001ps", "ns", KBS_NUMBER_FINER},
        {"1.0000000000000000001", "ns", KBS_NUMBER_FINER},
        {"18446744073709551616", "ns", KBS_NUMBER_LARGE},
        {"18446744073709.551616", "", KBS_NUMBER_FINER},
        {"18446744073710", "", KBS_NUMBER_LARGE},
        {"20000000000000", "ns", KBS_NUMBER_LARGE},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t value = 7;
        assert_int_equal(kbs_parse_quantity(wrong[i].text, wrong[i].own, KBS_MILLION, &value),
                         wrong[i].fault);
        assert_true(value == 7);
    }
}

static void parameters_take_units(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    kbs_machine_init(&machine);
    check_ok(set(&machine, "dma.setup_ns=2us", &trail), &trail);
    check_ok(set(&machine, "ipcq.slots=8 slots", &trail), &trail);
    assert_int_equal(machine.at.dma_setup_ns, 2000 * KBS_MILLION);
    assert_int_equal(machine.at.ipcq_slots, 8);
    check_status(set(&machine, "ipcq.slots=8us", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "'8us' does not end in a unit that it can have (slots)");
    check_status(set(&machine, "dma.setup_ns=8 GB/s", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "(ns, ps, us, ms, s)");
    check_status(set(&machine, "ipcq.slots=1.5", &trail), KB_E_ARGUMENT, &trail);
    check_says(&trail, "no whole number of slots");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_has_a_default_in_its_range_and_words),
        cmocka_unit_test(bounds_hold_and_are_named),
        cmocka_unit_test(an_unknown_path_names_the_nearest),
        cmocka_unit_test(words_and_boxes_are_read),
        cmocka_unit_test(a_shorthand_sets_shapes),
        cmocka_unit_test(values_that_do_not_fit_together_are_refused),
        cmocka_unit_test(banks_fit_together),
        cmocka_unit_test(numbers_are_read_exactly),
        cmocka_unit_test(quantities_are_read_with_their_units),
        cmocka_unit_test(parameters_take_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

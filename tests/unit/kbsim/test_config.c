/* SPDX-License-Identifier: Apache-2.0 */
/* Files of settings: what wins, where a value came from, and what happens when files or memory fail. */
#include <string.h>

#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/fault_fs.h"

#include "config/files.h"
#include "kbsim/config.h"

typedef struct fixture {
    fault_fs disk;
    kbs_machine machine;
    kbs_config config;
    kb_trail trail;
} fixture;

static void put(fixture *f, const char *name, const char *text) {
    fault_fs_put(&f->disk, name, text, strlen(text));
}

static void set_up(fixture *f) {
    fault_fs_init(&f->disk);
    kb_trail_init(&f->trail);
    kbs_machine_init(&f->machine);
    fault_fs_put_folder(&f->disk, "share");
    fault_fs_put_folder(&f->disk, "share/topologies");
    put(f, "share/topologies/small.yaml", "help: few\ncube.pes: 2\nipcq: {slots: 3}\n");
    kbs_config_init(&f->config, &f->machine, NULL, &f->disk.fs, "share");
}

static void tear_down(fixture *f) {
    kbs_config_fini(&f->config);
    fault_fs_fini(&f->disk);
}

static const kbs_origin *origin_of(const fixture *f, const char *path) {
    return kbs_machine_origin(&f->machine, kbs_param_find(path));
}

static void a_file_sets_what_it_names_and_nothing_else(void **state) {
    (void)state;
    fixture f;
    kbs_machine standard;
    set_up(&f);
    kbs_machine_init(&standard);
    put(&f, "a.yaml",
        "# first\r\nipcq:\r\n  slots: &n 8\n  'ring': \"sr\\x61m\"\ndma.setup_ns: 2us\n"
        "dma: {reads_outstanding: *n}\nhelp: |\n  two\n  lines\n");
    check_ok(kbs_config_topology(&f.config, "a.yaml", &f.trail), &f.trail);
    assert_int_equal(f.machine.at.ipcq_slots, 8);
    assert_int_equal(f.machine.at.ipcq_ring, KBS_RING_SRAM);
    assert_int_equal(f.machine.at.dma_setup_ns, 2000 * KBS_MILLION);
    assert_int_equal(f.machine.at.dma_reads_outstanding, 8);
    assert_string_equal(f.config.help, "two\nlines\n");
    const kbs_origin *origin = origin_of(&f, "ipcq.slots");
    assert_string_equal(origin->by, "topology");
    assert_string_equal(origin->source, "a.yaml");
    assert_int_equal(origin->line, 3);
    assert_int_equal(origin->column, 3);
    assert_null(origin_of(&f, "ipcq.slot_bytes")->source);
    standard.at.ipcq_slots = f.machine.at.ipcq_slots;
    standard.at.ipcq_ring = f.machine.at.ipcq_ring;
    standard.at.dma_setup_ns = f.machine.at.dma_setup_ns;
    standard.at.dma_reads_outstanding = f.machine.at.dma_reads_outstanding;
    assert_memory_equal(&standard.at, &f.machine.at, sizeof standard.at);
    tear_down(&f);
}

static void later_wins_over_earlier_and_own_over_included(void **state) {
    (void)state;
    fixture f;
    set_up(&f);
    fault_fs_put_folder(&f.disk, "parts");
    put(&f, "parts/one.yaml", "ipcq: {slots: 10, slot_bytes: 10}\ndma.setup_ns: 10\nsram.ns: 10\n");
    put(&f, "parts/two.yaml", "include: one.yaml\nipcq.slot_bytes: 20\n");
    put(&f, "main.yaml",
        "dma.setup_ns: 30\ninclude: [small, parts/two.yaml, ./parts/../parts/one.yaml]\n"
        "ipcq.poll_ns: 30\n");
    check_ok(kbs_config_topology(&f.config, "main.yaml", &f.trail), &f.trail);
    assert_int_equal(f.machine.at.cube_pes, 2);
    assert_int_equal(f.machine.at.ipcq_slots, 10);
    assert_int_equal(f.machine.at.ipcq_slot_bytes, 10);
    assert_int_equal(f.machine.at.dma_setup_ns, 30 * KBS_MILLION);
    assert_int_equal(f.machine.at.sram_ns, 10 * KBS_MILLION);
    assert_string_equal(origin_of(&f, "cube.pes")->source, "share/topologies/small.yaml");
    assert_string_equal(origin_of(&f, "sram.ns")->source, "parts/one.yaml");
    assert_string_equal(f.config.help, "");
    tear_down(&f);
}

static void a_ccl_file_sets_queues_and_gives_parameters(void **state) {
    (void)state;
    fixture f;
    set_up(&f);
    put(&f, "base.yaml", "collective: {algo: ring, dtype: bf16}\nipcq.slots: 5\n");
    put(&f, "ccl.yaml", "include: base.yaml\ncollective:\n  algo: tree\n  init: iota\n");
    check_ok(kbs_config_topology(&f.config, "small", &f.trail), &f.trail);
    check_ok(kbs_config_ccl(&f.config, "ccl.yaml", &f.trail), &f.trail);
    assert_int_equal(f.machine.at.ipcq_slots, 5);
    assert_string_equal(origin_of(&f, "ipcq.slots")->by, "ccl");
    assert_string_equal(f.config.help, "few");
    assert_int_equal(f.config.given_count, 3);
    static const char *const wanted[][2] = {{"algo", "tree"}, {"dtype", "bf16"}, {"init", "iota"}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(f.config.given[i].key, wanted[i][0]);
        assert_string_equal(f.config.given[i].value, wanted[i][1]);
    }
    assert_int_equal(f.config.given[0].origin.line, 3);
    tear_down(&f);
}

static void names_are_shortened(void **state) {
    (void)state;
    static const char *const pairs[][3] = {
        {NULL, "a.yaml", "a.yaml"},
        {NULL, "./a.yaml", "a.yaml"},
        {"b/c.yaml", "a.yaml", "b/a.yaml"},
        {"b/c.yaml", "../a.yaml", "a.yaml"},
        {"c.yaml", "../a.yaml", "../a.yaml"},
        {"../c/d", "../../a", "../../a"},
        {"/x/c", "../../../a", "/a"},
        {"/x/c", "/y//z/./a", "/y/z/a"},
        {NULL, "a/..", "."},
        {NULL, "/", "/"},
        {NULL, "a/b/../../../c", "../c"},
    };
    fixture f;
    set_up(&f);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *name;
        check_ok(kbs_file_beside(&f.config, pairs[i][0], pairs[i][1], &name, &f.trail), &f.trail);
        assert_string_equal(name, pairs[i][2]);
    }
    char long_name[KBS_CONFIG_NAME_CHARS + 8];
    const char *name;
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    check_status(kbs_file_beside(&f.config, NULL, long_name, &name, &f.trail), KB_E_ARGUMENT, &f.trail);
    tear_down(&f);
}

/* Whatever call fails, the failure is told, and no file stays open. */
static void every_failing_call_is_told(void **state) {
    (void)state;
    static const char text[] = "include: [small, b.yaml]\nipcq.slots: 6\n";
    size_t calls = 1;
    for (size_t call = 0; call <= calls; call++) {
        fixture f;
        set_up(&f);
        put(&f, "a.yaml", text);
        put(&f, "b.yaml", "dma.setup_ns: 3\n");
        f.disk.call_count = 0;
        f.disk.faults.fail_call = call;
        const kb_status status = kbs_config_topology(&f.config, "./a.yaml", &f.trail);
        if (call == 0) {
            check_ok(status, &f.trail);
            calls = f.disk.call_count;
            assert_true(calls > 9);
        } else {
            check_status(status, KB_E_IO, &f.trail);
        }
        assert_int_equal(fault_fs_open_count(&f.disk), 0);
        tear_down(&f);
    }
}

static kb_status read_one(const kb_alloc *alloc, void *user, kb_trail *trail) {
    kbs_machine machine;
    kbs_config config;
    kbs_machine_init(&machine);
    kbs_config_init(&config, &machine, alloc, user, "share");
    kb_status status = kbs_config_topology(&config, "small", trail);
    if (status == KB_OK)
        status = kbs_config_ccl(&config, "ccl.yaml", trail);
    kbs_config_fini(&config);
    return status;
}

static void every_refused_allocation_is_told(void **state) {
    (void)state;
    fixture f;
    set_up(&f);
    put(&f, "ccl.yaml", "collective: {algo: &x tree, b: *x}\nipcq.slots: 6\n");
    fail_alloc_sweep(read_one, &f.disk.fs, 1);
    tear_down(&f);
}

/* Reads of one byte, interruptions, a read that fails in the middle. */
static void slow_and_broken_reads(void **state) {
    (void)state;
    fixture f;
    set_up(&f);
    put(&f, "a.yaml", "ipcq.slots: 6\ndma.setup_ns: 3\n");
    f.disk.faults.most_read = 1;
    f.disk.faults.interrupt_every = 3;
    check_ok(kbs_config_topology(&f.config, "a.yaml", &f.trail), &f.trail);
    assert_int_equal(f.machine.at.ipcq_slots, 6);
    f.disk.faults.bad_byte = 20;
    check_status(kbs_config_topology(&f.config, "a.yaml", &f.trail), KB_E_IO, &f.trail);
    check_says(&f.trail, "a.yaml");
    f.disk.faults.bad_byte = UINT64_MAX;
    fault_fs_put_folder(&f.disk, "folder.yaml");
    check_status(kbs_config_topology(&f.config, "folder.yaml", &f.trail), KB_E_ARGUMENT, &f.trail);
    check_says(&f.trail, "is a folder");
    fault_fs_put_input(&f.disk, "ipcq.slots: 9\n", 14);
    check_ok(kbs_config_topology(&f.config, "-", &f.trail), &f.trail);
    assert_int_equal(f.machine.at.ipcq_slots, 9);
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_sets_what_it_names_and_nothing_else),
        cmocka_unit_test(later_wins_over_earlier_and_own_over_included),
        cmocka_unit_test(a_ccl_file_sets_queues_and_gives_parameters),
        cmocka_unit_test(names_are_shortened),
        cmocka_unit_test(every_failing_call_is_told),
        cmocka_unit_test(every_refused_allocation_is_told),
        cmocka_unit_test(slow_and_broken_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

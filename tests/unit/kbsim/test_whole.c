/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs into files: parameters, recipes, identity, equal bytes, and what is left after a failure. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/fault_fs.h"

#include "bench/bench.h"
#include "bench/contents.h"
#include "kbsim/run.h"
#include "kbtrace/reader.h"

typedef struct whole {
    kbs_machine machine;
    kbs_run_options options;
    kbs_result result;
    kb_trail trail;
} whole;

static kb_status run(whole *w, const char *path, uint32_t ranks, const char *const *params, size_t count) {
    memset(w, 0, sizeof *w);
    kb_trail_init(&w->trail);
    kbs_machine_init(&w->machine);
    w->options = (kbs_run_options){.bench = "allreduce",
                                   .params = params,
                                   .param_count = count,
                                   .machine = &w->machine,
                                   .ranks = ranks,
                                   .seed = 1,
                                   .path = path};
    return kbs_run(&w->options, &w->result, &w->trail);
}

static size_t read_all(const char *path, unsigned char *bytes, size_t most) {
    const int file = open(path, O_RDONLY);
    assert_true(file >= 0);
    const ssize_t size = read(file, bytes, most);
    close(file);
    assert_true(size > 0);
    return (size_t)size;
}

static void the_same_run_gives_the_same_bytes(void **state) {
    (void)state;
    static whole a, b;
    static unsigned char first[1 << 20], second[1 << 20];
    const char *const params[] = {"elems=5000", "dtype=bf16", "op=max"};
    check_ok(run(&a, "a.zst", 8, params, 3), &a.trail);
    check_ok(run(&b, "b.zst", 8, params, 3), &b.trail);
    const size_t size = read_all("a.zst", first, sizeof first);
    assert_int_equal(read_all("b.zst", second, sizeof second), size);
    assert_memory_equal(first, second, size);
    assert_int_equal(a.result.file_bytes, size);
    assert_true(kb_digest_equal(&a.result.record_digest, &b.result.record_digest));
    kbs_result_fini(&a.result);
    kbs_result_fini(&b.result);
}

/* --- what the trace says ----------------------------------------------------------------------- */

static kb_reader *open_trace(const char *path, kb_trail *trail) {
    kb_reader *reader;
    const kb_reader_options options = {.threads = 1};
    check_ok(kb_reader_open(&path, 1, &options, &reader, trail), trail);
    return reader;
}

static const kb_setting *setting_of(const kb_defs *defs, const char *path) {
    for (size_t i = 0; i < defs->setting_count; i++)
        if (strcmp(defs->settings[i].path, path) == 0)
            return &defs->settings[i];
    fail_msg("no setting %s", path);
    return NULL;
}

static void definitions_are_filled_in(void **state) {
    (void)state;
    static whole w;
    const char *const params[] = {"bytes=12KiB", "dtype=f32", "slots=3", "slot_bytes=1KiB"};
    check_ok(run(&w, "defs.zst", 4, params, 4), &w.trail);
    kb_reader *reader = open_trace("defs.zst", &w.trail);
    const kb_defs *defs = kb_reader_defs(reader);
    assert_string_equal(setting_of(defs, "program.elems")->value, "3072");
    assert_string_equal(setting_of(defs, "ipcq.slots")->value, "3");
    assert_string_equal(setting_of(defs, "ipcq.slots")->origin, "param");
    assert_string_equal(setting_of(defs, "tcm.bytes")->origin, "default");
    assert_int_equal(defs->pe_count, 4);
    assert_int_equal(defs->stream_count, 8);
    assert_int_equal(defs->engine_count, 4 * 5 + 4);
    assert_int_equal(defs->memory_count, 4 * 3 + 4);
    assert_int_equal(defs->queue_count, 4);
    assert_int_equal(defs->tensor_count, 4);
    assert_int_equal(defs->initial_count, 4);
    for (size_t i = 0; i < defs->queue_count; i++) {
        assert_int_equal(defs->queues[i].slots, 3);
        assert_int_equal(defs->queues[i].slot_bytes, 1024);
    }
    for (size_t i = 0; i + 1 < defs->initial_count; i++)
        assert_true(defs->initials[i].seed != defs->initials[i + 1].seed);
    const kb_collective *collective = &defs->collectives[0];
    assert_int_equal(collective->kind, KB_COLL_ALL_REDUCE);
    assert_int_equal(collective->part_count, 4);
    assert_int_equal(collective->parts[2].input_count, 3072);
    assert_string_equal(kb_defs_text(defs, collective->algorithm), "ring");
    for (size_t i = 0; i < defs->engine_count; i++) {
        const bool total = defs->engines[i].kind == KB_ENGINE_MATH || defs->engines[i].kind == KB_ENGINE_GEMM;
        assert_int_equal(defs->engines[i].promise, total ? KB_PROMISE_TOTAL : KB_PROMISE_NONE);
    }
    /* Addresses of the machine's memories do not overlap. */
    for (size_t i = 0; i < defs->memory_count; i++)
        for (size_t j = 0; j < i; j++) {
            const kb_memory *x = &defs->memories[i], *y = &defs->memories[j];
            if (x->space == KB_SPACE_HOST || y->space == KB_SPACE_HOST)
                continue;
            assert_true(x->base_address + x->size_bytes <= y->base_address ||
                        y->base_address + y->size_bytes <= x->base_address);
        }
    kb_reader_destroy(reader);
    kbs_result_fini(&w.result);
}

static kb_digest program_digest_of(const char *param, kb_digest *ret_config, kb_digest *ret_id) {
    static whole w;
    const char *const params[] = {param};
    check_ok(run(&w, "id.zst", 2, params, 1), &w.trail);
    kb_reader *reader = open_trace("id.zst", &w.trail);
    const kb_digest digest = kb_reader_run(reader)->program_digest;
    *ret_config = kb_reader_run(reader)->config_digest;
    *ret_id = kb_reader_run(reader)->run_id;
    kb_reader_destroy(reader);
    kbs_result_fini(&w.result);
    return digest;
}

static void machine_and_program_have_digests_of_their_own(void **state) {
    (void)state;
    kb_digest config[3], id[3];
    const kb_digest program[3] = {program_digest_of("elems=10", &config[0], &id[0]),
                                  program_digest_of("elems=11", &config[1], &id[1]),
                                  program_digest_of("slots=5", &config[2], &id[2])};
    assert_true(kb_digest_equal(&config[0], &config[1]));
    assert_false(kb_digest_equal(&program[0], &program[1]));
    assert_false(kb_digest_equal(&config[0], &config[2]));
    assert_false(kb_digest_equal(&id[0], &id[1]) || kb_digest_equal(&id[0], &id[2]));
}

/* --- parameters ------------------------------------------------------------------------------ */

static void refuse(const char *param, const char *words) {
    static whole w;
    const char *const params[] = {"elems=100", param};
    const kb_status status = run(&w, "never.zst", 4, params, 2);
    check_status(status, status == KB_E_PROGRAM ? KB_E_PROGRAM : KB_E_ARGUMENT, &w.trail);
    check_says(&w.trail, words);
    assert_int_equal(access("never.zst", F_OK), -1);
}

static void wrong_parameters_are_refused(void **state) {
    (void)state;
    refuse("elem=3", "did you mean 'elems'?");
    refuse("elems", "is not KEY=VALUE");
    refuse("elems=many", "is not a whole number");
    refuse("bytes=64", "give one of them");
    refuse("dtype=f8", "is not one of f16");
    refuse("op=mean", "is not one of sum");
    refuse("op=none", "is not one of sum");
    refuse("algo=rign", "did you mean 'ring'?");
    refuse("slots=0", "ipcq.slots: 0 is out of range");
    refuse("init=random", "is not one of ints");
    refuse("init=constant:x", "'x' is no number");
    refuse("init=constant:nan", "is no number");
    refuse("init=constant:70000", "f16 cannot hold 70000");
    refuse("elems=4000000000", "the HBM of rank 0 (sip0.cube0.pe0) has no room for x");
    refuse("elems=18446744073709551615", "exceed any memory");
    refuse("buffer=srm", "is not one of tcm, sram, hbm (did you mean 'sram'?)");
    refuse("slot_bytes=1", "a slot of 1 bytes cannot hold one f16");
}

static kb_initial recipe_of(const char *init, uint32_t dtype, uint32_t reduce, uint32_t ranks) {
    kb_trail trail;
    kb_initial recipe;
    const kbs_contents contents = {init, dtype, reduce, ranks, 9, 100};
    check_ok(kbs_contents_recipe(&contents, &recipe, &trail), &trail);
    return recipe;
}

/* The sum over all ranks of the largest value must lie in the range in which every integer is exact. */
static void drawn_integers_sum_exactly(void **state) {
    (void)state;
    static const struct {
        uint32_t dtype;
        double exact;
    } dtypes[] = {{KB_DTYPE_F16, 2048}, {KB_DTYPE_BF16, 256}, {KB_DTYPE_F32, 16777216}, {KB_DTYPE_I8, 127}};
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        for (uint32_t ranks = 1; ranks <= 127; ranks++) {
            const kb_initial recipe = recipe_of("ints", dtypes[i].dtype, KB_REDUCE_SUM, ranks);
            assert_int_equal(recipe.recipe, KB_RECIPE_INTS);
            assert_true(recipe.high >= 1 && recipe.high <= 64 && recipe.low == -recipe.high);
            assert_true(recipe.high * ranks <= dtypes[i].exact);
        }
    assert_int_equal(recipe_of("ints", KB_DTYPE_F16, KB_REDUCE_PROD, 4).recipe, KB_RECIPE_SIGNS);
    assert_true(recipe_of("ints", KB_DTYPE_I8, KB_REDUCE_MAX, 4).high == 127);
    kb_trail trail;
    kb_initial recipe;
    kbs_contents contents = {"uniform", KB_DTYPE_I8, KB_REDUCE_SUM, 2, 0, 100};
    check_status(kbs_contents_recipe(&contents, &recipe, &trail), KB_E_ARGUMENT, &trail);
    contents = (kbs_contents){"iota", KB_DTYPE_I8, KB_REDUCE_SUM, 2, 0, 129};
    check_status(kbs_contents_recipe(&contents, &recipe, &trail), KB_E_ARGUMENT, &trail);
    contents.elements = 128;
    check_ok(kbs_contents_recipe(&contents, &recipe, &trail), &trail);
}

static void ranks_must_fit_the_system(void **state) {
    (void)state;
    static whole w;
    check_status(run(&w, "never.zst", 257, NULL, 0), KB_E_ARGUMENT, &w.trail);
    check_says(&w.trail, "257 ranks need as many PEs, and this machine has 256");
}

/* --- nothing to do ----------------------------------------------------------------------------- */

static kb_status launch_nothing(kbs_program *program, const kbs_bench_values *values, kb_trail *trail) {
    (void)values;
    (void)trail;
    program->launch_count = 2; /* but no PE gets a command */
    return KB_OK;
}

static kb_status record_nothing(kbs_program *program, const kbs_bench_values *values, kb_trail *trail) {
    (void)program;
    (void)values;
    (void)trail;
    return KB_OK;
}

static void a_run_that_does_nothing_is_an_error(void **state) {
    (void)state;
    static const kbs_bench benches[] = {{"idle", "", NULL, 0, launch_nothing},
                                        {"empty", "", NULL, 0, record_nothing}};
    static const char *const words[] = {
        "idle does nothing: none of its 2 launches gives any of 3 PEs a command", "launches nothing"};
    for (int i = 0; i < 2; i++) {
        kbs_machine machine;
        kbs_machine_init(&machine);
        const kbs_run_options options = {.machine = &machine, .ranks = 3, .path = "never.zst"};
        kbs_result result;
        kb_trail trail;
        kb_trail_init(&trail);
        check_status(kbs_run_bench(&benches[i], &options, &result, &trail), KB_E_PROGRAM, &trail);
        check_says(&trail, words[i]);
        assert_int_equal(access("never.zst", F_OK), -1);
    }
}

/* --- failures -------------------------------------------------------------------------------- */

static kb_status run_with(const kb_alloc *alloc, void *user, kb_trail *trail) {
    (void)user;
    const char *const params[] = {"elems=3000", "slot_bytes=512", "slots=2"};
    kbs_machine machine;
    kbs_machine_init(&machine);
    const kbs_run_options options = {.bench = "allreduce",
                                     .params = params,
                                     .param_count = 3,
                                     .machine = &machine,
                                     .ranks = 3,
                                     .seed = 1,
                                     .path = "swept.zst",
                                     .alloc = alloc};
    kbs_result result;
    KB_TRY(kbs_run(&options, &result, trail));
    kbs_result_fini(&result);
    return KB_OK;
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    assert_true(fail_alloc_sweep(run_with, NULL, 1) > 50);
}

/* Whatever the disk does, the status says so and nothing stands under the final name. */
static void a_full_disk_leaves_nothing_behind(void **state) {
    (void)state;
    kbs_machine machine;
    kb_trail trail;
    uint64_t whole_size = 0;
    for (uint64_t space_size = 0; whole_size == 0; space_size += 97) {
        fault_fs disk;
        fault_fs_init(&disk);
        disk.faults.space_size = space_size;
        disk.faults.most_write = 50;
        disk.faults.interrupt_every = 3;
        kbs_machine_init(&machine);
        const kbs_run_options options = {.bench = "allreduce",
                                         .machine = &machine,
                                         .ranks = 2,
                                         .seed = 1,
                                         .path = "x.zst",
                                         .fs = &disk.fs};
        kbs_result result;
        kb_trail_init(&trail);
        const kb_status status = kbs_run(&options, &result, &trail);
        if (status == KB_OK) {
            whole_size = result.file_bytes;
            assert_string_equal(fault_fs_names(&disk), "x.zst");
            kbs_result_fini(&result);
        } else {
            check_status(status, KB_E_IO, &trail);
            assert_string_equal(fault_fs_names(&disk), "");
        }
        fault_fs_fini(&disk);
    }
    assert_true(whole_size > 1000);
}

static void a_place_that_cannot_be_written_is_named(void **state) {
    (void)state;
    static whole w;
    check_status(run(&w, "no-such-folder/x.zst", 2, NULL, 0), KB_E_IO, &w.trail);
    check_says(&w.trail, "no-such-folder");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_run_gives_the_same_bytes),
        cmocka_unit_test(definitions_are_filled_in),
        cmocka_unit_test(machine_and_program_have_digests_of_their_own),
        cmocka_unit_test(wrong_parameters_are_refused),
        cmocka_unit_test(drawn_integers_sum_exactly),
        cmocka_unit_test(ranks_must_fit_the_system),
        cmocka_unit_test(a_run_that_does_nothing_is_an_error),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(a_full_disk_leaves_nothing_behind),
        cmocka_unit_test(a_place_that_cannot_be_written_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

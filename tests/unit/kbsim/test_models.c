/* SPDX-License-Identifier: Apache-2.0 */
/* Models of components: what is chosen, with which options, and what `peak` takes to the picosecond. */
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/fault_fs.h"

#include "kbsim/models.h"
#include "kbtrace/words.h"

typedef struct fixture {
    kbs_machine machine;
    kbs_models models;
    kb_trail trail;
} fixture;

static void set_up(fixture *f) {
    kbs_machine_init(&f->machine);
    kb_trail_init(&f->trail);
    memset(&f->models, 0, sizeof f->models);
}

static void set(fixture *f, const char *assignment) {
    check_ok(kbs_machine_assign(&f->machine, assignment, "set", &f->trail), &f->trail);
}

static void open_models(fixture *f) {
    check_ok(kbs_models_open(&f->machine, NULL, &f->models, &f->trail), &f->trail);
}

static void every_component_has_its_rows(void **state) {
    (void)state;
    fixture f;
    set_up(&f);
    open_models(&f);
    for (uint32_t c = 0; c < KBS_COMPONENTS; c++) {
        const kbs_model *model;
        assert_true(strlen(kbs_component_name(c)) > 1 && strlen(kbs_component_help(c)) > 9);
        assert_true(f.models.of[c].model == kbs_component_model_at(c, 0));
        for (size_t i = 0; (model = kbs_component_model_at(c, i)) != NULL; i++) {
            assert_int_equal(model->abi, KBS_COMPONENT_ABI);
            assert_string_equal(model->component, kbs_component_name(c));
            assert_true(strlen(model->help) > 9 && model->option_count <= KBS_MODEL_OPTIONS);
            char choice[64];
            snprintf(choice, sizeof choice, "components.%s=%s", kbs_component_name(c), model->name);
            set_up(&f);
            set(&f, choice);
            open_models(&f);
            assert_ptr_equal(f.models.of[c].model, model);
            assert_int_equal(f.models.of[c].is_standard, i == 0);
            assert_string_equal(f.models.of[c].name, model->name);
        }
    }
    kbs_models_close(&f.models);
}

static uint64_t param(const void *machine, const char *path) {
    return kbs_machine_number(machine, kbs_param_find(path));
}

static int64_t took_ps(const fixture *f, kbs_component component, const kb_operand *operands,
                       uint32_t count) {
    const kbs_chosen *chosen = &f->models.of[component];
    const kbs_engine_model *engine = (const kbs_engine_model *)(const void *)chosen->model;
    const kbs_engine_work work = {.operands = operands,
                                  .operand_count = count,
                                  .cycle_ps = 1000,
                                  .standard_ps = 77,
                                  .param = param,
                                  .machine = &f->machine,
                                  .options = chosen->options};
    return engine->took_ps(&work);
}

static kb_operand matrix(uint64_t rows, uint64_t columns, uint8_t dtype) {
    return (kb_operand){.dtype = dtype, .dims = 2, .shape = {rows, columns}, .stride = {(int64_t)columns, 1}};
}

static void peak_is_the_rate_times_its_share(void **state) {
    (void)state;
    static const struct {
        uint8_t dtype;
        uint64_t m, k, n;
        const char *share;
        int64_t ps;
    } gemms[] = {
        {KB_DTYPE_F16, 64, 64, 64, "1", 64000},    {KB_DTYPE_BF16, 64, 64, 64, "0.5", 128000},
        {KB_DTYPE_I8, 64, 64, 64, "1", 32000},     {KB_DTYPE_F32, 64, 64, 64, "1", 256000},
        {KB_DTYPE_F16, 1, 1, 1, "1", 1000},        {KB_DTYPE_F16, 17, 241, 1, "1", 2000}, /* 4097 */
        {KB_DTYPE_F16, 64, 64, 64, "0.3", 213334}, {KB_DTYPE_F16, 3, 5, 7, "0.7", 1429},
    };
    for (size_t i = 0; i < sizeof gemms / sizeof gemms[0]; i++) {
        fixture f;
        char option[64];
        set_up(&f);
        snprintf(option, sizeof option, "components.gemm.efficiency=%s", gemms[i].share);
        set(&f, "components.gemm=peak");
        set(&f, option);
        open_models(&f);
        const kb_operand operands[] = {matrix(gemms[i].m, gemms[i].n, gemms[i].dtype),
                                       matrix(gemms[i].m, gemms[i].k, gemms[i].dtype),
                                       matrix(gemms[i].k, gemms[i].n, gemms[i].dtype)};
        assert_int_equal(took_ps(&f, KBS_COMPONENT_gemm, operands, 3), gemms[i].ps);
    }
    fixture f;
    set_up(&f);
    set(&f, "components.math=peak");
    set(&f, "math.bytes_per_cycle=100");
    open_models(&f);
    const kb_operand sums[] = {matrix(1, 10, KB_DTYPE_F32), matrix(30, 10, KB_DTYPE_F16)};
    assert_int_equal(took_ps(&f, KBS_COMPONENT_math, sums, 2), 6000);
    assert_int_equal(took_ps(&f, KBS_COMPONENT_math, sums, 1), 1000);
    const kb_operand huge[] = {matrix(UINT64_C(1) << 40U, UINT64_C(1) << 20U, KB_DTYPE_F32)};
    assert_true(took_ps(&f, KBS_COMPONENT_math, huge, 1) > INT64_C(1) << 50U);
}

static void another_model_forgets_the_options_of_the_former(void **state) {
    (void)state;
    fixture f;
    char value[KBS_VALUE_CHARS];
    set_up(&f);
    set(&f, "components.gemm=peak");
    set(&f, "components.gemm.efficiency=0.5");
    set(&f, "components.gemm.efficiency=0.25");
    set(&f, "components.gemm=peak");
    open_models(&f);
    assert_string_equal(kbs_models_option(&f.models.of[KBS_COMPONENT_gemm], 0, value), "0.25");
    assert_string_equal(f.models.of[KBS_COMPONENT_gemm].option_origins[0]->by, "set");
    set(&f, "components.gemm=tiles");
    open_models(&f);
    set(&f, "components.gemm=peak");
    open_models(&f);
    assert_string_equal(kbs_models_option(&f.models.of[KBS_COMPONENT_gemm], 0, value), "1");
    assert_null(f.models.of[KBS_COMPONENT_gemm].option_origins[0]);
}

static void bad_choices_are_refused(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"components.gem=peak", "unknown component 'gem' (did you mean 'gemm'?)"},
        {"components.gemm=peek", "did you mean 'peak'?"},
        {"components.gemm=", "'' is not one of tiles, peak, or a file"},
        {"components.dma=fast", "nothing to choose"},
        {"components.=x", "unknown component ''"},
        {"components.gemm.=1", "'' is no option of any model"},
        {"components.gemm.a_name_that_is_much_too_long=1", "is no option of any model"},
        {"components.gemm.efficiency=0.0000000000000000000000000000000001", "is no number"},
    };
    fixture f;
    set_up(&f);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        check_status(kbs_machine_assign(&f.machine, wrong[i][0], "set", &f.trail), KB_E_ARGUMENT, &f.trail);
        check_says(&f.trail, wrong[i][1]);
    }
    static const char *const options[] = {"a=1", "b=1", "c=1", "d=1", "e=1", "f=1", "g=1", "h=1"};
    for (size_t i = 0; i < KBS_MODEL_OPTIONS; i++) {
        char path[64];
        snprintf(path, sizeof path, "components.math.%s", options[i]);
        set(&f, path);
    }
    check_status(kbs_machine_assign(&f.machine, "components.math.i=1", "set", &f.trail), KB_E_ARGUMENT,
                 &f.trail);
    check_says(&f.trail, "no model has more than 8 options");
    check_status(kbs_models_open(&f.machine, NULL, &f.models, &f.trail), KB_E_ARGUMENT, &f.trail);
    check_says(&f.trail, "lanes has no option 'a', it has none");
    set_up(&f);
    set(&f, "components.dma.x=1");
    check_status(kbs_models_open(&f.machine, NULL, &f.models, &f.trail), KB_E_ARGUMENT, &f.trail);
    check_says(&f.trail, "components.dma: there is one way to do it, and no option");
}

/* Whatever call of the file fails, the failure is told, and it does not stay open. */
static void a_file_that_cannot_be_read_is_told(void **state) {
    (void)state;
    for (size_t call = 1; call <= 4; call++) {
        fixture f;
        fault_fs disk;
        fault_fs_init(&disk);
        fault_fs_put(&disk, "./x.so", "no object", 9);
        disk.call_count = 0;
        disk.faults.fail_call = call;
        set_up(&f);
        set(&f, "components.gemm=./x.so");
        check_status(kbs_models_open(&f.machine, &disk.fs, &f.models, &f.trail), KB_E_IO, &f.trail);
        assert_int_equal(fault_fs_open_count(&disk), 0);
        fault_fs_fini(&disk);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_component_has_its_rows),
        cmocka_unit_test(peak_is_the_rate_times_its_share),
        cmocka_unit_test(another_model_forgets_the_options_of_the_former),
        cmocka_unit_test(bad_choices_are_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

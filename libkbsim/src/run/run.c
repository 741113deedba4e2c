/* SPDX-License-Identifier: Apache-2.0 */
/* A whole run: parameters, recording, the trace's head, simulation, the trace's end. */
#include "kbsim/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "kbtrace/writer.h"
#include "lint/linting.h"
#include "plugin/plugin.h"
#include "run/idle_faults.h"
#include "run/simulate.h"
#include "run/unused.h"

/* A change of times for the same program and machine changes this. */
#define MODEL_VERSION "kb.time.4"

/* --- settings and identity ------------------------------------------------------------------- */

/* Banks' timing is a setting where it is on, as models are that are not the default. */
static bool is_setting(const kbs_machine *machine, const char *path) {
    return machine->at.hbm_timing != KBS_TIMING_OFF ||
           (strcmp(path, "hbm.timing") != 0 && strncmp(path, "hbm3.", strlen("hbm3.")) != 0);
}

static kb_status define_machine(kbs_program *program, kb_trail *trail) {
    for (uint32_t i = 0; i < kbs_param_count(); i++) {
        if (!is_setting(program->machine, kbs_param_describe(i)->path))
            continue;
        char value[KBS_VALUE_CHARS];
        uint32_t id;
        const kb_setting row = {kbs_param_describe(i)->path, kbs_machine_value(program->machine, i, value),
                                kbs_machine_origin(program->machine, i)->by};
        KB_TRY(kb_defs_add_setting(&program->defs, &row, &id, trail));
    }
    return KB_OK;
}

static kb_status define_model(kbs_program *program, const char *name, const kbs_choice *choice,
                              const kbs_chosen *chosen, kb_trail *trail) {
    char path[80], value[KBS_VALUE_CHARS];
    uint32_t id;
    snprintf(path, sizeof path, "components.%s", name);
    kb_setting row = {path, chosen->name, choice->origin.by};
    KB_TRY(kb_defs_add_setting(&program->defs, &row, &id, trail));
    for (size_t i = 0; i < chosen->model->option_count; i++) {
        snprintf(path, sizeof path, "components.%s.%s", name, chosen->model->options[i].name);
        row.value = kbs_models_option(chosen, i, value);
        row.origin = chosen->option_origins[i] != NULL ? chosen->option_origins[i]->by : "default";
        KB_TRY(kb_defs_add_setting(&program->defs, &row, &id, trail));
    }
    return KB_OK;
}

/* Of models those that are not the default. */
static kb_status define_models(kbs_program *program, kb_trail *trail) {
    for (uint32_t i = 0; i < KBS_COMPONENTS; i++) {
        const kbs_chosen *chosen = &program->models->of[i];
        if (chosen->model != NULL && !chosen->is_standard)
            KB_TRY(
                define_model(program, kbs_component_name(i), &program->machine->choices[i], chosen, trail));
    }
    return KB_OK;
}

static kb_status define_faults(kbs_program *program, kb_trail *trail) {
    for (size_t i = 0; i < program->machine->fault_count; i++) {
        const kbs_fault *fault = &program->machine->faults[i];
        char path[KBS_FAULT_CHARS], value[KBS_FAULT_CHARS];
        uint32_t id;
        const kb_setting row = {kbs_fault_path(fault, path), kbs_fault_value(fault, value), fault->origin.by};
        KB_TRY(kb_defs_add_setting(&program->defs, &row, &id, trail));
    }
    return KB_OK;
}

static kb_status define_ring_slots(kbs_program *program, kb_trail *trail) {
    for (size_t i = 0; i < program->machine->ring_slots_count; i++) {
        const kbs_ring_slots *ring = &program->machine->ring_slots[i];
        char path[KBS_RING_PATH_CHARS], value[KBS_VALUE_CHARS];
        uint32_t id;
        snprintf(value, sizeof value, "%" PRIu64, ring->slots);
        const kb_setting row = {kbs_ring_slots_path(ring, path), value, ring->origin.by};
        KB_TRY(kb_defs_add_setting(&program->defs, &row, &id, trail));
    }
    return KB_OK;
}

static kb_status define_program(kbs_program *program, const kbs_bench *bench, const kbs_run_options *options,
                                kb_trail *trail) {
    char ranks[16];
    snprintf(ranks, sizeof ranks, "%u", program->ranks);
    KB_TRY(kbs_bench_state(program, "bench", bench->name, "param", trail));
    if (options->ranks_are_sips) /* as models, banks and faults it is a setting where it is not the default */
        KB_TRY(kbs_bench_state(program, "rank_unit", "sip", "param", trail));
    return kbs_bench_state(program, "ranks", ranks, options->ranks != 0 ? "param" : "default", trail);
}

/* Users' files by name and contents: where they lie is nobody's business. */
static kb_status define_sources(kbs_program *program, kb_trail *trail) {
    const char *name;
    if (program->plugins->first == NULL)
        return KB_OK;
    KB_TRY(kbs_plugins_name(program->plugins, &program->arena, &name, trail));
    return kbs_bench_state(program, "sources", name, "param", trail);
}

/* The digest of lines "path=value" of the machine's settings, or of the program's. */
static kb_status digest(const kbs_program *program, bool of_program, kb_digest *ret, kb_trail *trail) {
    static const char prefix[] = "program.";
    size_t size = 0;
    for (size_t i = 0; i < program->defs.setting_count; i++)
        size += strlen(program->defs.settings[i].path) + strlen(program->defs.settings[i].value) + 2;
    void *memory;
    KB_TRY(kb_new(program->alloc, size + 1, &memory, trail));
    char *at = memory;
    for (size_t i = 0; i < program->defs.setting_count; i++) {
        const kb_setting *row = &program->defs.settings[i];
        if ((strncmp(row->path, prefix, sizeof prefix - 1) == 0) == of_program)
            at += sprintf(at, "%s=%s\n", row->path, row->value);
    }
    *ret = kb_digest_of(memory, (size_t)(at - (char *)memory));
    kb_delete(program->alloc, memory, size + 1);
    return KB_OK;
}

static kb_status identify(const kbs_program *program, const kbs_bench *bench, kb_run *ret, kb_trail *trail) {
    kb_run run = {.model_version = MODEL_VERSION,
                  .memory_model = "kb.mm.1",
                  .producer = "kb-sim " KB_VERSION,
                  .bench = bench->name,
                  .seed = program->seed,
                  .ranks = program->ranks};
    KB_TRY(digest(program, false, &run.config_digest, trail));
    KB_TRY(digest(program, true, &run.program_digest, trail));
    kb_run_identify(&run);
    *ret = run;
    return KB_OK;
}

/* --- what there is to do --------------------------------------------------------------------- */

/* A bench that launches nothing is refused when it is sealed; this one launches kernels that do nothing. */
static kb_status check_work(const kbs_program *program, const kbs_bench *bench, kb_trail *trail) {
    for (uint32_t pe = 0; pe < program->pes; pe++)
        if (program->streams[pe].commands.count > program->streams[pe].launches)
            return KB_OK; /* more than the marks at the head of each launch */
    return kb_fail(trail, KB_E_PROGRAM,
                   "%s does nothing: none of its %" PRIu64
                   " launches gives any of %u PEs a command (is a size "
                   "0, is a kernel's loop never entered?)",
                   bench->name, program->launch_count, program->pes);
}

static void begin_phase(const kbs_run_options *options, kbs_phase phase) {
    if (options->phase != NULL)
        options->phase(options->context, phase);
}

/* --- the trace ------------------------------------------------------------------------------- */

static kb_status put(void *context, uint32_t rank, const kb_op *op, void **inout_known, kb_trail *trail) {
    if (*inout_known == NULL) {
        kb_known *known;
        KB_TRY(kb_writer_template(context, rank, op->what, &known, trail));
        *inout_known = known;
    }
    return kb_writer_put_as(context, *inout_known, op, trail);
}

static kb_status amend(void *context, uint32_t rank, const kb_op *op, kb_trail *trail) {
    return kb_writer_amend(context, rank, op, trail);
}

static kb_status sample(void *context, uint32_t counter, int64_t time_ps, int64_t value, kb_trail *trail) {
    return kb_writer_sample(context, counter, time_ps, value, trail);
}

static const char *ending_of(kb_outcome outcome) {
    if (outcome == KB_OUTCOME_DEADLOCK)
        return "deadlock: no PE can go on";
    return outcome == KB_OUTCOME_INTERRUPTED ? "stopped before its end" : "";
}

static kb_status write_run(kbs_program *program, const kbs_run_options *options, kb_writer *writer,
                           kbs_result *ret_result, kb_trail *trail) {
    const kbs_sink sink = {put, amend, sample, writer};
    begin_phase(options, KBS_SIMULATING);
    const kbs_limits limits = {options->max_time_ps, options->stop, options->progress, options->context,
                               options->shuffle};
    kbs_result result;
    KB_TRY(kbs_simulate(program, &limits, &sink, &result, trail));
    begin_phase(options, KBS_FINISHING);
    const kb_ending ending = {result.outcome, ending_of(result.outcome), result.time_ps};
    const kb_footer *footer;
    const kb_status status = kb_writer_finish(writer, &ending, &footer, trail);
    if (status != KB_OK) {
        kbs_result_fini(&result);
        return status;
    }
    kb_writer_stats stats;
    kb_writer_measure(writer, &stats);
    result.file_bytes = stats.file_bytes;
    result.record_digest = footer->record_digest;
    *ret_result = result;
    return KB_OK;
}

/* --- the run --------------------------------------------------------------------------------- */

/* What is wanted of a program: a run, or a lint. */
typedef struct purpose {
    const kbs_run_options *options;
    kbs_result *ret_result; /* one of them is NULL */
    kbs_lint_result *ret_lint;
    kbs_plugins *plugins;
} purpose;

static kb_status define(kbs_program *program, const kbs_bench *bench, const kbs_run_options *options,
                        kb_trail *trail) {
    KB_TRY(define_machine(program, trail));
    KB_TRY(define_models(program, trail));
    KB_TRY(define_faults(program, trail));
    KB_TRY(define_ring_slots(program, trail));
    return define_program(program, bench, options, trail);
}

/* Users' code takes part from the first file that is opened, and no longer than this. */
static kb_status record(kbs_program *program, const kbs_bench *bench, const kbs_bench_values *values,
                        const kbs_run_options *options, kb_trail *trail) {
    kbs_recording *recording = program->plugins->recording;
    for (uint32_t i = 0; i < program->pes + program->ranks; i++)
        program->streams[i].commands.most = options->most_commands;
    recording->program = program;
    recording->stage = program->plugins->first != NULL ? KBS_FOREIGN_RECORDS : KBS_FOREIGN_NOT;
    const kb_status status = options->host != NULL ? kbs_program_host(program, bench->name, options->host,
                                                                      options->host_context, trail)
                                                   : bench->record(program, values, trail);
    recording->stage = KBS_FOREIGN_NOT;
    recording->program = NULL;
    return status;
}

/* All that can be known before the clock moves, but for what lint finds. */
static kb_status record_program(kbs_program *program, const kbs_bench *bench, const kbs_bench_values *values,
                                const kbs_run_options *options, kb_trail *trail) {
    begin_phase(options, KBS_RECORDING);
    for (uint32_t rank = 0; rank < program->ranks; rank++)
        program->hosts[rank].kernel_name = bench->name; /* of tensors that a bench makes by itself, too */
    const kb_status status = record(program, bench, values, options, trail);
    if (status != KB_OK)
        return kb_while(trail, status, "recording %s %s", options->host != NULL ? "program" : "bench",
                        bench->name);
    KB_TRY(define_sources(program, trail));
    KB_TRY(kbs_program_seal(program, trail));
    KB_TRY(check_work(program, bench, trail));
    kbs_warn_of_faults(program);
    kbs_warn_of_unused(program->machine, program->log);
    kbs_warn_of_unused_rings(program);
    return KB_OK;
}

static kb_status lint_program(kbs_program *program, const kbs_bench *bench, const kbs_bench_values *values,
                              const purpose *wanted, kb_trail *trail) {
    kb_trail mistake; /* which is a finding, and no failure */
    kb_trail_init(&mistake);
    kb_status status = record_program(program, bench, values, wanted->options, &mistake);
    kbs_lint_result result;
    if (status != KB_OK && status != KB_E_PROGRAM) {
        if (trail != NULL)
            *trail = mistake;
        return status;
    }
    if (status == KB_OK)
        status = kbs_lint_program(program, true, &result, trail);
    else
        status = kbs_lint_mistake(program, &mistake, &result, trail);
    if (status == KB_OK)
        *wanted->ret_lint = result;
    else
        kbs_lint_fini(&result);
    return status;
}

static kb_status run_program(kbs_program *program, const kbs_bench *bench, const kbs_bench_values *values,
                             const purpose *wanted, kb_trail *trail) {
    const kbs_run_options *options = wanted->options;
    KB_TRY(define(program, bench, options, trail));
    if (wanted->ret_lint != NULL)
        return lint_program(program, bench, values, wanted, trail);
    KB_TRY(record_program(program, bench, values, options, trail));
    KB_TRY(kbs_lint_warn(program, trail));
    kb_run run;
    KB_TRY(identify(program, bench, &run, trail));
    const kb_writer_options writing = {.path = options->path,
                                       .alloc = options->alloc,
                                       .fs = options->fs,
                                       .log = options->log,
                                       .threads = options->threads};
    kb_writer *writer;
    KB_TRY(kb_writer_create(&writing, &run, &program->defs, &writer, trail));
    const kb_status status = write_run(program, options, writer, wanted->ret_result, trail);
    kb_writer_destroy(writer);
    return status;
}

static kb_status resolve_ranks(const kbs_run_options *options, uint32_t *ret, kb_trail *trail) {
    const uint64_t pes = kbs_machine_pes(options->machine),
                   sip_pes = kbs_machine_pes_of_sip(options->machine);
    const uint64_t most = options->ranks_are_sips ? pes / sip_pes : pes;
    if (options->ranks > most)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "%u ranks need as many %s, and this machine has %" PRIu64
                       " (--machine sips=..,cubes=..,pes=.. makes it larger)",
                       options->ranks, options->ranks_are_sips ? "SIPs" : "PEs", most);
    *ret = options->ranks != 0 ? options->ranks : (uint32_t)most;
    return KB_OK;
}

static kb_status run_on(const kbs_bench *bench, const kbs_bench_values *values, const kbs_models *models,
                        const purpose *wanted, kb_trail *trail) {
    const kbs_run_options *options = wanted->options;
    uint32_t ranks = 0;
    KB_TRY(resolve_ranks(options, &ranks, trail));
    const uint32_t pes = options->ranks_are_sips ? (uint32_t)kbs_machine_pes_of_sip(options->machine) : 1;
    kbs_program *program;
    KB_TRY(kbs_program_create(options->machine, ranks, pes, options->seed, options->alloc, options->log,
                              &program, trail));
    program->stop = options->stop;
    program->models = models;
    program->plugins = wanted->plugins;
    program->bench = bench;
    program->values = values;
    const kb_status status = run_program(program, bench, values, wanted, trail);
    kbs_program_destroy(program);
    return status;
}

static kb_status run_with(const kbs_bench *bench, const purpose *wanted, kb_arena *arena, kb_trail *trail) {
    const kbs_run_options *options = wanted->options;
    kbs_bench_values values;
    kbs_models models;
    KB_TRY(kbs_bench_parse(bench, options, arena, &values, trail));
    KB_TRY(kbs_machine_check(options->machine, trail));
    KB_TRY(kbs_models_open(options->machine, options->fs, &models, trail));
    const kb_status status = run_on(bench, &values, &models, wanted, trail);
    kbs_models_close(&models);
    return status;
}

static kb_status do_bench(const kbs_bench *bench, const purpose *wanted, kb_trail *trail) {
    kb_arena arena;
    kb_arena_init(&arena, wanted->options->alloc, 0);
    const kb_status status = run_with(bench, wanted, &arena, trail);
    kb_arena_fini(&arena);
    return status;
}

/* A bench from a user's file. */
static kb_status do_own(const purpose *wanted, kb_trail *trail) {
    const kbs_plugin *plugin;
    const kb_bench **bench = &wanted->plugins->bench;
    KB_TRY(kbs_plugins_open(wanted->plugins, wanted->options->bench, &plugin, trail));
    KB_TRY(kbs_plugin_bench(plugin, bench, trail));
    const kbs_bench own = {.name = (*bench)->name,
                           .help = (*bench)->help,
                           .params = (*bench)->params,
                           .param_count = (*bench)->param_count,
                           .record = kbs_bench_record_own};
    return do_bench(&own, wanted, trail);
}

static kb_status find_and_do(const purpose *wanted, kb_trail *trail) {
    const kbs_bench own = {.name = wanted->options->bench, .help = ""};
    const kbs_bench *bench = &own;
    if (wanted->options->host == NULL && kbs_is_plugin(wanted->options->bench))
        return do_own(wanted, trail);
    if (wanted->options->host == NULL)
        KB_TRY(kbs_bench_find(wanted->options->bench, &bench, trail));
    return do_bench(bench, wanted, trail);
}

/* The bench, or where that is NULL the one that the options name. */
static kb_status with_plugins(const kbs_bench *bench, purpose *wanted, kb_trail *trail) {
    kbs_plugins plugins;
    kbs_plugins_init(&plugins, wanted->options);
    wanted->plugins = &plugins;
    const kb_status status = bench != NULL ? do_bench(bench, wanted, trail) : find_and_do(wanted, trail);
    kbs_plugins_fini(&plugins);
    return status;
}

kb_status kbs_run_bench(const kbs_bench *bench, const kbs_run_options *options, kbs_result *ret_result,
                        kb_trail *trail) {
    return with_plugins(bench, &(purpose){.options = options, .ret_result = ret_result}, trail);
}

kb_status kbs_run(const kbs_run_options *options, kbs_result *ret_result, kb_trail *trail) {
    return with_plugins(NULL, &(purpose){.options = options, .ret_result = ret_result}, trail);
}

kb_status kbs_lint(const kbs_run_options *options, kbs_lint_result *ret_result, kb_trail *trail) {
    return with_plugins(NULL, &(purpose){.options = options, .ret_lint = ret_result}, trail);
}

void kbs_result_fini(kbs_result *result) {
    if (result->explanation != NULL)
        kb_delete(result->alloc, result->explanation, strlen(result->explanation) + 1);
    result->explanation = NULL;
    kb_delete(result->alloc, result->collectives, result->collective_count * sizeof *result->collectives);
    result->collectives = NULL;
    result->collective_count = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* kb-sim: runs benches in the simulator and writes traces; lists and explains what it knows. */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/beside.h"
#include "common/json.h"
#include "common/time.h"
#include "common/tool.h"
#include "kbsim/run.h"
#include "sim/config.h"

/* --- run: options ---------------------------------------------------------------------------- */

typedef struct run_values {
    kbt_common common;
    const char *output, *max_time;
    kbt_list params;
    sim_config_values config;
    uint64_t ranks, seed;
    bool verify;
} run_values;

static const kbt_option run_options[] = {
    {'o', "output", KBT_TEXT, offsetof(run_values, output), "OUT",
     "the trace: FILE.zst, FOLDER/ for a file a rank, - for stdout", 0, 0, NULL, true},
    {0, "ranks", KBT_COUNT, offsetof(run_values, ranks), "N",
     "PEs that take part (default: all of the machine)", 1, UINT32_MAX, NULL, false},
    {'p', "param", KBT_LIST, offsetof(run_values, params), "KEY=VALUE", "a parameter of the bench", 0, 0,
     NULL, false},
    SIM_CONFIG_OPTIONS(run_values, config),
    {0, "seed", KBT_COUNT, offsetof(run_values, seed), "N", "of the inputs' contents (default: 1)", 0, 0,
     NULL, false},
    {0, "max-time", KBT_TEXT, offsetof(run_values, max_time), "T",
     "stop the clock at T (ps, ns, us, ms, s): the trace ends incomplete", 0, 0, NULL, false},
    {0, "verify", KBT_FLAG, offsetof(run_values, verify), NULL, "have kb-replay check the trace afterwards",
     0, 0, NULL, false},
};

static const run_values run_defaults = {.common.color = "auto", .seed = 1};

/* --- run: times ------------------------------------------------------------------------------ */

static const struct {
    const char *unit;
    int64_t ps;
} units[] = {{"s", INT64_C(1000000000000)}, {"ms", 1000000000}, {"us", 1000000}, {"ns", 1000}, {"ps", 1}};

static kb_status read_time(const char *text, int64_t *ret, kb_trail *trail) {
    char *end;
    const double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (end != text && strcmp(end, units[i].unit) == 0 && number > 0 &&
            number * (double)units[i].ps <= (double)KB_TIME_MAX_PS) {
            const int64_t time_ps = (int64_t)(number * (double)units[i].ps + 0.5);
            *ret = time_ps > 0 ? time_ps : 1;
            return KB_OK;
        }
    return kb_fail(trail, KB_E_ARGUMENT, "--max-time: '%s' is not a time above 0 with its unit (try 100us)",
                   text);
}

/* --- run: ^C and progress -------------------------------------------------------------------- */

/* Signal handlers cannot be handed anything: this is the one place where a global is the interface. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static void catch_interrupts(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND; /* a second ^C ends at once */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* What the run is watched by: when its phases began, and the line of progress on a terminal. */
typedef struct watch {
    double begin_s[KBS_PHASES + 1]; /* of each phase; the last is the end of all */
    double shown_s;
    bool shown;
    bool has_banks; /* what is simulated: for the summary */
} watch;

static void begin_phase(void *context, kbs_phase phase) {
    watch *run = context;
    run->begin_s[phase] = kbt_seconds_now();
}

/* The end of all; what was never begun began and ended there. */
static void end_phases(watch *run) {
    begin_phase(run, KBS_PHASES);
    for (int phase = 0; phase < KBS_PHASES; phase++)
        if (run->begin_s[phase] == 0)
            run->begin_s[phase] = run->begin_s[KBS_PHASES];
}

static void show_progress(void *context, const kbs_progress *progress) {
    enum { TIMES_A_SECOND = 5 };
    watch *run = context;
    const double now_s = kbt_seconds_now(), spent_s = now_s - run->begin_s[KBS_SIMULATING];
    if (now_s - run->shown_s < 1.0 / TIMES_A_SECOND)
        return;
    const double share = (double)progress->commands / (double)progress->all_commands;
    run->shown_s = now_s;
    run->shown = true;
    fprintf(stderr, "\r");
    kbt_print_time(stderr, progress->time_ps);
    fprintf(stderr, " simulated, %.1f M events (%.1f M/s), %.0f%% of the commands",
            (double)progress->events * 1e-6, (double)progress->events * 1e-6 / spent_s, 100 * share);
    if (share > 0.01 && share < 1) {
        fprintf(stderr, ", about ");
        kbt_print_duration(stderr, spent_s / share * (1 - share));
        fprintf(stderr, " left");
    }
    fprintf(stderr, "\033[K");
}

/* --- run: summary ---------------------------------------------------------------------------- */

static const char *const phase_names[] = {"record", "simulate", "finish"};

static double phase_s(const watch *run, int phase) {
    return run->begin_s[phase + 1] - run->begin_s[phase];
}

static void print_json(kbt_call *call, const kbs_result *result, const watch *run, const char *trace) {
    const double wall_s = run->begin_s[KBS_PHASES] - run->begin_s[0];
    kbt_json json;
    char digest[33];
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_int(&json, "version", 1);
    kbt_json_int(&json, "time_ps", result->time_ps);
    kbt_json_begin(&json, "ops", '{');
    for (uint32_t kind = 0; kind < KB_OP_LIMIT; kind++)
        if (result->ops[kind] > 0)
            kbt_json_uint(&json, kb_word_name(KB_VOC_KIND, kind), result->ops[kind]);
    kbt_json_end(&json);
    kbt_json_uint(&json, "events", result->events);
    kbt_json_real(&json, "wall_s", wall_s);
    kbt_json_begin(&json, "phases_s", '{');
    for (int phase = 0; phase < KBS_PHASES; phase++)
        kbt_json_real(&json, phase_names[phase], phase_s(run, phase));
    kbt_json_end(&json);
    kbt_json_text(&json, "hbm_timing", run->has_banks ? "hbm3" : "off");
    kbt_json_text(&json, "trace", trace);
    kbt_json_uint(&json, "trace_bytes", result->file_bytes);
    kbt_json_text(&json, "record_digest",
                  trace != NULL ? kb_digest_text(&result->record_digest, digest) : NULL);
    kbt_json_bool(&json, "complete", result->outcome == KB_OUTCOME_COMPLETE);
    kbt_json_text(&json, "outcome",
                  result->outcome == KB_OUTCOME_COMPLETE   ? "complete"
                  : result->outcome == KB_OUTCOME_DEADLOCK ? "deadlock"
                                                           : "interrupted");
    kbt_json_begin(&json, "deadlock", '['); /* its explanation, line by line */
    for (const char *line = result->explanation; line != NULL && *line != '\0';
         line = strchr(line, '\n') + 1) {
        char text[1024];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
        kbt_json_text(&json, NULL, text);
    }
    kbt_json_end(&json);
    kbt_json_begin(&json, "warnings", '[');
    for (size_t i = 0; i < call->warnings.count; i++)
        kbt_json_text(&json, NULL, call->warnings.items[i]);
    kbt_json_end(&json);
    kbt_json_uint(&json, "warnings_dropped", call->warnings_dropped);
    kbt_json_end(&json);
}

/* 4.2M, 17k, 940: what is read at a glance. */
static void print_rate(FILE *to, double rate) {
    if (rate >= 1e6)
        fprintf(to, "%.1fM", rate * 1e-6);
    else if (rate >= 1e3)
        fprintf(to, "%.0fk", rate * 1e-3);
    else
        fprintf(to, "%.0f", rate);
}

static void print_size(FILE *to, uint64_t bytes) {
    if (bytes >= 1000000)
        fprintf(to, ", %.1f MB", (double)bytes * 1e-6);
    else if (bytes >= 10000)
        fprintf(to, ", %.0f kB", (double)bytes * 1e-3);
}

static void print_summary(FILE *to, const kbt_call *call, const kbs_result *result, const watch *run) {
    const char *trace = ((const run_values *)call->values)->output;
    const double wall_s = run->begin_s[KBS_PHASES] - run->begin_s[0];
    uint64_t total = 0;
    for (uint32_t kind = 0; kind < KB_OP_LIMIT; kind++)
        total += result->ops[kind];
    fprintf(to, "simulated  ");
    kbt_print_time(to, result->time_ps);
    fprintf(to, " (%" PRId64 " ps)\nops        %" PRIu64 ":", result->time_ps, total);
    const char *comma = "";
    for (uint32_t kind = 0; kind < KB_OP_LIMIT; kind++)
        if (result->ops[kind] > 0) {
            fprintf(to, "%s %" PRIu64 " %s", comma, result->ops[kind], kb_word_name(KB_VOC_KIND, kind));
            comma = ",";
        }
    fprintf(to, "\nevents     %" PRIu64 " in %.3f s (", result->events, wall_s);
    print_rate(to, wall_s > 0 ? (double)result->events / wall_s : 0);
    fprintf(to, "/s)\n");
    if (run->has_banks)
        fprintf(to, "memory     HBM3 banks and rows (hbm.timing, hbm3.*), in place of hbm.channel_gbps, "
                    "hbm.commit_ns and hbm's latencies\n");
    if (call->common->verbose)
        fprintf(to, "phases     record %.3f s, simulate and write %.3f s, finish %.3f s\n", phase_s(run, 0),
                phase_s(run, 1), phase_s(run, 2));
    fprintf(to, "trace      %s (%" PRIu64 " bytes", trace, result->file_bytes);
    print_size(to, result->file_bytes);
    fprintf(to, ")%s\n", result->outcome == KB_OUTCOME_COMPLETE ? "" : ", incomplete");
    const size_t warnings = call->warnings.count + call->warnings_dropped;
    if (warnings > 0)
        fprintf(to, "warnings   %zu, above\n", warnings);
}

/* A name that begins with a dash would be an option to kb-replay. */
static int verify(kbt_call *call, const char *trace) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s%s", trace[0] == '-' ? "./" : "", trace);
    const char *const arguments[] = {"--verify", length < (int)sizeof path ? path : trace};
    return kbt_run_beside(call, "kb-replay", arguments, 2);
}

/* What an incomplete run has to say, and the exit status that follows from the outcome. */
static int judge(const kbt_call *call, const kbs_result *result) {
    const run_values *values = call->values;
    kb_trail trail;
    if (result->outcome == KB_OUTCOME_COMPLETE)
        return KBT_FINE;
    if (result->outcome == KB_OUTCOME_DEADLOCK) {
        kb_fail(&trail, KB_E_DEADLOCK,
                "deadlock: nothing can go on; the trace so far is in %s, and incomplete", values->output);
        const int exit_status = kbt_fail(call, &trail);
        for (const char *line = result->explanation; *line != '\0'; line = strchr(line, '\n') + 1)
            fprintf(stderr, "  %.*s\n", (int)strcspn(line, "\n"), line);
        return exit_status;
    }
    if (interrupted)
        kb_fail(&trail, KB_E_INTERRUPTED, "interrupted before its end: %s ends incomplete", values->output);
    else
        kb_fail(&trail, KB_E_INTERRUPTED, "stopped before its end by --max-time %s: %s ends incomplete",
                values->max_time, values->output);
    return kbt_fail(call, &trail);
}

/* --- run ------------------------------------------------------------------------------------- */

/* A trace on stdout leaves no room for anything else there, and cannot be read again. */
static kb_status check_output(const run_values *values, kb_trail *trail) {
    if (*values->output == '\0')
        return kb_fail(trail, KB_E_ARGUMENT, "-o '' names no file (try -o run.zst)");
    if (strcmp(values->output, "-") != 0)
        return KB_OK;
    signal(SIGPIPE, SIG_IGN); /* a reader who has gone is a failure that is told, as a full disk is */
    if (values->common.json)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "--json and -o - both write to the standard output: give -o a file");
    if (!values->verify)
        return KB_OK;
    return kb_fail(trail, KB_E_ARGUMENT,
                   "--verify needs a trace that can be read again: give -o a file or folder");
}

static kb_status simulate_on(kbt_call *call, sim_setup *setup, kbs_result *ret_result, watch *run,
                             kb_trail *trail) {
    const run_values *values = call->values;
    kbs_run_options options = {.bench = call->words.items[0],
                               .params = values->params.items,
                               .param_count = values->params.count,
                               .given = setup->config.given,
                               .given_count = setup->config.given_count,
                               .machine = &setup->machine,
                               .ranks = (uint32_t)values->ranks,
                               .seed = values->seed,
                               .path = values->output,
                               .threads = kbt_threads(call),
                               .log = &call->log,
                               .stop = &interrupted,
                               .progress = kbt_shows_progress(call) ? show_progress : NULL,
                               .phase = begin_phase,
                               .context = run};
    if (values->max_time != NULL)
        KB_TRY(read_time(values->max_time, &options.max_time_ps, trail));
    KB_TRY(check_output(values, trail));
    catch_interrupts();
    const kb_status status = kbs_run(&options, ret_result, trail);
    end_phases(run);
    run->has_banks = setup->machine.at.hbm_timing == KBS_TIMING_HBM3;
    if (run->shown)
        fprintf(stderr, "\r\033[K");
    return status;
}

static kb_status simulate(kbt_call *call, kbs_result *ret_result, watch *run, kb_trail *trail) {
    const run_values *values = call->values;
    sim_setup setup;
    kb_status status = sim_setup_init(&setup, call, &values->config, trail);
    if (status == KB_OK)
        status = simulate_on(call, &setup, ret_result, run, trail);
    sim_setup_fini(&setup);
    return status;
}

static int run(kbt_call *call) {
    const run_values *values = call->values;
    kb_trail trail;
    kb_trail_init(&trail);
    kbs_result result;
    watch times = {.shown_s = kbt_seconds_now()};
    const kb_status status = simulate(call, &result, &times, &trail);
    if (status == KB_E_INTERRUPTED && call->common->json) /* ^C while recording: a finding, without a trace */
        print_json(call, &(kbs_result){.outcome = KB_OUTCOME_INTERRUPTED}, &times, NULL);
    if (status != KB_OK)
        return kbt_fail(call, &trail);
    const bool trace_on_stdout = strcmp(values->output, "-") == 0;
    if (call->common->json)
        print_json(call, &result, &times, values->output);
    else if (!call->common->quiet)
        print_summary(trace_on_stdout ? stderr : stdout, call, &result, &times);
    int exit_status = judge(call, &result);
    kbs_result_fini(&result);
    return exit_status == KBT_FINE && values->verify ? verify(call, values->output) : exit_status;
}

/* --- the tool -------------------------------------------------------------------------------- */

static const kbt_common list_defaults = {.color = "auto"};

static const kbt_option explain_options[] = {
    SIM_CONFIG_OPTIONS(sim_explain_values, config),
    {0, "format", KBT_CHOICE, offsetof(sim_explain_values, format), "FORMAT",
     "text, or yaml: a topology that can be read back", 0, 0, "text yaml", false},
};

static const sim_explain_values explain_defaults = {.common.color = "auto", .format = "text"};

static const kbt_option probe_options[] = {
    SIM_CONFIG_OPTIONS(sim_probe_values, config),
    {0, "sizes", KBT_TEXT, offsetof(sim_probe_values, sizes), "N,N...",
     "bytes of the transfers (default: 1 to 1Mi, each 4 times the one before)", 0, 0, NULL, false},
    {0, "pe", KBT_COUNT, offsetof(sim_probe_values, pe), "N", "which PE moves data (default: 0)", 0,
     UINT32_MAX, NULL, false},
    {0, "alone", KBT_FLAG, offsetof(sim_probe_values, alone), NULL,
     "single transfers only: nothing of many PEs at once", 0, 0, NULL, false},
};

static const sim_probe_values probe_defaults = {.common.color = "auto"};

static const kbt_command commands[] = {
    {.name = "run",
     .usage = "BENCH [OPTION]... -o OUT",
     .summary = "Records a bench, simulates it and writes its trace.",
     .examples = "  kb-sim run allreduce --ranks 8 -p elems=1000 -o ring.zst\n"
                 "  kb-sim run allreduce --ranks 16 -p bytes=64KiB -p dtype=bf16 --verify -o ring.zst\n"
                 "  kb-sim run allreduce --machine cubes=2x2,pes=16 --set ipcq.slots=8 -o ring/\n"
                 "  kb-sim run allreduce --topology kernbench --set dma.setup_ns=0.5us -o ring.zst\n",
     .more = "BENCH and its parameters: kb-sim list benches. The machine's: kb-sim explain-config.\n"
             "Exit status: 0 fine; 1 a deadlock, or stopped by ^C or --max-time; 2 trouble.\n",
     .options = run_options,
     .option_count = sizeof run_options / sizeof run_options[0],
     .least_words = 1,
     .most_words = 1,
     .word_name = "BENCH",
     .values_size = sizeof(run_values),
     .defaults = &run_defaults,
     .run = run},
    {.name = "list",
     .usage = "[benches|algorithms|components|topologies]",
     .summary = "Lists what this build can run.",
     .examples = "  kb-sim list\n  kb-sim list algorithms --json\n",
     .most_words = 1,
     .word_name = "WHAT",
     .values_size = sizeof(kbt_common),
     .defaults = &list_defaults,
     .run = sim_list},
    {.name = "explain-config",
     .usage = "[--topology FILE|NAME] [--machine SHORT] [--ccl FILE] [--set PATH=VALUE]...",
     .summary = "Prints every parameter of the machine: its value and where that came from.",
     .examples = "  kb-sim explain-config\n"
                 "  kb-sim explain-config --topology kernbench --set ipcq.slots=8\n"
                 "  kb-sim explain-config --machine pes=16 --format yaml > mine.yaml\n",
     .more = "Of two that set the same the later one in this row wins: default, --topology, --machine, "
             "--ccl, --set,\n"
             "-p (of run). Files may include others; what they say themselves wins over what they include.\n"
             "Models of components and faults have paths, too: components.gemm=peak, "
             "fault.sip0.cube0.pe1.math=2.\n",
     .options = explain_options,
     .option_count = sizeof explain_options / sizeof explain_options[0],
     .word_name = "",
     .values_size = sizeof(sim_explain_values),
     .defaults = &explain_defaults,
     .run = sim_explain_config},
    {.name = "probe",
     .usage = "[--topology FILE|NAME] [--machine SHORT] [--set PATH=VALUE]... [--sizes N,N...]",
     .summary = "Measures single transfers of the machine, beside what a closed form says of each.",
     .examples = "  kb-sim probe\n"
                 "  kb-sim probe --topology kernbench --sizes 1,4Ki,1Mi\n"
                 "  kb-sim probe --set dma.reads_outstanding=2 --pe 5 --json\n",
     .more =
         "A transfer takes from its command's issue until its last byte is visible; nothing else goes on.\n"
         "The form is computed from the parameters alone: a difference other than 0 is a fault of one of the "
         "two.\n"
         "Then many transfers at once, and what channels and PEs' links could carry; fairness is the first\n"
         "PE's time by the last one's. Exit status: 0 fine; 1 a difference; 2 trouble.\n",
     .options = probe_options,
     .option_count = sizeof probe_options / sizeof probe_options[0],
     .word_name = "",
     .values_size = sizeof(sim_probe_values),
     .defaults = &probe_defaults,
     .run = sim_probe},
};

static const kbt_tool tool = {
    .name = "kb-sim",
    .summary = "Simulates programs for near-memory accelerators: how long do they take?",
    .examples =
        "  kb-sim run allreduce --ranks 8 -p elems=1000 -o ring.zst    simulate a ring all-reduce\n"
        "  kb-sim list benches                                         what can be run\n"
        "  kb-sim explain-config                                       the machine, and why it is so\n"
        "  kb-sim probe                                                what its parts take, one by one\n",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
};

int main(int argc, char **argv) {
    return kbt_main(&tool, argc, argv);
}

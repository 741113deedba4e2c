/* SPDX-License-Identifier: Apache-2.0 */
/* kb-sim run: a bench is recorded, simulated and written; ^C, progress, and the exit status. */
#include "sim/run.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/beside.h"
#include "common/time.h"
#include "sim/own.h"
#include "sim/sweep.h"
#include "sim/time.h"

/* --- ^C and progress -------------------------------------------------------------------- */

/* Signal handlers cannot be handed anything: this is the one place where a global is the interface. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

bool sim_was_interrupted(void) {
    return interrupted != 0;
}

static void catch_interrupts(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND; /* a second ^C ends at once */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void begin_phase(void *context, kbs_phase phase) {
    sim_watch *run = context;
    run->begin_s[phase] = kbt_seconds_now();
}

/* The end of all; what was never begun began and ended there. */
static void end_phases(sim_watch *run) {
    begin_phase(run, KBS_PHASES);
    for (int phase = 0; phase < KBS_PHASES; phase++)
        if (run->begin_s[phase] == 0)
            run->begin_s[phase] = run->begin_s[KBS_PHASES];
}

static void show_progress(void *context, const kbs_progress *progress) {
    enum { TIMES_A_SECOND = 5 };
    sim_watch *run = context;
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

/* A name that begins with a dash would be an option to kb-replay. */
static int verify(kbt_call *call, const char *trace) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s%s", trace[0] == '-' ? "./" : "", trace);
    const char *const arguments[] = {"--verify", length < (int)sizeof path ? path : trace};
    return kbt_run_beside(call, "kb-replay", arguments, 2);
}

/* What an incomplete run has to say, and the exit status that follows from the outcome. */
static int judge(const kbt_call *call, const sim_run_values *values, const kbs_result *result) {
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
static kb_status check_output(const sim_run_values *values, kb_trail *trail) {
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

static kb_status simulate_on(kbt_call *call, const sim_run_values *values, sim_setup *setup,
                             kbs_result *ret_result, sim_watch *run, kb_trail *trail) {
    kbs_run_options options = {.bench = call->words.items[0],
                               .params = values->params.items,
                               .param_count = values->params.count,
                               .given = setup->config.given,
                               .given_count = setup->config.given_count,
                               .machine = &setup->machine,
                               .ranks = (uint32_t)values->ranks,
                               .ranks_are_sips = strcmp(values->rank_unit, "sip") == 0,
                               .seed = values->seed,
                               .path = values->output,
                               .threads = kbt_threads(call),
                               .log = &call->log,
                               .stop = &interrupted,
                               .progress = kbt_shows_progress(call) ? show_progress : NULL,
                               .phase = begin_phase,
                               .context = run};
    if (values->max_time != NULL)
        KB_TRY(sim_read_time("--max-time", values->max_time, &options.max_time_ps, trail));
    KB_TRY(check_output(values, trail));
    catch_interrupts();
    sim_own own;
    KB_TRY(sim_own_begin(&own, call, &values->guard, &options, trail));
    const kb_status status = kbs_run(&options, ret_result, trail);
    sim_own_end(&own, status, trail);
    end_phases(run);
    run->has_banks = setup->machine.at.hbm_timing == KBS_TIMING_HBM3;
    if (run->shown)
        fprintf(stderr, "\r\033[K");
    return status;
}

static kb_status simulate(kbt_call *call, const sim_run_values *values, kbs_result *ret_result,
                          sim_watch *run, kb_trail *trail) {
    sim_setup setup;
    kb_status status = sim_setup_init(&setup, call, &values->config, trail);
    if (status == KB_OK)
        status = simulate_on(call, values, &setup, ret_result, run, trail);
    sim_setup_fini(&setup);
    return status;
}

int sim_run_one(kbt_call *call, const sim_run_values *values, sim_print_fn print, void *context) {
    kb_trail trail;
    kb_trail_init(&trail);
    kbs_result result;
    sim_watch times = {.shown_s = kbt_seconds_now()};
    const kb_status status = simulate(call, values, &result, &times, &trail);
    if (status == KB_E_INTERRUPTED && call->common->json) /* ^C while recording: a finding, without a trace */
        print(context, &(kbs_result){.outcome = KB_OUTCOME_INTERRUPTED}, &times, NULL);
    if (status != KB_OK)
        return kbt_fail(call, &trail);
    if (print != NULL)
        print(context, &result, &times, values->output);
    int exit_status = judge(call, values, &result);
    kbs_result_fini(&result);
    return exit_status == KBT_FINE && values->verify ? verify(call, values->output) : exit_status;
}

static void print_json(void *context, const kbs_result *result, const sim_watch *run, const char *trace) {
    kbt_json json;
    kbt_json_init(&json, stdout);
    sim_result_to_json(&json, context, result, run, trace);
}

static void print_summary(void *context, const kbs_result *result, const sim_watch *run, const char *trace) {
    sim_print_summary(strcmp(trace, "-") == 0 ? stderr : stdout, context, result, run);
}

int sim_run(kbt_call *call) {
    const sim_run_values *values = call->values;
    size_t swept;
    if (sim_is_sweep(values, &swept))
        return sim_sweep(call, swept);
    const sim_print_fn print = call->common->json ? print_json : call->common->quiet ? NULL : print_summary;
    return sim_run_one(call, values, print, call);
}

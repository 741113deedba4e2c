/* SPDX-License-Identifier: Apache-2.0 */
/* What `kb-sim run` prints of a run that is over: the summary, or --json. */
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/time.h"
#include "sim/run.h"

static const char *const phase_names[] = {"record", "simulate", "finish"};

void sim_print_json(kbt_call *call, const kbs_result *result, const sim_watch *run, const char *trace) {
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
        kbt_json_real(&json, phase_names[phase], sim_phase_s(run, phase));
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

void sim_print_summary(FILE *to, const kbt_call *call, const kbs_result *result, const sim_watch *run) {
    const char *trace = ((const sim_run_values *)call->values)->output;
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
        fprintf(to, "phases     record %.3f s, simulate and write %.3f s, finish %.3f s\n",
                sim_phase_s(run, 0), sim_phase_s(run, 1), sim_phase_s(run, 2));
    fprintf(to, "trace      %s (%" PRIu64 " bytes", trace, result->file_bytes);
    print_size(to, result->file_bytes);
    fprintf(to, ")%s\n", result->outcome == KB_OUTCOME_COMPLETE ? "" : ", incomplete");
    const size_t warnings = call->warnings.count + call->warnings_dropped;
    if (warnings > 0)
        fprintf(to, "warnings   %zu, above\n", warnings);
}

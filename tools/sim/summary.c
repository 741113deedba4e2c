/* SPDX-License-Identifier: Apache-2.0 */
/* What `kb-sim run` prints of a run that is over: the summary, or --json. */
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/time.h"
#include "sim/run.h"

/* --- collectives ------------------------------------------------------------------------------- */

void sim_print_collectives_head(FILE *to) {
    fprintf(to, "%-14s %-18s %5s %12s %14s %9s %9s %7s  %s\n", "collective", "algorithm", "ranks", "size",
            "time", "algbw", "busbw", "%bound", "cut");
}

/* As many digits as are read at a glance: 1234, 57.6, 0.58, 0.004. */
static void print_gbps(FILE *to, double gbps) {
    fprintf(to, " %9.*f", gbps >= 100 ? 1 : gbps >= 0.1 ? 2 : 4, gbps);
}

void sim_print_collective(FILE *to, const kbs_result_collective *c) {
    char time[KBT_TIME_CHARS] = "unfinished";
    if (c->time_ps >= 0)
        kbt_time_text(c->time_ps, time);
    fprintf(to, "%-14s %-18s %5u %12" PRIu64 " %14s", c->kind, c->algorithm, c->ranks, c->size_bytes, time);
    print_gbps(to, c->algbw_gbps);
    print_gbps(to, c->busbw_gbps);
    if (c->time_ps > 0 && c->cut != NULL)
        fprintf(to, " %6.1f%%  %s\n", 100 * (double)c->bound_ps / (double)c->time_ps, c->cut);
    else
        fprintf(to, " %7s  -\n", "-");
}

/* More are in the trace, and in --json. */
static void print_collectives(FILE *to, const kbs_result *result, bool all) {
    enum { SHOWN = 16 };
    const size_t count = all || result->collective_count <= SHOWN ? result->collective_count : SHOWN;
    if (count == 0)
        return;
    fprintf(to, "\n");
    sim_print_collectives_head(to);
    for (size_t i = 0; i < count; i++)
        sim_print_collective(to, &result->collectives[i]);
    if (count < result->collective_count)
        fprintf(to, "and %zu more (-v shows them)\n", result->collective_count - count);
}

static void collectives_to_json(kbt_json *json, const kbs_result *result) {
    kbt_json_begin(json, "collectives", '[');
    for (size_t i = 0; i < result->collective_count; i++) {
        const kbs_result_collective *c = &result->collectives[i];
        kbt_json_begin(json, NULL, '{');
        kbt_json_text(json, "kind", c->kind);
        kbt_json_text(json, "algo", c->algorithm);
        kbt_json_uint(json, "ranks", c->ranks);
        kbt_json_uint(json, "size_bytes", c->size_bytes);
        if (c->time_ps >= 0)
            kbt_json_int(json, "time_ps", c->time_ps);
        else
            kbt_json_null(json, "time_ps");
        kbt_json_real(json, "algbw_gbps", c->algbw_gbps);
        kbt_json_real(json, "busbw_gbps", c->busbw_gbps);
        kbt_json_uint(json, "bound_ps", c->bound_ps);
        kbt_json_text(json, "cut", c->cut);
        kbt_json_end(json);
    }
    kbt_json_end(json);
}

/* --- a run ------------------------------------------------------------------------------------- */

static const char *const phase_names[] = {"record", "simulate", "finish"};

void sim_result_to_json(kbt_json *json, const kbt_call *call, const kbs_result *result, const sim_watch *run,
                        const char *trace) {
    const double wall_s = run->begin_s[KBS_PHASES] - run->begin_s[0];
    char digest[33];
    kbt_json_begin(json, NULL, '{');
    kbt_json_int(json, "version", 1);
    kbt_json_int(json, "time_ps", result->time_ps);
    kbt_json_begin(json, "ops", '{');
    for (uint32_t kind = 0; kind < KB_OP_LIMIT; kind++)
        if (result->ops[kind] > 0)
            kbt_json_uint(json, kb_word_name(KB_VOC_KIND, kind), result->ops[kind]);
    kbt_json_end(json);
    collectives_to_json(json, result);
    kbt_json_uint(json, "events", result->events);
    kbt_json_real(json, "wall_s", wall_s);
    kbt_json_begin(json, "phases_s", '{');
    for (int phase = 0; phase < KBS_PHASES; phase++)
        kbt_json_real(json, phase_names[phase], sim_phase_s(run, phase));
    kbt_json_end(json);
    kbt_json_text(json, "hbm_timing", run->has_banks ? "hbm3" : "off");
    kbt_json_text(json, "trace", trace);
    kbt_json_uint(json, "trace_bytes", result->file_bytes);
    kbt_json_text(json, "record_digest",
                  trace != NULL ? kb_digest_text(&result->record_digest, digest) : NULL);
    kbt_json_bool(json, "complete", result->outcome == KB_OUTCOME_COMPLETE);
    kbt_json_text(json, "outcome",
                  result->outcome == KB_OUTCOME_COMPLETE   ? "complete"
                  : result->outcome == KB_OUTCOME_DEADLOCK ? "deadlock"
                                                           : "interrupted");
    kbt_json_begin(json, "deadlock", '['); /* its explanation, line by line */
    for (const char *line = result->explanation; line != NULL && *line != '\0';
         line = strchr(line, '\n') + 1) {
        char text[1024];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
        kbt_json_text(json, NULL, text);
    }
    kbt_json_end(json);
    kbt_json_begin(json, "warnings", '[');
    for (size_t i = 0; i < call->warnings.count; i++)
        kbt_json_text(json, NULL, call->warnings.items[i]);
    kbt_json_end(json);
    kbt_json_uint(json, "warnings_dropped", call->warnings_dropped);
    kbt_json_end(json);
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
    print_collectives(to, result, call->common->verbose);
}

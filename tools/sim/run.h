/* SPDX-License-Identifier: Apache-2.0 */
/* The command `kb-sim run`: its options, and what is known of a run when it is over. */
#ifndef KBSIM_TOOL_RUN_H
#define KBSIM_TOOL_RUN_H

#include "common/json.h"
#include "common/tool.h"
#include "kbsim/run.h"
#include "sim/config.h"
#include "sim/guard.h"

typedef struct sim_run_values {
    kbt_common common;
    const char *output, *max_time, *rank_unit;
    kbt_list params;
    sim_config_values config;
    sim_guard_values guard;
    uint64_t ranks, seed;
    bool verify;
} sim_run_values;

/* What the run is watched by: when its phases began, and the line of progress on a terminal. */
typedef struct sim_watch {
    double begin_s[KBS_PHASES + 1]; /* of each phase; the last is the end of all */
    double shown_s;
    bool shown;
    bool has_banks; /* what is simulated: for the summary */
} sim_watch;

/* Of a phase; see kbs_phase. */
static inline double sim_phase_s(const sim_watch *run, int phase) {
    return run->begin_s[phase + 1] - run->begin_s[phase];
}

int sim_run(kbt_call *call);

/* Runs once, as `values` say. `print` may be NULL; what went wrong is printed whatever it is. */
typedef void (*sim_print_fn)(void *context, const kbs_result *result, const sim_watch *run,
                             const char *trace);
int sim_run_one(kbt_call *call, const sim_run_values *values, sim_print_fn print, void *context);
bool sim_was_interrupted(void);

/* --- what a run prints ------------------------------------------------------------------------- */

/* An object; `trace` is NULL where there is none. */
void sim_result_to_json(kbt_json *json, const kbt_call *call, const kbs_result *result, const sim_watch *run,
                        const char *trace);
void sim_print_collectives_head(FILE *to);
void sim_print_collective(FILE *to, const kbs_result_collective *c);
void sim_print_summary(FILE *to, const kbt_call *call, const kbs_result *result, const sim_watch *run);

#endif

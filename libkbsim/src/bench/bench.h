/* SPDX-License-Identifier: Apache-2.0 */
/* Benches: host programs that are built in, by name, with the parameters that they take. */
#ifndef KBSIM_SRC_BENCH_H
#define KBSIM_SRC_BENCH_H

#include "kbsim/run.h"
#include "record/program.h"

/* What the user gave, or else the standard; by the bench's table. */
typedef struct kbs_bench_values {
    const char *text[KBS_BENCH_PARAMS_MAX];
    bool given[KBS_BENCH_PARAMS_MAX];
    const char *by[KBS_BENCH_PARAMS_MAX]; /* "default", "ccl", "param" */
} kbs_bench_values;

typedef struct kbs_bench {
    const char *name, *help;
    const kbs_bench_param *params;
    size_t param_count;
    /* Records the program, and states its resolved parameters with kbs_bench_state(). */
    kb_status (*record)(kbs_program *program, const kbs_bench_values *values, kb_trail *trail);
} kbs_bench;

#define KBS_BENCH(name) extern const kbs_bench kbs_bench_##name;
#include "bench/benches.def"
#undef KBS_BENCH

kb_status kbs_bench_find(const char *name, const kbs_bench **ret, kb_trail *trail) KB_MUST_USE;

/* Reads what files give, then "KEY=VALUE"s, of which those set it that name a parameter of the machine. */
kb_status kbs_bench_parse(const kbs_bench *bench, const kbs_run_options *options, kb_arena *arena,
                          kbs_bench_values *ret, kb_trail *trail) KB_MUST_USE;

/* A parameter of the program as it came out, for the trace: "elems", "1000". */
kb_status kbs_bench_state(kbs_program *program, const char *name, const char *value, const char *by,
                          kb_trail *trail) KB_MUST_USE;

/* Records a user's bench, the one that the program's plugins have. */
kb_status kbs_bench_record_own(kbs_program *program, const kbs_bench_values *values,
                               kb_trail *trail) KB_MUST_USE;

/* An algorithm for collectives of that kind, by its name or its file. */
kb_status kbs_program_algorithm(kbs_program *program, uint32_t collective, const char *text,
                                const kbs_algorithm **ret, kb_trail *trail) KB_MUST_USE;

/* Runs a bench that need not be built in. */
kb_status kbs_run_bench(const kbs_bench *bench, const kbs_run_options *options, kbs_result *ret_result,
                        kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace says of itself: which run it is of, how it ended, and the digests of its records.
 */
#ifndef KBTRACE_RUN_H
#define KBTRACE_RUN_H

#include "kbtrace/op.h"

/* The format that this build writes. Every older one is read; a newer major is refused. */
#define KB_FORMAT_MAJOR 1u
#define KB_FORMAT_MINOR 1u

/* Carried by every file of a run. */
typedef struct kb_run {
    kb_digest run_id; /* of config, program and seed: see kb_run_identify */
    kb_digest config_digest;
    kb_digest program_digest;
    const char *model_version; /* of the timing model: a new one may change times */
    const char *memory_model;  /* "kb.mm.1" */
    const char *producer;      /* "kb-sim 0.1.0" */
    const char *bench;         /* "allreduce" */
    uint64_t seed;
    uint32_t ranks;
} kb_run;

/* Sets run_id from config_digest, program_digest and seed, as docs/trace-format.md says. */
void kb_run_identify(kb_run *run);

typedef enum kb_outcome {
    KB_OUTCOME_COMPLETE = 1,
    KB_OUTCOME_DEADLOCK = 2,
    KB_OUTCOME_INTERRUPTED = 3, /* ^C, --max-time */
    KB_OUTCOME_FAILED = 4
} kb_outcome;

/* What the simulator says at the end. Anything but COMPLETE is an incomplete trace. */
typedef struct kb_ending {
    kb_outcome outcome;
    const char *message; /* why it is incomplete, or "" */
    int64_t time_ps;     /* the latest done */
} kb_ending;

typedef struct kb_rank_summary {
    uint32_t rank;
    uint64_t ops;
    kb_digest digest;        /* over its blocks' digests, and that of its amended ops if it has any */
    const kb_digest *blocks; /* one each KB_DIGEST_BLOCK ops, as they were first written */
    size_t block_count;
    uint64_t late; /* ops amended */
    kb_digest late_digest;
} kb_rank_summary;

/* The end of a trace, as written or as read. */
typedef struct kb_footer {
    kb_ending ending;
    uint64_t ops;
    uint64_t samples;
    kb_digest record_digest;      /* over the ranks' digests, by rank */
    kb_digest definitions_digest; /* over the definitions */
    const kb_rank_summary *ranks; /* by rank; all of the run, or those of one file */
    size_t rank_count;
} kb_footer;

#endif

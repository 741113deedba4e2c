/* SPDX-License-Identifier: Apache-2.0 */
/* What ring.c (times) and ring_defs.c (the machine, and what records have in common) share. */
#ifndef KB_BENCH_RING_PARTS_H
#define KB_BENCH_RING_PARTS_H

#include "common/ring.h"

enum {
    BENCH_SLOTS = 4,
    BENCH_SLOT_BYTES = 4096,
    BENCH_RING_OFFSET = 8 << 20,
    BENCH_STEP_RECORDS = 7,
    BENCH_GROUP = 16
};

enum bench_shape {
    BENCH_BEGIN,
    BENCH_COPY,
    BENCH_RECV,
    BENCH_ADD,
    BENCH_READ,
    BENCH_RELEASE,
    BENCH_WAIT,
    BENCH_END,
    BENCH_SHAPES
};

/* What makes another template of the same shape. */
enum bench_trait {
    BENCH_GATHER = 1,
    BENCH_CLAIMS_IT = 2,
    BENCH_WAITS = 4,
    BENCH_HELD = 8,
    BENCH_TRAITS = 16
};

/* From a rank to the next. */
typedef struct bench_path {
    int64_t flit_ps; /* of the narrowest link */
    int64_t hop_ps;
    uint32_t first_link, narrow_link;
} bench_path;

typedef struct bench_release {
    uint64_t index;
    int64_t done_ps;
} bench_release;

/* A rank as time passes. */
typedef struct bench_lane {
    bench_path path;
    int64_t now_ps; /* when its stream goes on */
    uint64_t index; /* of its next record */
    uint64_t copy_index, add_index, credit_index;
    int64_t copy_issue_ps, copy_start_ps, copy_sent_ps, copy_done_ps; /* of this step */
    bool has_added;
    int64_t held_ps; /* its copy of this step: by another flow */
    bench_release releases[BENCH_SLOTS];
} bench_lane;

typedef struct bench_known {
    kb_template what;
    kb_operand operands[BENCH_OPERANDS];
    kb_claim claims[BENCH_CLAIMS];
    kb_why whys[BENCH_WHYS];
    uint32_t number;
} bench_known;

struct bench_ring {
    bench_ring_options options;
    kb_defs defs;
    kb_run run;
    kb_arena arena;
    bench_known **known; /* [ranks][BENCH_SHAPES][BENCH_TRAITS] */
    uint32_t templates;
    bench_lane *lanes;
    bench_record records[BENCH_GROUP * BENCH_STEP_RECORDS];
    size_t record_count;
    uint32_t rank; /* the next one in this step; at 0 the step begins */
    uint64_t random, made, sequence, step, collective;
    bool gather; /* the second half of a ring */
    int64_t end_ps;
    uint32_t labels[2], kernel, file;
};

/* Ids of definitions, which stand in the order that ring_defs.c makes them in. */
static inline uint32_t bench_engine_id(uint32_t rank, uint32_t kind) {
    return rank * 6 + kind - KB_ENGINE_SEQUENCER;
}
static inline uint32_t bench_tcm_id(uint32_t rank) {
    return rank;
}
static inline uint32_t bench_queue_id(uint32_t producer) {
    return producer;
}

/* The template of such records, made when it is first wanted; tells its number. */
uint32_t bench_template(bench_ring *ring, uint32_t rank, enum bench_shape shape, unsigned traits,
                        const kb_template **ret_what);

#endif

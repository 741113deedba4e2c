/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program made by a test: recorded, simulated, and all its ops kept as they would go into a trace.
 *
 *   kept run;
 *   kept_init(&run, "cubes=1,pes=8", 2);
 *   run.machine.at.ipcq_slots = 2;               ... before recording
 *   run.rank_pes = 3;                            ranks of three PEs each
 *   check_status(kept_record(&run, kernel), KB_OK, &run.trail);
 *   check_status(kept_simulate(&run), KB_OK, &run.trail);
 *   ... run.ops[rank][index] ...
 *   kept_fini(&run);
 */
#ifndef KB_TESTS_KEPT_H
#define KB_TESTS_KEPT_H

#include <string.h>

#include "support/check.h"

#include "kbsim/coll.h"
#include "run/simulate.h"

enum { KEPT_RANKS = 32, KEPT_OPS = 20000, KEPT_SAMPLES = 8192 };

typedef struct kept_sample {
    uint32_t counter;
    int64_t time_ps, value;
} kept_sample;

typedef struct kept {
    kbs_machine machine;
    kbs_program *program;
    kbs_result result;
    kbs_limits limits;
    const kb_log *log;
    kb_trail trail;
    kb_arena arena;
    uint64_t elements;
    uint32_t dtype, ranks, rank_pes, space;
    kb_op *ops[KEPT_RANKS]; /* [KEPT_OPS] */
    uint64_t counts[KEPT_RANKS];
    uint64_t unfinished, amended, sample_count;
    kept_sample samples[KEPT_SAMPLES];
    tl_view views[KEPT_RANKS];
    const kbs_algorithm *algorithm;
} kept;

static inline void kept_init(kept *run, const char *shape, uint32_t ranks) {
    memset(run, 0, sizeof *run);
    kb_trail_init(&run->trail);
    kb_arena_init(&run->arena, NULL, 0);
    kbs_machine_init(&run->machine);
    check_ok(kbs_machine_shorthand(&run->machine, shape, &run->trail), &run->trail);
    run->ranks = ranks;
    run->rank_pes = 1;
    run->elements = 100;
    run->dtype = KB_DTYPE_F16;
    run->space = KB_SPACE_TCM;
}

static inline void kept_fini(kept *run) {
    kbs_result_fini(&run->result);
    kbs_program_destroy(run->program);
    kb_arena_fini(&run->arena);
}

static inline void *kept_copy(kept *run, const void *items, size_t size) {
    void *copy;
    check_ok(kb_arena_copy(&run->arena, items, size, &copy, &run->trail), &run->trail);
    return copy;
}

static inline void kept_put(kept *run, uint32_t rank, const kb_op *op) {
    kb_op *copy = &run->ops[rank][op->index];
    *copy = *op;
    kb_template *what = kept_copy(run, op->what, sizeof *what);
    what->operands = kept_copy(run, what->operands, what->operand_count * sizeof(kb_operand));
    what->claims = kept_copy(run, what->claims, what->claim_count * sizeof(kb_claim));
    what->whys = kept_copy(run, what->whys, what->why_count * sizeof(kb_why));
    copy->what = what;
    copy->offsets = kept_copy(run, op->offsets, what->operand_count * sizeof(uint64_t));
    copy->claimed = kept_copy(run, op->claimed, what->claim_count * sizeof(uint64_t));
    copy->blames = kept_copy(run, op->blames, what->why_count * sizeof(kb_blame));
}

static inline kb_status kept_sink_put(void *context, uint32_t rank, const kb_op *op, void **inout_known,
                                      kb_trail *trail) {
    kept *run = context;
    (void)inout_known, (void)trail;
    assert_int_equal(op->index, run->counts[rank]);
    assert_true(op->index < KEPT_OPS);
    run->unfinished += op->what->reached != KB_POINT_DONE;
    run->counts[rank]++;
    kept_put(run, rank, op);
    return KB_OK;
}

static inline kb_status kept_sink_amend(void *context, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kept *run = context;
    (void)trail;
    assert_true(op->index < run->counts[rank]);
    run->amended++;
    kept_put(run, rank, op);
    return KB_OK;
}

static inline void kept_host(kb_host *h, void *context) {
    const kept *run = context;
    kb_all_reduce(h, run->views[h->rank], KB_REDUCE_SUM, run->algorithm);
}

static inline kb_status kept_sink_sample(void *context, uint32_t counter, int64_t time_ps, int64_t value,
                                         kb_trail *trail) {
    kept *run = context;
    (void)trail;
    assert_true(run->sample_count < KEPT_SAMPLES);
    run->samples[run->sample_count++] = (kept_sample){counter, time_ps, value};
    return KB_OK;
}

/* Records an all-reduce of run->elements in each rank by an algorithm. */
static inline kb_status kept_record_as(kept *run, const kbs_algorithm *algorithm) {
    check_ok(kbs_machine_check(&run->machine, &run->trail), &run->trail);
    check_ok(kbs_program_create(&run->machine, run->ranks, run->rank_pes, 1, NULL, run->log, &run->program,
                                &run->trail),
             &run->trail);
    const kb_initial initial = {.dtype = run->dtype, .recipe = KB_RECIPE_ZEROS, .elements = run->elements};
    const tl_shape shape = TL_SHAPE(run->elements);
    for (uint32_t rank = 0; rank < run->ranks; rank++)
        run->views[rank] =
            kbs_tensor_new(&run->program->hosts[rank], "x", run->space, &shape, &initial, TL_HERE);
    KB_TRY(kbs_program_status(run->program, &run->trail));
    run->algorithm = algorithm;
    KB_TRY(kbs_program_host(run->program, "kept", kept_host, run, &run->trail));
    return kbs_program_seal(run->program, &run->trail);
}

/* The same with `kernel` as the algorithm. */
static inline kb_status kept_record(kept *run, void (*kernel)(kb_coll *c)) {
    static kbs_algorithm algorithm;
    algorithm =
        (kbs_algorithm){.name = "kernel", .collective = KB_COLL_ALL_REDUCE, .help = "", .record = kernel};
    return kept_record_as(run, &algorithm);
}

static inline kb_status kept_simulate(kept *run) {
    for (uint32_t rank = 0; rank < run->ranks; rank++) {
        void *ops;
        check_ok(kb_arena_new(&run->arena, KEPT_OPS * sizeof(kb_op), &ops, &run->trail), &run->trail);
        run->ops[rank] = ops;
    }
    const kbs_sink sink = {kept_sink_put, kept_sink_amend, kept_sink_sample, run};
    return kbs_simulate(run->program, &run->limits, &sink, &run->result, &run->trail);
}

/* What holds for every op of every complete run. */
static inline void kept_check(const kept *run) {
    assert_int_equal(run->result.outcome, KB_OUTCOME_COMPLETE);
    assert_int_equal(run->amended, run->unfinished); /* launches that were told before their end */
    for (uint32_t rank = 0; rank < run->ranks; rank++)
        for (uint64_t i = 0; i < run->counts[rank]; i++) {
            const kb_op *op = &run->ops[rank][i];
            assert_int_equal(op->what->reached, KB_POINT_DONE);
            assert_true(op->issue_ps <= op->start_ps && op->start_ps <= op->sent_ps &&
                        op->sent_ps <= op->done_ps);
            assert_true(i == 0 || op->issue_ps >= run->ops[rank][i - 1].issue_ps);
            int64_t sum_ps = 0;
            for (uint32_t w = 0; w < op->what->why_count; w++) {
                assert_true(op->blames[w].ps > 0);
                assert_true(op->what->whys[w].blames || (op->blames[w].rank == 0 && op->blames[w].op == 0));
                assert_true(!op->what->whys[w].blames || op->blames[w].op < run->counts[op->blames[w].rank]);
                sum_ps += op->blames[w].ps;
            }
            assert_int_equal(sum_ps, op->done_ps - op->issue_ps);
            for (uint32_t c = 0; c < op->what->claim_count; c++) {
                const kb_claim *claim = &op->what->claims[c];
                if (claim->set != KB_SET_ONE)
                    continue;
                assert_true(op->claimed[c] < run->counts[claim->rank]);
                const kb_op *claimed = &run->ops[claim->rank][op->claimed[c]];
                const int64_t then_ps = claim->point == KB_POINT_SENT ? claimed->sent_ps : claimed->done_ps;
                assert_true(then_ps <= (claim->role == KB_ROLE_LAUNCH ? op->issue_ps : op->start_ps));
            }
        }
}

/* How many ops of a rank are pending; each says what is known of it. */
static inline uint64_t kept_pending(const kept *run, uint32_t rank) {
    uint64_t pending = 0;
    for (uint64_t i = 0; i < run->counts[rank]; i++) {
        const kb_op *op = &run->ops[rank][i];
        if (op->what->reached == KB_POINT_DONE)
            continue;
        pending++;
        const kb_why *last = &op->what->whys[op->what->why_count - 1];
        assert_int_equal(last->cause, KB_CAUSE_UNFINISHED);
        int64_t sum_ps = 0;
        for (uint32_t w = 0; w < op->what->why_count; w++)
            sum_ps += op->blames[w].ps;
        assert_int_equal(op->issue_ps + sum_ps, op->done_ps);
    }
    return pending;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be known of a program before the clock moves: whether it can hang, and what else looks wrong.
 *
 *   kbs_run_options options = {.bench = "allreduce", .machine = &machine, .ranks = 8};
 *   kbs_lint_result result;
 *   KB_TRY(kbs_lint(&options, &result, trail));
 *   ... result.is_free, result.findings[i].text ...
 *   kbs_lint_fini(&result);
 *
 * The program is recorded as kbs_run() would record it, and executed without time. See docs/lint.md.
 */
#ifndef KBSIM_LINT_H
#define KBSIM_LINT_H

#include "kbsim/run.h"

/* --- what stands still ----------------------------------------------------------------------- */

typedef enum kbs_wait_place {
    KBS_WAIT_CIRCLE, /* one of several that wait for one another, each for the next */
    KBS_WAIT_END,    /* waits for what never comes */
    KBS_WAIT_BEHIND  /* waits for one of those */
} kbs_wait_place;

/* An op that cannot go on. */
typedef struct kbs_waiting {
    kbs_wait_place place;
    uint32_t part; /* which circle or end, from 0 */
    uint32_t rank;
    bool is_host;         /* of the rank's host program; else of its PE */
    const char *pe;       /* "sip0.cube0.pe1", or "host" */
    const char *kind;     /* "ipcq_recv" */
    const char *file;     /* base name */
    const char *step;     /* label, or NULL */
    const char *reason;   /* "waits for …" */
    const char *queue;    /* that it waits on, or NULL */
    const char *who_ends; /* of an end: "program of rank 3", which has nothing left to do; or NULL */
    uint64_t step_number;
    uint64_t slot;   /* of the queue: its message's sequence, or the one whose credit is awaited */
    uint64_t number; /* that it has in the trace, where it has one */
    uint32_t line;
    bool has_number, of_credit;
} kbs_waiting;

typedef struct kbs_standstill {
    kbs_waiting *waiting; /* circles and ends in the order of their parts, then some of those behind */
    size_t waiting_count;
    uint64_t behind_count; /* of all behind */
    uint64_t part_count;   /* of circles and ends, of which the first few are told */
} kbs_standstill;

/* A queue that needs another size than it has. */
typedef struct kbs_queue_size {
    const char *queue;
    uint64_t slots, given;
} kbs_queue_size;

/* What would let a program that hangs come to its end. */
typedef struct kbs_remedy {
    uint64_t slots; /* the fewest, the same in every ring; 0: no number does */
    kbs_queue_size
        *sizes; /* those that must be larger than they are, each as small as the others let it be */
    size_t size_count;
    bool are_smallest; /* false: looking for them was given up, and they suffice */
} kbs_remedy;

/* --- findings -------------------------------------------------------------------------------- */

typedef struct kbs_finding {
    const char *check; /* its name in kbs_lint_check_name() */
    bool is_warning;   /* else the program is not free */
    const char *text;  /* one line */
} kbs_finding;

typedef struct kbs_lint_result {
    bool is_free;      /* proven: it comes to its end, whatever time does */
    bool was_recorded; /* else the program's first mistake is the only finding */
    kbs_finding *findings;
    size_t finding_count;
    kbs_standstill standstill; /* of a program that is recorded and not free */
    kbs_remedy remedy;
    uint64_t commands; /* recorded */
    uint64_t queues;
    uint32_t ranks;
    kb_arena arena; /* of all that it points to */
} kbs_lint_result;

/* A program's own mistake is a finding; a wrong argument, or memory that runs out, is a failure. */
kb_status kbs_lint(const kbs_run_options *options, kbs_lint_result *ret_result, kb_trail *trail) KB_MUST_USE;
void kbs_lint_fini(kbs_lint_result *result);

size_t kbs_lint_check_count(void);
const char *kbs_lint_check_name(size_t index);
const char *kbs_lint_check_help(size_t index);

/* Lines, each with its end, in the arena. */
kb_status kbs_standstill_text(const kbs_standstill *standstill, kb_arena *arena, const char **ret,
                              kb_trail *trail) KB_MUST_USE;
kb_status kbs_remedy_text(const kbs_remedy *remedy, kb_arena *arena, const char **ret,
                          kb_trail *trail) KB_MUST_USE;

#endif

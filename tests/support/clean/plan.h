/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random program while it is drawn up: tensors, messages, and what each rank's host and kernels will call.
 *
 * The calls of all ranks are drawn in one order, each of which can end once all before it have: so no program
 * hangs. And each is drawn only where all that it touches is defined, and ordered behind whatever touched it
 * before, by the few rules that order.h knows of the memory model: so no program has a finding. Nothing here
 * calls the simulator; perform.h does.
 */
#ifndef KB_TESTS_CLEAN_PLAN_H
#define KB_TESTS_CLEAN_PLAN_H

#include "kbsim/machine.h"
#include "kbsim/view.h"
#include "kbtrace/memory.h"
#include "kbtrace/words.h"
#include "support/random.h"

enum {
    CLEAN_RANKS = 12,
    CLEAN_OPS = 4096,
    CLEAN_KNOWN_WORDS = CLEAN_OPS * 2 / 64,
    CLEAN_TENSORS = 4096,
    CLEAN_MESSAGES = 2048,
    CLEAN_QUEUES = 256,
    CLEAN_ELEMENTS = 4096, /* of a tensor, and of a view */
    CLEAN_STEPS = 6,
    CLEAN_OPERANDS = 4,
    CLEAN_SCOPES = 4,
    CLEAN_EXTENTS = 4,
    CLEAN_READERS = 8,
    CLEAN_SLOTS = 1024, /* that a queue ever sends */
    CLEAN_LAUNCHES = 16,
    CLEAN_NONE = -1
};

/* Which ops' sents and dones something comes after: bit 2 op, and 2 op + 1. */
typedef struct clean_known {
    uint64_t bits[CLEAN_KNOWN_WORDS];
} clean_known;

/* --- views ----------------------------------------------------------------------------------- */

typedef enum clean_way { CLEAN_SLICE, CLEAN_ROW, CLEAN_RESHAPE, CLEAN_TRANSPOSE, CLEAN_BROADCAST } clean_way;

/* One call that makes a view of a view. */
typedef struct clean_step {
    clean_way way;
    uint32_t axis;
    uint64_t first, count;
    tl_shape shape;
} clean_step;

/* A view of a tensor or a message: how it is made, and which elements it comes to. */
typedef struct clean_view {
    int tensor, message; /* one of them is CLEAN_NONE */
    uint32_t dtype;
    uint32_t step_count;
    clean_step steps[CLEAN_STEPS];
    uint32_t dims;
    int64_t first; /* element of the tensor */
    uint64_t shape[KB_DIMS_MAX];
    int64_t stride[KB_DIMS_MAX];
} clean_view;

/* --- what there is --------------------------------------------------------------------------- */

typedef struct clean_access {
    struct clean_access *next;
    int op;
    bool writes;
    uint64_t elements[]; /* a bit each */
} clean_access;

typedef struct clean_tensor {
    uint32_t rank, space, dtype, recipe, dims;
    uint64_t shape[KB_DIMS_MAX], elements;
    double low, high;
    const void *bytes;
    char name[16];
    uint32_t scope; /* of scratch: 1 + its depth; else 0 */
    bool is_live;
    bool is_table;          /* its own rank alone writes it */
    bool is_known;          /* and none has since the host filled it: it can be peeked at */
    uint64_t *defined;      /* a bit an element */
    clean_access *accesses; /* that something may still have to be ordered behind */
} clean_tensor;

typedef enum clean_message_state { CLEAN_SENT, CLEAN_OPEN, CLEAN_GONE } clean_message_state;

typedef struct clean_message {
    int queue, copy;   /* the op that sends it */
    clean_known *knew; /* of one of several slots: what its receiver knew before it */
    uint32_t dtype, dims;
    uint64_t shape[KB_DIMS_MAX], elements;
    uint64_t first_slot, slots; /* counted from the queue's beginning */
    uint64_t *defined;
    clean_message_state state;
    int readers[CLEAN_READERS]; /* ops that must have read it before it is released */
    uint32_t reader_count;
} clean_message;

typedef struct clean_queue {
    uint32_t from, to, channel;
    uint64_t sent, released; /* slots */
    int messages[CLEAN_SLOTS];
    uint32_t message_count, received, given_back;
    clean_known *credits[CLEAN_SLOTS]; /* what comes after the release of a slot */
} clean_queue;

typedef struct clean_op {
    clean_known before; /* what its start comes after */
    uint32_t stream;
    bool is_awaitable; /* it has a token, and nobody has waited for it */
    int message;       /* that it sends, or CLEAN_NONE */
} clean_op;

/* --- calls ----------------------------------------------------------------------------------- */

typedef enum clean_call_kind {
#define CLEAN_CALL(name, NAME, WHERE) CLEAN_##NAME,
#include "support/clean/calls.def"
#undef CLEAN_CALL
    CLEAN_CALLS
} clean_call_kind;

typedef struct clean_call {
    clean_call_kind kind;
    struct clean_call *next;
    uint32_t number; /* among all calls, in the order in which they were drawn */
    bool is_async, adds, uses_peek;
    bool is_left_out; /* see spoil.h */
    uint32_t variant; /* of its forms; of a barrier: its number */
    uint32_t func;
    double value;
    uint32_t count;
    clean_view views[CLEAN_OPERANDS];
    int op; /* which gets a token, or is waited for */
    int tensor, message, queue;
    uint32_t launch;  /* its number, of a launch and of who waits for it */
    uint32_t members; /* of a barrier's group, or a launch's: a bit a rank */
    const void *bytes;
    const char *word;
} clean_call;

/* A launch that a host has not waited for. */
typedef struct clean_flight {
    uint32_t number;
    const clean_known *done; /* what comes after it; NULL: it passed the rank by */
} clean_flight;

/* A PE's, or a host's. */
typedef struct clean_stream {
    clean_known known; /* what its next op's issue comes after */
    clean_known all;   /* and what it has issued */
    clean_known engines[2];
    uint32_t depth; /* scopes open */
} clean_stream;

enum { CLEAN_ENGINE_MATH, CLEAN_ENGINE_GEMM, CLEAN_ENGINE_NONE };

typedef struct clean_plan {
    uint64_t seed;
    random_source random;
    kb_arena arena;
    kbs_machine machine;
    uint32_t ranks, kernels;
    bool is_settling;
    uint32_t members,
        goes_on; /* a bit a rank: who takes part in the kernel, whose host does not wait for it */
    uint32_t launch_count;
    clean_flight flights[CLEAN_RANKS][CLEAN_LAUNCHES];
    uint32_t flight_counts[CLEAN_RANKS];
    const clean_known *credit; /* that the op that is being drawn claims, or NULL */
    uint64_t extents[CLEAN_EXTENTS];
    uint64_t cost, most_cost;              /* ops of the trace, roughly */
    clean_known now;                       /* what the op that is being drawn comes after */
    clean_stream streams[2 * CLEAN_RANKS]; /* of PEs, then of hosts */
    clean_call *first[CLEAN_RANKS], *last[CLEAN_RANKS];
    uint32_t call_count, barrier_count;
    clean_op *ops;
    int op_count;
    clean_tensor *tensors;
    int tensor_count;
    clean_message *messages;
    int message_count;
    clean_queue *queues;
    int queue_count;
} clean_plan;

/* Draws the program of a seed; its memory is given back by clean_plan_destroy. */
clean_plan *clean_plan_create(uint64_t seed);
void clean_plan_destroy(clean_plan *plan);

/* Zeroed memory of the plan. */
void *clean_new(clean_plan *plan, size_t size);

/* The next call of a rank, with nothing filled in but its kind. */
clean_call *clean_add_call(clean_plan *plan, uint32_t rank, clean_call_kind kind);

static inline uint64_t clean_below(clean_plan *plan, uint64_t bound) {
    return random_below(&plan->random, bound);
}
static inline uint32_t clean_pick_rank(clean_plan *plan) {
    return (uint32_t)random_below(&plan->random, plan->ranks);
}
static inline bool clean_once_in(clean_plan *plan, uint64_t times) {
    return random_once_in(&plan->random, times);
}
static inline uint32_t clean_everybody(const clean_plan *plan) {
    return (1U << plan->ranks) - 1;
}
static inline bool clean_takes_part(const clean_plan *plan, uint32_t rank) {
    return (plan->members >> rank & 1) != 0;
}
/* Of those that take part. */
static inline uint32_t clean_pick_member(clean_plan *plan) {
    uint32_t rank = clean_pick_rank(plan);
    while (!clean_takes_part(plan, rank))
        rank = (rank + 1) % plan->ranks;
    return rank;
}
static inline uint32_t clean_host_of(const clean_plan *plan, uint32_t rank) {
    return plan->ranks + rank;
}

#endif

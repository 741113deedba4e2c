/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulation while it runs: PEs with their engines, queues, and ops on their way.
 *
 * Times are facts that are found as early as they can be known, often before the clock reaches them: a
 * PE's sequencer goes on from command to command, ahead of the clock, until it needs a time that is
 * not known yet, and is woken when it is. Each time is a maximum of known times plus a duration, and
 * shared things are decided at links only, at the end of an instant. So the order of the calls in here
 * never decides anything.
 *
 * An op notes each part of done - issue when that part is known: its notes sum to it exactly.
 */
#ifndef KBSIM_SRC_SIM_H
#define KBSIM_SRC_SIM_H

#include <assert.h>

#include <stddef.h>
#include <string.h>

#include "engine/engine.h"
#include "fabric/link.h"
#include "pe/line.h"
#include "record/program.h"

typedef struct kbs_sim kbs_sim;
typedef struct kbs_pe kbs_pe;
typedef struct kbs_op kbs_op;
typedef struct kbs_launched kbs_launched;

#define KBS_UNKNOWN INT64_C(-1)

/* --- ops ------------------------------------------------------------------------------------- */

/* Where a part of an op's time went. */
typedef struct kbs_note {
    int64_t ps;
    uint16_t cause;   /* KB_CAUSE_… */
    uint8_t resource; /* KB_RESOURCE_… */
    bool blames;      /* `who` held things up */
    uint32_t id;      /* of the resource */
    kbs_who who;
} kbs_note;

/* Room within an op for what nearly every op needs; one that needs more gets a block of its own. */
enum { KBS_WHYS = 8, KBS_CLAIMS = 2 };

/* In the order in which it is looked at: an op that moves no bytes takes half of it. */
struct kbs_op {
    _Alignas(KB_CACHE_LINE) kbs_op *next; /* of its rank, or in the pool */
    kbs_pe *pe;                           /* who plays its stream */
    kbs_shape *shape;
    uint32_t rank, engine;
    uint32_t route; /* id, or KB_NONE */
    bool finished;
    bool told; /* a launch that the trace has, though it is not done */
    uint32_t why_count, why_capacity, claim_count, claim_capacity;
    int64_t ready_ps; /* handed over to its engine */
    /* As the trace will have it, but for `what`; its times are KBS_UNKNOWN until they are known. */
    kb_op record;
    int64_t noted_ps;       /* all its parts of time together */
    int64_t acknowledge_ps; /* from its done until its issuer notices */
    uint64_t number;        /* of a numbered op, else 0; of a wait the first it awaits */
    /*
     * Its parts of time and what it claims, as a record has them: whys[i] goes with blames[i], and so on.
     * Behind the last ones there are zeros, up to KBS_WHYS and KBS_CLAIMS.
     */
    kb_why *whys;
    kb_blame *blames;
    kb_claim *claims;
    uint64_t *claimed;
    kb_why own_whys[KBS_WHYS];
    kb_claim own_claims[KBS_CLAIMS];
    uint64_t own_claimed[KBS_CLAIMS];
    uint64_t offsets[KBS_OPERANDS];
    kb_blame own_blames[KBS_WHYS];
    kbs_op *behind; /* in its engine's or queue's line */
    /* Of an op that moves bytes, from kbs_op_moves() on, with `behind`: */
    kbs_train train;
    uint64_t bytes, bytes_injected, bytes_seen;
    uint32_t packets_injected, packets_sent;
    /* Of a DMA's, zeros from kbs_op_moves_by() on: */
    struct kbs_lane *lane;
    kbs_packet *latest;   /* of its packets so far, the last that will be visible */
    int64_t tail_ps;      /* when the last one so far is sent */
    int64_t stall_ps;     /* how long its packets were held back by what is outstanding */
    int64_t entry_ps;     /* how long they waited for the first link, which others held */
    kbs_who entry_holder; /* the last of those */
};

/* A wait finds here what a numbered op of its stream has come to. */
typedef struct kbs_numbered {
    uint64_t op;
    int64_t sent_ps, done_ps; /* as its issuer notices them */
    int64_t late_ps;          /* done_ps is so much later than the op's */
    bool waited;
} kbs_numbered;

/* --- engines --------------------------------------------------------------------------------- */

/* Packets that are on their way: of some it is known when they return. */
typedef struct kbs_flight {
    int64_t *returns; /* a heap, the earliest on top */
    uint32_t count, capacity;
    uint32_t unknown; /* packets of which it is not known yet */
} kbs_flight;

/* Transfers of one direction, one after another; see pe/dma.h. */
typedef struct kbs_lane {
    kbs_pe *pe;
    kbs_line line;
    bool is_write;
    unsigned operand; /* of an op: that in the memory which is read, or of what is written its size */
    int64_t host_ps, setup_ps; /* before a transfer's first packet */
    bool begun;                /* the first has its start */
    bool is_stalled;           /* it has no room for its next packet, as far as is known */
    uint32_t limit;            /* of packets on their way */
    kbs_op *first, *last;      /* in line; the packets of the first are being issued */
    bool is_single;            /* each transfer waits for the one before to be done */
    int64_t free_ps;           /* those of the one before are out; KBS_UNKNOWN: it is not done, and must be */
    kbs_who holder;            /* that one */
    int64_t next_ps;           /* when the next packet is due; KBS_UNKNOWN: the one before is not sent yet */
    int64_t look_ps;           /* when it is looked whether there is room; INT64_MAX: never */
    kbs_flight flight;
} kbs_lane;

typedef struct kbs_dma {
    kbs_lane reads, writes;
} kbs_dma;

typedef struct kbs_ipcq kbs_ipcq; /* a queue's both ends; see ipcq.h */

/* Serves one op after another; see pe/unit.h. */
typedef struct kbs_unit {
    kbs_line line;
    int64_t free_ps; /* when the op before is done */
    kbs_who holder;  /* that op */
    bool used;       /* there was one */
} kbs_unit;

/* --- streams that play ----------------------------------------------------------------------- */

enum { KBS_ENGINES = KB_ENGINE_HOST + 1 }; /* the host's is the last of KB_ENGINE_… */

/* What is wrong with a PE; factors in millionths, 0 where nothing is. */
typedef struct kbs_pe_faults {
    bool any;
    uint64_t gemm, math, pe_cpu;
    const kbs_fault *delay; /* that is still to come, or NULL */
} kbs_pe_faults;

/* A PE's sequencer with its engines, or a rank's host program with its part of its cube's M_CPU's DMA. */
struct kbs_pe {
    /* What each turn looks at. */
    _Alignas(KB_CACHE_LINE) kbs_event wake;
    kbs_sim *sim;
    uint32_t rank, pe; /* as in the stream */
    bool is_host;
    bool waking, stepping, finished;
    bool keeps;            /* its next command, whose turn has not come */
    bool resting;          /* a PE: before its next launch */
    bool is_first, played; /* the next op is the first of its launch; there were ops before */
    int64_t clock_ps;      /* when the sequencer can take the next command */
    kbs_op *blocked_on;    /* the sequencer waits for its sent or done */
    kbs_reading reading;
    kbs_op *refused;     /* its engine's line is full */
    const void *full;    /* that line */
    int64_t room_ps;     /* when the line had room again */
    kbs_op *waiter;      /* a wait whose ops are not there yet */
    uint64_t unfinished; /* ops that were issued and are not done */
    kbs_op *fence;       /* waits for all of them */
    int64_t latest_ps;   /* the latest done so far, and whose */
    kbs_who latest;
    int64_t over_ps;    /* when it was over with its launch before: an earlier stamp comes too late */
    int64_t noticed_ps; /* the same, of when it is noticed, and how much later than done that is */
    int64_t noticed_late_ps;
    kbs_who noticed;
    int64_t joined_issue_ps, joined_ready_ps; /* of the command that others join */
    int64_t joined_held_ps;                   /* and what faults had of it */
    kbs_numbered *numbered;                   /* ring by number */
    size_t numbered_capacity;
    uint64_t numbered_low, numbered_high; /* numbers kept: [low, high) */
    uint32_t engines[KBS_ENGINES];        /* ids, by KB_ENGINE_… */
    kbs_pe_faults faults;
    /* What few do. */
    tl_stream *stream;
    uint64_t next_launch; /* the number of the one that it rests before */
    kbs_launched *plays;  /* a PE: what it is at, or NULL */
    int64_t back_ps;      /* a PE: hops to its host; 0: nobody has asked */
    kbs_command kept;
    kbs_unit gemm, math; /* a PE's */
    kbs_dma dma;
};

/* How long a launch takes to a PE: its hops, and the processors that hand it on. */
typedef struct kbs_launch_path {
    int64_t hops_ps, io_cpu_ps, m_cpu_ps;
} kbs_launch_path;

/* A launch of a rank that is issued and not done. */
struct kbs_launched {
    kbs_launched *next; /* the rank's, or in the pool */
    kbs_op *op;
    const kbs_launch_path *paths; /* of the rank's PEs */
    int64_t told_ps;              /* when it went to them */
    uint32_t left;                /* PEs that are not over with it */
    const kbs_pe *last;           /* of the others the one whose host hears last */
    kbs_who last_op;
    int64_t over_ps; /* when that one was */
};

typedef struct kbs_rank {
    kbs_launched *launches, *last_launch; /* issued and not done */
    /*
     * Several of its streams play at a time: its PEs, or its host beside them. Each issues an op when the
     * clock is there, the host first and then the PEs by number: those that could are set in `ready`.
     */
    bool in_turn, turn_asked;
    const kbs_pe *turn_of; /* it may issue what it can at this instant */
    kbs_event turn;
    uint64_t *ready;      /* bit 0: the host */
    kbs_op *first, *last; /* ops that are not in the trace yet, in the order of their numbers */
    uint64_t ops;
} kbs_rank;

/* Of a barrier's message: hops, and its own time. */
typedef struct kbs_join_way {
    int64_t hops_ps, time_ps;
} kbs_join_way;

/* What a member of a barrier waits for: the latest that it has heard of, and the ways from that one to it. */
typedef struct kbs_join_word {
    int64_t at_ps;
    uint32_t from; /* its place */
    kbs_join_way way;
} kbs_join_word;

/* Where the members of a group come together; see op/join.h. */
typedef struct kbs_join {
    const uint32_t *ranks; /* the members', by place */
    uint32_t count, come;
    kbs_op **ops;           /* who has come, by place; NULL: not yet */
    uint32_t rounds;        /* of PEs' barriers, as the next two: */
    kbs_join_way *ways;     /* by round and place, of what comes there; NULL for hosts */
    kbs_join_word *words;   /* twice by place: before a round and after it */
    kbs_launch_path *paths; /* by place, of each of its PEs; of a launch, else NULL */
    int64_t longest_ps;     /* of these */
    int64_t latest_ps;      /* when the last one came, and who it is */
    kbs_who latest;
    struct kbs_join *next; /* of those that nobody uses */
} kbs_join;

/*
 * Takes the ops of all ranks, each rank's in their order; `amend` says one again that was put unfinished.
 * *inout_known is the sink's own to remember op->what by, NULL at first: the same for ops of one template
 * and rank.
 */
typedef struct kbs_sink {
    kb_status (*put)(void *context, uint32_t rank, const kb_op *op, void **inout_known, kb_trail *trail);
    kb_status (*amend)(void *context, uint32_t rank, const kb_op *op, kb_trail *trail);
    /* Of a counter, a value from time_ps on; NULL where nobody wants them. */
    kb_status (*sample)(void *context, uint32_t counter, int64_t time_ps, int64_t value, kb_trail *trail);
    void *context;
} kbs_sink;

/* What parameters come to, in the units of the simulation. */
typedef struct kbs_slot_cost {
    int64_t ps;
    uint64_t rate;
} kbs_slot_cost;

enum { KBS_SPACES = 4 }; /* more than the largest KB_SPACE_… of a ring */

typedef struct kbs_costs {
    int64_t dispatch_ps, dma_setup_ps, cycle_ps;
    uint64_t packet_bytes, tcm_read_rate, tcm_write_rate;
    uint32_t reads_outstanding, writes_outstanding, depth;
    uint64_t math_bytes, special_cycles;
    uint64_t gemm_macs, gemm_fill, gemm_port_rate; /* rate 0: the TCM's ports */
    uint64_t tile_m, tile_k, tile_n;
    bool shared_slots;     /* GEMM and MATH take turns */
    bool single_transfers; /* of a PE's DMA, in each direction */
    bool on_arrival;       /* a launch has no stamp: each PE begins when it hears of it */
    int64_t io_cpu_ps, m_cpu_ps;
    uint32_t m_cpu_reads, m_cpu_writes; /* outstanding */
    int64_t host_launch_ps, host_copy_ps, host_barrier_ps;
    kbs_slot_cost slots[KBS_SPACES]; /* of a ring's memory, by KB_SPACE_… */
} kbs_costs;

enum { KBS_BLOCKS = 24 }; /* sizes of blocks: powers of two */

/* Numbers that are sampled as time passes; see run/counters.h. */
typedef struct kbs_counters {
    struct kbs_counter *all; /* of queues, then of memories */
    size_t count;            /* 0: nobody wants samples */
    uint64_t *changed;       /* bit: has changes that were not told */
    int64_t span;            /* all before this one was told */
} kbs_counters;

/* A collective in time: from the first that enters to the last that leaves. */
typedef struct kbs_stay {
    int64_t first_ps, last_ps; /* KBS_UNKNOWN before that */
    uint64_t left;             /* how many have left it */
} kbs_stay;

struct kbs_sim {
    kbs_engine engine;
    kbs_program *program;
    kbs_costs costs;
    kb_arena arena;
    kbs_pe *pes, *hosts; /* by number, and right behind them by rank */
    kbs_ipcq *queues;
    kbs_rank *ranks;
    kbs_join **launchings;       /* hosts that have come to a launch, by its number; NULL: none */
    kbs_join **spare_launchings; /* by group */
    kbs_launched *free_launched;
    kbs_join *barriers, *host_barriers; /* by group; of PEs also by their number in their rank */
    kbs_stay *stays;                    /* by collective */
    kbs_packets packets;
    kbs_slope *slopes;              /* scratch: room for those of any packet */
    kbs_op *amended, *amended_last; /* launches that are done, and not said again yet */
    uint32_t amended_count;
    kbs_op *free_ops;
    void *free_blocks[KBS_BLOCKS]; /* by size: of ops that had more to tell than they have room for */
    const kbs_sink *sink;
    kbs_counters counters;
    uint64_t ops[KB_OP_LIMIT];
    kb_status status; /* of the first failure; trail explains it */
    kb_trail trail;
};

/* PEs and hosts: all of sim->pes. */
static inline uint32_t kbs_stream_count(const kbs_sim *sim) {
    return sim->program->pes + sim->program->ranks;
}

/* --- shared by sequencer, engines and kinds ---------------------------------------------------- */

/* A new op for the pool; NULL, and sim->status, when memory has run out. */
kbs_op *kbs_op_make(kbs_sim *sim);

/* The next op of a rank, without what its command says and times as yet; NULL when memory has run out. */
static inline kbs_op *kbs_op_new(kbs_sim *sim, uint32_t rank, kbs_shape *shape) {
    kbs_op *op = sim->free_ops;
    if (op != NULL)
        sim->free_ops = op->next;
    else if ((op = kbs_op_make(sim)) == NULL)
        return NULL;
    op->next = NULL;
    op->shape = shape;
    op->rank = rank;
    op->record.index = sim->ranks[rank].ops++;
    op->record.start_ps = op->record.sent_ps = op->record.done_ps = KBS_UNKNOWN;
    op->record.sequence = 0;
    op->record.collective = shape->common.collective;
    op->record.payload = NULL;
    op->record.payload_size = 0;
    op->acknowledge_ps = 0;
    op->route = KB_NONE;
    op->finished = op->told = false;
    op->noted_ps = 0;
    op->why_count = op->claim_count = 0;
    memset(op->own_whys, 0, sizeof op->own_whys);
    memset(op->own_claims, 0, sizeof op->own_claims);
    sim->ops[shape->common.kind]++;
    return op;
}

void kbs_op_free(kbs_sim *sim, kbs_op *op);
/* False when memory has run out. */
bool kbs_op_grow_whys(kbs_sim *sim, kbs_op *op);
bool kbs_op_grow_claims(kbs_sim *sim, kbs_op *op);

static inline void kbs_op_note_all(kbs_sim *sim, kbs_op *op, const kbs_note *note) {
    if (__builtin_expect(op->why_count == op->why_capacity, 0) && !kbs_op_grow_whys(sim, op))
        return;
    const uint32_t i = op->why_count++;
    op->noted_ps += note->ps;
    op->whys[i] = (kb_why){note->cause, note->resource, note->blames};
    op->blames[i] =
        (kb_blame){note->ps, note->id, note->blames ? note->who.rank : 0, note->blames ? note->who.op : 0};
}

/* Nothing where ps is 0. */
static inline void kbs_op_note(kbs_sim *sim, kbs_op *op, const kbs_note *note) {
    if (note->ps > 0)
        kbs_op_note_all(sim, op, note);
    else
        assert(note->ps == 0);
}

/* A part without a resource and nobody to blame. */
static inline void kbs_op_took(kbs_sim *sim, kbs_op *op, uint16_t cause, int64_t ps) {
    kbs_op_note(sim, op, &(kbs_note){.ps = ps, .cause = cause, .resource = KB_RESOURCE_NONE, .id = KB_NONE});
}

static inline void kbs_op_claim(kbs_sim *sim, kbs_op *op, const kb_claim *claim, uint64_t claimed) {
    if (__builtin_expect(op->claim_count == op->claim_capacity, 0) && !kbs_op_grow_claims(sim, op))
        return;
    op->claims[op->claim_count] = *claim;
    op->claimed[op->claim_count++] = claimed;
}

/*
 * From ready_ps to start_ps the op waited for another one, and what is left of it at most late_ps for that
 * one's acknowledgement.
 */
void kbs_op_note_awaited(kbs_sim *sim, kbs_op *op, kbs_who who, int64_t late_ps);

/* A time is known. done ends the op's life here: nothing may touch it afterwards. */
void kbs_op_sent(kbs_sim *sim, kbs_op *op, int64_t sent_ps);
void kbs_op_done(kbs_sim *sim, kbs_op *op, int64_t done_ps);
/* Both at once. */
void kbs_op_end(kbs_sim *sim, kbs_op *op, int64_t at_ps);

/* Something that the sequencer may wait for has become known. */
void kbs_pe_wake(kbs_pe *pe);
/* A line that may have been full has room from `at_ps` on. */
void kbs_pe_room(kbs_pe *pe, const void *line, int64_t at_ps);
/* Before its first command; a PE rests before its first launch. */
kb_status kbs_pe_init(kbs_pe *pe, kbs_sim *sim, tl_stream *stream, kb_trail *trail) KB_MUST_USE;
/* Takes its next command at `at_ps`. */
void kbs_pe_start(kbs_pe *pe, int64_t at_ps);
/* A PE that rests goes on with pe->plays. */
void kbs_pe_begin_launch(kbs_pe *pe, int64_t begin_ps);
/* All that a PE's fence waits for is done. */
void kbs_fence_finish(kbs_pe *pe);
/* Looks whether the PE's wait, if there is one, has what it waits for. */
void kbs_wait_check(kbs_pe *pe);

/* Notes what a packet took from its injection on: waits, the narrowest link, hops. */
void kbs_op_note_packet(kbs_sim *sim, kbs_op *op, const kbs_packet *packet);

/* A PE that has nothing left of its launch, and whose ops are done, is over with it. */
void kbs_launch_check(kbs_pe *pe);
/* Hands the rank's finished ops to the sink, up to the first that is not. */
void kbs_outbox_flush(kbs_sim *sim, uint32_t rank);

void kbs_sim_fail(kbs_sim *sim, kb_status status);

/* An op that moves bytes: what only such an op has, but for what only a DMA's has. */
static inline void kbs_op_moves(kbs_op *op, const kbs_train *train) {
    op->behind = NULL;
    op->train = *train;
    op->bytes = op->bytes_injected = op->bytes_seen = 0;
    op->packets_injected = op->packets_sent = 0;
}

/* The same, of a DMA's. */
static inline void kbs_op_moves_by(kbs_op *op, const kbs_train *train, kbs_lane *lane) {
    kbs_op_moves(op, train);
    memset(&op->lane, 0, sizeof *op - offsetof(kbs_op, lane));
    op->lane = lane;
}

static inline int64_t kbs_later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Time of so many bytes at a rate, rounded up; what is too long to count is INT64_MAX. */
static inline int64_t kbs_time_at(uint64_t bytes, uint64_t bytes_per_s) {
    const unsigned __int128 work = (unsigned __int128)bytes * 1000000000000U;
    const unsigned __int128 ps = (work + bytes_per_s - 1) / bytes_per_s;
    return ps < INT64_MAX ? (int64_t)ps : INT64_MAX;
}

/* What using a slot costs in its own memory, or what settling there does. */
static inline int64_t kbs_slot_time(const kbs_costs *costs, uint32_t space, uint64_t bytes) {
    const int64_t ps = kbs_time_at(bytes, costs->slots[space].rate);
    return ps < INT64_MAX - costs->slots[space].ps ? ps + costs->slots[space].ps : INT64_MAX;
}

static inline uint64_t kbs_operand_bytes(const kb_operand *operand) {
    const uint64_t elements = operand->dims == 1 ? operand->shape[0] : kb_operand_elements(operand);
    return elements * kb_dtype_size(operand->dtype);
}

#endif

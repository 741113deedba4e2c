/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program while it is recorded, and what the simulation takes of it: PEs with their memories and
 * streams, queues, tensors, collectives, and the definitions that name them all in the trace.
 *
 * A rank has one host and `rank_pes` PEs, whose numbers in the machine follow one another: rank r's are
 * those from r * rank_pes on. Hosts go by rank, all that belongs to a PE by its number. Ids in the trace
 * follow from both: streams are the hosts' and then the PEs', so that at one instant a launch is numbered
 * before what it starts.
 */
#ifndef KBSIM_SRC_PROGRAM_H
#define KBSIM_SRC_PROGRAM_H

#include <signal.h>

#include "fabric/fabric.h"
#include "kbsim/host.h"
#include "kbsim/models.h"
#include "kbtrace/defs.h"
#include "kbtrace/log.h"
#include "lint/checks.h"
#include "record/command.h"

typedef struct kbs_program kbs_program;

/* What no run of a collective can beat; see bound/bound.h. */
typedef struct kbs_bound {
    uint64_t ps;
    uint32_t cut; /* KB_CUT_…; 0: there is nothing to do */
} kbs_bound;

enum { KBS_PE_MEMORIES = 3 };

/* A queue: what both sides recorded on it, and how its bytes and credits travel. */
typedef struct kbs_queue {
    uint32_t producer, consumer; /* PEs */
    uint32_t producer_rank, consumer_rank;
    uint32_t channel; /* one of several from that producer to that consumer */
    uint32_t slots;
    uint32_t memory;                           /* id of the consumer's that holds the ring */
    uint64_t slot_bytes, offset_bytes;         /* of the ring in it */
    const kbs_route *route;                    /* of data, out of the producer's TCM */
    const kbs_route *back;                     /* of credits that are packets, else NULL */
    int64_t credit_latency_ps, credit_time_ps; /* of those that are not: hops, bytes at the narrowest link */
    uint64_t sent;                             /* slots that the producer sends */
    uint64_t received;                         /* slots that the consumer receives */
    uint64_t sent_hash, received_hash;         /* of their lengths and dtypes, in order */
    uint64_t messages;                         /* that the consumer asked for */
    struct kbs_message *open;                  /* received, not yet released; oldest first */
    size_t open_count, open_capacity;
} kbs_queue;

/* A token that nobody has waited for yet. */
typedef struct kbs_live {
    uint64_t number;
    uint32_t count;
    bool has_stage; /* scratch that its ops read */
    uint64_t stage_bytes;
    tl_where where;
} kbs_live;

/* Scratch in use. Offsets count from the TCM's end, downwards: tensors and rings grow towards it. */
typedef struct kbs_scratch_block {
    uint64_t offset_bytes, size_bytes;
    uint64_t id;    /* of its allocation */
    uint32_t scope; /* that it ends with */
    bool is_stage;  /* the library's own: kept for the next command that needs one */
    bool is_busy;
} kbs_scratch_block;

typedef struct kbs_scope {
    uint32_t number; /* from 1, never again in its stream */
    tl_where where;
} kbs_scope;

/* A route that was asked for lately. */
enum { KBS_KNOWN_ROUTES = 4 };
typedef struct kbs_known_route {
    uint32_t from, to, route;
    bool is_known;
} kbs_known_route;

/* Barriers of one group that a stream has come to. */
typedef struct kbs_barriers {
    uint64_t count;
    tl_where where; /* of the last */
} kbs_barriers;

/*
 * A PE's sequencer, or the host program of a rank. A host's commands: launch, host_write, host_read, alloc,
 * free, wait, barrier.
 */
struct tl_stream {
    kbs_program *program;
    uint32_t rank, pe; /* of a host: the rank's first PE */
    uint32_t tcm;      /* id of the PE's */
    uint64_t tcm_bytes;
    bool is_host;
    kbs_commands commands;
    uint64_t used_bytes[KBS_PE_MEMORIES]; /* of the PE's memories, in the order of their ids */
    uint32_t queues_out, queues_in;
    kbs_live *live;
    size_t live_count, live_capacity;
    kbs_scratch_block *scratch; /* by offset */
    size_t scratch_count, scratch_capacity;
    uint64_t blocks; /* of scratch that were taken so far */
    uint64_t scratch_peak_bytes;
    kbs_scope *scopes; /* open ones, the outermost first */
    size_t scope_count, scope_capacity;
    uint32_t scope_number;  /* of the newest */
    uint64_t launches;      /* so far: of a PE those that it has a part in */
    bool overlaps;          /* a host: it goes on while something that it launched is on */
    uint64_t allocations;   /* a host: of the rank, those of its PEs included */
    kbs_barriers *barriers; /* by group */
    size_t barrier_capacity;
    kbs_known_route routes[KBS_KNOWN_ROUTES];
    /* what commands are recorded for at the moment */
    uint32_t kernel, step, collective; /* string ids; 1 + id */
    const char *kernel_name;
    uint32_t reduce; /* KB_REDUCE_… of the collective */
    uint32_t group;  /* of the collective, whose members are called by position; else KB_NONE */
    uint64_t step_number;
    const char *file; /* the last one, and its id */
    uint32_t file_id;
};

/* What is known of a tensor's contents while recording. */
typedef enum kbs_known {
    KBS_KNOWN_NOT,     /* undefined */
    KBS_KNOWN_INITIAL, /* what `initial` says */
    KBS_KNOWN_BYTES,   /* what a host wrote over all of it */
    KBS_KNOWN_WRITTEN  /* a command has written to it */
} kbs_known;

typedef struct kbs_tensor {
    const char *name;
    uint32_t memory, rank;
    uint64_t offset_bytes, size_bytes;
    bool is_freed, is_allocated; /* by an alloc op */
    uint64_t allocation;         /* its id, of one that was */
    kbs_known known;
    kb_initial initial;
    const uint8_t *bytes;
    /* A part of a tensor over several PEs: so many elements side by side, of each so many; 0: of all. */
    uint64_t run, apart;
    tl_where written; /* by whom */
} kbs_tensor;

/* How a tensor is cut among the PEs of a rank: each `block` of it for itself, of which each gets `share`. */
typedef struct kbs_cut {
    uint64_t block, share;
} kbs_cut;

/* A tensor over the PEs of a rank: what lies on each, by number; their kbs_tensors follow one another. */
typedef struct kbs_spread {
    tl_view *parts;
    size_t first_tensor;
    uint64_t elements; /* of the whole */
    kbs_cut cut;
} kbs_spread;

/* Where in a memory tensors lie whose contents are known: nothing where low is not below high. */
typedef struct kbs_watch {
    uint64_t low, high;
} kbs_watch;

/* Room that was given back. */
typedef struct kbs_room {
    uint32_t memory;
    uint64_t offset_bytes, size_bytes;
} kbs_room;

/* The n-th launch or collective of every host, as the first rank made it. */
typedef struct kbs_call {
    const char *name;    /* of the kernel or algorithm */
    tl_kernel_fn kernel; /* NULL for a collective */
    tl_where where;
    uint32_t group;                     /* whose PEs take part */
    uint32_t collective, collectives;   /* of a collective: its first id, and how many it is to the trace */
    uint32_t kind, reduce, dtype, root; /* of a collective: KB_COLL_…, a position */
    uint64_t elements;
    tl_where member_where; /* of a collective: where the group's first rank called it */
    uint64_t *shares;      /* of its elements, of a rank's PEs */
    kbs_bound bound;       /* of all of it */
    kb_part *parts;        /* by position in the group, and each one's PEs */
} kbs_call;

/* Bytes of a host_write, by the value of its command; they live in the program's arena. */
typedef struct kbs_payload {
    const uint8_t *bytes;
    uint64_t size_bytes;
} kbs_payload;

struct kbs_program {
    const kbs_machine *machine;
    const kbs_models *models; /* NULL: the default ones */
    const kb_alloc *alloc;
    const kb_log *log;
    uint32_t ranks, rank_pes, pes; /* PEs of a rank, and of all */
    uint64_t seed;
    kb_arena arena;
    kb_defs defs;
    kbs_fabric fabric;
    tl_stream *streams; /* of PEs, by number */
    tl_stream *hosts;   /* by rank, right behind them */
    kbs_queue *queues;  /* by id */
    size_t queue_count, queue_capacity;
    uint32_t *queue_slots; /* hash of (producer, consumer): 1 + id */
    size_t queue_slot_count;
    kbs_payload *payloads;
    size_t payload_count, payload_capacity;
    kbs_tensor *tensors;
    size_t tensor_count, tensor_capacity;
    kbs_spread *spreads;
    size_t spread_count, spread_capacity;
    kbs_room *rooms;
    size_t room_count, room_capacity;
    kbs_watch *watches; /* by memory */
    kbs_call *calls;    /* by launch */
    size_t call_count, call_capacity, collective_count;
    uint32_t group;                        /* id of the group of all ranks */
    uint64_t launch_count;                 /* every rank's host has as many */
    tl_stream *now;                        /* what is recorded at the moment, or NULL */
    struct kbs_plugins *plugins;           /* users' files that it may open; NULL: none */
    const struct kbs_bench *bench;         /* what it is recorded for, and */
    const struct kbs_bench_values *values; /* its parameters; NULL of none */
    const volatile sig_atomic_t *stop;     /* non-zero: give up recording; may be NULL */
    kb_status status;                      /* of the first mistake, which `trail` explains */
    kbs_check mistake;                     /* whose it is, where the program is wrong */
    kb_trail trail;
};

/* Of so many ranks, each of `rank_pes` PEs of the machine. */
kb_status kbs_program_create(const kbs_machine *machine, uint32_t ranks, uint32_t rank_pes, uint64_t seed,
                             const kb_alloc *alloc, const kb_log *log, kbs_program **ret,
                             kb_trail *trail) KB_MUST_USE;
void kbs_program_destroy(kbs_program *program);

static inline uint32_t kbs_rank_of(const kbs_program *program, uint32_t pe) {
    return pe / program->rank_pes;
}

/* Ids in the trace. */
uint32_t kbs_host_stream(const kbs_program *program, uint32_t rank);
uint32_t kbs_pe_stream(const kbs_program *program, uint32_t pe);
uint32_t kbs_pe_engine(uint32_t pe, uint32_t kind); /* KB_ENGINE_…, of a PE */
uint32_t kbs_host_engine(const kbs_program *program, uint32_t rank);
uint32_t kbs_memory_of(const kbs_program *program, uint32_t space, uint32_t pe); /* KB_SPACE_…, of a PE */
uint32_t kbs_host_memory(const kbs_program *program, uint32_t rank);

/* Takes bytes of a memory of a PE (KB_SPACE_…) for good, or says what was asked for and what is left. */
kb_status kbs_program_take(kbs_program *program, uint32_t pe, uint32_t space, uint64_t size_bytes,
                           const char *what, uint64_t *ret_offset, kb_trail *trail) KB_MUST_USE;

/* Records a host program: runs it once a rank. What it got wrong is in the trail. */
kb_status kbs_program_host(kbs_program *program, const char *name, kb_host_fn host, void *context,
                           kb_trail *trail) KB_MUST_USE;

/*
 * A tensor whose contents are all said by `initial` but for place and elements, with a seed of the caller's.
 * Recipe 0 is undefined. An empty view after a mistake.
 */
tl_view kbs_tensor_new(tl_stream *host, const char *name, uint32_t space, const tl_shape *shape,
                       const kb_initial *initial, tl_where where);
/*
 * The same, but only `count` elements from `first` on are said by `initial`; the others are undefined. And
 * over several PEs it is cut so.
 */
tl_view kbs_tensor_new_part(tl_stream *host, const char *name, uint32_t space, const tl_shape *shape,
                            const kbs_cut *cut, const kb_initial *initial, uint64_t first, uint64_t count,
                            tl_where where);

/* Blocks of `block` elements, each cut as one of `of` is: in as many shares as a rank has PEs, rounded up. */
static inline kbs_cut kbs_cut_of(const kbs_program *program, uint64_t block, uint64_t of) {
    return (kbs_cut){block, of / program->rank_pes + (of % program->rank_pes != 0)};
}

/* Of the first mistake in recording, which then is in the trail. */
kb_status kbs_program_status(const kbs_program *program, kb_trail *trail) KB_MUST_USE;

/* Finds or installs the queue from one PE to another, of those between them that with this number. */
kb_status kbs_program_queue(kbs_program *program, uint32_t producer, uint32_t consumer, uint32_t channel,
                            uint32_t *ret, kb_trail *trail) KB_MUST_USE;
/* KB_SPACE_… in which rings lie. */
uint32_t kbs_ring_space(const kbs_program *program);
/* "pe2>pe3", and behind it ".1" of a channel other than 0. */
enum { KBS_QUEUE_NAME_CHARS = 48 };
const char *kbs_queue_name(const kbs_queue *queue, char buffer[KBS_QUEUE_NAME_CHARS]);

/* Whether all members of each group come to as many barriers. */
kb_status kbs_check_barriers(const kbs_program *program, kb_trail *trail) KB_MUST_USE;

/* Whether both ends of each queue that has as many sends as receives speak of the same slots. */
kb_status kbs_check_lengths(kbs_program *program, kb_trail *trail) KB_MUST_USE;

/* Defines the collectives that hosts called. */
kb_status kbs_define_collectives(kbs_program *program, kb_trail *trail) KB_MUST_USE;

/* Nothing more is recorded: defines links, routes, queues and collectives. */
kb_status kbs_program_seal(kbs_program *program, kb_trail *trail) KB_MUST_USE;

#endif

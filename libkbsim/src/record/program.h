/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program while it is recorded, and what the simulation takes of it: PEs with their memories and
 * streams, queues, tensors, collectives, and the definitions that name them all in the trace.
 *
 * Rank r is PE r of the package. Ids in the trace follow from it: streams are the hosts' and then the
 * PEs', so that at one instant a launch is numbered before what it starts.
 */
#ifndef KBSIM_SRC_PROGRAM_H
#define KBSIM_SRC_PROGRAM_H

#include <signal.h>

#include "fabric/fabric.h"
#include "kbsim/coll.h"
#include "kbsim/machine.h"
#include "kbtrace/defs.h"
#include "kbtrace/log.h"
#include "record/command.h"

typedef struct kbs_program kbs_program;

enum { KBS_PE_MEMORIES = 3 };

/* A queue: what both sides recorded on it, and how its bytes and credits travel. */
typedef struct kbs_queue {
    uint32_t producer, consumer; /* ranks */
    uint32_t channel;            /* one of several from that producer to that consumer */
    uint32_t slots;
    uint32_t memory;                           /* id of the consumer's that holds the ring */
    uint64_t slot_bytes, offset_bytes;         /* of the ring in it */
    const kbs_route *route;                    /* of data, out of the producer's TCM */
    const kbs_route *back;                     /* of credits that are packets, else NULL */
    int64_t credit_latency_ps, credit_time_ps; /* of those that are not: hops, bytes at the narrowest link */
    uint64_t sent;                             /* slots that the producer sends */
    uint64_t received;                         /* slots that the consumer receives */
    uint64_t messages;                         /* that the consumer asked for */
    struct kbs_message *open;                  /* received, not yet released; oldest first */
    size_t open_count, open_capacity;
} kbs_queue;

/* A token that nobody has waited for yet. */
typedef struct kbs_live {
    uint64_t number;
    uint32_t count;
    tl_where where;
} kbs_live;

/*
 * A PE's sequencer, or the host program of a rank. A host's commands: launch, host_write, host_read, alloc,
 * free, wait, barrier.
 */
struct tl_stream {
    kbs_program *program;
    uint32_t rank;
    bool is_host;
    kbs_commands commands;
    uint64_t used_bytes[KBS_PE_MEMORIES]; /* of the PE's memories, in the order of their ids */
    uint32_t queues_out, queues_in;
    kbs_live *live;
    size_t live_count, live_capacity;
    /* what commands are recorded for at the moment */
    uint32_t kernel, step, collective; /* string ids; 1 + id */
    const char *kernel_name;
    uint32_t reduce; /* KB_REDUCE_… of the collective */
    uint64_t step_number;
    const char *file; /* the last one, and its id */
    uint32_t file_id;
};

/* Bytes of a host_write, by the value of its command; they live in the program's arena. */
typedef struct kbs_payload {
    const uint8_t *bytes;
    uint64_t size_bytes;
} kbs_payload;

struct kbs_program {
    const kbs_machine *machine;
    const kb_alloc *alloc;
    const kb_log *log;
    uint32_t ranks;
    uint64_t seed;
    kb_arena arena;
    kb_defs defs;
    kbs_fabric fabric;
    tl_stream *streams; /* of PEs, by rank */
    tl_stream *hosts;   /* by rank */
    kbs_queue *queues;  /* by id */
    size_t queue_count, queue_capacity;
    uint32_t *queue_slots; /* hash of (producer, consumer): 1 + id */
    size_t queue_slot_count;
    kbs_payload *payloads;
    size_t payload_count, payload_capacity;
    uint32_t group;         /* id of the group of all ranks */
    uint64_t launch_count;  /* every rank's host has as many */
    uint32_t launch_kernel; /* string ids of what is launched and where */
    uint32_t launch_file, launch_line;
    bool launched;
    const volatile sig_atomic_t *stop; /* non-zero: give up recording; may be NULL */
    kb_status status;                  /* of the first mistake, which `trail` explains */
    kb_trail trail;
};

kb_status kbs_program_create(const kbs_machine *machine, uint32_t ranks, uint64_t seed, const kb_alloc *alloc,
                             const kb_log *log, kbs_program **ret, kb_trail *trail) KB_MUST_USE;
void kbs_program_destroy(kbs_program *program);

/* Ids in the trace. */
uint32_t kbs_host_stream(const kbs_program *program, uint32_t rank);
uint32_t kbs_pe_stream(const kbs_program *program, uint32_t rank);
uint32_t kbs_pe_engine(uint32_t rank, uint32_t kind); /* KB_ENGINE_…, of a PE */
uint32_t kbs_host_engine(const kbs_program *program, uint32_t rank);
uint32_t kbs_memory_of(const kbs_program *program, uint32_t space, uint32_t rank); /* KB_SPACE_… */

/* Takes bytes of a memory of a PE (KB_SPACE_…) for good, or says what was asked for and what is left. */
kb_status kbs_program_take(kbs_program *program, uint32_t rank, uint32_t space, uint64_t size_bytes,
                           const char *what, uint64_t *ret_offset, kb_trail *trail) KB_MUST_USE;

/* A row of elements in a rank's TCM; `initial` says all of its contents but their place. */
kb_status kbs_program_tensor(kbs_program *program, uint32_t rank, const char *name, const kb_initial *initial,
                             tl_view *ret, kb_trail *trail) KB_MUST_USE;

/* Launches an all-reduce of one view a rank, in place. */
typedef struct kbs_all_reduce {
    const kbs_algorithm *algorithm;
    const tl_view *views; /* [ranks] */
    uint32_t dtype, reduce;
    uint64_t elements;
    tl_where where;
} kbs_all_reduce;
kb_status kbs_program_all_reduce(kbs_program *program, const kbs_all_reduce *what,
                                 kb_trail *trail) KB_MUST_USE;

/* Finds or installs the queue from one rank to another, of those between them that with this number. */
kb_status kbs_program_queue(kbs_program *program, uint32_t producer, uint32_t consumer, uint32_t channel,
                            uint32_t *ret, kb_trail *trail) KB_MUST_USE;
/* KB_SPACE_… in which rings lie. */
uint32_t kbs_ring_space(const kbs_program *program);
/* "pe2>pe3", and behind it ".1" of a channel other than 0. */
enum { KBS_QUEUE_NAME_CHARS = 48 };
const char *kbs_queue_name(const kbs_queue *queue, char buffer[KBS_QUEUE_NAME_CHARS]);

/* Nothing more is recorded: defines links, routes and queues; warns of messages that nobody receives. */
kb_status kbs_program_seal(kbs_program *program, kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Definitions: everything that ops name by id.
 *
 * Each table counts its ids from 0 in the order of its rows and only ever grows; a row never
 * changes. The simulator fills a kb_defs, the writer puts its rows into the trace before the first
 * op that could name them, and a reader hands the whole back.
 */
#ifndef KBTRACE_DEFS_H
#define KBTRACE_DEFS_H

#include "kbtrace/memory.h"
#include "kbtrace/op.h"

/* --- who and where ---------------------------------------------------------------------------- */

typedef struct kb_pe {
    uint32_t rank;          /* its owner, or KB_NONE for a PE that takes no part */
    uint32_t sip, cube, pe; /* cube within the SIP, PE within the cube */
    const char *name;       /* "sip0.cube3.pe5" */
} kb_pe;

/* A command stream: a PE's sequencer, or a rank's host program (pe == KB_NONE). */
typedef struct kb_stream {
    uint32_t rank;
    uint32_t pe;
    const char *name;
} kb_stream;

typedef struct kb_engine {
    uint32_t kind;     /* KB_ENGINE_… */
    uint32_t promise;  /* KB_PROMISE_… */
    uint32_t stream;   /* whose commands it serves */
    uint32_t capacity; /* ops that it serves at once; 0: not bounded */
    const char *name;
} kb_engine;

typedef struct kb_memory {
    uint32_t space; /* KB_SPACE_… */
    uint32_t rank;  /* its owner */
    uint32_t pe;    /* its owner, or KB_NONE for host memory */
    uint64_t size_bytes;
    uint64_t base_address; /* physical, of offset 0 */
    const char *name;      /* "sip0.cube0.pe1.tcm" */
} kb_memory;

typedef struct kb_group {
    const char *name;
    const uint32_t *ranks;
    size_t rank_count;
} kb_group;

/* --- what lies in memory ---------------------------------------------------------------------- */

/* One piece of a tensor: `shape` elements that begin at `origin` of the whole, at an offset. */
typedef struct kb_shard {
    uint32_t memory;
    uint64_t offset_bytes;
    const uint64_t *origin; /* [dims] of the tensor */
    size_t origin_count;
    const uint64_t *shape; /* [dims] */
    size_t shape_count;
    const int64_t *stride; /* [dims], elements */
    size_t stride_count;
} kb_shard;

typedef struct kb_tensor {
    const char *name;
    uint32_t dtype;
    uint32_t rank; /* whose it is, or KB_NONE when it is spread over ranks */
    const uint64_t *shape;
    size_t shape_count;
    const kb_shard *shards;
    size_t shard_count;
} kb_tensor;

/* Contents before the first op; everything else is undefined. */
typedef struct kb_initial {
    uint32_t memory;
    uint32_t dtype;
    uint32_t recipe; /* KB_RECIPE_… */
    uint64_t offset_bytes;
    uint64_t elements;
    uint64_t seed;
    uint64_t first_element; /* the recipe's index of the first element here */
    double low, high;       /* constant: low; iota: base and step; uniform, ints: the range */
    const uint8_t *bytes;   /* KB_RECIPE_BYTES: elements * size of them */
    size_t bytes_count;
} kb_initial;

/* --- what connects ---------------------------------------------------------------------------- */

/* A ring of slots in the consumer's reach: one producer, one consumer, one channel. */
typedef struct kb_queue {
    uint32_t producer, consumer; /* ids of streams */
    uint32_t channel;
    uint32_t memory; /* where the ring lies */
    uint64_t offset_bytes;
    uint32_t slots;
    uint64_t slot_bytes;
    const char *name; /* "pe2>pe3" */
} kb_queue;

typedef struct kb_link {
    const char *name;
    uint64_t bytes_per_s; /* 0: carries no bytes that count */
    uint64_t flit_ps;     /* time of one whole flit */
    uint64_t latency_ps;  /* that every flit pays: propagation and overhead */
} kb_link;

typedef struct kb_route {
    const uint32_t *links;
    size_t link_count;
} kb_route;

/* --- what is worked on ------------------------------------------------------------------------ */

/* A rank's part in a collective as one of its streams sees it: element ranges of its tensors. */
typedef struct kb_part {
    uint32_t rank;
    uint32_t stream;
    uint32_t input, output;      /* ids of memories, or KB_NONE */
    uint64_t input_offset_bytes; /* of its first element */
    uint64_t output_offset_bytes;
    uint64_t input_first, input_count;   /* elements of the rank's input that lie here */
    uint64_t output_first, output_count; /* elements of the rank's output that lie here */
} kb_part;

typedef struct kb_collective {
    uint32_t kind; /* KB_COLL_… */
    uint32_t group;
    uint32_t reduce; /* KB_REDUCE_… */
    uint32_t dtype;
    uint64_t elements;  /* per rank: of the input; of all_gather each rank's share */
    uint32_t root;      /* position in the group, or KB_NONE */
    uint32_t algorithm; /* string id */
    const kb_part *parts;
    size_t part_count;
    uint64_t bound_ps; /* no run of it on this machine takes less; 0: not said */
    uint32_t cut;      /* KB_CUT_…: what the bound comes from; 0: not said */
} kb_collective;

/* --- tables of words, and how the run was set up ---------------------------------------------- */

typedef struct kb_string {
    const char *text;
} kb_string;

typedef struct kb_cause_def {
    uint32_t cause; /* KB_CAUSE_…, or a number that only a newer kb knows */
    const char *name;
    const char *help;
} kb_cause_def;

/* A number that is sampled as time passes. */
typedef struct kb_counter {
    const char *name; /* "occupancy" */
    const char *unit; /* "slots", "bytes" */
    uint32_t rank;
    uint32_t on; /* KB_RESOURCE_… */
    uint32_t id; /* of that resource */
} kb_counter;

/* A resolved parameter of the machine or program. */
typedef struct kb_setting {
    const char *path;   /* "ipcq.slots" */
    const char *value;  /* "4" */
    const char *origin; /* "default", "topology", "ccl", "set", "param" */
} kb_setting;

/* --- all of them ------------------------------------------------------------------------------ */

/* KB_DEF(name, type, plural): the tables in the order in which they stand in a trace. */
#define KB_DEFS(KB_DEF)                            \
    KB_DEF(string, kb_string, strings)             \
    KB_DEF(setting, kb_setting, settings)          \
    KB_DEF(cause, kb_cause_def, causes)            \
    KB_DEF(pe, kb_pe, pes)                         \
    KB_DEF(stream, kb_stream, streams)             \
    KB_DEF(engine, kb_engine, engines)             \
    KB_DEF(memory, kb_memory, memories)            \
    KB_DEF(link, kb_link, links)                   \
    KB_DEF(route, kb_route, routes)                \
    KB_DEF(group, kb_group, groups)                \
    KB_DEF(queue, kb_queue, queues)                \
    KB_DEF(tensor, kb_tensor, tensors)             \
    KB_DEF(initial, kb_initial, initials)          \
    KB_DEF(collective, kb_collective, collectives) \
    KB_DEF(counter, kb_counter, counters)

typedef struct kb_defs {
    kb_arena arena; /* rows and all that they point to */
#define KB_DEF(name, type, plural) \
    type *plural;                  \
    size_t name##_count;           \
    size_t name##_capacity;
    KB_DEFS(KB_DEF)
#undef KB_DEF
    uint32_t *string_slots; /* hash of the strings, for kb_defs_intern */
    size_t string_slot_count;
} kb_defs;

void kb_defs_init(kb_defs *defs, const kb_alloc *alloc, size_t limit_size);
void kb_defs_fini(kb_defs *defs);

/*
 * kb_defs_add_memory(defs, &row, &id, trail) and its like, one a table: copies the row, with all
 * that it points to, and gives its id.
 */
#define KB_DEF(name, type, plural)                                                                  \
    kb_status kb_defs_add_##name(kb_defs *defs, const type *row, uint32_t *ret_id, kb_trail *trail) \
        KB_MUST_USE;
KB_DEFS(KB_DEF)
#undef KB_DEF

/* The id of a text, added where it is new. */
kb_status kb_defs_intern(kb_defs *defs, const char *text, uint32_t *ret_id, kb_trail *trail) KB_MUST_USE;
/* "" for KB_NONE and unknown ids. */
const char *kb_defs_text(const kb_defs *defs, uint32_t string);

/* All that this build knows, from causes.def. */
kb_status kb_defs_add_causes(kb_defs *defs, kb_trail *trail) KB_MUST_USE;

#endif

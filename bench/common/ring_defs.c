/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that ring.c's records run on, and the templates that they share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/must.h"
#include "common/ring_parts.h"

enum {
    PES = 8,
    CUBES = 16,
    LINKS = 3,
    CHUNK_ELEMENTS = BENCH_SLOT_BYTES / 2,
    NAME_CHARS = 128,
    SUFFIX_CHARS = 32
};

/* --- definitions ----------------------------------------------------------------------------------- */

typedef struct maker {
    bench_ring *ring;
    kb_trail trail;
    uint32_t id;
    char name[NAME_CHARS];
} maker;

#define ADD(maker_, table, ...)                                                                      \
    bench_must_kb(                                                                                   \
        kb_defs_add_##table(&(maker_)->ring->defs, &(__VA_ARGS__), &(maker_)->id, &(maker_)->trail), \
        &(maker_)->trail)

static const char *name_of(maker *make, uint32_t rank, const char *suffix) {
    snprintf(make->name, sizeof make->name, "sip%u.cube%u.pe%u%.31s", rank / (PES * CUBES),
             rank / PES % CUBES, rank % PES, suffix);
    return make->name;
}

static uint32_t intern(maker *make, const char *text) {
    uint32_t id;
    bench_must_kb(kb_defs_intern(&make->ring->defs, text, &id, &make->trail), &make->trail);
    return id;
}

static void add_engines(maker *make, uint32_t rank) {
    for (uint32_t kind = KB_ENGINE_SEQUENCER; kind <= KB_ENGINE_HOST; kind++) {
        char suffix[SUFFIX_CHARS];
        snprintf(suffix, sizeof suffix, ".%s", kb_word_name(KB_VOC_ENGINE, kind));
        bool total = kind == KB_ENGINE_GEMM || kind == KB_ENGINE_MATH;
        ADD(make, engine,
            (kb_engine){kind, total ? KB_PROMISE_TOTAL : KB_PROMISE_NONE, rank, total ? 1 : 16,
                        name_of(make, rank, suffix)});
    }
}

/* Neighbours in a cube share its mesh, others cross to the next cube or package. */
static void add_path(maker *make, uint32_t rank) {
    bench_lane *lane = &make->ring->lanes[rank];
    uint32_t ranks = make->ring->options.ranks;
    bool package = rank % (PES * CUBES) == PES * CUBES - 1 || rank + 1 == ranks;
    bool cube = rank % PES == PES - 1;
    int64_t mesh_ps = 1283 * (1 + rank % 3);
    const uint64_t narrow_ps = package ? 4445 : cube ? 2000 : 1000;
    const uint64_t narrow_latency = package ? 200000 : cube ? 16000 : 1283;
    const kb_link links[LINKS] = {
        {NULL, 256000000000, 1000, 1283},
        {NULL, 256000000000000 / narrow_ps, narrow_ps, narrow_latency},
        {NULL, 512000000000, 500, 1},
    };
    uint32_t ids[LINKS];
    for (uint32_t i = 0; i < LINKS; i++) {
        static const char *const suffixes[] = {".out", ".narrow", ".tcm.port"};
        kb_link link = links[i];
        link.name = name_of(make, rank, suffixes[i]);
        ADD(make, link, link);
        ids[i] = make->id;
    }
    ADD(make, route, (kb_route){ids, LINKS});
    lane->path = (bench_path){(int64_t)narrow_ps, mesh_ps + (int64_t)narrow_latency, ids[0], ids[1]};
}

static void add_rank(maker *make, uint32_t rank) {
    ADD(make, pe,
        (kb_pe){rank, rank / (PES * CUBES), rank / PES % CUBES, rank % PES, name_of(make, rank, "")});
    ADD(make, stream, (kb_stream){rank, rank, name_of(make, rank, "")});
    ADD(make, memory,
        (kb_memory){KB_SPACE_TCM, rank, rank, 16 << 20, (uint64_t)rank << 32, name_of(make, rank, ".tcm")});
    add_engines(make, rank);
    add_path(make, rank);
}

static void add_queue(maker *make, uint32_t producer) {
    uint32_t consumer = producer + 1 == make->ring->options.ranks ? 0 : producer + 1;
    char name[NAME_CHARS];
    snprintf(name, sizeof name, "%u>%u", producer, consumer);
    ADD(make, queue,
        (kb_queue){producer, consumer, 0, bench_tcm_id(consumer), BENCH_RING_OFFSET, BENCH_SLOTS,
                   BENCH_SLOT_BYTES, name});
}

static void add_collectives(maker *make) {
    uint32_t ranks = make->ring->options.ranks, *all = bench_new(ranks * sizeof *all);
    uint64_t elements = (uint64_t)ranks * CHUNK_ELEMENTS, a_ring = (uint64_t)ranks * 2 * (ranks - 1) * 5;
    kb_part *parts = bench_new(ranks * sizeof *parts);
    for (uint32_t rank = 0; rank < ranks; rank++)
        all[rank] = rank;
    ADD(make, group, (kb_group){"all", all, ranks});
    for (uint64_t i = 0; i <= make->ring->options.records / a_ring; i++) {
        uint64_t offset = i % 4 * ranks * BENCH_SLOT_BYTES;
        for (uint32_t rank = 0; rank < ranks; rank++)
            parts[rank] = (kb_part){.rank = rank,
                                    .stream = rank,
                                    .input = bench_tcm_id(rank),
                                    .output = bench_tcm_id(rank),
                                    .input_offset_bytes = offset,
                                    .output_offset_bytes = offset,
                                    .input_count = elements,
                                    .output_count = elements};
        ADD(make, collective,
            (kb_collective){.kind = KB_COLL_ALL_REDUCE,
                            .reduce = KB_REDUCE_SUM,
                            .dtype = KB_DTYPE_F16,
                            .elements = elements,
                            .root = KB_NONE,
                            .algorithm = make->ring->kernel,
                            .parts = parts,
                            .part_count = ranks});
    }
    free(parts);
    free(all);
}

bench_ring *bench_ring_create(const bench_ring_options *options) {
    bench_ring *ring = bench_new(sizeof *ring);
    size_t ranks = options->ranks;
    bench_must(ranks >= 2, "a ring of less than two ranks");
    *ring = (bench_ring){.options = *options, .random = options->seed};
    ring->lanes = bench_new(ranks * sizeof *ring->lanes);
    ring->known = bench_new(ranks * BENCH_SHAPES * BENCH_TRAITS * sizeof *ring->known);
    kb_defs_init(&ring->defs, kb_alloc_heap(), 0);
    kb_arena_init(&ring->arena, kb_alloc_heap(), 0);
    maker make = {.ring = ring};
    kb_trail_init(&make.trail);
    ring->labels[0] = intern(&make, "reduce-scatter");
    ring->labels[1] = intern(&make, "all-gather");
    ring->kernel = intern(&make, "ring");
    ring->file = intern(&make, "ring.c");
    bench_must_kb(kb_defs_add_causes(&ring->defs, &make.trail), &make.trail);
    for (uint32_t rank = 0; rank < ranks; rank++)
        add_rank(&make, rank);
    for (uint32_t rank = 0; rank < ranks; rank++)
        add_queue(&make, rank);
    add_collectives(&make);
    ring->run = (kb_run){.model_version = "1",
                         .memory_model = "kb.mm.1",
                         .producer = "bench",
                         .bench = "allreduce",
                         .seed = options->seed,
                         .ranks = options->ranks};
    kb_run_identify(&ring->run);
    return ring;
}

void bench_ring_destroy(bench_ring *ring) {
    kb_defs_fini(&ring->defs);
    free(ring->known);
    kb_arena_fini(&ring->arena);
    free(ring->lanes);
    free(ring);
}

const kb_defs *bench_ring_defs(const bench_ring *ring) {
    return &ring->defs;
}

const kb_run *bench_ring_run(const bench_ring *ring) {
    return &ring->run;
}

int64_t bench_ring_end_ps(const bench_ring *ring) {
    return ring->end_ps;
}

size_t bench_ring_templates(const bench_ring *ring) {
    return ring->templates;
}

/* --- templates ------------------------------------------------------------------------------------- */

/* A shape's operands: W written, R read; in the own memory, or in the next rank's (N). */
typedef struct shape_row {
    uint16_t kind;
    uint8_t blocks, engine;
    uint32_t func;
    const char *operands; /* "WnRo": access, then own or next */
    uint8_t role, point;  /* of its claim */
    uint32_t line[2];     /* in the two halves of the ring */
    uint16_t waits, held; /* causes of its waiting, and of its being held up */
    uint16_t causes[4];   /* the rest: before the waiting, and after it */
} shape_row;

static const shape_row shapes[BENCH_SHAPES] = {
    [BENCH_BEGIN] =
        {KB_OP_COLL_BEGIN, KB_BLOCKS_DONE, KB_ENGINE_SEQUENCER, 0, "Ra", 0, 0, {12, 12}, 0, 0, {0}},
    [BENCH_COPY] = {KB_OP_IPCQ_COPY,
                    KB_BLOCKS_NO,
                    KB_ENGINE_IPCQ,
                    0,
                    "WnRo",
                    KB_ROLE_CREDIT,
                    KB_POINT_DONE,
                    {21, 31},
                    KB_CAUSE_CREDIT,
                    KB_CAUSE_CONTENTION,
                    {KB_CAUSE_SERIALISATION, KB_CAUSE_HOP, KB_CAUSE_COMMIT}},
    [BENCH_RECV] = {KB_OP_IPCQ_RECV,
                    KB_BLOCKS_DONE,
                    KB_ENGINE_IPCQ,
                    0,
                    "Ro",
                    KB_ROLE_COPY,
                    KB_POINT_DONE,
                    {22, 32},
                    KB_CAUSE_RING_EMPTY,
                    0,
                    {KB_CAUSE_PORT}},
    [BENCH_ADD] = {KB_OP_MATH,
                   KB_BLOCKS_DONE,
                   KB_ENGINE_MATH,
                   KB_FUNC_ADD,
                   "WoRoRo",
                   KB_ROLE_ENGINE,
                   KB_POINT_DONE,
                   {23, 23},
                   0,
                   KB_CAUSE_PORT,
                   {KB_CAUSE_COMPUTE, KB_CAUSE_COMMIT}},
    [BENCH_READ] = {KB_OP_DMA_READ,
                    KB_BLOCKS_DONE,
                    KB_ENGINE_DMA,
                    0,
                    "WoRo",
                    0,
                    0,
                    {33, 33},
                    0,
                    KB_CAUSE_PORT,
                    {KB_CAUSE_DMA_SETUP, KB_CAUSE_SERIALISATION}},
    [BENCH_RELEASE] = {KB_OP_IPCQ_RELEASE,
                       KB_BLOCKS_NO,
                       KB_ENGINE_IPCQ,
                       0,
                       "Ro",
                       0,
                       0,
                       {24, 34},
                       0,
                       0,
                       {KB_CAUSE_SERIALISATION, KB_CAUSE_HOP}},
    [BENCH_WAIT] = {KB_OP_WAIT,
                    KB_BLOCKS_DONE,
                    KB_ENGINE_SEQUENCER,
                    0,
                    "",
                    KB_ROLE_AWAITED,
                    KB_POINT_SENT,
                    {25, 35},
                    KB_CAUSE_AWAITED,
                    0,
                    {KB_CAUSE_DISPATCH}},
    [BENCH_END] = {KB_OP_COLL_END, KB_BLOCKS_DONE, KB_ENGINE_SEQUENCER, 0, "Ra", 0, 0, {14, 14}, 0, 0, {0}},
};

static void make_operands(const bench_ring *ring, bench_known *known, uint32_t rank, const char *operands) {
    uint32_t count = 0, next = rank + 1 == ring->options.ranks ? 0 : rank + 1;
    for (; *operands != '\0'; operands += 2) {
        uint64_t elements = CHUNK_ELEMENTS * (operands[1] == 'a' ? ring->options.ranks : 1);
        known->operands[count++] =
            kb_operand_vector(bench_tcm_id(operands[1] == 'n' ? next : rank),
                              operands[0] == 'W' ? KB_ACCESS_WRITE : KB_ACCESS_READ, KB_DTYPE_F16, elements);
    }
    known->what.operand_count = count;
    known->what.operands = known->operands;
}

static void make_claim(const bench_ring *ring, bench_known *known, uint32_t rank, const shape_row *row) {
    uint32_t ranks = ring->options.ranks, whom = rank;
    if (row->role == KB_ROLE_CREDIT)
        whom = rank + 1 == ranks ? 0 : rank + 1;
    else if (row->role == KB_ROLE_COPY)
        whom = (rank == 0 ? ranks : rank) - 1;
    known->claims[0] = (kb_claim){whom, row->role, row->point, KB_SET_ONE, 0};
    known->what.claim_count = 1;
    known->what.claims = known->claims;
}

static uint8_t resource_of(uint16_t cause) {
    switch (cause) {
    case KB_CAUSE_CREDIT:
    case KB_CAUSE_RING_EMPTY: return KB_RESOURCE_QUEUE;
    case KB_CAUSE_CONTENTION: return KB_RESOURCE_LINK;
    case KB_CAUSE_PORT:
    case KB_CAUSE_COMMIT: return KB_RESOURCE_MEMORY;
    case KB_CAUSE_SERIALISATION:
    case KB_CAUSE_HOP: return KB_RESOURCE_LINK;
    default: return KB_RESOURCE_ENGINE;
    }
}

static void make_whys(bench_known *known, const shape_row *row, unsigned traits) {
    uint32_t count = 0;
    known->whys[count++] = (kb_why){KB_CAUSE_DISPATCH, KB_RESOURCE_ENGINE, 0};
    if (traits & BENCH_WAITS)
        known->whys[count++] = (kb_why){row->waits, resource_of(row->waits), 1};
    if (traits & BENCH_HELD)
        known->whys[count++] = (kb_why){row->held, resource_of(row->held), 1};
    for (uint32_t i = 0; row->causes[i] != 0; i++)
        known->whys[count++] = (kb_why){row->causes[i], resource_of(row->causes[i]), 0};
    known->what.why_count = count;
    known->what.whys = known->whys;
}

static bench_known *make_template(bench_ring *ring, uint32_t rank, enum bench_shape shape, unsigned traits) {
    const shape_row *row = &shapes[shape];
    kb_trail trail;
    void *block;
    kb_trail_init(&trail);
    bench_must_kb(kb_arena_new(&ring->arena, sizeof(bench_known), &block, &trail), &trail);
    bench_known *known = block;
    bool gather = (traits & BENCH_GATHER) != 0, edge = shape == BENCH_BEGIN || shape == BENCH_END;
    bool queue = row->engine == KB_ENGINE_IPCQ, sends = shape == BENCH_COPY;
    uint32_t former = (rank == 0 ? ring->options.ranks : rank) - 1;
    known->what = (kb_template){
        .kind = row->kind,
        .blocks = row->blocks,
        .reached = KB_POINT_DONE,
        .stream = rank,
        .engine = bench_engine_id(rank, row->engine),
        .queue = queue ? bench_queue_id(sends ? rank : former) : KB_NONE,
        .route = sends ? rank : KB_NONE,
        .group = KB_NONE,
        .func = row->func,
        .step = edge ? KB_NONE : ring->labels[gather],
        .kernel = ring->kernel,
        .file = ring->file,
        .line = row->line[gather],
    };
    make_operands(ring, known, rank, row->operands);
    if (traits & BENCH_CLAIMS_IT)
        make_claim(ring, known, rank, row);
    if (ring->options.whys)
        make_whys(known, row, traits);
    known->number = ring->templates++;
    return known;
}

uint32_t bench_template(bench_ring *ring, uint32_t rank, enum bench_shape shape, unsigned traits,
                        const kb_template **ret_what) {
    if (!ring->options.whys)
        traits &= BENCH_GATHER | BENCH_CLAIMS_IT;
    bench_known **place = &ring->known[((size_t)rank * BENCH_SHAPES + shape) * BENCH_TRAITS + traits];
    if (*place == NULL)
        *place = make_template(ring, rank, shape, traits);
    *ret_what = &(*place)->what;
    return (*place)->number;
}

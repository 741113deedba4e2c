/* SPDX-License-Identifier: Apache-2.0 */
/* Random definitions and ops: see records.h. */
#include "support/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

enum { TEMPLATES = 6, STREAMS = 3, PAYLOAD = 200, MANY_CLAIMS = 90, STRINGS = 5 };

typedef struct shape {
    kb_template key;
    kb_operand operands[KB_OPERANDS_MAX];
    kb_claim claims[MANY_CLAIMS];
    kb_why whys[6];
    uint64_t immediates[3];
} shape;

struct records_rank {
    random_source random; /* its own, so that ranks may take turns in any order */
    shape shapes[TEMPLATES];
    kb_op op;
    uint64_t offsets[KB_OPERANDS_MAX];
    uint64_t claimed[MANY_CLAIMS];
    kb_blame blames[6];
    uint8_t payload[PAYLOAD];
};

static uint32_t below(records *r, uint32_t bound) {
    return (uint32_t)random_below(&r->random, bound);
}

/* --- definitions ----------------------------------------------------------------------------- */

#define ADD(name, ...)                                                                  \
    do {                                                                                \
        uint32_t id_;                                                                   \
        kb_trail trail_;                                                                \
        kb_trail_init(&trail_);                                                         \
        check_ok(kb_defs_add_##name(&r->defs, &(__VA_ARGS__), &id_, &trail_), &trail_); \
    } while (0)

static void define_rank(records *r, uint32_t rank) {
    char name[32];
    snprintf(name, sizeof name, "sip0.cube%u.pe%u", rank / 8, rank % 8);
    ADD(pe, (kb_pe){rank, 0, rank / 8, rank % 8, name});
    for (uint32_t i = 0; i < STREAMS; i++)
        ADD(stream, (kb_stream){rank, i == 0 ? KB_NONE : rank, i == 0 ? "host" : name});
    ADD(engine, (kb_engine){KB_ENGINE_MATH, KB_PROMISE_TOTAL, rank * STREAMS + 1, 1, "math"});
    ADD(memory, (kb_memory){KB_SPACE_TCM, rank, rank, (uint64_t)1 << 40, (uint64_t)rank << 42, name});
    ADD(queue,
        (kb_queue){rank * STREAMS + 1, (rank + 1) % r->ranks * STREAMS + 1, 0, rank, 4096, 4, 4096, "q"});
    ADD(counter, (kb_counter){"occupancy", "slots", rank, KB_RESOURCE_QUEUE, rank});
    ADD(initial, (kb_initial){rank, KB_DTYPE_F16, KB_RECIPE_INTS, 64, 1000, random_u64(&r->random), 7, -4.0,
                              4.0, NULL, 0});
}

static void define(records *r) {
    static const char *const texts[STRINGS] = {"ring", "ring.c", "reduce-scatter", "größe", ""};
    for (size_t i = 0; i < STRINGS; i++)
        ADD(string, (kb_string){texts[i]});
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kb_defs_add_causes(&r->defs, &trail), &trail);
    for (uint32_t rank = 0; rank < r->ranks; rank++)
        define_rank(r, rank);
    const uint32_t links[] = {0, 1, 0}, ranks[] = {0, r->ranks - 1};
    const uint64_t extents[] = {3, 5}, origin[] = {0, 0};
    const int64_t stride[] = {5, 1};
    const uint8_t bytes[] = {1, 2, 0, 255};
    ADD(setting, (kb_setting){"ipcq.slots", "4", "default"});
    ADD(link, (kb_link){"a", 256000000000u, 1000, 9});
    ADD(link, (kb_link){"b", 0, 0, UINT64_MAX});
    ADD(route, (kb_route){links, 3});
    ADD(route, (kb_route){NULL, 0});
    ADD(group, (kb_group){"all", ranks, 2});
    kb_shard shard = {0, 128, origin, 2, extents, 2, stride, 2};
    ADD(tensor, (kb_tensor){"x", KB_DTYPE_F32, KB_NONE, extents, 2, &shard, 1});
    ADD(initial, (kb_initial){0, KB_DTYPE_BYTES, KB_RECIPE_BYTES, 0, 4, 0, 0, 0, -0.0, bytes, sizeof bytes});
    kb_part part = {0, 1, 0, KB_NONE, 8, 0, 1, 2, UINT64_MAX, 0};
    ADD(collective, (kb_collective){KB_COLL_ALL_REDUCE, 0, KB_REDUCE_SUM, KB_DTYPE_F16, 1000, KB_NONE, 0,
                                    &part, 1, UINT64_MAX, KB_CUT_BISECTION});
}

/* --- templates ------------------------------------------------------------------------------- */

static uint32_t maybe(records *r, uint32_t bound) {
    return random_once_in(&r->random, 2) ? KB_NONE : below(r, bound);
}

static void random_operand(records *r, kb_operand *operand) {
    *operand = (kb_operand){.memory = below(r, r->ranks),
                            .access = (uint8_t)(1 + below(r, 3)),
                            .dtype = (uint8_t)(1 + below(r, 8)),
                            .dims = (uint8_t)below(r, KB_DIMS_MAX + 1)};
    for (uint32_t d = 0; d < operand->dims; d++) {
        operand->shape[d] = r->wild ? random_extreme_u64(&r->random, UINT64_MAX) : 1 + below(r, 64);
        operand->stride[d] = r->wild ? random_extreme_i64(&r->random) : 1;
    }
}

static void random_shape(records *r, uint32_t rank, uint32_t number, shape *s) {
    memset(s, 0, sizeof *s);
    uint32_t claims = r->wild && number == 0 ? MANY_CLAIMS : below(r, 4);
    s->key = (kb_template){
        .kind = (uint16_t)(1 + below(r, KB_OP_LIMIT - 1)),
        .blocks = (uint8_t)(1 + below(r, 3)),
        .reached = (uint8_t)(r->wild ? 1 + below(r, 4) : KB_POINT_DONE),
        .stream = rank * STREAMS + below(r, STREAMS),
        .engine = maybe(r, r->ranks),
        .queue = maybe(r, r->ranks),
        .route = maybe(r, 2),
        .group = maybe(r, 1),
        .func = below(r, kb_word_limit(KB_VOC_FUNC)),
        .flags = below(r, 16),
        .step = maybe(r, STRINGS),
        .kernel = maybe(r, STRINGS),
        .file = maybe(r, STRINGS),
        .line = below(r, 500),
        .operand_count = r->wild && number == 1 ? KB_OPERANDS_MAX : below(r, 4),
        .claim_count = claims,
        .why_count = below(r, 7),
        .immediate_count = below(r, 4),
        .operands = s->operands,
        .claims = s->claims,
        .whys = s->whys,
        .immediates = s->immediates,
    };
    for (uint32_t i = 0; i < s->key.operand_count; i++)
        random_operand(r, &s->operands[i]);
    for (uint32_t i = 0; i < claims; i++)
        s->claims[i] = (kb_claim){below(r, r->ranks), (uint8_t)(1 + below(r, 8)), (uint8_t)(3 + below(r, 2)),
                                  (uint8_t)(1 + below(r, 4)), 0};
    for (uint32_t i = 0; i < s->key.why_count; i++)
        s->whys[i] = (kb_why){(uint16_t)(1 + below(r, KB_CAUSE_LIMIT - 1)), (uint8_t)(1 + below(r, 6)),
                              (uint8_t)below(r, 2)};
    for (uint32_t i = 0; i < s->key.immediate_count; i++)
        s->immediates[i] = random_extreme_u64(&r->random, UINT64_MAX);
}

/* --- ops -------------------------------------------------------------------------------------- */

static int64_t time_after(records *r, int64_t ps) {
    if (!r->wild)
        return ps + 1000 * (int64_t)below(r, 3);
    if (random_once_in(&r->random, 50))
        return (int64_t)random_below(&r->random, KB_TIME_MAX_PS); /* ends may lie before starts */
    return ps + (int64_t)random_extreme_u64(&r->random, 1 << 20) % (1 << 20);
}

static uint64_t number(records *r, uint64_t former, uint64_t regular) {
    if (r->wild && random_once_in(&r->random, 4))
        return random_extreme_u64(&r->random, UINT64_MAX);
    return former + regular;
}

static void fill_lists(records *r, struct records_rank *of) {
    kb_op *op = &of->op;
    int64_t left = op->done_ps - op->issue_ps;
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        of->offsets[i] = number(r, of->offsets[i], 64);
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        of->claimed[i] = op->what->claims[i].set == KB_SET_ONE ? number(r, op->index, (uint64_t)0 - 3) : 0;
    for (uint32_t i = 0; i < op->what->why_count; i++) {
        bool last = i + 1 == op->what->why_count;
        int64_t ps = last ? left : left / 2;
        if (r->wild && random_once_in(&r->random, 8))
            ps = random_extreme_i64(&r->random);
        bool blames = op->what->whys[i].blames != 0;
        of->blames[i] = (kb_blame){ps, r->wild ? (uint32_t)random_extreme_u64(&r->random, UINT32_MAX) : 1,
                                   blames ? below(r, r->ranks) : 0, blames ? number(r, op->index, 1) : 0};
        left = (int64_t)((uint64_t)left - (uint64_t)ps);
    }
}

const kb_op *records_next(records *r, uint32_t rank) {
    struct records_rank *of = &r->state[rank];
    kb_op *op = &of->op;
    r->random = of->random;
    uint64_t index = op->what == NULL ? 0 : op->index + 1;
    if (r->wild && random_once_in(&r->random, 40))
        random_shape(r, rank, 2, &of->shapes[2 + below(r, TEMPLATES - 2)]);
    op->what = &of->shapes[r->wild ? below(r, TEMPLATES) : (uint32_t)(index % TEMPLATES)].key;
    op->index = index;
    op->issue_ps += r->wild ? (int64_t)random_below(&r->random, 5000) : 4000;
    op->start_ps = time_after(r, op->issue_ps);
    op->sent_ps = time_after(r, op->start_ps);
    op->done_ps = time_after(r, op->sent_ps);
    op->step = number(r, op->step, index % TEMPLATES == 0);
    op->sequence = number(r, op->sequence, 1);
    op->id = number(r, op->id, 0);
    op->tile = number(r, op->tile, 0);
    op->collective = number(r, op->collective, 0);
    op->value = number(r, op->value, 0);
    op->payload_size = random_once_in(&r->random, 16) ? below(r, PAYLOAD + 1) : 0;
    random_bytes(&r->random, of->payload, (size_t)op->payload_size);
    fill_lists(r, of);
    op->offsets = of->offsets;
    op->claimed = of->claimed;
    op->blames = of->blames;
    op->payload = of->payload;
    of->random = r->random;
    return op;
}

/* --- life ------------------------------------------------------------------------------------- */

void records_init(records *r, uint64_t seed, uint32_t ranks, bool wild) {
    memset(r, 0, sizeof *r);
    random_init(&r->random, seed);
    r->ranks = ranks;
    r->streams_per_rank = STREAMS;
    r->wild = wild;
    kb_defs_init(&r->defs, kb_alloc_heap(), 0);
    define(r);
    r->run = (kb_run){.model_version = "test.1",
                      .memory_model = "kb.mm.1",
                      .producer = "kb-test",
                      .bench = "random",
                      .seed = seed,
                      .ranks = ranks};
    random_bytes(&r->random, r->run.config_digest.bytes, sizeof(kb_digest));
    random_bytes(&r->random, r->run.program_digest.bytes, sizeof(kb_digest));
    kb_run_identify(&r->run);
    r->state = calloc(ranks, sizeof *r->state);
    assert_non_null(r->state);
    for (uint32_t rank = 0; rank < ranks; rank++) {
        for (uint32_t i = 0; i < TEMPLATES; i++)
            random_shape(r, rank, i, &r->state[rank].shapes[i]);
        random_init(&r->state[rank].random, random_u64(&r->random));
    }
}

void records_fini(records *r) {
    kb_defs_fini(&r->defs);
    free(r->state);
}

/* --- equality ---------------------------------------------------------------------------------- */

static bool same(const void *a, const void *b, size_t size) {
    return size == 0 || memcmp(a, b, size) == 0;
}

static bool templates_equal(const kb_template *a, const kb_template *b) {
    return same(a, b, offsetof(kb_template, operands)) &&
           same(a->operands, b->operands, a->operand_count * sizeof *a->operands) &&
           same(a->claims, b->claims, a->claim_count * sizeof *a->claims) &&
           same(a->whys, b->whys, a->why_count * sizeof *a->whys) &&
           same(a->immediates, b->immediates, a->immediate_count * sizeof *a->immediates);
}

bool records_equal(const kb_op *a, const kb_op *b) {
    return templates_equal(a->what, b->what) && a->index == b->index && a->issue_ps == b->issue_ps &&
           a->start_ps == b->start_ps && a->sent_ps == b->sent_ps && a->done_ps == b->done_ps &&
           a->step == b->step && a->sequence == b->sequence && a->id == b->id && a->tile == b->tile &&
           a->collective == b->collective && a->value == b->value && a->payload_size == b->payload_size &&
           same(a->payload, b->payload, (size_t)a->payload_size) &&
           same(a->offsets, b->offsets, a->what->operand_count * sizeof *a->offsets) &&
           same(a->claimed, b->claimed, a->what->claim_count * sizeof *a->claimed) &&
           same(a->blames, b->blames, a->what->why_count * sizeof *a->blames);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From an op of the simulation to a record of the trace; see outbox.h. */
#include "run/outbox.h"

#include <assert.h>
#include <string.h>

/* The last point of which a time is known, and that time. */
static uint8_t reached(const kbs_op *op, int64_t *ret_ps) {
    if (op->record.done_ps != KBS_UNKNOWN) {
        *ret_ps = op->record.done_ps;
        return KB_POINT_DONE;
    }
    if (op->record.sent_ps != KBS_UNKNOWN) {
        *ret_ps = op->record.sent_ps;
        return KB_POINT_SENT;
    }
    *ret_ps = op->record.start_ps != KBS_UNKNOWN ? op->record.start_ps : op->record.issue_ps;
    return op->record.start_ps != KBS_UNKNOWN ? KB_POINT_START : KB_POINT_ISSUE;
}

/*
 * Notes of a pending op cover what is known: up to its start, none before. What lies between its start
 * and its sent is not taken apart.
 */
static void end_notes(kbs_sim *sim, kbs_op *op, int64_t last_ps) {
    int64_t rest_ps = last_ps - op->record.issue_ps;
    uint32_t count = 0;
    while (count < op->why_count && rest_ps >= op->blames[count].ps)
        rest_ps -= op->blames[count++].ps;
    memset(op->whys + count, 0, (op->why_count - count) * sizeof *op->whys);
    op->why_count = count;
    kbs_op_took(sim, op, KB_CAUSE_SERIALISATION, rest_ps);
    kbs_op_note_all(sim, op,
                    &(kbs_note){.cause = KB_CAUSE_UNFINISHED, .resource = KB_RESOURCE_NONE, .id = KB_NONE});
}

static void fill_template(const kbs_sim *sim, const kbs_op *op, kb_template *what) {
    const kbs_common *common = &op->shape->common;
    const kbs_program *program = sim->program;
    what->kind = common->kind;
    what->blocks = common->blocks;
    what->stream = op->pe->is_host ? kbs_host_stream(program, op->rank) : kbs_pe_stream(program, op->pe->pe);
    what->engine = op->engine;
    what->queue = common->queue;
    what->route = op->route;
    what->group = common->group;
    what->func = common->func;
    what->flags = common->flags;
    what->step = common->step;
    what->kernel = common->kernel;
    what->file = common->file;
    what->line = common->line;
    what->operand_count = common->operand_count;
    what->operands = common->operands;
    what->immediate_count = common->immediate_count;
    what->immediates = common->immediates;
    what->claims = op->claims;
    what->claim_count = op->claim_count;
    what->whys = op->whys;
    what->why_count = op->why_count;
}

/* --- variants -------------------------------------------------------------------------------- */

/*
 * A template that ops of a shape came to have: they differ in whom they claim and in what took their
 * time. There are few, and mostly the last one comes again.
 */
typedef struct kbs_variant {
    /* What is compared: a line of the cache. More than has room here is where `what` says. */
    _Alignas(KB_CACHE_LINE) void *known; /* the sink's own */
    uint32_t route;
    uint16_t claim_count;
    uint8_t why_count, reached;
    kb_claim claims[KBS_CLAIMS];
    kb_why whys[KBS_WHYS];
    struct kbs_variant *next;
    kb_template what;
} kbs_variant;

/* All of what has room in every op, beyond the last one too: there are zeros. For every op, so no call. */
static inline bool same_own(const void *a, const void *b, size_t size) {
    const char *at = a, *beside = b;
    uint64_t differ = 0, x, y;
    for (size_t i = 0; i < size; i += sizeof x) {
        memcpy(&x, at + i, sizeof x);
        memcpy(&y, beside + i, sizeof y);
        differ |= x ^ y;
    }
    return differ == 0;
}

_Static_assert(KBS_WHYS * sizeof(kb_why) % sizeof(uint64_t) == 0 && sizeof(kb_claim) == sizeof(uint64_t),
               "same_own() takes whole words");
_Static_assert(KB_CLAIMS_MAX <= UINT16_MAX && KB_WHYS_MAX <= UINT8_MAX, "a variant counts in so many bits");

static inline bool same_whys(const kbs_variant *variant, const kbs_op *op) {
    return op->why_count <= KBS_WHYS
               ? same_own(variant->whys, op->whys, sizeof variant->whys)
               : memcmp(variant->what.whys, op->whys, op->why_count * sizeof(kb_why)) == 0;
}

static inline bool same_claims(const kbs_variant *variant, const kbs_op *op) {
    return op->claim_count <= KBS_CLAIMS
               ? same_own(variant->claims, op->claims, sizeof variant->claims)
               : memcmp(variant->what.claims, op->claims, op->claim_count * sizeof(kb_claim)) == 0;
}

/* All but what the shape says, or whose it is: the engine, too. */
static inline bool is_variant(const kbs_variant *variant, const kbs_op *op, uint8_t point) {
    return variant->reached == point && variant->route == op->route &&
           variant->claim_count == op->claim_count && variant->why_count == op->why_count &&
           same_whys(variant, op) && same_claims(variant, op);
}

static kb_status new_variant(kbs_sim *sim, const kbs_op *op, uint8_t point, kbs_variant **ret) {
    void *memory, *claims, *whys;
    KB_TRY(kb_arena_new_in_lines(&sim->arena, sizeof(kbs_variant), &memory, &sim->trail));
    kbs_variant *variant = memory;
    variant->reached = variant->what.reached = point;
    variant->route = op->route;
    variant->why_count = (uint8_t)op->why_count;
    variant->claim_count = (uint16_t)op->claim_count;
    fill_template(sim, op, &variant->what);
    memcpy(variant->whys, op->whys, sizeof variant->whys);
    memcpy(variant->claims, op->claims, sizeof variant->claims);
    variant->what.whys = variant->whys;
    variant->what.claims = variant->claims;
    if (op->why_count > KBS_WHYS) {
        KB_TRY(kb_arena_copy(&sim->arena, op->whys, op->why_count * sizeof(kb_why), &whys, &sim->trail));
        variant->what.whys = whys;
    }
    if (op->claim_count > KBS_CLAIMS) {
        KB_TRY(
            kb_arena_copy(&sim->arena, op->claims, op->claim_count * sizeof(kb_claim), &claims, &sim->trail));
        variant->what.claims = claims;
    }
    *ret = variant;
    return KB_OK;
}

/* Not the first one, or a new one: it is the first of its shape afterwards. */
static __attribute__((noinline)) kb_status other_variant(kbs_sim *sim, const kbs_op *op, uint8_t point,
                                                         kbs_variant **ret) {
    kbs_variant **link = &op->shape->variants, *variant = *link;
    while (variant != NULL && !is_variant(variant, op, point)) {
        link = &variant->next;
        variant = *link;
    }
    if (variant == NULL)
        KB_TRY(new_variant(sim, op, point, &variant));
    else
        *link = variant->next;
    variant->next = op->shape->variants;
    op->shape->variants = variant;
    *ret = variant;
    return KB_OK;
}

static inline kb_status variant_of(kbs_sim *sim, const kbs_op *op, uint8_t point, kbs_variant **ret) {
    kbs_variant *first = op->shape->variants;
    if (first == NULL || !is_variant(first, op, point))
        return other_variant(sim, op, point, ret);
    *ret = first;
    return KB_OK;
}

/* --- putting --------------------------------------------------------------------------------- */

/* The numbers of an op that is known up to last_ps, not beyond; the caller says its template. */
static kb_op pending_record(const kbs_op *op, int64_t last_ps) {
    kb_op record = op->record;
    int64_t *const points[] = {&record.start_ps, &record.sent_ps, &record.done_ps};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        if (*points[i] == KBS_UNKNOWN)
            *points[i] = last_ps;
    return record;
}

static kb_status put_as(kbs_sim *sim, uint32_t rank, kb_op *record, kbs_variant *variant) {
    record->what = &variant->what;
    return sim->sink->put(sim->sink->context, rank, record, &variant->known, &sim->trail);
}

static kb_status put_pending(kbs_sim *sim, kbs_op *op) {
    kbs_variant *variant;
    int64_t last_ps;
    const uint8_t point = reached(op, &last_ps);
    end_notes(sim, op, last_ps);
    kb_op record = pending_record(op, last_ps);
    KB_TRY(variant_of(sim, op, point, &variant));
    return put_as(sim, op->rank, &record, variant);
}

static kb_status put(kbs_sim *sim, kbs_op *op) {
    kbs_variant *variant;
    if (op->record.done_ps == KBS_UNKNOWN)
        return put_pending(sim, op);
    KB_TRY(variant_of(sim, op, KB_POINT_DONE, &variant));
    return put_as(sim, op->rank, &op->record, variant);
}

/* Of a launch there is one in each rank: it is no variant of its shape, which all ranks share. */
static kb_status put_launch(kbs_sim *sim, kbs_op *op, bool again) {
    const kbs_sink *sink = sim->sink;
    void *known = NULL;
    int64_t last_ps;
    kb_template what = {.reached = reached(op, &last_ps)};
    if (what.reached != KB_POINT_DONE)
        end_notes(sim, op, last_ps);
    fill_template(sim, op, &what);
    kb_op record = pending_record(op, last_ps);
    record.what = &what;
    if (again)
        return sink->amend(sink->context, op->rank, &record, &sim->trail);
    return sink->put(sink->context, op->rank, &record, &known, &sim->trail);
}

static void check(kbs_sim *sim, kb_status status) {
    if (status != KB_OK)
        kbs_sim_fail(sim, status);
}

/* A launch whose stamp is known: the rank's ops behind it need not wait for its end. */
static bool is_launched(const kbs_op *op) {
    return op->shape->common.kind == KB_OP_LAUNCH && op->record.sent_ps != KBS_UNKNOWN;
}

static void tell_launch(kbs_sim *sim, kbs_op *op) {
    const uint32_t known = op->why_count;
    const int64_t noted_ps = op->noted_ps;
    if (sim->status == KB_OK)
        check(sim, put_launch(sim, op, false));
    op->why_count = known; /* the launch goes on */
    op->noted_ps = noted_ps;
    op->told = true;
}

static void amend_launches(kbs_sim *sim) {
    while (sim->amended != NULL) {
        kbs_op *op = sim->amended;
        if (sim->status == KB_OK)
            check(sim, put_launch(sim, op, true));
        sim->amended = op->next;
        kbs_op_free(sim, op);
    }
    sim->amended_count = 0;
}

void kbs_outbox_amend_launch(kbs_sim *sim, kbs_op *op) {
    enum { MOST = 4096 }; /* each waits for all that was put before to be encoded: best many at one go */
    op->next = NULL;
    if (sim->amended == NULL)
        sim->amended = op;
    else
        sim->amended_last->next = op;
    sim->amended_last = op;
    if (++sim->amended_count == MOST)
        amend_launches(sim);
}

static void put_first(kbs_sim *sim, kbs_rank *rank) {
    kbs_op *op = rank->first;
    rank->first = op->next;
    if (is_launched(op)) {
        tell_launch(sim, op);
        if (!op->finished)
            return;
    } else if (sim->status == KB_OK) {
        check(sim, put(sim, op));
    }
    kbs_op_free(sim, op);
}

void kbs_outbox_flush(kbs_sim *sim, uint32_t number) {
    kbs_rank *rank = &sim->ranks[number];
    while (rank->first != NULL && (rank->first->finished || is_launched(rank->first)))
        put_first(sim, rank);
}

void kbs_outbox_flush_all(kbs_sim *sim) {
    for (uint32_t i = 0; i < sim->program->ranks; i++)
        while (sim->ranks[i].first != NULL)
            put_first(sim, &sim->ranks[i]);
    amend_launches(sim);
}

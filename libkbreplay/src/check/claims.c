/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims: each claim is one that its kind may make, and those that a kind must make are there.
 *
 * A claim is an edge, so one that no rule allows would hide a race, and one that is missing leaves a gap
 * that only timing fills. Whether these claims exist never depends on times. Those of queues are checked
 * by `queue`, which knows what they should name; that a named op fits is for `causality`, which looks it up.
 */
#include <inttypes.h>
#include <string.h>

#include "check/check.h"
#include "op/op.h"

typedef struct stream_state {
    bool any;
    kbr_mention unlaunched; /* its first op, if that claims no launch */
    uint64_t launch;        /* 1 + index of the launch that it works for, or 0 */
} stream_state;

typedef struct state {
    kbr_pass *pass;
    stream_state *streams;
    kbr_mention *served; /* [engines]: the op before, of an engine that promises an order */
    bool *launches;      /* [ranks]: a launch was read */
} state;

static void close_claims(void *user, const kb_alloc *alloc) {
    state *it = user;
    kb_delete(alloc, it->streams, it->pass->defs->stream_count * sizeof(stream_state));
    kb_delete(alloc, it->served, it->pass->defs->engine_count * sizeof(kbr_mention));
    kb_delete(alloc, it->launches, it->pass->run->ranks * sizeof(bool));
    kb_delete(alloc, it, sizeof *it);
}

static kb_status new_arrays(state *it, kb_trail *trail) {
    const kbr_pass *pass = it->pass;
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->defs->stream_count * sizeof(stream_state), &block, trail));
    it->streams = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->defs->engine_count * sizeof(kbr_mention), &block, trail));
    it->served = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->run->ranks * sizeof(bool), &block, trail));
    it->launches = block;
    return KB_OK;
}

static kb_status open_claims(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, sizeof(state), &block, trail));
    state *it = block;
    it->pass = pass;
    kb_status status = new_arrays(it, trail);
    if (status != KB_OK) {
        close_claims(it, pass->alloc);
        return status;
    }
    *ret_state = it;
    return KB_OK;
}

#define SAY(it, rank, op, rule, ...)                                                                \
    do {                                                                                            \
        kbr_finding finding_ = kbr_finding_about((it)->pass->defs, "claims", (rule), (rank), (op)); \
        finding_.key = (op)->what->kind;                                                            \
        kbr_finding_say(&finding_, __VA_ARGS__);                                                    \
        kbr_findings_add((it)->pass->findings, &finding_);                                          \
    } while (0)

/* --- what may be claimed ----------------------------------------------------------------------- */

enum { ANY = 0, COMPOSITE = UINT16_MAX }; /* kinds: every one; those whose id numbers composites */

#define SENT (1u << KB_POINT_SENT)
#define DONE (1u << KB_POINT_DONE)

typedef struct form {
    uint8_t role;
    uint16_t kind; /* of the claimer */
    uint8_t set;
    uint8_t points;
    bool abroad; /* the claimed op may be of another rank */
} form;

static const form forms[] = {
    {KB_ROLE_OBSERVED, ANY, KB_SET_STREAM, DONE, false},
    {KB_ROLE_COPY, KB_OP_IPCQ_RECV, KB_SET_ONE, DONE, true},
    {KB_ROLE_CREDIT, KB_OP_IPCQ_COPY, KB_SET_ONE, DONE, true},
    {KB_ROLE_ENGINE, ANY, KB_SET_ONE, DONE, false},
    {KB_ROLE_STAGE, COMPOSITE, KB_SET_ONE, SENT | DONE, false},
    {KB_ROLE_LAUNCH, ANY, KB_SET_ONE, SENT, false},
    {KB_ROLE_AWAITED, KB_OP_WAIT, KB_SET_ONE, SENT | DONE, false},
    {KB_ROLE_AWAITED, KB_OP_FENCE, KB_SET_STREAM, DONE, false},
    {KB_ROLE_COMPLETION, KB_OP_LAUNCH, KB_SET_LAUNCHED, DONE, false},
    {KB_ROLE_COMPLETION, COMPOSITE, KB_SET_COMPOSITE, DONE, false},
};

static bool in_composite(const kb_op *op) {
    return op->id != 0 && strcmp(kb_kind_describe(op->what->kind)->id_name, "composite") == 0;
}

static bool allowed(const kb_op *op, uint32_t rank, const kb_claim *claim) {
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const form *it = &forms[i];
        bool kind =
            it->kind == ANY || (it->kind == COMPOSITE ? in_composite(op) : it->kind == op->what->kind);
        if (kind && it->role == claim->role && it->set == claim->set &&
            (it->points >> claim->point & 1) != 0 && (it->abroad || claim->rank == rank))
            return true;
    }
    return false;
}

/* Can the claim be followed at all? */
static bool understood(const state *it, uint32_t rank, const kb_op *op, uint32_t number) {
    const kb_claim *claim = &op->what->claims[number];
    bool known = kb_word_name(KB_VOC_ROLE, claim->role) != NULL &&
                 kb_word_name(KB_VOC_SET, claim->set) != NULL &&
                 (claim->point == KB_POINT_SENT || claim->point == KB_POINT_DONE);
    if (!known || claim->rank >= it->pass->run->ranks) {
        SAY(it, rank, op, "claim", "claim %" PRIu32 " has role %u, set %u, point %u, rank %" PRIu32, number,
            claim->role, claim->set, claim->point, claim->rank);
        return false;
    }
    if (claim->set == KB_SET_ONE && claim->rank == rank && op->claimed[number] == op->index) {
        SAY(it, rank, op, "claim", "claim %" PRIu32 " names the op itself", number);
        return false;
    }
    return true;
}

static void check_allowed(const state *it, uint32_t rank, const kb_op *op) {
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (!allowed(op, rank, claim))
            SAY(it, rank, op, "not allowed",
                "no rule lets a %s claim `%s` of `%s` in rank %" PRIu32 " as `%s`",
                kb_kind_describe(op->what->kind)->name, kb_word_name(KB_VOC_POINT, claim->point),
                kb_word_name(KB_VOC_SET, claim->set), claim->rank, kb_word_name(KB_VOC_ROLE, claim->role));
    }
}

/* --- what must be claimed ---------------------------------------------------------------------- */

/* The number of the claim in a role, or the count of claims. */
static uint32_t claim_of(const kb_op *op, unsigned role) {
    uint32_t i = 0;
    while (i < op->what->claim_count && op->what->claims[i].role != role)
        i++;
    return i;
}

static bool claims_role(const kb_op *op, unsigned role) {
    return claim_of(op, role) < op->what->claim_count;
}

static void report_edge(const state *it, const char *rule, uint32_t rank, const kb_op *op,
                        const kbr_mention *whom, const char *message) {
    kbr_finding finding = kbr_finding_about(it->pass->defs, "claims", rule, rank, op);
    finding.key = op->what->kind;
    if (whom != NULL)
        kbr_finding_mention(&finding, whom);
    kbr_finding_say(&finding, "no edge: %s", message);
    kbr_findings_add(it->pass->findings, &finding);
}

/* On an engine that promises an order: the op before, and none but that. */
static void check_engine(state *it, uint32_t rank, const kb_op *op) {
    uint32_t engine = op->what->engine;
    bool promises = engine != KB_NONE && it->pass->defs->engines[engine].promise == KB_PROMISE_TOTAL;
    const kbr_mention *former = promises ? &it->served[engine] : NULL;
    bool known = former != NULL && former->known, there = false;
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        if (op->what->claims[i].role != KB_ROLE_ENGINE)
            continue;
        if (known && op->claimed[i] == former->index)
            there = true;
        else
            report_edge(it, "engine", rank, op, known ? former : NULL,
                        promises ? "it claims another op than the one before it on its engine"
                                 : "it claims an order that its engine does not promise");
    }
    if (known && !there && op->what->reached >= KB_POINT_START && !claims_role(op, KB_ROLE_ENGINE))
        report_edge(it, "engine", rank, op, former, "it does not claim the op before it on its engine");
    if (promises)
        it->served[engine] = kbr_mention_of(rank, op);
}

/* The first op of a PE in a launch claims the launch, and then all that the PE did before. */
static void check_launch(state *it, uint32_t rank, const kb_op *op) {
    stream_state *stream = &it->streams[op->what->stream];
    bool of_pe = it->pass->defs->streams[op->what->stream].pe != KB_NONE;
    uint32_t number = claim_of(op, KB_ROLE_LAUNCH);
    bool begins = number < op->what->claim_count, observes = claims_role(op, KB_ROLE_OBSERVED);
    it->launches[rank] = it->launches[rank] || op->what->kind == KB_OP_LAUNCH;
    if (!of_pe) {
        if (begins || observes)
            report_edge(it, "launch", rank, op, NULL, "it is of a host, whose program nobody launches");
        return;
    }
    if (!stream->any && !begins)
        stream->unlaunched = kbr_mention_of(rank, op);
    if (begins && op->claimed[number] + 1 == stream->launch)
        report_edge(it, "launch", rank, op, NULL, "it claims a launch that is under way in its stream");
    else if (begins && stream->any && !observes)
        report_edge(it, "launch", rank, op, NULL,
                    "it begins a launch and does not claim what its stream did in the former one");
    else if (observes && !(begins && stream->any))
        report_edge(it, "launch", rank, op, NULL, "it claims all of its stream and begins no later launch");
    if (begins)
        stream->launch = op->claimed[number] + 1;
}

static void check_required(state *it, uint32_t rank, const kb_op *op) {
    const kb_template *what = op->what;
    bool waits = what->kind == KB_OP_WAIT || what->kind == KB_OP_FENCE;
    check_engine(it, rank, op);
    check_launch(it, rank, op);
    if (waits && what->reached >= KB_POINT_START && !claims_role(op, KB_ROLE_AWAITED))
        report_edge(it, "awaited", rank, op, NULL, "it claims nothing that it waits for");
    if (what->kind == KB_OP_LAUNCH && what->reached == KB_POINT_DONE && !claims_role(op, KB_ROLE_COMPLETION))
        report_edge(it, "completion", rank, op, NULL,
                    "it is done and does not claim the ops that it started");
    it->streams[what->stream].any = true;
}

static kb_status read_claims(void *user, uint32_t rank, const kb_op *op, kbr_fitness *inout_fitness,
                             kb_trail *trail) {
    (void)trail;
    state *it = user;
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        if (!understood(it, rank, op, i)) {
            *inout_fitness = KBR_UNKNOWN;
            return KB_OK;
        }
    check_allowed(it, rank, op);
    check_required(it, rank, op);
    return KB_OK;
}

/* Where a rank launches anything, all that its PEs do is of a launch. */
static kb_status finish_claims(void *user, kb_trail *trail) {
    (void)trail;
    const state *it = user;
    for (size_t i = 0; i < it->pass->defs->stream_count; i++) {
        const kbr_mention *first = &it->streams[i].unlaunched;
        if (!first->known || !it->launches[first->rank])
            continue;
        kbr_finding finding = kbr_finding_about(it->pass->defs, "claims", "launch", first->rank, NULL);
        finding.key = first->kind;
        finding.pe = it->pass->defs->streams[i].pe;
        finding.time_ps = first->time_ps;
        kbr_finding_mention(&finding, first);
        kbr_finding_say(&finding, "no edge: it is the first of its stream and claims no launch");
        kbr_findings_add(it->pass->findings, &finding);
    }
    return KB_OK;
}

const kbr_check kbr_check_claims = {.reads_unfit = true,
                                    .open = open_claims,
                                    .read = read_claims,
                                    .finish = finish_claims,
                                    .close = close_claims};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * causality: nothing begins before what it claims to have observed, nor a command before its stream is free;
 * and what runs one after another, or is launched, claims that.
 *
 * Equal times are fine along an edge. The times of the ops that were read last are at hand; older ones
 * are looked up in the trace.
 */
#include <inttypes.h>

#include "check/check.h"

enum { WINDOW = 128 };

typedef struct moments {
    uint64_t index;
    int64_t sent_ps, done_ps;
    kbr_mention mention;
    bool known, done; /* done: it came to its end */
} moments;

typedef struct stream_state {
    bool any;
    kbr_mention former;   /* the command before */
    int64_t free_ps;      /* when it left the stream to the next */
    int64_t latest_ps[2]; /* of all so far: sent, done */
    moments launch;       /* that it works for */
} stream_state;

/* A claim that ends when its claimer is done: what it names may come after it in the trace. */
typedef struct completion {
    kbr_mention claimer;
    int64_t done_ps;
    uint32_t rank;
    uint64_t index;
    bool sent;
} completion;

typedef struct causality {
    kbr_pass *pass;
    moments **windows;   /* [ranks]; NULL until the rank's first op */
    kb_cursor **lookups; /* [ranks]; NULL until an old op is asked for */
    stream_state *streams;
    kbr_mention *served; /* [engines]: the op before, of an engine that promises an order */
    bool *launches;      /* [ranks]: a launch was read */
    completion *completions;
    size_t completion_count, completion_capacity;
} causality;

static void close_causality(void *state, const kb_alloc *alloc) {
    causality *it = state;
    size_t ranks = it->pass->run->ranks;
    for (size_t rank = 0; rank < ranks; rank++) {
        if (it->windows != NULL)
            kb_delete(alloc, it->windows[rank], WINDOW * sizeof(moments));
        if (it->lookups != NULL)
            kb_cursor_destroy(it->lookups[rank]);
    }
    kb_delete(alloc, it->windows, ranks * sizeof(moments *));
    kb_delete(alloc, it->lookups, ranks * sizeof(kb_cursor *));
    kb_delete(alloc, it->streams, it->pass->defs->stream_count * sizeof(stream_state));
    kb_delete(alloc, it->served, it->pass->defs->engine_count * sizeof(kbr_mention));
    kb_delete(alloc, it->launches, ranks * sizeof(bool));
    kb_delete(alloc, it->completions, it->completion_capacity * sizeof(completion));
    kb_delete(alloc, it, sizeof *it);
}

static kb_status new_arrays(causality *it, kb_trail *trail) {
    const kbr_pass *pass = it->pass;
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->run->ranks * sizeof(moments *), &block, trail));
    it->windows = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->run->ranks * sizeof(kb_cursor *), &block, trail));
    it->lookups = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->defs->stream_count * sizeof(stream_state), &block, trail));
    it->streams = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->defs->engine_count * sizeof(kbr_mention), &block, trail));
    it->served = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->run->ranks * sizeof(bool), &block, trail));
    it->launches = block;
    return KB_OK;
}

static kb_status open_causality(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, sizeof(causality), &block, trail));
    causality *it = block;
    it->pass = pass;
    kb_status status = new_arrays(it, trail);
    if (status != KB_OK) {
        close_causality(it, pass->alloc);
        return status;
    }
    *ret_state = it;
    return KB_OK;
}

/* --- times of ops ------------------------------------------------------------------------------ */

static moments moments_of(uint32_t rank, const kb_op *op) {
    return (moments){.index = op->index,
                     .sent_ps = op->sent_ps,
                     .done_ps = op->done_ps,
                     .mention = kbr_mention_of(rank, op),
                     .known = true,
                     .done = op->what->reached == KB_POINT_DONE};
}

/* ret->known is false where the trace has no such op. */
static kb_status look_up(causality *it, uint32_t rank, uint64_t index, moments *ret, kb_trail *trail) {
    const moments *near = it->windows[rank] != NULL ? &it->windows[rank][index % WINDOW] : NULL;
    if (near != NULL && near->known && near->index == index) {
        *ret = *near;
        return KB_OK;
    }
    ret->known = false;
    if (it->lookups[rank] == NULL)
        KB_TRY(kb_cursor_create(it->pass->reader, rank, &it->lookups[rank], trail));
    const kb_op *op;
    kb_status status = kb_cursor_seek_op(it->lookups[rank], index, trail);
    if (status == KB_OK)
        status = kb_cursor_next(it->lookups[rank], &op, trail);
    if (status == KB_OK && op->index == index)
        *ret = moments_of(rank, op);
    return status == KB_END ? KB_OK : status;
}

/* --- findings ---------------------------------------------------------------------------------- */

static void report(const causality *it, const char *rule, const kbr_mention *who, const kbr_mention *whom,
                   const char *point, int64_t who_ps, int64_t whom_ps) {
    const kb_defs *defs = it->pass->defs;
    kbr_finding finding = kbr_finding_about(defs, "causality", rule, who->rank, NULL);
    finding.pe = defs->streams[who->stream].pe;
    finding.time_ps = who->time_ps;
    finding.key = who->kind;
    kbr_finding_mention(&finding, who);
    kbr_finding_mention(&finding, whom);
    kbr_finding_say(&finding, "its %s is at %" PRId64 " ps, and what it observed happens at %" PRId64 " ps",
                    point, who_ps, whom_ps);
    kbr_findings_add(it->pass->findings, &finding);
}

/* The point of the claimer at which a role ends. */
static int64_t claimer_ps(const kb_op *op, unsigned role, const char **ret_point) {
    bool issue = role == KB_ROLE_OBSERVED || role == KB_ROLE_LAUNCH;
    *ret_point = issue ? "issue" : "start";
    return issue ? op->issue_ps : op->start_ps;
}

/* --- in the order of numbers ------------------------------------------------------------------- */

/* A launch is done when all its ops of the rank are; they come after it, so each looks back. */
static kb_status check_launch(causality *it, uint32_t rank, const kb_op *op, stream_state *stream,
                              kb_trail *trail) {
    if (op->what->kind == KB_OP_LAUNCH)
        return KB_OK;
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->role == KB_ROLE_LAUNCH && claim->set == KB_SET_ONE && claim->rank == rank &&
            op->claimed[i] < op->index)
            KB_TRY(look_up(it, rank, op->claimed[i], &stream->launch, trail));
    }
    const moments *launch = &stream->launch;
    if (launch->known && launch->done && op->what->reached == KB_POINT_DONE &&
        launch->done_ps < op->done_ps) {
        kbr_mention member = kbr_mention_of(rank, op);
        report(it, "completion", &launch->mention, &member, "done", launch->done_ps, op->done_ps);
    }
    return KB_OK;
}

/* Sets that name what is behind the claimer in its stream, and completions, which wait for the end. */
static kb_status check_sets(causality *it, uint32_t rank, const kb_op *op, const stream_state *stream,
                            kb_trail *trail) {
    kbr_mention self = kbr_mention_of(rank, op);
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        bool sent = claim->point == KB_POINT_SENT;
        if (claim->set == KB_SET_STREAM && stream->any && op->what->reached == KB_POINT_DONE) {
            const char *point;
            int64_t at_ps = claimer_ps(op, claim->role, &point), latest_ps = stream->latest_ps[sent ? 0 : 1];
            if (at_ps < latest_ps)
                report(it, "stream", &self, &stream->former, point, at_ps, latest_ps);
        }
        if (claim->role != KB_ROLE_COMPLETION || claim->set != KB_SET_ONE ||
            op->what->reached != KB_POINT_DONE)
            continue;
        void *items = it->completions;
        KB_TRY(kb_grow(it->pass->alloc, sizeof(completion), it->completion_count + 1,
                       &it->completion_capacity, &items, trail));
        it->completions = items;
        it->completions[it->completion_count++] =
            (completion){self, op->done_ps, claim->rank, op->claimed[i], sent};
    }
    return KB_OK;
}

static bool claims_role(const kb_op *op, unsigned role, uint32_t rank, uint64_t index) {
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        if (op->what->claims[i].role == role &&
            (index == UINT64_MAX || (op->what->claims[i].rank == rank && op->claimed[i] == index)))
            return true;
    return false;
}

static void report_edge(const causality *it, const char *rule, uint32_t rank, const kb_op *op,
                        const kbr_mention *whom, const char *message) {
    kbr_finding finding = kbr_finding_about(it->pass->defs, "causality", rule, rank, op);
    finding.key = op->what->kind;
    if (whom != NULL)
        kbr_finding_mention(&finding, whom);
    kbr_finding_say(&finding, "no edge: %s", message);
    kbr_findings_add(it->pass->findings, &finding);
}

/* Whether these claims exist never depends on timing, so one that is missing is wrong. */
static void check_promises(causality *it, uint32_t rank, const kb_op *op, const stream_state *stream) {
    uint32_t engine = op->what->engine;
    bool launch = op->what->kind == KB_OP_LAUNCH;
    if (engine != KB_NONE && it->pass->defs->engines[engine].promise == KB_PROMISE_TOTAL) {
        kbr_mention *former = &it->served[engine];
        if (former->known && op->what->reached >= KB_POINT_START &&
            !claims_role(op, KB_ROLE_ENGINE, former->rank, former->index))
            report_edge(it, "engine", rank, op, former, "it does not claim the op before it on its engine");
        *former = kbr_mention_of(rank, op);
    }
    it->launches[rank] = it->launches[rank] || launch;
    bool first = !stream->any && it->pass->defs->streams[op->what->stream].pe != KB_NONE;
    if (first && it->launches[rank] && !claims_role(op, KB_ROLE_LAUNCH, 0, UINT64_MAX))
        report_edge(it, "launch", rank, op, NULL, "it is the first of its stream and claims no launch");
}

static kb_status read_causality(void *state, uint32_t rank, const kb_op *op, bool *inout_usable,
                                kb_trail *trail) {
    (void)inout_usable;
    causality *it = state;
    stream_state *stream = &it->streams[op->what->stream];
    if (stream->any && op->issue_ps < stream->free_ps) {
        kbr_mention self = kbr_mention_of(rank, op);
        report(it, "program order", &self, &stream->former, "issue", op->issue_ps, stream->free_ps);
    }
    check_promises(it, rank, op, stream);
    KB_TRY(check_sets(it, rank, op, stream, trail));
    KB_TRY(check_launch(it, rank, op, stream, trail));
    stream->free_ps = op->what->blocks == KB_BLOCKS_NO     ? op->issue_ps
                      : op->what->blocks == KB_BLOCKS_SENT ? op->sent_ps
                                                           : op->done_ps;
    stream->former = kbr_mention_of(rank, op);
    stream->latest_ps[0] =
        !stream->any || op->sent_ps > stream->latest_ps[0] ? op->sent_ps : stream->latest_ps[0];
    stream->latest_ps[1] =
        !stream->any || op->done_ps > stream->latest_ps[1] ? op->done_ps : stream->latest_ps[1];
    stream->any = true;
    if (it->windows[rank] == NULL) {
        void *block;
        KB_TRY(kb_new_zeroed(it->pass->alloc, WINDOW * sizeof(moments), &block, trail));
        it->windows[rank] = block;
    }
    it->windows[rank][op->index % WINDOW] = moments_of(rank, op);
    return KB_OK;
}

/* --- in the order of dataflow ------------------------------------------------------------------ */

static kb_status execute_causality(void *state, uint32_t rank, const kb_op *op, kb_trail *trail) {
    causality *it = state;
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->set != KB_SET_ONE || claim->role == KB_ROLE_COMPLETION)
            continue;
        moments claimed;
        KB_TRY(look_up(it, claim->rank, op->claimed[i], &claimed, trail));
        const char *point;
        int64_t at_ps = claimer_ps(op, claim->role, &point);
        int64_t seen_ps = claim->point == KB_POINT_SENT ? claimed.sent_ps : claimed.done_ps;
        if (!claimed.known || at_ps >= seen_ps)
            continue;
        kbr_mention self = kbr_mention_of(rank, op);
        const char *role = kb_word_name(KB_VOC_ROLE, claim->role);
        report(it, role != NULL ? role : "claim", &self, &claimed.mention, point, at_ps, seen_ps);
    }
    return KB_OK;
}

static kb_status finish_causality(void *state, kb_trail *trail) {
    causality *it = state;
    for (size_t i = 0; i < it->completion_count; i++) {
        const completion *claim = &it->completions[i];
        moments claimed;
        KB_TRY(look_up(it, claim->rank, claim->index, &claimed, trail));
        int64_t seen_ps = claim->sent ? claimed.sent_ps : claimed.done_ps;
        if (claimed.known && claim->done_ps < seen_ps)
            report(it, "completion", &claim->claimer, &claimed.mention, "done", claim->done_ps, seen_ps);
    }
    return KB_OK;
}

const kbr_check kbr_check_causality = {.open = open_causality,
                                       .read = read_causality,
                                       .execute = execute_causality,
                                       .finish = finish_causality,
                                       .close = close_causality};

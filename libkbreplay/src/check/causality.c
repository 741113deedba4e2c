/* SPDX-License-Identifier: Apache-2.0 */
/*
 * causality: nothing begins before what it claims to have observed, nor a command before its stream is free,
 * nor a barrier before all of its members have come; and what is claimed is what may be.
 *
 * Equal times are fine along an edge. The times of the ops that were read last are at hand; older ones
 * are looked up in the trace.
 */
#include <inttypes.h>
#include <string.h>

#include "check/check.h"
#include "walk/table.h"

enum { WINDOW_FIRST = 256, WINDOW_MOST = 1 << 14 };

typedef struct moments {
    kbr_sighting who;
    int64_t sent_ps, done_ps;
    uint64_t composite; /* its id, or 0 */
    uint16_t kind;
    bool known, done; /* done: it came to its end */
} moments;

/* The times of a rank's ops that were read last: as many as claims have reached back so far. */
typedef struct window {
    moments *items;     /* by index modulo `size`, a power of two; NULL until the rank's first op */
    uint64_t size, end; /* `end`: one more than the last index */
} window;

typedef struct stream_state {
    bool any;
    kbr_sighting former;  /* the command before */
    int64_t free_ps;      /* when it left the stream to the next */
    int64_t latest_ps[2]; /* of all so far: sent, done … */
    uint64_t latest[2];   /* … and of which op it is */
    moments launch;       /* that it works for */
} stream_state;

/* Ops that meet: a barrier, or the launches of several ranks. */
typedef struct meeting {
    struct meeting *next;
    uint32_t group;
    uint16_t kind;
    uint64_t id;
    size_t count;
    kbr_sighting last, first; /* that was issued last; that started first */
    int64_t issue_ps, start_ps;
    bool started; /* any has */
} meeting;

/* A composite of a rank: what it was completed by, and what in it was done last. */
typedef struct composite {
    kbr_node node; /* by rank and id */
    kbr_sighting completer, last;
    uint16_t completer_kind; /* 0: there is none yet */
    bool any;
    int64_t completed_ps, latest_ps;
} composite;

typedef struct causality {
    kbr_pass *pass;
    window *windows;     /* [ranks] */
    kb_cursor **lookups; /* [ranks]; NULL until an old op is asked for */
    stream_state *streams;
    meeting *meetings;
    kbr_table composites;
} causality;

static void close_causality(void *state, const kb_alloc *alloc) {
    causality *it = state;
    size_t ranks = it->pass->run->ranks;
    for (size_t rank = 0; rank < ranks; rank++) {
        if (it->windows != NULL)
            kb_delete(alloc, it->windows[rank].items, it->windows[rank].size * sizeof(moments));
        if (it->lookups != NULL)
            kb_cursor_destroy(it->lookups[rank]);
    }
    kb_delete(alloc, it->windows, ranks * sizeof(window));
    kb_delete(alloc, it->lookups, ranks * sizeof(kb_cursor *));
    kb_delete(alloc, it->streams, it->pass->defs->stream_count * sizeof(stream_state));
    while (it->meetings != NULL) {
        meeting *next = it->meetings->next;
        kb_delete(alloc, it->meetings, sizeof(meeting));
        it->meetings = next;
    }
    kbr_node *node;
    while ((node = kbr_table_take(&it->composites)) != NULL)
        kb_delete(alloc, node, sizeof(composite));
    kbr_table_fini(&it->composites);
    kb_delete(alloc, it, sizeof *it);
}

static kb_status new_arrays(causality *it, kb_trail *trail) {
    const kbr_pass *pass = it->pass;
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->run->ranks * sizeof(window), &block, trail));
    it->windows = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->run->ranks * sizeof(kb_cursor *), &block, trail));
    it->lookups = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->defs->stream_count * sizeof(stream_state), &block, trail));
    it->streams = block;
    return KB_OK;
}

static kb_status open_causality(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, sizeof(causality), &block, trail));
    causality *it = block;
    it->pass = pass;
    kbr_table_init(&it->composites, pass->alloc);
    kb_status status = new_arrays(it, trail);
    if (status != KB_OK) {
        close_causality(it, pass->alloc);
        return status;
    }
    *ret_state = it;
    return KB_OK;
}

/* --- times of ops ------------------------------------------------------------------------------ */

static bool is_composite(const kb_op *op) {
    return strcmp(kb_kind_describe(op->what->kind)->id_name, "composite") == 0;
}

static moments moments_of(uint32_t rank, const kb_op *op) {
    return (moments){.who = kbr_sighting_of(rank, op),
                     .sent_ps = op->sent_ps,
                     .done_ps = op->done_ps,
                     .composite = op->id != 0 && is_composite(op) ? op->id : 0,
                     .kind = op->what->kind,
                     .known = true,
                     .done = op->what->reached == KB_POINT_DONE};
}

static kb_status resize_window(causality *it, window *own, uint64_t size, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(it->pass->alloc, size * sizeof(moments), &block, trail));
    moments *items = block;
    for (uint64_t i = 0; i < own->size; i++)
        if (own->items[i].known)
            items[own->items[i].who.index & (size - 1)] = own->items[i];
    kb_delete(it->pass->alloc, own->items, own->size * sizeof(moments));
    own->items = items;
    own->size = size;
    return KB_OK;
}

static kb_status keep_moments(causality *it, uint32_t rank, const kb_op *op, kb_trail *trail) {
    window *own = &it->windows[rank];
    if (own->size == 0)
        KB_TRY(resize_window(it, own, WINDOW_FIRST, trail));
    own->items[op->index & (own->size - 1)] = moments_of(rank, op);
    own->end = op->index + 1;
    return KB_OK;
}

/*
 * ret->known is false where the trace has no such op. Looking into the trace means unpacking it again: where
 * ranks wait for what was long ago, as those do who all talk to all, the window becomes as long.
 */
static kb_status look_up(causality *it, uint32_t rank, uint64_t index, moments *ret, kb_trail *trail) {
    window *own = &it->windows[rank];
    const moments *near = own->size != 0 ? &own->items[index & (own->size - 1)] : NULL;
    if (near != NULL && near->known && near->who.index == index) {
        *ret = *near;
        return KB_OK;
    }
    if (index < own->end && own->end - index > own->size && own->size < WINDOW_MOST)
        KB_TRY(resize_window(it, own, 2 * own->size, trail));
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

static void report(const causality *it, const char *rule, const kbr_sighting *who, uint16_t kind,
                   const kbr_sighting *whom, const char *point, int64_t who_ps, int64_t whom_ps) {
    kbr_finding finding = kbr_finding_of_sighting(it->pass->defs, "causality", rule, who);
    finding.key = kind;
    kbr_finding_mention_sighting(&finding, whom);
    kbr_finding_say(&finding,
                    "its %s is at %" PRId64 " ps, and what it must come after happens at %" PRId64 " ps",
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
        kbr_sighting member = kbr_sighting_of(rank, op);
        report(it, "completion", &launch->who, launch->kind, &member, "done", launch->done_ps, op->done_ps);
    }
    return KB_OK;
}

/* Sets that name what is behind the claimer in its stream. */
static void check_sets(const causality *it, uint32_t rank, const kb_op *op, const stream_state *stream) {
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->set != KB_SET_STREAM || !stream->any || op->what->reached != KB_POINT_DONE)
            continue;
        const char *point;
        int at = claim->point == KB_POINT_SENT ? 0 : 1;
        int64_t at_ps = claimer_ps(op, claim->role, &point);
        if (at_ps >= stream->latest_ps[at])
            continue;
        kbr_sighting self = kbr_sighting_of(rank, op), late = {.rank = rank, .index = stream->latest[at]};
        report(it, "stream", &self, op->what->kind, &late, point, at_ps, stream->latest_ps[at]);
    }
}

/* --- ops that belong together ------------------------------------------------------------------ */

static bool completes(const kb_op *op) {
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        if (op->what->claims[i].role == KB_ROLE_COMPLETION && op->what->claims[i].set == KB_SET_COMPOSITE)
            return op->what->reached == KB_POINT_DONE;
    return false;
}

/* A composite is completed when all in it is done, and by one op. */
static kb_status check_composite(causality *it, uint32_t rank, const kb_op *op, kb_trail *trail) {
    if (op->id == 0 || !is_composite(op))
        return KB_OK;
    composite *of = (composite *)kbr_table_find(&it->composites, rank, op->id);
    if (of == NULL) {
        void *block;
        KB_TRY(kb_new_zeroed(it->pass->alloc, sizeof *of, &block, trail));
        of = block;
        of->node = (kbr_node){.rank = rank, .index = op->id};
        kb_status status = kbr_table_add(&it->composites, &of->node, trail);
        if (status != KB_OK) {
            kb_delete(it->pass->alloc, of, sizeof *of);
            return status;
        }
    }
    if (completes(op)) {
        of->completer = kbr_sighting_of(rank, op);
        of->completer_kind = op->what->kind;
        of->completed_ps = op->done_ps;
    }
    if (!of->any || op->done_ps > of->latest_ps) {
        of->last = kbr_sighting_of(rank, op);
        of->any = true;
        of->latest_ps = op->done_ps;
    }
    if (of->completer_kind != 0 && of->completed_ps < of->latest_ps)
        report(it, "completion", &of->completer, of->completer_kind, &of->last, "done", of->completed_ps,
               of->latest_ps);
    return KB_OK;
}

/* No member of a barrier starts before the last is issued; of a launch it is asked that all are there. */
static void end_meeting(causality *it, meeting *of) {
    if (of->kind == KB_OP_BARRIER && of->started && of->start_ps < of->issue_ps)
        report(it, "barrier", &of->first, of->kind, &of->last, "start", of->start_ps, of->issue_ps);
    meeting **at = &it->meetings;
    while (*at != of)
        at = &(*at)->next;
    *at = of->next;
    kb_delete(it->pass->alloc, of, sizeof *of);
}

static kb_status check_meeting(causality *it, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_template *what = op->what;
    if ((what->kind != KB_OP_BARRIER && what->kind != KB_OP_LAUNCH) || what->group == KB_NONE)
        return KB_OK;
    meeting *of = it->meetings;
    while (of != NULL && (of->group != what->group || of->kind != what->kind || of->id != op->id))
        of = of->next;
    if (of == NULL) {
        void *block;
        KB_TRY(kb_new_zeroed(it->pass->alloc, sizeof *of, &block, trail));
        of = block;
        *of = (meeting){.next = it->meetings, .group = what->group, .kind = what->kind, .id = op->id};
        it->meetings = of;
    }
    if (of->count == 0 || op->issue_ps > of->issue_ps) {
        of->last = kbr_sighting_of(rank, op);
        of->issue_ps = op->issue_ps;
    }
    if (what->reached >= KB_POINT_START && (!of->started || op->start_ps < of->start_ps)) {
        of->first = kbr_sighting_of(rank, op);
        of->start_ps = op->start_ps;
        of->started = true;
    }
    if (++of->count == it->pass->defs->groups[what->group].rank_count)
        end_meeting(it, of);
    return KB_OK;
}

static kb_status read_causality(void *state, uint32_t rank, const kb_op *op, kbr_fitness *inout_fitness,
                                kb_trail *trail) {
    (void)inout_fitness;
    causality *it = state;
    stream_state *stream = &it->streams[op->what->stream];
    if (stream->any && op->issue_ps < stream->free_ps) {
        kbr_sighting self = kbr_sighting_of(rank, op);
        report(it, "program order", &self, op->what->kind, &stream->former, "issue", op->issue_ps,
               stream->free_ps);
    }
    check_sets(it, rank, op, stream);
    KB_TRY(check_composite(it, rank, op, trail));
    KB_TRY(check_meeting(it, rank, op, trail));
    KB_TRY(check_launch(it, rank, op, stream, trail));
    stream->free_ps = op->what->blocks == KB_BLOCKS_NO     ? op->issue_ps
                      : op->what->blocks == KB_BLOCKS_SENT ? op->sent_ps
                                                           : op->done_ps;
    stream->former = kbr_sighting_of(rank, op);
    const int64_t points_ps[2] = {op->sent_ps, op->done_ps};
    for (int i = 0; i < 2; i++)
        if (!stream->any || points_ps[i] > stream->latest_ps[i]) {
            stream->latest_ps[i] = points_ps[i];
            stream->latest[i] = op->index;
        }
    stream->any = true;
    KB_TRY(keep_moments(it, rank, op, trail));
    return KB_OK;
}

/* --- in the order of dataflow ------------------------------------------------------------------ */

/* Does the op that is claimed fit the role? Queues look at their own. */
static bool fits_role(const kb_op *op, const kb_claim *claim, const moments *claimed) {
    const kbr_sighting *who = &claimed->who;
    switch (claim->role) {
    case KB_ROLE_AWAITED: return who->stream == op->what->stream && who->index < op->index;
    case KB_ROLE_LAUNCH: return claimed->kind == KB_OP_LAUNCH;
    case KB_ROLE_STAGE: return claimed->composite != 0 && claimed->composite == op->id;
    default: return true;
    }
}

static kb_status execute_causality(void *state, uint32_t rank, const kb_op *op, kb_trail *trail) {
    causality *it = state;
    for (uint32_t i = 0; i < op->what->claim_count; i++) {
        const kb_claim *claim = &op->what->claims[i];
        if (claim->set != KB_SET_ONE)
            continue;
        moments claimed;
        KB_TRY(look_up(it, claim->rank, op->claimed[i], &claimed, trail));
        if (!claimed.known)
            continue;
        kbr_sighting self = kbr_sighting_of(rank, op);
        const char *role = kb_word_name(KB_VOC_ROLE, claim->role), *point;
        int64_t at_ps = claimer_ps(op, claim->role, &point);
        int64_t seen_ps = claim->point == KB_POINT_SENT ? claimed.sent_ps : claimed.done_ps;
        if (at_ps < seen_ps)
            report(it, role, &self, op->what->kind, &claimed.who, point, at_ps, seen_ps);
        if (fits_role(op, claim, &claimed))
            continue;
        kbr_finding finding = kbr_finding_about(it->pass->defs, "causality", "claim", rank, op);
        finding.key = op->what->kind;
        kbr_finding_mention_sighting(&finding, &claimed.who);
        kbr_finding_say(&finding, "no rule lets it claim that op as `%s`", role);
        kbr_findings_add(it->pass->findings, &finding);
    }
    return KB_OK;
}

/* What did not come together in a whole trace; barriers are told by `progress`, for they stand still. */
static kb_status finish_causality(void *state, kb_trail *trail) {
    (void)trail;
    causality *it = state;
    for (const meeting *of = it->meetings; of != NULL && it->pass->complete; of = of->next) {
        const kb_group *group = &it->pass->defs->groups[of->group];
        if (of->kind != KB_OP_LAUNCH)
            continue;
        kbr_finding finding = kbr_finding_of_sighting(it->pass->defs, "causality", "launch", &of->last);
        finding.pe = KB_NONE;
        finding.key = of->group;
        kbr_finding_say(&finding, "launch %" PRIu64 " of group `%s` has %zu ops, and the group %zu ranks",
                        of->id, group->name, of->count, group->rank_count);
        kbr_findings_add(it->pass->findings, &finding);
    }
    return KB_OK;
}

const kbr_check kbr_check_causality = {.reads_unfit = true,
                                       .open = open_causality,
                                       .read = read_causality,
                                       .execute = execute_causality,
                                       .finish = finish_causality,
                                       .close = close_causality};

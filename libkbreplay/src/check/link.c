/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: no op is faster than its route, and no link carries more than its bandwidth.
 *
 * Of an op that moves bytes along a route it is known when they can be at a link at the earliest (its
 * start, and the latencies before it), by when they have passed it at the latest (its done less the
 * latencies that are left; of the first link its sent, too), and how long the link takes for them at least.
 * Whatever else a machine does only makes that window smaller than this one. So on each link the ops are
 * jobs for one server, which may put one aside for another. Earliest deadline first meets all deadlines
 * wherever anything does: where it misses one, the link has carried more than it can.
 *
 * Ops come rank by rank as they are read. What is released before every rank's latest issue is settled: no op
 * that comes later can be on its way before that. Looks at no claim.
 */
#include <inttypes.h>

#include "blame/lookup.h"
#include "check/jobs.h"
#include "op/access.h"
#include "op/op.h"

typedef struct link_state {
    kbr_jobs coming, waiting; /* by the time from which they can be there; by that until they must be gone */
    int64_t now_ps;           /* what came before is settled */
    int64_t since_ps;         /* it has been busy since then */
    uint64_t unit_size;       /* bytes that it takes at least … */
    uint64_t unit_ps;         /* … this long for; 0: none that count */
    uint64_t asked_size;      /* how long it takes for so many was asked last … */
    int64_t asked_ps;         /* … and is this */
    kbr_job served;           /* by which it was left last */
    bool told;                /* the rest is counted */
    bool entered;             /* a route begins with it, or reaches it from several links */
    uint32_t before;          /* the link from which routes reach it, or KB_NONE */
} link_state;

typedef struct rank_state {
    uint64_t left;    /* ops that were not read yet, where the footer tells */
    int64_t issue_ps; /* of the last that was */
} rank_state;

typedef struct links {
    kbr_pass *pass;
    link_state *items;      /* [links] */
    int64_t *latency_ps;    /* [routes], of all of its links */
    rank_state *ranks;      /* [ranks] */
    size_t job_count;       /* of all links */
    size_t job_limit;       /* with so many it is time to settle what can be */
    uint64_t unknown_count; /* ops whose bytes on their routes the trace does not tell */
    bool off;
} links;

/* --- life -------------------------------------------------------------------------------------- */

static void close_links(void *state, const kb_alloc *alloc) {
    links *it = state;
    const kb_defs *defs = it->pass->defs;
    for (size_t i = 0; it->items != NULL && i < defs->link_count; i++) {
        kbr_jobs_fini(&it->items[i].coming, alloc);
        kbr_jobs_fini(&it->items[i].waiting, alloc);
    }
    kb_delete(alloc, it->items, defs->link_count * sizeof(link_state));
    kb_delete(alloc, it->latency_ps, defs->route_count * sizeof(int64_t));
    kb_delete(alloc, it->ranks, it->pass->run->ranks * sizeof(rank_state));
    kb_delete(alloc, it, sizeof *it);
}

/*
 * A whole flit takes flit_ps, which was rounded up. The most bytes that pass in so long are no fewer than
 * it has, so that what is found for any number of bytes this way is never too much.
 */
static void find_unit(link_state *link, const kb_link *row) {
    if (row->bytes_per_s == 0)
        return;
    unsigned __int128 size = (unsigned __int128)row->flit_ps * row->bytes_per_s / 1000000000000u;
    if (size == 0 || size > UINT32_MAX)
        return;
    link->unit_size = (uint64_t)size;
    link->unit_ps = row->flit_ps;
}

/* A latency that no time can hold is that of a route which nothing passes in time. */
static int64_t latency_of(const kb_link *row) {
    return row->latency_ps < KB_TIME_MAX_PS ? (int64_t)row->latency_ps : KB_TIME_MAX_PS;
}

static kb_status new_arrays(links *it, kb_trail *trail) {
    const kbr_pass *pass = it->pass;
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->defs->link_count * sizeof(link_state), &block, trail));
    it->items = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->defs->route_count * sizeof(int64_t), &block, trail));
    it->latency_ps = block;
    KB_TRY(kb_new_zeroed(pass->alloc, pass->run->ranks * sizeof(rank_state), &block, trail));
    it->ranks = block;
    return KB_OK;
}

/*
 * A link that all routes reach from one other, which is no faster, carries what that one lets through: the
 * same jobs or fewer, a latency later, and none is longer. What does not fit there did not fit before.
 */
static void leave_out(links *it) {
    const kb_defs *defs = it->pass->defs;
    for (size_t i = 0; i < defs->link_count; i++)
        it->items[i].before = KB_NONE;
    for (size_t i = 0; i < defs->route_count; i++)
        for (size_t j = 0; j < defs->routes[i].link_count; j++) {
            link_state *link = &it->items[defs->routes[i].links[j]];
            uint32_t before = j == 0 ? KB_NONE : defs->routes[i].links[j - 1];
            link->entered = link->entered || j == 0 || (link->before != KB_NONE && link->before != before);
            link->before = before;
        }
    for (size_t i = 0; i < defs->link_count; i++) {
        const link_state *link = &it->items[i],
                         *before = link->before != KB_NONE ? &it->items[link->before] : NULL;
        bool slower = before != NULL && (unsigned __int128)link->unit_ps * before->unit_size >
                                            (unsigned __int128)before->unit_ps * link->unit_size;
        it->items[i].entered = link->entered || before == NULL || before == link || slower;
    }
    for (size_t i = 0; i < defs->link_count; i++)
        if (!it->items[i].entered)
            it->items[i].unit_ps = 0;
}

/* So many that looking at every link costs little for each. */
static size_t least_jobs(const links *it) {
    enum { LEAST = 1 << 12 };
    return it->pass->defs->link_count > LEAST ? it->pass->defs->link_count : LEAST;
}

static void set_up(links *it) {
    const kbr_pass *pass = it->pass;
    const kb_defs *defs = pass->defs;
    for (size_t i = 0; i < defs->link_count; i++)
        find_unit(&it->items[i], &defs->links[i]);
    leave_out(it);
    for (size_t i = 0; i < defs->route_count; i++)
        for (size_t j = 0; j < defs->routes[i].link_count; j++) {
            int64_t sum_ps = it->latency_ps[i] + latency_of(&defs->links[defs->routes[i].links[j]]);
            it->latency_ps[i] = sum_ps < KB_TIME_MAX_PS ? sum_ps : KB_TIME_MAX_PS;
        }
    for (uint32_t rank = 0; rank < pass->run->ranks; rank++)
        it->ranks[rank].left = UINT64_MAX;
    for (size_t i = 0; pass->footer != NULL && i < pass->footer->rank_count; i++)
        if (pass->footer->ranks[i].rank < pass->run->ranks)
            it->ranks[pass->footer->ranks[i].rank].left = pass->footer->ranks[i].ops;
    it->job_limit = least_jobs(it);
}

static kb_status open_links(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, sizeof(links), &block, trail));
    links *it = block;
    it->pass = pass;
    it->off = pass->defs->route_count == 0;
    kb_status status = new_arrays(it, trail);
    if (status != KB_OK) {
        close_links(it, pass->alloc);
        return status;
    }
    set_up(it);
    *ret_state = it;
    return KB_OK;
}

/* --- findings ---------------------------------------------------------------------------------- */

static kb_status report_load(links *it, size_t id, const kbr_job *late, int64_t end_ps, kb_trail *trail) {
    const kbr_pass *pass = it->pass;
    link_state *link = &it->items[id];
    kbr_mention self = {.rank = late->rank, .index = late->op};
    kbr_mention other = {.rank = link->served.rank, .index = link->served.op};
    if (!link->told) {
        KB_TRY(kbr_lookup_mention(pass, self.rank, self.index, &self, trail));
        KB_TRY(kbr_lookup_mention(pass, other.rank, other.index, &other, trail));
    }
    link->told = true;
    kbr_finding finding = kbr_finding_about(pass->defs, "link", "bandwidth", late->rank, NULL);
    finding.key = id;
    finding.time_ps = late->other_ps;
    if (self.known)
        finding.pe = pass->defs->streams[self.stream].pe;
    kbr_finding_mention(&finding, &self);
    kbr_finding_mention(&finding, &other);
    kbr_finding_say(&finding,
                    "link %s carries %.6g GB/s, and others have kept it busy since %" PRId64
                    " ps: these bytes cannot have passed it before %" PRId64
                    " ps, and the trace has them pass by %" PRId64 " ps",
                    pass->defs->links[id].name, (double)pass->defs->links[id].bytes_per_s / 1e9,
                    link->since_ps, end_ps, late->key_ps);
    kbr_findings_add(pass->findings, &finding);
    return KB_OK;
}

static void report_fast(const links *it, uint32_t rank, const kb_op *op, uint64_t size, size_t slowest,
                        int64_t work_ps) {
    const kb_defs *defs = it->pass->defs;
    const kb_link *link = &defs->links[slowest];
    const int64_t latency_ps = it->latency_ps[op->what->route];
    kbr_finding finding = kbr_finding_about(defs, "link", "too fast", rank, op);
    finding.key = op->what->kind;
    if (op->done_ps - op->start_ps < latency_ps + work_ps)
        kbr_finding_say(&finding,
                        "it takes %" PRId64 " ps, and its route %" PRId64 " ps at least: %" PRId64
                        " of latencies, and %" PRId64 " for %" PRIu64 " bytes at %s (%.6g GB/s)",
                        op->done_ps - op->start_ps, latency_ps + work_ps, latency_ps, work_ps, size,
                        link->name, (double)link->bytes_per_s / 1e9);
    else
        kbr_finding_say(&finding,
                        "it is sent after %" PRId64 " ps, and %s (%.6g GB/s) takes %" PRId64
                        " ps for its %" PRIu64 " bytes",
                        op->sent_ps - op->start_ps, link->name, (double)link->bytes_per_s / 1e9, work_ps,
                        size);
    kbr_findings_add(it->pass->findings, &finding);
}

/* --- one link ---------------------------------------------------------------------------------- */

/* The least time for which so many bytes keep it busy. */
static int64_t work_of(link_state *link, uint64_t size) {
    if (link->asked_size != size) {
        unsigned __int128 ps =
            ((unsigned __int128)size * link->unit_ps + link->unit_size - 1) / link->unit_size;
        link->asked_size = size;
        link->asked_ps = ps < (unsigned __int128)KB_TIME_MAX_PS ? (int64_t)ps : KB_TIME_MAX_PS;
    }
    return link->asked_ps;
}

/* The link is done with a job, whose key is its deadline. */
static kb_status let_go(links *it, size_t id, const kbr_job *job, kb_trail *trail) {
    link_state *link = &it->items[id];
    link->now_ps += job->left_ps;
    it->job_count--;
    if (link->now_ps > job->key_ps)
        KB_TRY(report_load(it, id, job, link->now_ps, trail));
    link->served = *job;
    return KB_OK;
}

/* Is the link done with a job that came just now before anything else is there, and nothing waits? */
static bool is_alone(const link_state *link, const kbr_job *job, int64_t until_ps) {
    int64_t stop_ps = link->coming.count != 0 && link->coming.items[0].key_ps < until_ps
                          ? link->coming.items[0].key_ps
                          : until_ps;
    return link->waiting.count == 0 && link->now_ps < stop_ps && job->left_ps <= stop_ps - link->now_ps;
}

/* Serves what came before until_ps, the earliest deadline first. */
static kb_status serve(links *it, size_t id, int64_t until_ps, kb_trail *trail) {
    link_state *link = &it->items[id];
    const kb_alloc *alloc = it->pass->alloc;
    while (link->coming.count != 0 || link->waiting.count != 0) {
        bool coming = link->coming.count != 0 && link->coming.items[0].key_ps < until_ps;
        if (link->waiting.count == 0 && coming && link->now_ps < link->coming.items[0].key_ps)
            link->now_ps = link->since_ps = link->coming.items[0].key_ps;
        while (link->coming.count != 0 && link->coming.items[0].key_ps <= link->now_ps) {
            kbr_job job = kbr_jobs_take(&link->coming);
            int64_t from_ps = job.key_ps;
            job.key_ps = job.other_ps;
            job.other_ps = from_ps;
            KB_TRY(is_alone(link, &job, until_ps) ? let_go(it, id, &job, trail)
                                                  : kbr_jobs_add(&link->waiting, alloc, &job, trail));
        }
        if (link->now_ps >= until_ps || (link->waiting.count == 0 && !coming))
            return KB_OK;
        if (link->waiting.count == 0) /* all that came is gone already */
            continue;
        kbr_job *job = &link->waiting.items[0];
        int64_t stop_ps = link->coming.count != 0 && link->coming.items[0].key_ps < until_ps
                              ? link->coming.items[0].key_ps
                              : until_ps;
        if (job->left_ps > stop_ps - link->now_ps) {
            job->left_ps -= stop_ps - link->now_ps;
            link->now_ps = stop_ps;
            continue;
        }
        kbr_job gone = kbr_jobs_take(&link->waiting);
        KB_TRY(let_go(it, id, &gone, trail));
    }
    return KB_OK;
}

/* --- one op ------------------------------------------------------------------------------------ */

/* By when the bytes have passed the number-th link of a route, if `left_ps` of latency remain from there. */
static int64_t gone_by(const kb_op *op, size_t number, int64_t left_ps) {
    int64_t gone_ps = op->done_ps - left_ps;
    return number == 0 && op->sent_ps < gone_ps ? op->sent_ps : gone_ps;
}

/* Can the op have moved so many bytes in its time, were it alone? */
static bool can_move(links *it, uint32_t rank, const kb_op *op, uint64_t size) {
    const kb_route *route = &it->pass->defs->routes[op->what->route];
    int64_t most_ps = 0, first_ps = 0;
    size_t slowest = 0;
    for (size_t i = 0; i < route->link_count; i++) {
        link_state *link = &it->items[route->links[i]];
        int64_t work_ps = link->unit_ps != 0 ? work_of(link, size) : 0;
        if (i == 0)
            first_ps = work_ps;
        if (i == 0 || work_ps > most_ps) {
            slowest = i;
            most_ps = work_ps;
        }
    }
    bool in_time = op->done_ps - op->start_ps >= it->latency_ps[op->what->route] + most_ps;
    if (route->link_count == 0 || (in_time && op->sent_ps - op->start_ps >= first_ps))
        return true;
    if (in_time)
        report_fast(it, rank, op, size, route->links[0], first_ps);
    else
        report_fast(it, rank, op, size, route->links[slowest], most_ps);
    return false;
}

static kb_status add_jobs(links *it, uint32_t rank, const kb_op *op, uint64_t size, kb_trail *trail) {
    const kb_route *route = &it->pass->defs->routes[op->what->route];
    int64_t there_ps = op->start_ps, left_ps = it->latency_ps[op->what->route];
    for (size_t i = 0; i < route->link_count; i++) {
        size_t id = route->links[i];
        link_state *link = &it->items[id];
        int64_t latency_ps = latency_of(&it->pass->defs->links[id]);
        if (link->unit_ps != 0) {
            kbr_job job = {there_ps, gone_by(op, i, left_ps), work_of(link, size), op->index, rank};
            KB_TRY(kbr_jobs_add(&link->coming, it->pass->alloc, &job, trail));
            it->job_count++;
        }
        there_ps += latency_ps;
        left_ps -= latency_ps;
    }
    return KB_OK;
}

/* Bytes that an op moves along its route; of a credit it is not known, and of what makes no sense 0. */
static uint64_t size_of(const links *it, const kb_op *op) {
    const kb_template *what = op->what;
    bool moves = kbr_op_impl_of(what->kind) != NULL && kbr_op_flow(what) != KBR_FLOW_NONE;
    if (!moves || what->operand_count == 0 || kb_dtype_size(what->operands[0].dtype) == 0)
        return 0;
    uint64_t size = kbr_operand_size(&what->operands[0]);
    return size <= it->pass->limit_size ? size : 0;
}

static kb_status look_at(links *it, uint32_t rank, const kb_op *op, kb_trail *trail) {
    bool timed = op->what->reached == KB_POINT_DONE && op->start_ps >= op->issue_ps &&
                 op->sent_ps >= op->start_ps && op->done_ps >= op->sent_ps;
    if (op->what->route >= it->pass->defs->route_count || !timed)
        return KB_OK;
    uint64_t size = size_of(it, op);
    it->unknown_count += size == 0;
    if (!can_move(it, rank, op, size) || size == 0)
        return KB_OK;
    return add_jobs(it, rank, op, size, trail);
}

/* --- all of them ------------------------------------------------------------------------------- */

static kb_status serve_all(links *it, int64_t until_ps, kb_trail *trail) {
    for (size_t id = 0; id < it->pass->defs->link_count; id++)
        KB_TRY(serve(it, id, until_ps, trail));
    return KB_OK;
}

/* What no op can interfere with any more is settled; the next time is when there is twice what is left. */
static kb_status settle(links *it, kb_trail *trail) {
    int64_t until_ps = INT64_MAX;
    for (uint32_t rank = 0; rank < it->pass->run->ranks; rank++)
        if (it->ranks[rank].left != 0 && it->ranks[rank].issue_ps < until_ps)
            until_ps = it->ranks[rank].issue_ps;
    KB_TRY(serve_all(it, until_ps, trail));
    it->job_limit = it->job_count > least_jobs(it) / 2 ? it->job_count * 2 : least_jobs(it);
    if (it->job_count <= it->pass->limit_size / 4 / sizeof(kbr_job))
        return KB_OK;
    it->off = true;
    kbr_pass_unchecked(it->pass,
                       "link: from %" PRId64 " ps on, for what is under way exceeds the limit of memory",
                       until_ps);
    return KB_OK;
}

static kb_status read_links(void *state, uint32_t rank, const kb_op *op, kbr_fitness *inout_fitness,
                            kb_trail *trail) {
    links *it = state;
    rank_state *in = &it->ranks[rank];
    (void)inout_fitness;
    if (it->off)
        return KB_OK;
    if (op->issue_ps < in->issue_ps) {
        it->off = true;
        kbr_pass_unchecked(it->pass, "link: ops of rank %" PRIu32 " are not in the order of their issue",
                           rank);
        return KB_OK;
    }
    in->issue_ps = op->issue_ps;
    if (in->left != 0 && in->left != UINT64_MAX)
        in->left--;
    if (op->what->route == KB_NONE)
        return KB_OK;
    KB_TRY(look_at(it, rank, op, trail));
    return it->job_count >= it->job_limit ? settle(it, trail) : KB_OK;
}

static kb_status finish_links(void *state, kb_trail *trail) {
    links *it = state;
    if (it->unknown_count != 0)
        kbr_pass_unchecked(it->pass,
                           "link: what %" PRIu64
                           " ops bring along their routes (credits): the trace names no bytes",
                           it->unknown_count);
    return it->off ? KB_OK : serve_all(it, INT64_MAX, trail);
}

const kbr_check kbr_check_link = {.reads_unfit = true,
                                  .open = open_links,
                                  .read = read_links,
                                  .finish = finish_links,
                                  .close = close_links};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine: an engine serves its own stream, no more ops at once than its capacity, and one that promises an
 * order one after another.
 *
 * Looks at times alone, and at no claim: a wrong claim cannot hide what it finds. An op is served from its
 * start to its done. Ops come by their issue, so what has started before an issue is known by then.
 */
#include <inttypes.h>

#include "blame/lookup.h"
#include "check/jobs.h"

typedef struct engine_state {
    kbr_mention former; /* that was done last, of an engine that promises an order */
    int64_t free_ps;
    kbr_jobs coming, served; /* of a bounded one: by start; by done */
    bool told;               /* of one that is over its capacity: the rest is counted */
} engine_state;

typedef struct engines {
    kbr_pass *pass;
    engine_state items[];
} engines;

static kb_status open_engines(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    size_t size = sizeof(engines) + pass->defs->engine_count * sizeof(engine_state);
    KB_TRY(kb_new_zeroed(pass->alloc, size, &block, trail));
    engines *it = block;
    it->pass = pass;
    *ret_state = it;
    return KB_OK;
}

static void close_engines(void *state, const kb_alloc *alloc) {
    engines *it = state;
    size_t count = it->pass->defs->engine_count;
    for (size_t i = 0; i < count; i++) {
        kbr_jobs_fini(&it->items[i].coming, alloc);
        kbr_jobs_fini(&it->items[i].served, alloc);
    }
    kb_delete(alloc, it, sizeof *it + count * sizeof(engine_state));
}

static kbr_finding about(const engines *it, const char *rule, uint32_t rank, const kb_op *op) {
    kbr_finding finding = kbr_finding_about(it->pass->defs, "engine", rule, rank, op);
    finding.key = op->what->engine;
    return finding;
}

static void check_turn(const engines *it, uint32_t rank, const kb_op *op, engine_state *engine) {
    if (engine->former.known && op->start_ps < engine->free_ps) {
        kbr_finding finding = about(it, "overlap", rank, op);
        kbr_finding_mention(&finding, &engine->former);
        kbr_finding_say(&finding,
                        "engine %s serves one op after another: this one starts at %" PRId64
                        " ps, and the one before it is done at %" PRId64 " ps",
                        it->pass->defs->engines[op->what->engine].name, op->start_ps, engine->free_ps);
        kbr_findings_add(it->pass->findings, &finding);
    }
    if (!engine->former.known || op->done_ps >= engine->free_ps) {
        engine->former = kbr_mention_of(rank, op);
        engine->free_ps = op->done_ps;
    }
}

static kb_status report_capacity(engines *it, uint32_t id, const kbr_job *job, const kbr_job *other,
                                 kb_trail *trail) {
    const kb_engine *row = &it->pass->defs->engines[id];
    kbr_mention self = {.rank = job->rank, .index = job->op},
                busy = {.rank = other->rank, .index = other->op};
    if (!it->items[id].told) {
        KB_TRY(kbr_lookup_mention(it->pass, job->rank, job->op, &self, trail));
        KB_TRY(kbr_lookup_mention(it->pass, other->rank, other->op, &busy, trail));
    }
    it->items[id].told = true;
    kbr_finding finding = kbr_finding_about(it->pass->defs, "engine", "capacity", job->rank, NULL);
    finding.key = id;
    finding.time_ps = job->key_ps;
    finding.pe = it->pass->defs->streams[row->stream].pe;
    kbr_finding_mention(&finding, &self);
    kbr_finding_mention(&finding, &busy);
    kbr_finding_say(&finding,
                    "engine %s serves at most %" PRIu32 " op%s at once: this one starts at %" PRId64
                    " ps, and of those before it the first is done at %" PRId64 " ps",
                    row->name, row->capacity, row->capacity == 1 ? "" : "s", job->key_ps, other->key_ps);
    kbr_findings_add(it->pass->findings, &finding);
    return KB_OK;
}

/* Lets in all that started before until_ps, by their start. */
static kb_status let_in(engines *it, uint32_t id, int64_t until_ps, kb_trail *trail) {
    kbr_jobs *coming = &it->items[id].coming, *served = &it->items[id].served;
    while (coming->count != 0 && coming->items[0].key_ps < until_ps) {
        kbr_job job = kbr_jobs_take(coming);
        while (served->count != 0 && served->items[0].key_ps <= job.key_ps)
            (void)kbr_jobs_take(served);
        if (served->count >= it->pass->defs->engines[id].capacity) {
            kbr_job other = kbr_jobs_take(served);
            KB_TRY(report_capacity(it, id, &job, &other, trail));
        }
        job.key_ps = job.other_ps;
        KB_TRY(kbr_jobs_add(served, it->pass->alloc, &job, trail));
    }
    return KB_OK;
}

static kb_status read_engines(void *state, uint32_t rank, const kb_op *op, kbr_fitness *inout_fitness,
                              kb_trail *trail) {
    engines *it = state;
    uint32_t id = op->what->engine;
    (void)inout_fitness;
    if (id == KB_NONE)
        return KB_OK;
    const kb_defs *defs = it->pass->defs;
    const kb_engine *row = &defs->engines[id];
    if (row->stream != op->what->stream) {
        kbr_finding finding = about(it, "stream", rank, op);
        kbr_finding_say(&finding, "engine %s serves stream %s, and the op is of %s", row->name,
                        defs->streams[row->stream].name, defs->streams[op->what->stream].name);
        kbr_findings_add(it->pass->findings, &finding);
        return KB_OK;
    }
    if (op->what->reached != KB_POINT_DONE || op->start_ps < op->issue_ps || op->done_ps < op->start_ps)
        return KB_OK;
    if (row->promise == KB_PROMISE_TOTAL) {
        check_turn(it, rank, op, &it->items[id]);
        return KB_OK;
    }
    if (row->capacity == 0 || op->done_ps == op->start_ps)
        return KB_OK;
    KB_TRY(let_in(it, id, op->issue_ps, trail));
    kbr_job job = {op->start_ps, op->done_ps, 0, op->index, rank};
    return kbr_jobs_add(&it->items[id].coming, it->pass->alloc, &job, trail);
}

static kb_status finish_engines(void *state, kb_trail *trail) {
    engines *it = state;
    for (uint32_t id = 0; id < it->pass->defs->engine_count; id++)
        KB_TRY(let_in(it, id, INT64_MAX, trail));
    return KB_OK;
}

const kbr_check kbr_check_engine = {.reads_unfit = true,
                                    .open = open_engines,
                                    .read = read_engines,
                                    .finish = finish_engines,
                                    .close = close_engines};

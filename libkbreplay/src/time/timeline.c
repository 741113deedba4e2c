/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A timeline: a walk by time over memories of its own, and the way back by checkpoints; see
 * kbreplay/timeline.h. What is seen of memory is in moment.c.
 *
 * Checks see each record once, when it is first come by: what lies behind that was judged, and only what
 * was found unfit for execution is remembered.
 */
#include <assert.h>
#include <string.h>

#include "blame/causes.h"
#include "blame/lookup.h"
#include "time/state.h"

#define MEMORY_DEFAULT ((uint64_t)16 << 30)

enum { CHECKPOINT_OPS = 8192, CHECKPOINT_COUNT = 128, TELL_OPS = 1024 };

/* --- what the walk does ------------------------------------------------------------------------ */

/* Among those that no check let pass. */
static kb_status remember_unfit(kbr_timeline *timeline, uint32_t rank, uint64_t index, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(timeline->alloc, sizeof(kbr_node), &block, trail));
    kbr_node *node = block;
    node->rank = rank;
    node->index = index;
    kb_status status = kbr_table_add(&timeline->unfit, node, trail);
    if (status != KB_OK)
        kb_delete(timeline->alloc, node, sizeof *node);
    return status;
}

static kb_status visit_read(void *user, uint32_t rank, const kb_op *op, bool *inout_usable, kb_trail *trail) {
    kbr_timeline *timeline = user;
    if (op->index < timeline->seen_reads[rank]) {
        *inout_usable = kbr_table_find(&timeline->unfit, rank, op->index) == NULL;
        return KB_OK;
    }
    KB_TRY(kbr_running_read(&timeline->checks, rank, op, inout_usable, trail));
    if (!*inout_usable)
        KB_TRY(remember_unfit(timeline, rank, op->index, trail));
    timeline->seen_reads[rank] = op->index + 1;
    return KB_OK;
}

static kb_status visit_issue(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)user, (void)rank, (void)op, (void)trail; /* no check that always runs asks for it */
    return KB_OK;
}

static kb_status visit_execute(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kbr_timeline *timeline = user;
    timeline->executed++;
    if (timeline->result.ops > timeline->seen_ops) {
        timeline->seen_ops = timeline->result.ops;
        KB_TRY(kbr_running_execute(&timeline->checks, rank, op, trail));
    }
    return kbr_op_execute(&timeline->pass, rank, op, trail);
}

static kb_status visit_abandon(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    kbr_timeline *timeline = user;
    return kbr_op_abandon(&timeline->pass, rank, op, trail);
}

/* --- life -------------------------------------------------------------------------------------- */

static kb_status set_up_pass(kbr_timeline *timeline, kb_reader *reader, kb_trail *trail) {
    const kbr_options *options = &timeline->options.replay;
    void *block;
    KB_TRY(kbr_regions_init(&timeline->regions, timeline->defs, &timeline->arena, trail));
    KB_TRY(kbr_findings_init(&timeline->findings, timeline->alloc, trail));
    KB_TRY(kbr_findings_init(&timeline->told, timeline->alloc, trail));
    KB_TRY(kbr_memories_create(timeline->defs, timeline->alloc, options->max_memory, &timeline->memories,
                               trail));
    kbr_exchange_shared_init(&timeline->shared, timeline->memories);
    kbr_checkpoints_init(&timeline->points, timeline->memories, timeline->alloc);
    timeline->points.most_regular = timeline->options.checkpoint_count;
    timeline->points.most_size = timeline->options.checkpoint_size;
    timeline->points.room_size = options->max_memory / 4 * 3;
    timeline->points.interval = timeline->options.checkpoint_ops;
    kbr_pass *pass = &timeline->pass;
    pass->reader = reader;
    pass->run = kb_reader_run(reader);
    pass->defs = timeline->defs;
    pass->footer = kb_reader_footer(reader);
    pass->complete = kb_reader_condition(reader, NULL) == KB_TRACE_COMPLETE;
    pass->limit_size = options->max_memory;
    pass->random = options->random;
    pass->seed = options->seed;
    pass->exchange = &timeline->shared.exchange;
    pass->regions = &timeline->regions;
    pass->findings = &timeline->findings;
    pass->result = &timeline->result;
    pass->unchecked = &timeline->unchecked;
    kbr_running_say_absent(pass);
    KB_TRY(kb_arena_new(&timeline->arena, pass->run->ranks * sizeof(uint64_t), &block, trail));
    timeline->seen_reads = block;
    KB_TRY(kbr_kernels_wanted(options->kernels, &pass->kernels, trail));
    kbr_memories_use(timeline->memories, pass->kernels);
    return KB_OK;
}

static kb_status set_up(kbr_timeline *timeline, kb_reader *reader, kb_trail *trail) {
    KB_TRY(set_up_pass(timeline, reader, trail));
    timeline->checking = true;
    KB_TRY(kbr_running_open(&timeline->checks, &timeline->pass, false, trail));
    KB_TRY(kbr_walk_create(&timeline->pass, &timeline->visitor, &timeline->walk, trail));
    return kbr_checkpoints_add(&timeline->points, timeline->walk, 0, false, trail);
}

kb_status kbr_timeline_create(kb_reader *reader, const kbr_timeline_options *options,
                              kbr_timeline **ret_timeline, kb_trail *trail) {
    const kb_alloc *alloc = options->replay.alloc != NULL ? options->replay.alloc : kb_alloc_heap();
    void *block;
    KB_TRY(kb_new_zeroed(alloc, sizeof(kbr_timeline), &block, trail));
    kbr_timeline *timeline = block;
    timeline->alloc = timeline->pass.alloc = alloc;
    timeline->defs = kb_reader_defs(reader);
    timeline->visitor = (kbr_visitor){visit_read, visit_issue, visit_execute, visit_abandon, timeline};
    timeline->options = *options;
    kbr_timeline_options *chosen = &timeline->options;
    if (chosen->replay.max_memory == 0)
        chosen->replay.max_memory = MEMORY_DEFAULT;
    if (chosen->checkpoint_ops == 0)
        chosen->checkpoint_ops = CHECKPOINT_OPS;
    if (chosen->checkpoint_count == 0)
        chosen->checkpoint_count = CHECKPOINT_COUNT;
    kb_arena_init(&timeline->arena, alloc, 0);
    kbr_table_init(&timeline->unfit, alloc);
    timeline->moment.time_ps = INT64_MIN;
    kb_status status = set_up(timeline, reader, trail);
    if (status != KB_OK) {
        kbr_timeline_destroy(timeline);
        return status;
    }
    *ret_timeline = timeline;
    return KB_OK;
}

void kbr_timeline_destroy(kbr_timeline *timeline) {
    if (timeline == NULL)
        return;
    const kb_alloc *alloc = timeline->alloc;
    kbr_node *node;
    kbr_snapshot_destroy(timeline->unmasked);
    kbr_checkpoints_fini(&timeline->points);
    kbr_walk_destroy(timeline->walk);
    if (timeline->checking)
        kbr_running_close(&timeline->checks);
    kbr_pass_fini(&timeline->pass);
    kbr_memories_destroy(timeline->memories);
    kbr_findings_fini(&timeline->findings, alloc);
    kbr_findings_fini(&timeline->told, alloc);
    while ((node = kbr_table_take(&timeline->unfit)) != NULL)
        kb_delete(alloc, node, sizeof *node);
    kbr_table_fini(&timeline->unfit);
    kb_arena_fini(&timeline->arena);
    kb_delete(alloc, timeline, sizeof *timeline);
}

/* --- going ------------------------------------------------------------------------------------- */

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* The number of executed ops at which a checkpoint is due. Where the walk has not been they are regular. */
static uint64_t due_ops(const kbr_timeline *timeline, bool *ret_fine) {
    const kbr_checkpoints *points = &timeline->points;
    uint64_t last = points->items[points->count - 1].ops, now = timeline->result.ops;
    uint64_t step = points->interval / KBR_FINE_PARTS;
    *ret_fine = now < last;
    if (!*ret_fine)
        return later(last, timeline->tried_ops) + points->interval;
    for (size_t i = 0; i < points->count && points->items[i].ops <= now; i++)
        last = points->items[i].ops;
    return later(last, timeline->tried_ops) + (step != 0 ? step : 1);
}

/* A checkpoint that cannot be made now is made later. */
static void make_checkpoint(kbr_timeline *timeline) {
    bool fine;
    if (timeline->pass.random || timeline->result.ops < due_ops(timeline, &fine))
        return;
    kb_trail unused;
    kb_trail_init(&unused);
    timeline->tried_ops = timeline->result.ops;
    if (kbr_checkpoints_add(&timeline->points, timeline->walk, timeline->result.ops, fine, &unused) != KB_OK)
        kbr_checkpoints_thin(&timeline->points);
}

static kb_status advance(kbr_timeline *timeline, int64_t time_ps, kb_trail *trail) {
    const kbr_progress *progress = &timeline->options.replay.progress;
    for (bool arrived = false, fine; !arrived;) {
        uint64_t stop = due_ops(timeline, &fine), soon = timeline->result.ops + TELL_OPS;
        KB_TRY(kbr_walk_advance(timeline->walk, time_ps, progress->tell != NULL && soon < stop ? soon : stop,
                                &arrived, trail));
        if (!arrived)
            make_checkpoint(timeline);
        KB_TRY(kbr_progress_tell(progress, timeline->result.ops, trail));
    }
    return KB_OK;
}

static kb_status resume(kbr_timeline *timeline, int64_t time_ps, kb_trail *trail) {
    const kbr_checkpoint *from = kbr_checkpoints_before(&timeline->points, time_ps);
    kbr_memories_restore(timeline->memories, from->memory);
    timeline->tried_ops = from->ops;
    if (timeline->pass.random)
        timeline->seen_ops = UINT64_MAX; /* what comes now came before, in another order */
    return kbr_walk_resume(timeline->walk, from->mark, trail);
}

static bool should_resume(const kbr_timeline *timeline, int64_t time_ps) {
    if (timeline->lost || time_ps < kbr_walk_now(timeline->walk))
        return true;
    return kbr_checkpoints_before(&timeline->points, time_ps)->ops > timeline->result.ops;
}

/* Room that checkpoints take is given up before a seek fails for want of it. */
static kb_status go(kbr_timeline *timeline, int64_t time_ps, kb_trail *trail) {
    bool resumes = should_resume(timeline, time_ps);
    timeline->lost = true;
    for (;;) {
        kb_status status = resumes ? resume(timeline, time_ps, trail) : KB_OK;
        if (status == KB_OK)
            status = advance(timeline, time_ps, trail);
        bool room = status == KB_E_LIMIT || status == KB_E_MEMORY;
        if (status == KB_OK || !room || !kbr_checkpoints_thin(&timeline->points))
            return status;
        resumes = true;
        if (trail != NULL)
            kb_trail_init(trail);
    }
}

static kb_status count_changing(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)rank, (void)trail;
    uint64_t *count = user;
    *count += kbr_op_writes(op);
    return KB_OK;
}

/* Once nothing is to come, what never ran is told, and what only the end shows. */
static kb_status tell_end(kbr_timeline *timeline, kb_trail *trail) {
    if (timeline->told_end || !timeline->moment.ended)
        return KB_OK;
    timeline->told_end = true;
    kbr_walk_explain(timeline->walk);
    return kbr_running_finish(&timeline->checks, trail);
}

kb_status kbr_timeline_seek(kbr_timeline *timeline, int64_t time_ps, kb_trail *trail) {
    kbr_timeline_unmask(timeline);
    KB_TRY(go(timeline, time_ps, trail));
    kbr_moment *moment = &timeline->moment;
    *moment = (kbr_moment){
        .time_ps = time_ps, .started = timeline->result.ops, .ended = kbr_walk_exhausted(timeline->walk)};
    KB_TRY(kbr_walk_changing(timeline->walk, count_changing, &moment->in_flight, trail));
    KB_TRY(tell_end(timeline, trail));
    timeline->lost = false;
    return KB_OK;
}

/* --- what is known of it ----------------------------------------------------------------------- */

const kbr_moment *kbr_timeline_moment(const kbr_timeline *timeline) {
    return &timeline->moment;
}

kb_status kbr_timeline_result(kbr_timeline *timeline, const kbr_result **ret_result, kb_trail *trail) {
    kbr_result *result = &timeline->result;
    kbr_findings *told = &timeline->told;
    if (timeline->findings.count != 0)
        memcpy(told->items, timeline->findings.items, timeline->findings.count * sizeof *told->items);
    told->count = timeline->findings.count;
    KB_TRY(kbr_lookup_findings(&timeline->pass, told, trail));
    KB_TRY(kbr_causes_find(&timeline->pass, told, &result->cause_count, trail));
    result->findings = told->items;
    result->finding_count = told->count;
    result->finding_overflow = timeline->findings.overflow;
    result->unchecked = timeline->unchecked.lines;
    result->unchecked_count = timeline->unchecked.count;
    *ret_result = result;
    return KB_OK;
}

void kbr_timeline_measure(const kbr_timeline *timeline, kbr_timeline_costs *ret_costs) {
    *ret_costs = (kbr_timeline_costs){.executed = timeline->executed,
                                      .checkpoints = timeline->points.count,
                                      .checkpoint_size = kbr_checkpoints_size(&timeline->points)};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A replay: one pass with the checks, and where a value is wrong a second one that finds out why. */
#include "kbreplay/replay.h"

#include <assert.h>

#include "blame/blame.h"
#include "blame/causes.h"
#include "blame/lookup.h"
#include "check/running.h"
#include "dump.h"
#include "play/play.h"
#include "replay_state.h"
#include "walk/walk.h"

#define MEMORY_DEFAULT ((uint64_t)16 << 30)

/* --- a pass ------------------------------------------------------------------------------------ */

/* Who is told of each op: the checks, and what runs it, or keeps it for the search for a culprit. */
typedef struct told {
    kbr_running checks;
    kbr_play *play; /* NULL: nothing runs, and ops are logged */
} told;

static kb_status visit_read(void *user, uint32_t rank, const kb_op *op, bool *inout_usable, kb_trail *trail) {
    told *it = user;
    return kbr_running_read(&it->checks, rank, op, inout_usable, trail);
}

static kb_status visit_issue(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    told *it = user;
    return it->play != NULL ? kbr_running_issue(&it->checks, rank, op, trail) : KB_OK;
}

static kb_status visit_execute(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    told *it = user;
    if (it->play == NULL)
        return kbr_log_add(it->checks.pass->log, rank, op, trail);
    KB_TRY(kbr_running_execute(&it->checks, rank, op, trail));
    return kbr_play_op(it->play, rank, op, trail);
}

static kb_status visit_abandon(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    told *it = user;
    return it->play != NULL ? kbr_play_abandon(it->play, rank, op, trail) : KB_OK;
}

static kb_status walk_to(told *to, kb_trail *trail) {
    kbr_visitor visits = {visit_read, visit_issue, visit_execute, visit_abandon, to};
    return kbr_walk(to->checks.pass, &visits, trail);
}

static kb_status walk_and_play(told *to, unsigned threads, kb_trail *trail) {
    KB_TRY(kbr_play_create(&to->checks, threads, &to->play, trail));
    kb_status status = walk_to(to, trail);
    /* An op that failed was handed in before the walk stopped. */
    kb_status played = kbr_play_finish(to->play, trail);
    if (played == KB_OK)
        kbr_play_tell(to->play);
    kbr_play_destroy(to->play);
    return played != KB_OK ? played : status;
}

/* Runs every op, and all checks or those that always run. */
static kb_status play(kbr_pass *pass, bool all, unsigned threads, kb_trail *trail) {
    told to = {.play = NULL};
    kb_status status = kbr_running_open(&to.checks, pass, all, trail);
    if (status == KB_OK)
        status = walk_and_play(&to, threads, trail);
    if (status == KB_OK)
        status = kbr_running_finish(&to.checks, trail);
    kbr_running_close(&to.checks);
    return status;
}

/* Walks in the same order, and keeps what touched what in the pass's log. */
static kb_status keep_log(kbr_pass *pass, kb_trail *trail) {
    told to = {.play = NULL};
    kb_status status = kbr_running_open(&to.checks, pass, false, trail);
    if (status == KB_OK)
        status = walk_to(&to, trail);
    kbr_running_close(&to.checks);
    return status;
}

static kbr_pass new_pass(kbr_replay *replay) {
    return (kbr_pass){.alloc = replay->alloc,
                      .reader = replay->reader,
                      .run = kb_reader_run(replay->reader),
                      .defs = replay->defs,
                      .footer = kb_reader_footer(replay->reader),
                      .complete = kb_reader_condition(replay->reader, NULL) == KB_TRACE_COMPLETE,
                      .little_size = replay->little_size,
                      .limit_size = replay->options.max_memory,
                      .strict_init = replay->options.strict_init,
                      .random = replay->options.random,
                      .seed = replay->options.seed,
                      .progress = replay->options.progress,
                      .regions = &replay->regions,
                      .kernels = replay->kernels};
}

/* --- the second pass --------------------------------------------------------------------------- */

static bool anything_wrong(const kbr_wrongs *wrongs) {
    bool any = wrongs->undefined.set;
    for (size_t i = 0; i < wrongs->value_count; i++)
        any = any || wrongs->values[i].set;
    return any;
}

/* Walks once more in the same order, keeps what touched what, and asks it for the culprit. */
static kb_status explain(kbr_replay *replay, kb_trail *trail) {
    kbr_findings unused;
    KB_TRY(kbr_findings_init(&unused, replay->alloc, trail));
    kbr_log log;
    kbr_log_init(&log, replay->alloc);
    kbr_result result = {.ops = 0};
    kbr_pass pass = new_pass(replay);
    pass.findings = &unused;
    pass.result = &result;
    pass.log = &log;
    kb_status status = keep_log(&pass, trail);
    if (status == KB_OK)
        status = kbr_blame(&pass, &log, &replay->wrongs, &replay->findings, trail);
    kbr_pass_fini(&pass);
    kbr_log_fini(&log);
    kbr_findings_fini(&unused, replay->alloc);
    return status;
}

/* --- life -------------------------------------------------------------------------------------- */

static kb_status set_up(kbr_replay *replay, kb_trail *trail) {
    void *values;
    KB_TRY(kbr_regions_init(&replay->regions, replay->defs, &replay->arena, trail));
    KB_TRY(kbr_findings_init(&replay->findings, replay->alloc, trail));
    KB_TRY(kb_arena_new(&replay->arena, replay->defs->collective_count * sizeof(kbr_wrong_value), &values,
                        trail));
    replay->wrongs = (kbr_wrongs){.values = values, .value_count = replay->defs->collective_count};
    KB_TRY(kbr_memories_create(replay->defs, replay->alloc, replay->options.max_memory, &replay->memories,
                               trail));
    kbr_memories_use(replay->memories, replay->kernels);
    kbr_exchange_shared_init(&replay->shared, replay->memories);
    replay->exchange = &replay->shared.exchange;
    replay->little_size = KBR_LITTLE_SIZE;
    return KB_OK;
}

kb_status kbr_replay_create(kb_reader *reader, const kbr_options *options, kbr_replay **ret_replay,
                            kb_trail *trail) {
    const kb_alloc *alloc = options->alloc != NULL ? options->alloc : kb_alloc_heap();
    void *block;
    KB_TRY(kb_new_zeroed(alloc, sizeof(kbr_replay), &block, trail));
    kbr_replay *replay = block;
    replay->options = *options;
    if (replay->options.max_memory == 0)
        replay->options.max_memory = MEMORY_DEFAULT;
    replay->alloc = alloc;
    replay->reader = reader;
    replay->defs = kb_reader_defs(reader);
    kb_arena_init(&replay->arena, alloc, 0);
    kb_status status = kbr_kernels_wanted(options->kernels, &replay->kernels, trail);
    if (status == KB_OK)
        status = set_up(replay, trail);
    if (status != KB_OK) {
        kbr_replay_destroy(replay);
        return status;
    }
    *ret_replay = replay;
    return KB_OK;
}

void kbr_replay_destroy(kbr_replay *replay) {
    if (replay == NULL)
        return;
    kbr_memories_destroy(replay->memories);
    kbr_findings_fini(&replay->findings, replay->alloc);
    kb_arena_fini(&replay->arena);
    kb_delete(replay->alloc, replay, sizeof *replay);
}

kb_status kbr_replay_run(kbr_replay *replay, kb_trail *trail) {
    assert(!replay->ran);
    replay->ran = true;
    kbr_pass pass = new_pass(replay);
    pass.exchange = replay->exchange;
    pass.findings = &replay->findings;
    pass.result = &replay->result;
    pass.unchecked = &replay->unchecked;
    pass.wrongs = &replay->wrongs;
    if (!replay->options.verify)
        kbr_running_say_absent(&pass);
    kb_status status = play(&pass, replay->options.verify, replay->options.threads, trail);
    kbr_pass_fini(&pass);
    if (status == KB_OK)
        status = kbr_memories_digest(replay->memories, &replay->result.memory_digest, trail);
    if (status == KB_OK && anything_wrong(&replay->wrongs))
        status = explain(replay, trail);
    if (status != KB_OK)
        return status;
    KB_TRY(kbr_lookup_findings(&pass, &replay->findings, trail));
    KB_TRY(kbr_causes_find(&pass, &replay->findings, &replay->result.cause_count, trail));
    replay->result.findings = replay->findings.items;
    replay->result.finding_count = replay->findings.count;
    replay->result.finding_overflow = replay->findings.overflow;
    replay->result.unchecked = replay->unchecked.lines;
    replay->result.unchecked_count = replay->unchecked.count;
    return KB_OK;
}

const kbr_result *kbr_replay_result(const kbr_replay *replay) {
    return &replay->result;
}

kb_status kbr_replay_dump(kbr_replay *replay, uint32_t tensor, const kb_fs *fs, const char *path,
                          uint64_t *ret_undefined, kb_trail *trail) {
    kbr_dumped from = {replay->alloc, replay->defs, replay->memories, replay->options.max_memory};
    return kbr_dump(&from, tensor, fs, path, ret_undefined, trail);
}

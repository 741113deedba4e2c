/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kb-replay: rebuilds memory from a trace, computes its data, and says what is wrong with it.
 */
#include <inttypes.h>
#include <string.h>

#include "common/time.h"
#include "common/tool.h"
#include "kbreplay/timeline.h"
#include "replay/print.h"
#include "replay/progress.h"

typedef struct values {
    kbt_common common;
    bool verify, recover;
    kbt_list dumps;
    const char *at, *order, *kernels, *init;
    uint64_t max_memory, max_rebuilt;
} values;

static const kbt_option options[] = {
    {0, "verify", KBT_FLAG, offsetof(values, verify), NULL,
     "run every check, not only structure, claims, bounds and progress", .required = false},
    {0, "at", KBT_TEXT, offsetof(values, at), "TIME",
     "rebuild memory as it is at a time, as 1.5us (ps, ns, us, ms, s; ps where there is none)",
     .required = false},
    {0, "dump", KBT_LIST, offsetof(values, dumps), "TENSOR=FILE.npy",
     "write a tensor as memory holds it, at the end or --at; TENSOR@RANK where ranks share the name",
     .required = false},
    {0, "order", KBT_TEXT, offsetof(values, order), "ORDER",
     "recorded, or random:SEED for another order that the claims allow", .required = false},
    {0, "init", KBT_TEXT, offsetof(values, init), "MODE",
     "strict: undefined bytes may not even be copied; results (default): nothing may depend on them",
     .required = false},
    {0, "kernels", KBT_TEXT, offsetof(values, kernels), "NAME",
     "compute with portable, avx2 or avx512 instructions: the same bits (default: the best there are)",
     .required = false},
    {0, "recover", KBT_FLAG, offsetof(values, recover), NULL, "use what is whole of a damaged trace",
     .required = false},
    KBT_MAX_MEMORY(values, max_memory),
    {0, "max-rebuilt", KBT_COUNT, offsetof(values, max_rebuilt), "BYTES",
     "memory that rebuilt contents may take (default: 16Gi)", .least = UINT64_C(1) << 16,
     .most = UINT64_C(1) << 50},
};

/* --- arguments --------------------------------------------------------------------------------- */

static kb_status parse_order(const char *order, kbr_options *ret_options, kb_trail *trail) {
    static const char random[] = "random:";
    if (order == NULL || strcmp(order, "recorded") == 0)
        return KB_OK;
    uint64_t seed;
    if (strncmp(order, random, sizeof random - 1) != 0 || !kbt_number(order + sizeof random - 1, &seed))
        return kb_fail(trail, KB_E_ARGUMENT,
                       "--order: '%s' is neither 'recorded' nor 'random:SEED' with a whole number", order);
    ret_options->random = true;
    ret_options->seed = seed;
    return KB_OK;
}

static kb_status parse_init(const char *init, kbr_options *ret_options, kb_trail *trail) {
    if (init == NULL || strcmp(init, "results") == 0)
        return KB_OK;
    if (strcmp(init, "strict") != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "--init: '%s' is neither 'results' nor 'strict'", init);
    if (!ret_options->verify)
        return kb_fail(trail, KB_E_ARGUMENT, "--init=strict asks more of a check: give --verify, too");
    ret_options->strict_init = true;
    return KB_OK;
}

typedef struct dump {
    const char *name, *path;
    uint32_t tensor;
} dump;

/* What a call comes to. */
typedef struct job {
    kbt_call *call;
    kbr_options how;
    bool timed;
    int64_t at_ps;
    dump *dumps;
    size_t dump_count;
    kb_reader *reader;
    kbt_progress progress;
} job;

/* TENSOR=FILE, apart; and the file can be made. Before any work, so that a slip costs no time. */
static kb_status parse_dumps(job *it, const kbt_list *given, kb_trail *trail) {
    void *block;
    KB_TRY(kb_arena_new(it->call->arena, given->count * sizeof(dump), &block, trail));
    it->dumps = block;
    it->dump_count = given->count;
    for (size_t i = 0; i < given->count; i++) {
        const char *equals = strchr(given->items[i], '=');
        if (equals == NULL || equals == given->items[i] || equals[1] == '\0')
            return kb_fail(trail, KB_E_ARGUMENT, "--dump: '%s' is not TENSOR=FILE, as y=y.npy",
                           given->items[i]);
        size_t length = (size_t)(equals - given->items[i]);
        KB_TRY(kb_arena_text(it->call->arena, given->items[i], length, &it->dumps[i].name, trail));
        it->dumps[i].path = equals + 1;
        if (strcmp(equals + 1, "-") == 0 && (!it->call->common->quiet || it->call->common->json))
            return kb_fail(trail, KB_E_ARGUMENT,
                           "--dump: what is told goes to the standard output, too: give -q, and no --json");
        for (size_t other = 0; other < i; other++)
            if (strcmp(it->dumps[other].path, equals + 1) == 0)
                return kb_fail(trail, KB_E_ARGUMENT, "--dump: `%s` and `%s` go to one file, %s",
                               it->dumps[other].name, it->dumps[i].name, equals + 1);
        for (size_t word = 0; word < it->call->words.count; word++)
            if (strcmp(it->call->words.items[word], equals + 1) == 0 && strcmp(equals + 1, "-") != 0)
                return kb_fail(trail, KB_E_ARGUMENT, "--dump: %s is the trace, and would be overwritten",
                               equals + 1);
        KB_TRY(kbr_dump_place(NULL, equals + 1, trail));
    }
    return KB_OK;
}

static kb_status parse_at(job *it, const char *at, kb_trail *trail) {
    const char *end = at;
    if (at == NULL)
        return KB_OK;
    if (!kbt_take_time(&end, &it->at_ps) || *end != '\0')
        return kb_fail(trail, KB_E_ARGUMENT,
                       "--at: '%s' is no time: a number of ps, or with a unit as 1.5us, in whole picoseconds",
                       at);
    it->timed = true;
    return KB_OK;
}

static kb_status parse(job *it, kb_trail *trail) {
    const values *given = it->call->values;
    it->how = (kbr_options){.log = &it->call->log,
                            .verify = given->verify,
                            .max_memory = given->max_rebuilt,
                            .threads = kbt_threads(it->call),
                            .kernels = given->kernels};
    KB_TRY(parse_order(given->order, &it->how, trail));
    KB_TRY(parse_init(given->init, &it->how, trail));
    KB_TRY(parse_at(it, given->at, trail));
    return parse_dumps(it, &given->dumps, trail);
}

/* --- the trace --------------------------------------------------------------------------------- */

static kb_status open_trace(job *it, kb_trail *trail) {
    const values *given = it->call->values;
    kb_reader_options reading = {.log = &it->call->log,
                                 .threads = kbt_threads(it->call),
                                 .check_digests = given->verify,
                                 .recover = given->recover,
                                 .max_memory = given->max_memory,
                                 .max_frame = given->max_memory};
    KB_TRY(kb_reader_open(it->call->words.items, it->call->words.count, &reading, &it->reader, trail));
    for (size_t i = 0; i < it->dump_count; i++)
        KB_TRY(kbr_find_tensor(kb_reader_defs(it->reader), it->dumps[i].name, &it->dumps[i].tensor, trail));
    return KB_OK;
}

static void warn_undefined(kbt_call *call, const dump *dumped, uint64_t undefined) {
    if (undefined != 0)
        kbt_warn(call, "%s: %" PRIu64 " elements of `%s` are undefined, and written as 0", dumped->path,
                 undefined, dumped->name);
}

static void warn_incomplete(kbt_call *call, kb_reader *reader, const kbr_result *result) {
    const char *words;
    if (kb_reader_condition(reader, &words) != KB_TRACE_COMPLETE)
        kbt_warn(call, "the trace is incomplete: %s", words);
    if (result->unfinished != 0)
        kbt_warn(call,
                 "%" PRIu64
                 " ops never ran to their end, or wait for one that did not; what such ops may have "
                 "written is undefined",
                 result->unfinished);
}

/* The findings come after what was dumped there. */
static bool dumps_to_output(const job *it) {
    for (size_t i = 0; i < it->dump_count; i++)
        if (strcmp(it->dumps[i].path, "-") == 0)
            return true;
    return false;
}

/* Fills in the rest, and tells it. */
static int tell(const job *it, kbt_replayed *told) {
    const values *given = it->call->values;
    told->call = it->call;
    told->trace = it->call->words.items[0];
    told->run = kb_reader_run(it->reader);
    told->defs = kb_reader_defs(it->reader);
    told->footer = kb_reader_footer(it->reader);
    told->verified = given->verify;
    told->complete = kb_reader_condition(it->reader, NULL) == KB_TRACE_COMPLETE;
    told->pass = told->complete && told->result->finding_count == 0;
    warn_incomplete(it->call, it->reader, told->result);
    if (given->common.json)
        kbt_replay_print_json(told);
    else if (!dumps_to_output(it))
        kbt_replay_print(told, given->common.quiet);
    return told->pass ? KBT_FINE : KBT_NEGATIVE;
}

/* --- memory at a time -------------------------------------------------------------------------- */

/* Ops up to then, about: as many as there would be if they came evenly. */
static uint64_t ops_until(const job *it) {
    const kb_footer *footer = kb_reader_footer(it->reader);
    uint64_t all = kb_reader_op_count(it->reader);
    if (footer == NULL || footer->ending.time_ps <= 0 || it->at_ps >= footer->ending.time_ps)
        return all;
    return (uint64_t)((double)all * ((double)it->at_ps / (double)footer->ending.time_ps));
}

static kb_status seek_and_dump(job *it, kbr_timeline *timeline, kbt_replayed *told, kb_trail *trail) {
    kb_status status = kbr_timeline_seek(timeline, it->at_ps, trail);
    if (status == KB_OK)
        status = kbr_timeline_digest(timeline, &told->digest, trail);
    kbt_progress_end(&it->progress);
    if (status != KB_OK)
        return kb_while(trail, status, "rebuilding memory at %" PRId64 " ps", it->at_ps);
    told->timed = true;
    told->at_ps = it->at_ps;
    told->in_flight = kbr_timeline_moment(timeline)->in_flight;
    for (size_t i = 0; i < it->dump_count; i++) {
        uint64_t undefined;
        KB_TRY(kbr_timeline_dump(timeline, it->dumps[i].tensor, NULL, it->dumps[i].path, &undefined, trail));
        warn_undefined(it->call, &it->dumps[i], undefined);
    }
    return KB_OK;
}

/* One way, and no way back: the only checkpoint is the beginning. */
static kb_status go_to_time(job *it, kbr_timeline **ret_timeline, kbt_replayed *told, kb_trail *trail) {
    kbr_timeline_options how = {.replay = it->how, .checkpoint_ops = UINT64_MAX / 2};
    how.replay.progress = kbt_progress_begin(&it->progress, it->call, "replaying", ops_until(it));
    KB_TRY(kbr_timeline_create(it->reader, &how, ret_timeline, trail));
    KB_TRY(seek_and_dump(it, *ret_timeline, told, trail));
    return kbr_timeline_result(*ret_timeline, &told->result, trail);
}

/* --- the whole run ----------------------------------------------------------------------------- */

/* Memory at the end is what is told and dumped, unless a time was asked for. */
static kb_status replay_all(job *it, kbr_replay **ret_replay, kbt_replayed *told, kb_trail *trail) {
    it->how.progress = kbt_progress_begin(&it->progress, it->call, it->how.verify ? "verifying" : "replaying",
                                          kb_reader_op_count(it->reader));
    KB_TRY(kbr_replay_create(it->reader, &it->how, ret_replay, trail));
    kb_status status = kbr_replay_run(*ret_replay, trail);
    kbt_progress_end(&it->progress);
    KB_TRY(status);
    told->result = kbr_replay_result(*ret_replay);
    if (!it->timed)
        told->digest = told->result->memory_digest;
    for (size_t i = 0; i < it->dump_count && !it->timed; i++) {
        uint64_t undefined;
        KB_TRY(kbr_replay_dump(*ret_replay, it->dumps[i].tensor, NULL, it->dumps[i].path, &undefined, trail));
        warn_undefined(it->call, &it->dumps[i], undefined);
    }
    return KB_OK;
}

static kb_status work(job *it, kbr_timeline **ret_timeline, kbr_replay **ret_replay, kbt_replayed *told,
                      kb_trail *trail) {
    KB_TRY(parse(it, trail));
    KB_TRY(open_trace(it, trail));
    if (it->timed)
        KB_TRY(go_to_time(it, ret_timeline, told, trail));
    if (it->timed && !it->how.verify)
        return KB_OK;
    kbr_timeline_destroy(*ret_timeline);
    *ret_timeline = NULL;
    return replay_all(it, ret_replay, told, trail);
}

/* A trace that ends before anything of it is whole is incomplete, which is a verdict. */
static int fail(const job *it, const kb_trail *trail) {
    int status = kbt_fail(it->call, trail);
    const kbr_result nothing = {.ops = 0};
    const kbt_replayed told = {.call = it->call, .result = &nothing, .nothing = true};
    if (status == KBT_NEGATIVE && it->call->common->json)
        kbt_replay_print_json(&told);
    return status;
}

static int run(kbt_call *call) {
    kb_trail trail;
    kb_trail_init(&trail);
    job it = {.call = call};
    kbt_replayed told = {.timed = false};
    kbr_timeline *timeline = NULL;
    kbr_replay *replay = NULL;
    int status;
    if (work(&it, &timeline, &replay, &told, &trail) == KB_OK) {
        status = tell(&it, &told);
    } else {
        kbt_progress_end(&it.progress);
        status = fail(&it, &trail);
    }
    kbr_timeline_destroy(timeline);
    kbr_replay_destroy(replay);
    kb_reader_destroy(it.reader);
    return status;
}

static const kbt_command command = {
    .usage = "TRACE... [OPTION]...",
    .summary = "Rebuild memory from a trace, compute its data, and check it.",
    .examples =
        "  kb-replay run.zst --verify                      is the result right, is every claim kept?\n"
        "  kb-replay run.zst --dump x@3=x3.npy             what rank 3's tensor x holds at the end\n"
        "  kb-replay run.zst --at 1.5us --dump x@3=x3.npy  what it holds at 1.5 us\n"
        "  kb-replay run/ --verify --json -q               for scripts\n"
        "  kb-replay run.zst --order random:7              another order, the same memory digest\n",
    .more = "TRACE is a file, a folder of one file a rank, or - for standard input.\n"
            "Memory at a time holds what is done by then; what an op in flight writes is undefined.\n"
            "With --verify the verdict is about the whole run, and memory is that of the time.\n"
            "Exit status: 0 nothing found; 1 findings, or a trace that is incomplete; 2 trouble.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .least_words = 1,
    .most_words = SIZE_MAX,
    .word_name = "TRACE",
    .values_size = sizeof(values),
    .run = run,
};

static const kbt_tool tool = {
    .name = "kb-replay",
    .summary = "Rebuild memory from a trace, compute its data, and check it.",
    .commands = &command,
    .command_count = 1,
};

int main(int argc, char **argv) {
    return kbt_main(&tool, argc, argv);
}

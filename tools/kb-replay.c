/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kb-replay: rebuilds memory from a trace, computes its data, and says what is wrong with it.
 */
#include <inttypes.h>
#include <string.h>

#include "common/tool.h"
#include "kbreplay/replay.h"
#include "replay/print.h"

typedef struct values {
    kbt_common common;
    bool verify, recover;
    kbt_list dumps;
    const char *order, *kernels, *init;
    uint64_t max_memory;
} values;

static const kbt_option options[] = {
    {0, "verify", KBT_FLAG, offsetof(values, verify), NULL, "run every check, not only those of the records",
     .required = false},
    {0, "dump", KBT_LIST, offsetof(values, dumps), "TENSOR=FILE.npy",
     "write a tensor as memory holds it at the end; TENSOR@RANK where ranks share the name",
     .required = false},
    {0, "order", KBT_TEXT, offsetof(values, order), "ORDER",
     "recorded, or random:SEED for another order that the claims allow", .required = false},
    {0, "init", KBT_TEXT, offsetof(values, init), "MODE",
     "results (default): nothing may depend on undefined bytes, and copies carry them; strict: nor be copied",
     .required = false},
    {0, "kernels", KBT_TEXT, offsetof(values, kernels), "NAME",
     "compute with portable, avx2 or avx512 instructions: the same bits (default: the best there are)",
     .required = false},
    {0, "recover", KBT_FLAG, offsetof(values, recover), NULL, "use what is whole of a damaged trace",
     .required = false},
    KBT_MAX_MEMORY(values, max_memory),
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
} dump;

/* TENSOR=FILE, apart; before the replay, so that a slip costs no time. */
static kb_status parse_dumps(const kbt_call *call, const kbt_list *given, dump **ret_dumps, kb_trail *trail) {
    void *block;
    KB_TRY(kb_arena_new(call->arena, given->count * sizeof(dump), &block, trail));
    dump *dumps = block;
    for (size_t i = 0; i < given->count; i++) {
        const char *equals = strchr(given->items[i], '=');
        if (equals == NULL || equals == given->items[i] || equals[1] == '\0')
            return kb_fail(trail, KB_E_ARGUMENT, "--dump: '%s' is not TENSOR=FILE, as y=y.npy",
                           given->items[i]);
        size_t length = (size_t)(equals - given->items[i]);
        KB_TRY(kb_arena_text(call->arena, given->items[i], length, &dumps[i].name, trail));
        dumps[i].path = equals + 1;
    }
    *ret_dumps = dumps;
    return KB_OK;
}

/* --- the replay -------------------------------------------------------------------------------- */

static kb_status dump_all(kbt_call *call, kb_reader *reader, kbr_replay *replay, const dump *dumps,
                          size_t count, kb_trail *trail) {
    for (size_t i = 0; i < count; i++) {
        uint32_t tensor;
        uint64_t undefined;
        KB_TRY(kbr_find_tensor(kb_reader_defs(reader), dumps[i].name, &tensor, trail));
        KB_TRY(kbr_replay_dump(replay, tensor, NULL, dumps[i].path, &undefined, trail));
        if (undefined != 0)
            kbt_warn(call, "%s: %" PRIu64 " elements of `%s` are undefined, and written as 0", dumps[i].path,
                     undefined, dumps[i].name);
    }
    return KB_OK;
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

static bool all_known(kb_reader *reader, const dump *dumps, size_t count, kb_trail *trail) {
    uint32_t tensor;
    for (size_t i = 0; i < count; i++)
        if (kbr_find_tensor(kb_reader_defs(reader), dumps[i].name, &tensor, trail) != KB_OK)
            return false;
    return true;
}

static int replay_open(kbt_call *call, kb_reader *reader, kbr_replay *replay, const dump *dumps,
                       kb_trail *trail) {
    const values *given = call->values;
    if (!all_known(reader, dumps, given->dumps.count, trail) || kbr_replay_run(replay, trail) != KB_OK ||
        dump_all(call, reader, replay, dumps, given->dumps.count, trail) != KB_OK)
        return kbt_fail(call, trail);
    const kbr_result *result = kbr_replay_result(replay);
    warn_incomplete(call, reader, result);
    bool complete = kb_reader_condition(reader, NULL) == KB_TRACE_COMPLETE;
    kbt_replayed told = {.call = call,
                         .trace = call->words.items[0],
                         .run = kb_reader_run(reader),
                         .defs = kb_reader_defs(reader),
                         .footer = kb_reader_footer(reader),
                         .result = result,
                         .verified = given->verify,
                         .complete = complete,
                         .pass = complete && result->finding_count == 0};
    if (given->common.json)
        kbt_replay_print_json(&told);
    else
        kbt_replay_print(&told, given->common.quiet);
    return told.pass ? KBT_FINE : KBT_NEGATIVE;
}

static int run(kbt_call *call) {
    const values *given = call->values;
    kb_trail trail;
    kb_trail_init(&trail);
    kbr_options how = {
        .log = &call->log, .verify = given->verify, .threads = kbt_threads(call), .kernels = given->kernels};
    dump *dumps = NULL;
    if (parse_order(given->order, &how, &trail) != KB_OK || parse_init(given->init, &how, &trail) != KB_OK ||
        parse_dumps(call, &given->dumps, &dumps, &trail) != KB_OK)
        return kbt_fail(call, &trail);
    kb_reader_options reading = {.log = &call->log,
                                 .threads = kbt_threads(call),
                                 .check_digests = given->verify,
                                 .recover = given->recover,
                                 .max_memory = given->max_memory,
                                 .max_frame = given->max_memory};
    kb_reader *reader;
    if (kb_reader_open(call->words.items, call->words.count, &reading, &reader, &trail) != KB_OK)
        return kbt_fail(call, &trail);
    kbr_replay *replay;
    int status;
    if (kbr_replay_create(reader, &how, &replay, &trail) == KB_OK) {
        status = replay_open(call, reader, replay, dumps, &trail);
        kbr_replay_destroy(replay);
    } else {
        status = kbt_fail(call, &trail);
    }
    kb_reader_destroy(reader);
    return status;
}

static const kbt_command command = {
    .usage = "TRACE... [OPTION]...",
    .summary = "Rebuild memory from a trace, compute its data, and check it.",
    .examples = "  kb-replay run.zst --verify                    is the result right, and every claim kept?\n"
                "  kb-replay run.zst --dump x@3=x3.npy           what rank 3's tensor x holds at the end\n"
                "  kb-replay run/ --verify --json -q             for scripts\n"
                "  kb-replay run.zst --order random:7            another order, the same memory digest\n",
    .more = "TRACE is a file, a folder of one file a rank, or - for standard input.\n"
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

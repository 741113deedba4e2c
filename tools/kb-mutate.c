/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kb-mutate: a good trace with one fault in it, to see whether a verifier finds it.
 *
 * Reads a trace, changes, drops or doubles one op, and writes a whole new trace whose digests are its own.
 */
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/tool.h"
#include "kbtrace/nearest.h"
#include "kbtrace/reader.h"
#include "kbtrace/writer.h"
#include "mutate/fault.h"

typedef struct values {
    kbt_common common;
    const char *fault, *output;
    uint64_t at, rank, seed;
    bool list;
    uint64_t max_memory;
} values;

static const kbt_option options[] = {
    {0, "fault", KBT_TEXT, offsetof(values, fault), "NAME", "what to do wrong; --list names all",
     .required = false},
    {0, "at", KBT_COUNT, offsetof(values, at), "OP", "to op number OP of the rank; else one is drawn",
     .least = 0, .most = UINT64_MAX - 1},
    {0, "rank", KBT_COUNT, offsetof(values, rank), "R",
     "to an op of rank R; with --at and nothing said, of rank 0", .least = 0, .most = UINT32_MAX - 1},
    {0, "seed", KBT_COUNT, offsetof(values, seed), "N", "of the draw (default: 0)", .least = 0,
     .most = UINT64_MAX - 1},
    {'o', "output", KBT_TEXT, offsetof(values, output), "OUT", "the new trace", .required = false},
    KBT_MAX_MEMORY(values, max_memory),
    {0, "list", KBT_FLAG, offsetof(values, list), NULL, "list the faults", .required = false},
};

static const struct {
    const char *name, *help;
    const kbt_fault *fault;
} faults[] = {
#define KBT_FAULT(identifier, name, help) {name, help, &kbt_fault_##identifier},
#include "mutate/faults.def"
#undef KBT_FAULT
};

enum { FAULTS = sizeof faults / sizeof faults[0] };

static kb_status find_fault(const char *name, const kbt_fault **ret_fault, kb_trail *trail) {
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    for (size_t i = 0; i < FAULTS; i++) {
        if (strcmp(faults[i].name, name) == 0) {
            *ret_fault = faults[i].fault;
            return KB_OK;
        }
        kb_nearest_offer(&nearest, faults[i].name);
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "--fault: there is no '%s' (did you mean '%s'?)", name, best);
    return kb_fail(trail, KB_E_ARGUMENT, "--fault: there is no '%s' (--list names all)", name);
}

/* --- one mutation -------------------------------------------------------------------------------- */

typedef struct mutation {
    kb_reader *reader;
    const kb_defs *defs;
    const kbt_fault *fault;
    uint32_t rank;
    uint64_t op;
    kbt_edit edit;
    int64_t latest_ps;
} mutation;

typedef kb_status (*op_fn)(mutation *it, void *user, uint32_t rank, const kb_op *op, kb_trail *trail);

static kb_status each_op(mutation *it, uint32_t rank, op_fn each, void *user, kb_trail *trail) {
    kb_cursor *cursor;
    const kb_op *op;
    KB_TRY(kb_cursor_create(it->reader, rank, &cursor, trail));
    kb_status status = kb_cursor_next(cursor, &op, trail);
    while (status == KB_OK) {
        status = each(it, user, rank, op, trail);
        if (status == KB_OK)
            status = kb_cursor_next(cursor, &op, trail);
    }
    kb_cursor_destroy(cursor);
    return status == KB_END ? KB_OK : status;
}

typedef struct draw {
    uint64_t fitting, wanted; /* ops that fit; the one to take, from 0 */
    bool taking;
} draw;

static kb_status count_fitting(mutation *it, void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)trail;
    draw *from = user;
    if (!it->fault->fits(op, it->defs))
        return KB_OK;
    if (from->taking && from->fitting == from->wanted) {
        it->rank = rank;
        it->op = op->index;
    }
    from->fitting++;
    return KB_OK;
}

static kb_status scan(mutation *it, uint32_t first, uint32_t last, draw *from, kb_trail *trail) {
    from->fitting = 0;
    for (uint32_t rank = first; rank <= last; rank++)
        KB_TRY(each_op(it, rank, count_fitting, from, trail));
    return KB_OK;
}

/* Draws the op to spoil among those that the fault fits. */
static kb_status choose(mutation *it, const values *given, kb_trail *trail) {
    uint32_t ranks = kb_reader_run(it->reader)->ranks;
    bool any = given->rank == UINT64_MAX;
    if (!any && given->rank >= ranks)
        return kb_fail(trail, KB_E_ARGUMENT, "--rank: the trace has ranks 0 to %u", ranks - 1);
    draw from = {.taking = false};
    uint32_t first = any ? 0 : (uint32_t)given->rank, last = any ? ranks - 1 : (uint32_t)given->rank;
    KB_TRY(scan(it, first, last, &from, trail));
    if (from.fitting == 0)
        return kb_fail(trail, KB_E_ARGUMENT, "--fault: no op fits '%s'", given->fault);
    uint64_t seed = given->seed == UINT64_MAX ? 0 : given->seed;
    uint64_t mixed = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    from.wanted = (mixed ^ mixed >> 29) % from.fitting;
    from.taking = true;
    return scan(it, first, last, &from, trail);
}

static kb_status check_fits(mutation *it, void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    if (op->index != it->op)
        return KB_OK;
    *(bool *)user = true;
    if (it->fault->fits(op, it->defs))
        return KB_OK;
    return kb_fail(trail, KB_E_ARGUMENT, "--at: op %llu of rank %u is a %s, which the fault does not fit",
                   (unsigned long long)op->index, rank, kb_kind_describe(op->what->kind)->name);
}

static kb_status locate(mutation *it, const values *given, kb_trail *trail) {
    if (given->at == UINT64_MAX)
        return choose(it, given, trail);
    if (given->seed != UINT64_MAX)
        return kb_fail(trail, KB_E_ARGUMENT, "--at says which op it is: there is nothing for --seed to draw");
    bool found = false;
    it->rank = given->rank == UINT64_MAX ? 0 : (uint32_t)given->rank;
    it->op = given->at;
    if (it->rank >= kb_reader_run(it->reader)->ranks)
        return kb_fail(trail, KB_E_ARGUMENT, "--rank: the trace has ranks 0 to %u",
                       kb_reader_run(it->reader)->ranks - 1);
    KB_TRY(each_op(it, it->rank, check_fits, &found, trail));
    return found ? KB_OK
                 : kb_fail(trail, KB_E_ARGUMENT, "--at: rank %u has no op %llu", it->rank,
                           (unsigned long long)it->op);
}

/* --- writing --------------------------------------------------------------------------------------- */

/* Claims and blames on the dropped op and on those behind it. */
static void follow_drop(mutation *it) {
    kbt_edit *edit = &it->edit;
    for (uint32_t i = 0; i < edit->what.claim_count;) {
        bool one = edit->claims[i].set == KB_SET_ONE && edit->claims[i].rank == it->rank;
        if (one && edit->claimed[i] == it->op) {
            kbt_edit_drop_claim(edit, i);
            continue;
        }
        if (one && edit->claimed[i] > it->op)
            edit->claimed[i]--;
        i++;
    }
    for (uint32_t i = 0; i < edit->what.why_count; i++)
        if (edit->what.whys[i].blames != 0 && edit->blames[i].rank == it->rank &&
            edit->blames[i].op >= it->op && edit->blames[i].op > 0)
            edit->blames[i].op--;
}

/* Claims and blames on what stands behind the doubled op. */
static void follow_double(mutation *it) {
    kbt_edit *edit = &it->edit;
    for (uint32_t i = 0; i < edit->what.claim_count; i++)
        if (edit->claims[i].set == KB_SET_ONE && edit->claims[i].rank == it->rank &&
            edit->claimed[i] > it->op)
            edit->claimed[i]++;
    for (uint32_t i = 0; i < edit->what.why_count; i++)
        if (edit->what.whys[i].blames != 0 && edit->blames[i].rank == it->rank && edit->blames[i].op > it->op)
            edit->blames[i].op++;
}

static kb_status put(mutation *it, void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    bool here = rank == it->rank && op->index == it->op, drops = it->fault->apply == NULL;
    bool behind = rank == it->rank && op->index > it->op;
    kbt_edit *edit = &it->edit;
    if (here && drops)
        return KB_OK;
    KB_TRY(kbt_edit_take(edit, op, trail));
    if (here)
        it->fault->apply(edit, it->defs);
    if (drops)
        follow_drop(it);
    if (it->fault == &kbt_fault_double_op)
        follow_double(it);
    if (behind && drops)
        edit->op.index--;
    if (behind && it->fault == &kbt_fault_double_op)
        edit->op.index++;
    it->latest_ps = edit->op.done_ps > it->latest_ps ? edit->op.done_ps : it->latest_ps;
    KB_TRY(kb_writer_put(user, rank, &edit->op, trail));
    if (!edit->doubled)
        return KB_OK;
    edit->doubled = false;
    edit->op.index++;
    return kb_writer_put(user, rank, &edit->op, trail);
}

static kb_status put_sample(void *user, uint32_t counter, int64_t time_ps, int64_t value, kb_trail *trail) {
    return kb_writer_sample(user, counter, time_ps, value, trail);
}

static kb_status write_trace(mutation *it, const kbt_call *call, const char *output, kb_trail *trail) {
    kb_writer_options how = {.path = output, .log = &call->log, .threads = kbt_threads(call)};
    kb_writer *writer;
    KB_TRY(kb_writer_create(&how, kb_reader_run(it->reader), it->defs, &writer, trail));
    kb_status status = KB_OK;
    for (uint32_t rank = 0; status == KB_OK && rank < kb_reader_run(it->reader)->ranks; rank++)
        status = each_op(it, rank, put, writer, trail);
    if (status == KB_OK)
        status = kb_reader_samples(it->reader, put_sample, writer, trail);
    if (status == KB_OK) {
        kb_ending ending = kb_reader_footer(it->reader)->ending;
        ending.time_ps = it->latest_ps;
        status = kb_writer_finish(writer, &ending, NULL, trail);
    }
    kb_writer_destroy(writer);
    return status;
}

/* --- the tool ---------------------------------------------------------------------------------------- */

static int list_faults(bool as_json) {
    kbt_json json;
    if (!as_json) {
        for (size_t i = 0; i < FAULTS; i++)
            printf("%-22s %s\n", faults[i].name, faults[i].help);
        return KBT_FINE;
    }
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_uint(&json, "version", 1);
    kbt_json_begin(&json, "faults", '[');
    for (size_t i = 0; i < FAULTS; i++) {
        kbt_json_begin(&json, NULL, '{');
        kbt_json_text(&json, "name", faults[i].name);
        kbt_json_text(&json, "help", faults[i].help);
        kbt_json_end(&json);
    }
    kbt_json_end(&json);
    kbt_json_end(&json);
    return KBT_FINE;
}

static void print_json(const mutation *it, const values *given) {
    kbt_json json;
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_uint(&json, "version", 1);
    kbt_json_text(&json, "fault", given->fault);
    kbt_json_text(&json, "output", given->output);
    kbt_json_uint(&json, "rank", it->rank);
    kbt_json_uint(&json, "op", it->op);
    kbt_json_end(&json);
}

static kb_status mutate(kbt_call *call, mutation *it, kb_trail *trail) {
    const values *given = call->values;
    const char *words;
    if (kb_reader_condition(it->reader, &words) != KB_TRACE_COMPLETE)
        return kb_fail(trail, KB_E_ARGUMENT, "%s is no whole trace: %s", call->words.items[0], words);
    KB_TRY(locate(it, given, trail));
    KB_TRY(write_trace(it, call, given->output, trail));
    bool to_stdout = strcmp(given->output, "-") == 0;
    if (given->common.json)
        print_json(it, given);
    else if (!given->common.quiet && !to_stdout)
        printf("%s: %s at op %" PRIu64 " of rank %" PRIu32 "\n", given->output, given->fault, it->op,
               it->rank);
    return KB_OK;
}

static int run(kbt_call *call) {
    const values *given = call->values;
    kb_trail trail;
    kb_trail_init(&trail);
    mutation it = {.rank = 0};
    if (given->list)
        return list_faults(given->common.json);
    kb_status status = KB_OK;
    if (call->words.count != 1 || given->fault == NULL || given->output == NULL)
        status = kb_fail(&trail, KB_E_ARGUMENT, "needs a trace, --fault NAME and -o OUT (--help says more)");
    if (status == KB_OK && given->common.json && strcmp(given->output, "-") == 0)
        status = kb_fail(&trail, KB_E_ARGUMENT,
                         "--json tells of the fault on stdout, where the trace goes: give -o FILE");
    if (status == KB_OK)
        status = find_fault(given->fault, &it.fault, &trail);
    kb_reader_options reading = {
        .log = &call->log, .max_memory = given->max_memory, .max_frame = given->max_memory};
    if (status == KB_OK)
        status = kb_reader_open(call->words.items, 1, &reading, &it.reader, &trail);
    if (status != KB_OK)
        return kbt_fail(call, &trail);
    it.defs = kb_reader_defs(it.reader);
    kbt_edit_init(&it.edit);
    status = mutate(call, &it, &trail);
    kbt_edit_fini(&it.edit);
    kb_reader_destroy(it.reader);
    return status == KB_OK ? KBT_FINE : kbt_fail(call, &trail);
}

static const values defaults = {.at = UINT64_MAX, .rank = UINT64_MAX, .seed = UINT64_MAX};

static const kbt_command command = {
    .usage = "TRACE --fault NAME [OPTION]... -o OUT",
    .summary = "Put one fault into a good trace, to see whether it is found.",
    .examples = "  kb-mutate run.zst --fault source-shift-byte --rank 2 --at 7 -o bad.zst\n"
                "  kb-mutate run.zst --fault drop-op --seed 3 -o bad.zst\n"
                "  kb-mutate --list\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .least_words = 0,
    .most_words = 1,
    .word_name = "TRACE",
    .values_size = sizeof(values),
    .defaults = &defaults,
    .run = run,
};

static const kbt_tool tool = {
    .name = "kb-mutate",
    .summary = "Put one fault into a good trace, to see whether it is found.",
    .commands = &command,
    .command_count = 1,
};

int main(int argc, char **argv) {
    return kbt_main(&tool, argc, argv);
}

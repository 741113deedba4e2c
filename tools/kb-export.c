/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kb-export: a trace in other formats. Opens, selects, and owns the output; what a format looks like
 * is in tools/export, one file each.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json.h"
#include "common/tool.h"
#include "export/export.h"
#include "export/select.h"
#include "kbtrace/nearest.h"

typedef struct values {
    kbt_common common;
    const char *to, *output, *ranks, *range, *kinds;
    bool recover;
    uint64_t max_memory;
} values;

static const kbt_option options[] = {
    {0, "to", KBT_TEXT, offsetof(values, to), "FORMAT", "the format to write (below)", .required = true},
    {'o', "output", KBT_TEXT, offsetof(values, output), "FILE",
     "where to; - is the standard output (default)", .required = false},
    {0, "ranks", KBT_TEXT, offsetof(values, ranks), "LIST", "ops of these ranks only: 0,2-5",
     .required = false},
    {0, "range", KBT_TEXT, offsetof(values, range), "A:B", "what is issued from A on and before B: 1us:2.5us",
     .required = false},
    {0, "kinds", KBT_TEXT, offsetof(values, kinds), "LIST", "these kinds of op only: math,ipcq_copy",
     .required = false},
    {0, "recover", KBT_FLAG, offsetof(values, recover), NULL, "use what is whole of a damaged trace",
     .required = false},
    KBT_MAX_MEMORY(values, max_memory),
};

static const struct {
    const char *name;
    const kbt_exporter *exporter;
} exporters[] = {
#define KBT_EXPORTER(name, help) {#name, &kbt_export_##name},
#include "export/exporters.def"
#undef KBT_EXPORTER
};

enum { EXPORTERS = sizeof exporters / sizeof exporters[0] };

static kb_status find_exporter(const char *name, const kbt_exporter **ret_exporter, kb_trail *trail) {
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    char all[256] = "";
    for (size_t i = 0; i < EXPORTERS; i++) {
        if (strcmp(exporters[i].name, name) == 0) {
            *ret_exporter = exporters[i].exporter;
            return KB_OK;
        }
        kb_nearest_offer(&nearest, exporters[i].name);
        size_t length = strlen(all);
        snprintf(all + length, sizeof all - length, "%s%s", i > 0 ? ", " : "", exporters[i].name);
    }
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        return kb_fail(trail, KB_E_ARGUMENT, "--to: no format is called '%s' (did you mean '%s'?)", name,
                       best);
    return kb_fail(trail, KB_E_ARGUMENT, "--to: no format is called '%s' (there is: %s)", name, all);
}

/* --- the output -------------------------------------------------------------------------------- */

typedef struct output {
    FILE *stream;
    const char *path;
    const char *partial; /* NULL: written directly */
} output;

static kb_status cannot_write(const char *path, kb_trail *trail) {
    return kb_fail(trail, KB_E_IO, "cannot write %s: %s", path, strerror(errno));
}

/* A regular file grows beside its name; pipes, devices and the standard output are written directly. */
static kb_status open_output(const kbt_call *call, const char *path, bool binary, output *ret_output,
                             kb_trail *trail) {
    struct stat there;
    *ret_output = (output){.stream = stdout, .path = path};
    if (strcmp(path, "-") == 0) {
        if (binary && isatty(STDOUT_FILENO))
            return kb_fail(trail, KB_E_ARGUMENT,
                           "this format is no text for a terminal: name a file with -o");
        return KB_OK;
    }
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        ret_output->stream = fopen(path, "wb");
        return ret_output->stream != NULL ? KB_OK : cannot_write(path, trail);
    }
    void *block;
    size_t size = strlen(path) + sizeof ".partial";
    KB_TRY(kb_arena_new(call->arena, size, &block, trail));
    snprintf(block, size, "%s.partial", path);
    unlink(block); /* what stands there is left of a run that was killed */
    ret_output->stream = fopen(block, "wbx");
    if (ret_output->stream == NULL)
        return cannot_write(path, trail);
    ret_output->partial = block;
    return KB_OK;
}

static kb_status close_output(output *out, kb_status status, kb_trail *trail) {
    if (out->stream == stdout)
        return status; /* kbt_main() asks it how it went */
    bool failed = fflush(out->stream) != 0 || ferror(out->stream);
    int error = errno;
    failed = fclose(out->stream) != 0 || failed;
    errno = error != 0 ? error : errno;
    if (status == KB_OK && failed)
        status = cannot_write(out->path, trail);
    if (out->partial == NULL)
        return status;
    if (status == KB_OK && rename(out->partial, out->path) != 0)
        status = cannot_write(out->path, trail);
    if (status != KB_OK)
        unlink(out->partial);
    return status;
}

/* --- the trace --------------------------------------------------------------------------------- */

typedef struct telling {
    const kbt_exporter *exporter;
    kbt_export export;
    kbt_selection selection;
    uint64_t ops, samples; /* told */
} telling;

static kb_status tell_ops(telling *it, uint32_t rank, kb_cursor *cursor, kb_trail *trail) {
    const kb_op *op;
    kb_status status = KB_OK;
    if (it->selection.from_ps > 0)
        KB_TRY(kb_cursor_seek_time(cursor, it->selection.from_ps, trail));
    while (!ferror(it->export.out)) {
        status = kb_cursor_next(cursor, &op, trail);
        if (status != KB_OK || op->issue_ps >= it->selection.until_ps)
            break;
        if (!kbt_selects_kind(&it->selection, op->what->kind))
            continue;
        it->ops++;
        KB_TRY(it->exporter->op(&it->export, rank, op, trail));
    }
    return status == KB_END ? KB_OK : status;
}

static kb_status tell_sample(void *user, uint32_t counter, int64_t time_ps, int64_t value, kb_trail *trail) {
    telling *it = user;
    const kb_defs *defs = it->export.defs;
    uint32_t rank = counter < defs->counter_count ? defs->counters[counter].rank : 0;
    if (!kbt_selects_rank(&it->selection, rank) || !kbt_selects_time(&it->selection, time_ps))
        return KB_OK;
    it->samples++;
    return it->exporter->sample(&it->export, counter, time_ps, value, trail);
}

static kb_status tell(telling *it, kb_trail *trail) {
    KB_TRY(it->exporter->begin(&it->export, trail));
    for (uint32_t rank = 0; rank < it->export.run->ranks; rank++) {
        kb_cursor *cursor;
        if (!kbt_selects_rank(&it->selection, rank))
            continue;
        KB_TRY(kb_cursor_create(it->export.reader, rank, &cursor, trail));
        kb_status status = tell_ops(it, rank, cursor, trail);
        kb_cursor_destroy(cursor);
        KB_TRY(status);
    }
    KB_TRY(kb_reader_samples(it->export.reader, tell_sample, it, trail));
    return it->exporter->end(&it->export, trail);
}

static void print_json(const telling *it, const values *asked) {
    kbt_json json;
    kbt_json_init(&json, stdout);
    kbt_json_begin(&json, NULL, '{');
    kbt_json_uint(&json, "version", 1);
    kbt_json_text(&json, "format", asked->to);
    kbt_json_text(&json, "output", asked->output);
    kbt_json_uint(&json, "ops", it->ops);
    kbt_json_uint(&json, "samples", it->samples);
    kbt_json_bool(&json, "complete", kb_reader_condition(it->export.reader, NULL) == KB_TRACE_COMPLETE);
    kbt_json_end(&json);
}

static kb_status export_trace(kbt_call *call, kb_reader *reader, const kbt_exporter *exporter,
                              kb_trail *trail) {
    const values *asked = call->values;
    output out;
    telling it = {.exporter = exporter,
                  .export = {.reader = reader,
                             .run = kb_reader_run(reader),
                             .defs = kb_reader_defs(reader),
                             .arena = call->arena}};
    if (asked->common.json && strcmp(asked->output, "-") == 0)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "--json tells of the export on stdout, where the records go: give -o FILE");
    KB_TRY(kbt_select(asked->ranks, asked->range, asked->kinds, it.export.run->ranks, call->arena,
                      &it.selection, trail));
    KB_TRY(open_output(call, asked->output, exporter->binary, &out, trail));
    it.export.out = out.stream;
    KB_TRY(close_output(&out, tell(&it, trail), trail));
    if (asked->common.json)
        print_json(&it, asked);
    return KB_OK;
}

static int run(kbt_call *call) {
    const values *asked = call->values;
    kb_trail trail;
    kb_trail_init(&trail);
    const kbt_exporter *exporter;
    kb_reader *reader;
    const kb_reader_options how = {
        .log = &call->log,
        .threads = kbt_threads(call),
        .recover = asked->recover,
        .max_memory = asked->max_memory,
        .max_frame = asked->max_memory,
        .check_digests = true,
    };
    if (find_exporter(asked->to, &exporter, &trail) != KB_OK ||
        kb_reader_open(call->words.items, call->words.count, &how, &reader, &trail) != KB_OK)
        return kbt_fail(call, &trail);
    const char *words;
    int exit_status = KBT_FINE;
    if (kb_reader_condition(reader, &words) != KB_TRACE_COMPLETE) {
        kbt_warn(call, "the trace is incomplete: %s", words);
        exit_status = KBT_NEGATIVE;
    }
    if (export_trace(call, reader, exporter, &trail) != KB_OK)
        exit_status = kbt_fail(call, &trail);
    kb_reader_destroy(reader);
    return exit_status;
}

static const values defaults = {.common = {.color = "auto"}, .output = "-"};

static const kbt_command command = {
    .name = NULL,
    .usage = "TRACE... --to FORMAT [OPTION]... [-o FILE]",
    .summary = "Writes a trace in another format.",
    .examples = "  kb-export ring.zst --to jsonl | head\n"
                "  kb-export run/ --to jsonl --ranks 0,2-3 -o run.jsonl\n"
                "  kb-export ring.zst --to jsonl --range 1us:2.5us --kinds math\n",
    .more = "Formats:\n"
#define KBT_EXPORTER(name, help) "  " #name "  " help "\n"
#include "export/exporters.def"
#undef KBT_EXPORTER
            "TRACE is a file, a folder of one file a rank, or - for standard input.\n"
            "Exit status: 0 fine; 1 the trace is incomplete; 2 trouble.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .least_words = 1,
    .most_words = SIZE_MAX,
    .word_name = "TRACE",
    .values_size = sizeof(values),
    .defaults = &defaults,
    .run = run,
};

static const kbt_tool tool = {
    .name = "kb-export",
    .summary = "Writes a trace in another format.",
    .commands = &command,
    .command_count = 1,
};

int main(int argc, char **argv) {
    /* Whoever reads us may go when it has enough; that ends us quietly, even if our parent ignores it. */
    signal(SIGPIPE, SIG_DFL);
    return kbt_main(&tool, argc, argv);
}

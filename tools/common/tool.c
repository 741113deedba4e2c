/* SPDX-License-Identifier: Apache-2.0 */
/* The main() that all tools share, their messages and exit statuses; see tool.h. */
#include "common/tool.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/help.h"
#include "kbtrace/nearest.h"

/* --- messages -------------------------------------------------------------------------------- */

const char *kbt_paint(const kbt_call *call, FILE *stream, kbt_color color) {
    static const char *const escapes[] = {
        [KBT_PLAIN] = "\033[0m",  [KBT_BOLD] = "\033[1m",    [KBT_RED] = "\033[1;31m",
        [KBT_GREEN] = "\033[32m", [KBT_YELLOW] = "\033[33m", [KBT_DIM] = "\033[2m",
    };
    const char *when = call->common->color;
    if (when == NULL || strcmp(when, "auto") == 0) {
        const char *refused = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */
        if ((refused != NULL && *refused != '\0') || !isatty(fileno(stream)))
            return "";
    } else if (strcmp(when, "never") == 0) {
        return "";
    }
    return escapes[color];
}

static void say(const kbt_call *call, kbt_color color, const char *level, const char *text) {
    fprintf(stderr, "%s: %s%s:%s %s\n", call->tool->name, kbt_paint(call, stderr, color), level,
            kbt_paint(call, stderr, KBT_PLAIN), text);
}

/* Warnings are kept for --json; a flood of them is counted, not kept. */
static void keep_warning(kbt_call *call, const char *text) {
    enum { MOST_KEPT = 100 };
    kbt_list *kept = &call->warnings;
    void *items = (void *)kept->items;
    const char *copy;
    if (kept->count == MOST_KEPT ||
        (items == NULL &&
         kb_arena_new(call->arena, MOST_KEPT * sizeof kept->items[0], &items, NULL) != KB_OK) ||
        kb_arena_text(call->arena, text, strlen(text), &copy, NULL) != KB_OK) {
        call->warnings_dropped++;
        return;
    }
    kept->items = items;
    kept->items[kept->count++] = copy;
}

static void log_line(void *context, kb_log_level level, const char *area, const char *text) {
    kbt_call *call = context;
    (void)area;
    if (level != KB_LOG_WARNING) {
        say(call, KBT_DIM, "note", text);
        return;
    }
    keep_warning(call, text);
    say(call, KBT_YELLOW, "warning", text);
}

void kbt_warn(kbt_call *call, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_line(call, KB_LOG_WARNING, "", text);
}

int kbt_exit_of(kb_status status) {
    switch (status) {
    case KB_OK:
    case KB_END: return KBT_FINE;
    case KB_E_DEADLOCK:
    case KB_E_INTERRUPTED:
    case KB_E_INCOMPLETE: return KBT_NEGATIVE;
    default: return KBT_TROUBLE;
    }
}

int kbt_fail(const kbt_call *call, const kb_trail *trail) {
    assert(trail->status != KB_OK);
    fflush(stdout); /* what was said before comes before */
    char text[KB_TRAIL_ENTRIES * (KB_TRAIL_CHARS + 8)];
    say(call, KBT_RED, "error", kb_trail_text(trail, text, sizeof text));
    return kbt_exit_of(trail->status);
}

int kbt_close_output(const kbt_call *call, int exit_status) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit_status;
    say(call, KBT_RED, "error",
        "cannot write to the standard output (is the disk full, has its reader gone?)");
    return KBT_TROUBLE;
}

unsigned kbt_threads(const kbt_call *call) {
    if (call->common->threads > 0)
        return (unsigned)call->common->threads;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 1 ? (unsigned)cores : 1;
}

bool kbt_shows_progress(const kbt_call *call) {
    return !call->common->quiet && isatty(STDERR_FILENO);
}

/* --- main ------------------------------------------------------------------------------------ */

static int run_command(kbt_call *call, int argc, char **argv) {
    kb_trail trail;
    kb_trail_init(&trail);
    const kbt_command *command = call->command;
    if (command->defaults != NULL)
        memcpy(call->values, command->defaults, command->values_size);
    kb_status status = kbt_parse(command, argc, argv, call->arena, call->values, &call->words, &trail);
    if (status != KB_OK)
        return kbt_fail(call, &trail);
    if (call->common->help)
        kbt_print_command_help(call->tool, command);
    else if (call->common->version)
        kbt_print_version(call->tool);
    else {
        call->log = (kb_log){log_line, call, call->common->verbose ? KB_LOG_DETAIL : KB_LOG_WARNING};
        return kbt_close_output(call, command->run(call));
    }
    return kbt_close_output(call, KBT_FINE);
}

static int with_command(const kbt_tool *tool, const kbt_command *command, int argc, char **argv,
                        char *executable) {
    kb_arena arena;
    kb_arena_init(&arena, NULL, 0);
    kb_trail trail;
    kb_trail_init(&trail);
    static const kbt_common plain = {.color = "auto"};
    kbt_call call = {.tool = tool, .command = command, .common = &plain, .arena = &arena};
    call.executable = executable;
    int exit_status;
    if (kb_arena_new(&arena, command->values_size, &call.values, &trail) != KB_OK) {
        exit_status = kbt_fail(&call, &trail);
    } else {
        call.common = call.values;
        exit_status = run_command(&call, argc, argv);
    }
    kb_arena_fini(&arena);
    return exit_status;
}

/* The first argument is no command's name. */
static int refuse_command(const kbt_tool *tool, const char *name) {
    static const kbt_common plain = {.color = "auto"};
    const kbt_call call = {.tool = tool, .common = &plain};
    kb_nearest nearest;
    kb_nearest_init(&nearest, name);
    for (size_t i = 0; i < tool->command_count; i++)
        kb_nearest_offer(&nearest, tool->commands[i].name);
    kb_trail trail;
    const char *best = kb_nearest_best(&nearest);
    if (best != NULL)
        kb_fail(&trail, KB_E_ARGUMENT, "unknown command '%s' (did you mean '%s'?)", name, best);
    else
        kb_fail(&trail, KB_E_ARGUMENT, "unknown command '%s' (%s --help lists them)", name, tool->name);
    return kbt_fail(&call, &trail);
}

int kbt_main(const kbt_tool *tool, int argc, char **argv) {
    assert(tool->command_count > 0);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow (ulimit -f) is told of as a full disk is */
    char *executable = argc > 0 ? argv[0] : "";
    if (tool->commands[0].name == NULL)
        return with_command(tool, &tool->commands[0], argc - 1, argv + 1, executable);
    static const kbt_common plain = {.color = "auto"};
    const kbt_call call = {.tool = tool, .common = &plain};
    const char *first = argc > 1 ? argv[1] : "";
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0) {
        kbt_print_tool_help(tool);
        return kbt_close_output(&call, KBT_FINE);
    }
    if (strcmp(first, "--version") == 0) {
        kbt_print_version(tool);
        return kbt_close_output(&call, KBT_FINE);
    }
    for (size_t i = 0; i < tool->command_count; i++)
        if (strcmp(first, tool->commands[i].name) == 0)
            return with_command(tool, &tool->commands[i], argc - 2, argv + 2, executable);
    if (argc > 1)
        return refuse_command(tool, first);
    kb_trail trail;
    kb_fail(&trail, KB_E_ARGUMENT, "a command is missing (%s --help shows examples)", tool->name);
    return kbt_fail(&call, &trail);
}

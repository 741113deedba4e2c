/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every tool of kb does the same: its main(), --help, messages on stderr, colours, exit status.
 *
 * Results go to stdout and everything else to stderr. Exit status: KBT_FINE, KBT_NEGATIVE
 * (verification failed, traces differ, a deadlock, an incomplete trace) or KBT_TROUBLE (bad
 * arguments, unreadable or corrupt input).
 */
#ifndef KBTOOLS_TOOL_H
#define KBTOOLS_TOOL_H

#include <stdio.h>

#include "common/options.h"
#include "kbtrace/log.h"

enum { KBT_FINE = 0, KBT_NEGATIVE = 1, KBT_TROUBLE = 2 };

typedef struct kbt_tool {
    const char *name;     /* "kb-sim" */
    const char *summary;  /* one line */
    const char *examples; /* for a tool of several commands; whole lines, indented by two */
    const kbt_command *commands;
    size_t command_count; /* 1 with a NULL name: the tool is one command */
} kbt_tool;

/* One run of one command. */
struct kbt_call {
    const kbt_tool *tool;
    const kbt_command *command;
    void *values; /* the command's, which begin with: */
    const kbt_common *common;
    kbt_list words;    /* positional arguments */
    kb_arena *arena;   /* for as long as the call lasts */
    kb_log log;        /* prints warnings, and with -v notes and details; keeps the warnings */
    kbt_list warnings; /* what the log was warned of, for --json */
    size_t warnings_dropped;
    const char *executable; /* argv[0] */
};

int kbt_main(const kbt_tool *tool, int argc, char **argv);

/* Prints the trail as `kb-sim: error: …` and gives the exit status that belongs to its cause. */
int kbt_fail(const kbt_call *call, const kb_trail *trail);
int kbt_exit_of(kb_status status);

/* `kb-sim: warning: …`; also kept for --json. */
void kbt_warn(kbt_call *call, const char *format, ...) KB_PRINTF(2, 3);

/* Flushes stdout; a full disk or a reader who has gone turns any status into KBT_TROUBLE. */
int kbt_close_output(const kbt_call *call, int exit_status);

/* Threads to use: --threads, or one a core. */
unsigned kbt_threads(const kbt_call *call);

/* Progress may be shown: stderr is a terminal and nobody said -q. */
bool kbt_shows_progress(const kbt_call *call);

/* --- colours --------------------------------------------------------------------------------- */

typedef enum kbt_color { KBT_PLAIN, KBT_BOLD, KBT_RED, KBT_GREEN, KBT_YELLOW, KBT_DIM } kbt_color;

/* The escape that turns a colour on (KBT_PLAIN: off), or "" where the stream shows none. */
const char *kbt_paint(const kbt_call *call, FILE *stream, kbt_color color);

#endif

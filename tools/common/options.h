/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines as data: a tool states its commands and options in tables, and parsing, --help,
 * range errors and "did you mean" come from them.
 *
 *   typedef struct values {
 *       kbt_common common;      // first: what every tool knows
 *       const char *output;
 *       uint64_t ranks;
 *   } values;
 *
 *   static const kbt_option options[] = {
 *       {'o', "output", KBT_TEXT, offsetof(values, output), "OUT", "the trace", .required = true},
 *       {0, "ranks", KBT_COUNT, offsetof(values, ranks), "N", "how many", .least = 1, .most = 4096},
 *   };
 *
 * A tool is a kbt_tool, its main() is `return kbt_main(&tool, argc, argv);` (tool.h).
 */
#ifndef KBTOOLS_OPTIONS_H
#define KBTOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kbtrace/memory.h"
#include "kbtrace/status.h"

typedef enum kbt_kind {
    KBT_FLAG,   /* bool */
    KBT_TEXT,   /* const char *; the last one given counts */
    KBT_LIST,   /* kbt_list: every one given */
    KBT_COUNT,  /* uint64_t in [least, most] */
    KBT_CHOICE, /* const char *, one of `choices` */
} kbt_kind;

typedef struct kbt_list {
    const char **items;
    size_t count;
} kbt_list;

typedef struct kbt_option {
    char letter;      /* 'o' for -o, or 0 */
    const char *name; /* "output" for --output */
    kbt_kind kind;
    size_t offset;        /* of its value in the command's struct of values */
    const char *shown;    /* what --help calls the value: "OUT" */
    const char *help;     /* one line */
    uint64_t least, most; /* KBT_COUNT; most 0: no bound */
    const char *choices;  /* KBT_CHOICE: "auto always never" */
    bool required;
} kbt_option;

/* What every command of every tool knows; the first member of its values. */
typedef struct kbt_common {
    bool help, version, json, quiet, verbose;
    const char *color; /* auto, always, never */
    uint64_t threads;  /* 0: as many as there are cores */
} kbt_common;

typedef struct kbt_call kbt_call;

typedef struct kbt_command {
    const char *name;     /* "run", or NULL where a tool is one command */
    const char *usage;    /* what follows the name: "BENCH [OPTION]... -o OUT" */
    const char *summary;  /* one line */
    const char *examples; /* whole lines, indented by two; --help begins with them */
    const char *more;     /* whole lines after the options, or NULL */
    const kbt_option *options;
    size_t option_count;
    size_t least_words, most_words; /* positional arguments */
    const char *word_name;          /* what one of them is: "BENCH" */
    size_t values_size;
    const void *defaults;       /* values_size bytes, or NULL for zeros */
    int (*run)(kbt_call *call); /* returns the exit status */
} kbt_command;

/* For tools that read traces: a bound on what a file may make them take, in `member` of their values. */
#define KBT_MAX_MEMORY(values, member)                                                   \
    {                                                                                    \
        0, "max-memory", KBT_COUNT, offsetof(values, member), "BYTES",                   \
            "memory that reading the trace may take (default: 192Mi, or 48 x its size)", \
            .least = UINT64_C(1) << 20, .most = UINT64_C(1) << 50                        \
    }

/* The options of kbt_common; kbt_parse and --help add them to a command's own. */
extern const kbt_option kbt_common_options[];
extern const size_t kbt_common_option_count;

/*
 * Fills `values` and *ret_words, with what lists need taken from `arena`. --help and --version end
 * the parsing early: nothing that comes after them, and nothing that is missing, is an error then.
 */
kb_status kbt_parse(const kbt_command *command, int argc, char **argv, kb_arena *arena, void *values,
                    kbt_list *ret_words, kb_trail *trail) KB_MUST_USE;

/* A whole number with an optional sign of size (K, M, G, Ki, Mi, Gi); false where the text is none. */
bool kbt_number(const char *text, uint64_t *ret);

#endif

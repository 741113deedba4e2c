/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a library wants to say while it works and that is no failure: warnings, progress, details.
 *
 * A tool hands in a kb_log; the library calls it and never prints. NULL is a log that nobody reads.
 */
#ifndef KBTRACE_LOG_H
#define KBTRACE_LOG_H

#include "kbtrace/status.h"

typedef enum kb_log_level { KB_LOG_WARNING, KB_LOG_NOTE, KB_LOG_DETAIL } kb_log_level;

typedef struct kb_log {
    /* `area` names the part that speaks ("reader", "fabric"); `text` is one line without its end. */
    void (*line)(void *context, kb_log_level level, const char *area, const char *text);
    void *context;
    kb_log_level most; /* lines above this level are not even formatted */
} kb_log;

void kb_log_say(const kb_log *log, kb_log_level level, const char *area, const char *format, ...)
    KB_PRINTF(4, 5);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Formats a line and hands it to whoever reads the log. Prints nothing itself. */
#include "kbtrace/log.h"

#include "ground/text.h"

/* Longer than any path plus a sentence should be; what exceeds it is cut with "...". */
#define LINE_CHARS 1024

void kb_log_say(const kb_log *log, kb_log_level level, const char *area, const char *format, ...) {
    if (log == NULL || log->line == NULL || level > log->most)
        return;
    char text[LINE_CHARS];
    va_list args;
    va_start(args, format);
    kb_text_vformat(text, sizeof text, format, args);
    va_end(args);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\n' || *at == '\r') /* a file name may hold one, and a line is promised */
            *at = ' ';
    log->line(log->context, level, area, text);
}

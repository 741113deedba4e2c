/* SPDX-License-Identifier: Apache-2.0 */
/* Checks on statuses and trails; see check.h. */
#include "support/check.h"

#include <string.h>

void check_status_at(kb_status status, kb_status wanted, const kb_trail *trail, const char *file, int line) {
    if (status == wanted)
        return;
    char text[KB_TRAIL_ENTRIES * KB_TRAIL_CHARS];
    print_error("\"%s\" where \"%s\" is wanted: %s\n", kb_status_name(status), kb_status_name(wanted),
                kb_trail_text(trail, text, sizeof text));
    _fail(file, line);
}

void check_says_at(const kb_trail *trail, const char *words, const char *file, int line) {
    char text[KB_TRAIL_ENTRIES * KB_TRAIL_CHARS];
    if (strstr(kb_trail_text(trail, text, sizeof text), words) != NULL)
        return;
    print_error("\"%s\" is not in: %s\n", words, text);
    _fail(file, line);
}

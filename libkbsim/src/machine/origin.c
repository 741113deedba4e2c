/* SPDX-License-Identifier: Apache-2.0 */
/* Places in messages; see origin.h. */
#include "machine/origin.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static kb_status fail(const kbs_origin *origin, kb_status status, kb_trail *trail, const char *text) {
    enum { SHOWN = 120 }; /* of a long name the end says more */
    if (origin->line == 0)
        return kb_fail(trail, status, "%s", text);
    const size_t length = strlen(origin->source);
    const bool cut = length > SHOWN;
    return kb_fail(trail, status, "%s%s:%u:%u: %s", cut ? "..." : "",
                   cut ? origin->source + length - SHOWN : origin->source, origin->line, origin->column,
                   text);
}

kb_status kbs_fail_at(const kbs_origin *origin, kb_trail *trail, const char *format, ...) {
    char text[KB_TRAIL_CHARS];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(origin, KB_E_ARGUMENT, trail, text);
}

kb_status kbs_blame(const kbs_origin *origin, kb_status status, kb_trail *trail) {
    if (trail == NULL || trail->count == 0)
        return status;
    char text[KB_TRAIL_CHARS];
    snprintf(text, sizeof text, "%s", trail->text[0]);
    return fail(origin, status, trail, text);
}

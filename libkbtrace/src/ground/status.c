/* SPDX-License-Identifier: Apache-2.0 */
/* Names of statuses, and the trail of words. May not allocate and may not fail. */
#include "kbtrace/status.h"

#include <assert.h>
#include <string.h>

#include "ground/text.h"

static const char *const status_names[KB_STATUS_COUNT] = {
    [KB_OK] = "ok",
    [KB_END] = "end",
    [KB_E_ARGUMENT] = "bad argument",
    [KB_E_MEMORY] = "out of memory",
    [KB_E_LIMIT] = "over the limit",
    [KB_E_IO] = "input or output failed",
    [KB_E_CORRUPT] = "corrupt",
    [KB_E_INCOMPLETE] = "incomplete",
    [KB_E_VERSION] = "unknown version",
    [KB_E_UNSUPPORTED] = "not supported",
    [KB_E_PROGRAM] = "wrong program",
    [KB_E_DEADLOCK] = "deadlock",
    [KB_E_INTERRUPTED] = "interrupted",
};

const char *kb_status_name(kb_status status) {
    if ((unsigned)status >= KB_STATUS_COUNT)
        return "unknown status";
    return status_names[status];
}

void kb_trail_init(kb_trail *trail) {
    trail->status = KB_OK;
    trail->count = 0;
    trail->dropped = 0;
}

kb_status kb_vfail(kb_trail *trail, kb_status status, const char *format, va_list args) {
    assert(status != KB_OK && status != KB_END);
    if (trail == NULL)
        return status;
    trail->status = status;
    trail->count = 1;
    trail->dropped = 0;
    kb_text_vformat(trail->text[0], KB_TRAIL_CHARS, format, args);
    return status;
}

kb_status kb_fail(kb_trail *trail, kb_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    kb_vfail(trail, status, format, args);
    va_end(args);
    return status;
}

kb_status kb_while(kb_trail *trail, kb_status status, const char *format, ...) {
    if (trail == NULL || status == KB_OK || status == KB_END)
        return status;
    if (trail->count == 0) /* whoever failed had no trail to write to: its status is all we know */
        kb_fail(trail, status, "%s", kb_status_name(status));
    if (trail->count == KB_TRAIL_ENTRIES) {
        trail->dropped++;
        return status;
    }
    va_list args;
    va_start(args, format);
    kb_text_vformat(trail->text[trail->count++], KB_TRAIL_CHARS, format, args);
    va_end(args);
    return status;
}

const char *kb_trail_text(const kb_trail *trail, char *buffer, size_t buffer_size) {
    assert(buffer_size > 0);
    buffer[0] = '\0';
    size_t used = 0;
    for (unsigned i = 0; trail != NULL && i < trail->count; i++) {
        kb_text_format(buffer + used, buffer_size - used, "%s%s", i > 0 ? ": while " : "", trail->text[i]);
        used += strlen(buffer + used);
    }
    if (trail != NULL && trail->dropped > 0)
        kb_text_format(buffer + used, buffer_size - used, " (and %u more)", trail->dropped);
    return buffer;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Turns an errno into a status and a message; see explain.h. */
#include "ground/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ground/text.h"

enum { REASON_CHARS = 96 }; /* glibc's longest is 49 in English; others are cut */

const char *kb_shown_path(const char *path, char buffer[KB_SHOWN_PATH_CHARS]) {
    const size_t length = strlen(path);
    const size_t room = KB_SHOWN_PATH_CHARS - 1 - strlen("...");
    const char *from = path;
    if (length >= KB_SHOWN_PATH_CHARS) {
        from = path + (length - room);
        while (((unsigned char)*from & 0xC0U) == 0x80U) /* not from half a UTF-8 character */
            from++;
    }
    kb_text_format(buffer, KB_SHOWN_PATH_CHARS, "%s%s", from != path ? "..." : "", from);
    return buffer;
}

static kb_status status_of(int error) {
    return error == ENOMEM ? KB_E_MEMORY : KB_E_IO;
}

kb_status kb_explain(kb_trail *trail, int error, const char *verb, const char *path) {
    char shown[KB_SHOWN_PATH_CHARS], reason[REASON_CHARS];
    return kb_fail(trail, status_of(error), "cannot %s %s: %s%s", verb, kb_shown_path(path, shown),
                   kb_text_errno(error, reason, sizeof reason), kb_text_hint(error));
}

kb_status kb_explain_at(kb_trail *trail, int error, const char *verb, const char *path, uint64_t offset) {
    char shown[KB_SHOWN_PATH_CHARS], reason[REASON_CHARS];
    return kb_fail(trail, status_of(error), "cannot %s %s at byte %" PRIu64 ": %s%s", verb,
                   kb_shown_path(path, shown), offset, kb_text_errno(error, reason, sizeof reason),
                   kb_text_hint(error));
}

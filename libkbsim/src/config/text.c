/* SPDX-License-Identifier: Apache-2.0 */
/* A look at every character of a file; see text.h. Knows nothing of YAML. */
#include "config/text.h"

#include <stdbool.h>
#include <stdint.h>

#include "machine/origin.h"

/* Length of the UTF-8 character at `at`, or 0 where it is none (cut, overlong, surrogate, too large). */
static size_t character(const unsigned char *at, size_t left) {
    static const struct {
        unsigned char mask, head;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t length = 1; length <= sizeof forms / sizeof forms[0]; length++) {
        if ((at[0] & forms[length - 1].mask) != forms[length - 1].head)
            continue;
        if (length > left)
            return 0;
        uint32_t code = at[0] & (unsigned char)~forms[length - 1].mask;
        for (size_t i = 1; i < length; i++) {
            if ((at[i] & 0xC0U) != 0x80U)
                return 0;
            code = code << 6U | (at[i] & 0x3FU);
        }
        const bool allowed =
            code >= forms[length - 1].least && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        return allowed ? length : 0;
    }
    return 0;
}

static kb_status refuse(const char *name, uint32_t line, uint32_t column, const char *what, kb_trail *trail) {
    return kbs_fail_at(&(kbs_origin){.source = name, .line = line, .column = column}, trail, "%s", what);
}

kb_status kbs_text_check(const char *name, const char *text, size_t size, kb_trail *trail) {
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < size;) {
        const unsigned char *at = (const unsigned char *)text + i;
        const size_t length = character(at, size - i);
        if (length == 0)
            return refuse(name, line, column, "this is no UTF-8 (is it a text file?)", trail);
        if (*at == '\t')
            return refuse(name, line, column, "a tab: indent and separate with spaces", trail);
        if (*at == 0x7F || (*at < 0x20 && *at != '\n' && *at != '\r'))
            return refuse(name, line, column, "a control character (is it a text file?)", trail);
        i += length;
        column++;
        if (*at == '\n') {
            line++;
            column = 1;
        }
    }
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Words for messages; see text.h. May not allocate and may not fail. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerror_r() that returns its text */
#endif
#include "ground/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Ends a text that filled its buffer with "..."; what that cuts off goes by whole characters. */
static void mark_cut(char *buffer, size_t buffer_size) {
    static const char mark[] = "...";
    if (buffer_size <= sizeof mark)
        return;
    size_t end = buffer_size - sizeof mark;
    while (end > 0 && ((unsigned char)buffer[end] & 0xC0U) == 0x80U)
        end--;
    memcpy(buffer + end, mark, sizeof mark);
}

void kb_text_vformat(char *buffer, size_t buffer_size, const char *format, va_list args) {
    assert(buffer_size > 0);
    int length = vsnprintf(buffer, buffer_size, format, args);
    if (length < 0)
        buffer[0] = '\0';
    else if ((size_t)length >= buffer_size)
        mark_cut(buffer, buffer_size);
}

void kb_text_format(char *buffer, size_t buffer_size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    kb_text_vformat(buffer, buffer_size, format, args);
    va_end(args);
}

const char *kb_text_errno(int error, char *buffer, size_t buffer_size) {
    return strerror_r(error, buffer, buffer_size);
}

static const struct {
    int error;
    const char *text;
} hints[] = {
    {ENOSPC, " (free some space, or write elsewhere)"},
    {EDQUOT, " (your quota is used up: free some space, or write elsewhere)"},
    {EFBIG, " (the file system or `ulimit -f` allows no larger file)"},
    {EROFS, " (choose a place that can be written)"},
    {ENOENT, " (check the spelling of the path)"},
    {ENOTDIR, " (a part of the path is no folder)"},
    {EISDIR, " (give a file, not a folder)"},
    {EEXIST, " (remove it or choose another name)"},
    {EACCES, " (check the permissions of the file and of its folder)"},
    {EPERM, " (check the permissions of the file and of its folder)"},
    {EMFILE, " (raise `ulimit -n`)"},
    {ENFILE, " (the system has too many open files: close some programs)"},
    {EPIPE, " (whoever read the pipe has gone)"},
    {ESPIPE, " (a pipe can only be read from front to back: store it in a file first)"},
    {EXDEV, " (both names must lie in one file system)"},
    {EIO, " (the device may be failing: the kernel's log says more)"},
};

const char *kb_text_hint(int error) {
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (hints[i].error == error)
            return hints[i].text;
    return "";
}

/* The length of the character that begins with `lead`, and the least and largest second byte. */
static size_t character_length(unsigned char lead, unsigned char *ret_least, unsigned char *ret_most) {
    *ret_least = 0x80;
    *ret_most = 0xBF;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (lead == 0xE0)
            *ret_least = 0xA0;
        if (lead == 0xED)
            *ret_most = 0x9F;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (lead == 0xF0)
            *ret_least = 0x90;
        if (lead == 0xF4)
            *ret_most = 0x8F;
        return 4;
    }
    return 0;
}

bool kb_text_is_utf8(const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    while (at < end) {
        unsigned char least, most;
        size_t size = character_length(*at, &least, &most);
        if (size == 0 || size > (size_t)(end - at))
            return false;
        if (size > 1 && (at[1] < least || at[1] > most))
            return false;
        for (size_t i = 2; i < size; i++)
            if (at[i] < 0x80 || at[i] > 0xBF)
                return false;
        at += size;
    }
    return true;
}

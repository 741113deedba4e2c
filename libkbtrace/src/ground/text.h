/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for messages: formatting into a bounded buffer, and the system's word for an errno.
 *
 * Private to libkbtrace. Nothing here allocates, fails or keeps state, so that a message about
 * running out of memory can always be made, from any thread.
 */
#ifndef KBTRACE_SRC_TEXT_H
#define KBTRACE_SRC_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "kbtrace/status.h"

/* As vsnprintf, but a text that is too long ends in "..." and never in half a UTF-8 character. */
void kb_text_vformat(char *buffer, size_t buffer_size, const char *format, va_list args) KB_PRINTF(3, 0);
void kb_text_format(char *buffer, size_t buffer_size, const char *format, ...) KB_PRINTF(3, 4);

/* strerror() that threads may share; returns `buffer` or a constant. */
const char *kb_text_errno(int error, char *buffer, size_t buffer_size);

/* What to try, in brackets and with a leading space, or "" where nobody knows better. */
const char *kb_text_hint(int error);

/* Whether the bytes are UTF-8 as RFC 3629 has it: shortest forms, no surrogates, up to U+10FFFF. */
bool kb_text_is_utf8(const char *text, size_t length);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of settings must be before anybody parses it: plain text in UTF-8, without tabs. */
#ifndef KBSIM_SRC_TEXT_H
#define KBSIM_SRC_TEXT_H

#include "kbtrace/status.h"

/* `name` is the file's, for messages. */
kb_status kbs_text_check(const char *name, const char *text, size_t size, kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the system refused, in words: which file, where, why, what to try.
 *
 * Private to libkbtrace, shared by the calls on files and on names. Never allocates.
 */
#ifndef KBTRACE_SRC_EXPLAIN_H
#define KBTRACE_SRC_EXPLAIN_H

#include <stdint.h>

#include "kbtrace/status.h"

/* Leaves room for the reason in an entry of a trail, however long the path is. */
#define KB_SHOWN_PATH_CHARS 192

/* The path, or its end behind "..." where it is too long for a message; returns `buffer`. */
const char *kb_shown_path(const char *path, char buffer[KB_SHOWN_PATH_CHARS]);

/* "cannot <verb> <path>: <why> <what to try>", and KB_E_IO, or KB_E_MEMORY for ENOMEM. */
kb_status kb_explain(kb_trail *trail, int error, const char *verb, const char *path);
/* The same with " at byte <offset>". */
kb_status kb_explain_at(kb_trail *trail, int error, const char *verb, const char *path, uint64_t offset);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of definitions as bytes: whoever owns the rows may add more at any time, and these stay what
 * they are. Rows are noted where ops are put, and said where frames are made.
 */
#ifndef KBTRACE_SRC_ROWLOG_H
#define KBTRACE_SRC_ROWLOG_H

#include "kbtrace/defs.h"
#include "wire/schema.h"

/* All rows, table by table, and how much of each was said. */
typedef struct kb_row_log {
    kb_buffer bytes[KB_TABLE_COUNT];
    size_t said[KB_TABLE_COUNT];
} kb_row_log;

void kb_row_log_init(kb_row_log *rows, const kb_alloc *alloc);
void kb_row_log_fini(kb_row_log *rows);

/* Whether `defs` have more rows than are noted. */
bool kb_row_log_is_behind(const kb_defs *defs, const size_t noted[KB_TABLE_COUNT]);

/* Appends the rows that are not noted yet to `out`, and counts them as noted. */
kb_status kb_row_log_note(const kb_defs *defs, size_t inout_noted[KB_TABLE_COUNT], kb_buffer *out,
                          kb_trail *trail) KB_MUST_USE;

/* Adds what was noted. */
kb_status kb_row_log_add(kb_row_log *rows, const kb_buffer *noted, kb_trail *trail) KB_MUST_USE;

bool kb_row_log_has_unsaid(const kb_row_log *rows);
/* Appends rows that were not said yet until `out` has `enough_size`, or there are no more. */
kb_status kb_row_log_say(kb_row_log *rows, size_t enough_size, kb_buffer *out, kb_trail *trail) KB_MUST_USE;
/* Appends all rows. */
kb_status kb_row_log_restate(kb_row_log *rows, kb_buffer *out, kb_trail *trail) KB_MUST_USE;
/* What was said will not be asked for again. */
void kb_row_log_forget(kb_row_log *rows);

#endif

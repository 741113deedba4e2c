/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a kb_defs seen alike, for the codec: each as an array of rows with a size. */
#ifndef KBTRACE_SRC_DEFS_ROWS_H
#define KBTRACE_SRC_DEFS_ROWS_H

#include "wire/schema.h"

typedef struct kb_rows {
    void **items;
    size_t *count, *capacity;
    size_t row_size;
} kb_rows;

typedef struct kb_view {
    const uint8_t *items;
    size_t count, row_size;
} kb_view;

kb_rows kb_defs_rows(kb_defs *defs, enum kb_table table);
kb_view kb_defs_view(const kb_defs *defs, enum kb_table table);

/* Room for one more row, which does not count before the caller raises the table's count. */
kb_status kb_defs_new_row(kb_defs *defs, enum kb_table table, void **ret_row, kb_trail *trail) KB_MUST_USE;

#endif

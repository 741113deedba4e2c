/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of definitions as bytes: see rowlog.h. */
#include "write/rowlog.h"

#include <assert.h>

#include "words/defs_rows.h"

void kb_row_log_init(kb_row_log *rows, const kb_alloc *alloc) {
    for (uint32_t table = 0; table < KB_TABLE_COUNT; table++) {
        kb_buffer_init(&rows->bytes[table], alloc);
        rows->said[table] = 0;
    }
}

void kb_row_log_fini(kb_row_log *rows) {
    for (uint32_t table = 0; table < KB_TABLE_COUNT; table++)
        kb_buffer_fini(&rows->bytes[table]);
}

bool kb_row_log_is_behind(const kb_defs *defs, const size_t noted[KB_TABLE_COUNT]) {
    for (uint32_t table = 0; table < KB_TABLE_COUNT; table++)
        if (noted[table] < kb_defs_view(defs, (enum kb_table)table).count)
            return true;
    return false;
}

kb_status kb_row_log_note(const kb_defs *defs, size_t inout_noted[KB_TABLE_COUNT], kb_buffer *out,
                          kb_trail *trail) {
    for (uint32_t table = 0; table < KB_TABLE_COUNT; table++) {
        const kb_view view = kb_defs_view(defs, (enum kb_table)table);
        for (; inout_noted[table] < view.count; inout_noted[table]++)
            KB_TRY(kb_message_embed(kb_definition_messages[table], table + 1,
                                    view.items + inout_noted[table] * view.row_size, out, trail));
    }
    return KB_OK;
}

/* The row at the start of `inout_span`, which goes on behind it. */
static kb_span next_row(kb_span *inout_span, uint32_t *ret_table) {
    kb_wire_field field;
    kb_span row = {inout_span->at, inout_span->at};
    const bool fine = kb_wire_next(inout_span, &field);
    assert(fine && field.number - 1 < KB_TABLE_COUNT);
    (void)fine;
    row.end = inout_span->at;
    *ret_table = field.number - 1;
    return row;
}

kb_status kb_row_log_add(kb_row_log *rows, const kb_buffer *noted, kb_trail *trail) {
    if (noted->size == 0)
        return KB_OK;
    kb_span span = {noted->bytes, noted->bytes + noted->size};
    while (span.at < span.end) {
        uint32_t table;
        const kb_span row = next_row(&span, &table);
        KB_TRY(kb_buffer_append(&rows->bytes[table], row.at, (size_t)(row.end - row.at), trail));
    }
    return KB_OK;
}

bool kb_row_log_has_unsaid(const kb_row_log *rows) {
    for (uint32_t table = 0; table < KB_TABLE_COUNT; table++)
        if (rows->said[table] < rows->bytes[table].size)
            return true;
    return false;
}

kb_status kb_row_log_say(kb_row_log *rows, size_t enough_size, kb_buffer *out, kb_trail *trail) {
    for (uint32_t table = 0; table < KB_TABLE_COUNT; table++) {
        const kb_buffer *bytes = &rows->bytes[table];
        if (rows->said[table] == bytes->size)
            continue;
        kb_span span = {bytes->bytes + rows->said[table], bytes->bytes + bytes->size};
        while (span.at < span.end && out->size < enough_size) {
            uint32_t same;
            const kb_span row = next_row(&span, &same);
            KB_TRY(kb_buffer_append(out, row.at, (size_t)(row.end - row.at), trail));
            rows->said[table] += (size_t)(row.end - row.at);
        }
    }
    return KB_OK;
}

kb_status kb_row_log_restate(kb_row_log *rows, kb_buffer *out, kb_trail *trail) {
    for (uint32_t table = 0; table < KB_TABLE_COUNT; table++) {
        KB_TRY(kb_buffer_append(out, rows->bytes[table].bytes, rows->bytes[table].size, trail));
        rows->said[table] = rows->bytes[table].size;
    }
    return KB_OK;
}

void kb_row_log_forget(kb_row_log *rows) {
    for (uint32_t table = 0; table < KB_TABLE_COUNT; table++)
        if (rows->said[table] == rows->bytes[table].size)
            rows->said[table] = rows->bytes[table].size = 0;
}

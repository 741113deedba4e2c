/* SPDX-License-Identifier: Apache-2.0 */
/* Walks plain structs by the tables of schema.c: see kbtrace/visit.h. */
#include "kbtrace/visit.h"

#include <assert.h>

#include "words/defs_rows.h"

static void visit_message(const kb_message *message, const uint8_t *record, const kb_visitor *visitor);

static uint64_t count_of(const kb_field *field, const uint8_t *record) {
    const uint8_t *at = record + field->count_offset;
    uint32_t narrow;
    size_t wide;
    memcpy(&narrow, at, sizeof narrow);
    if (field->count_size == sizeof narrow)
        return narrow;
    memcpy(&wide, at, sizeof wide);
    return wide;
}

static const void *pointer_of(const kb_field *field, const uint8_t *record) {
    const void *pointer;
    memcpy(&pointer, record + field->offset, sizeof pointer);
    return pointer;
}

static uint64_t scalar_of(const kb_field *field, const uint8_t *at) {
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (field->type) {
    case KB_FIELD_U8: return *at;
    case KB_FIELD_U16: memcpy(&u16, at, sizeof u16); return u16;
    case KB_FIELD_U32:
    case KB_FIELD_ID: memcpy(&u32, at, sizeof u32); return u32;
    default: memcpy(&u64, at, sizeof u64); return u64;
    }
}

static void visit_scalar(const kb_field *field, const uint8_t *record, const kb_visitor *visitor) {
    uint64_t value = scalar_of(field, record + field->offset);
    if (field->vocabulary != 0)
        visitor->word(visitor->user, field->name, (kb_vocabulary)(field->vocabulary - 1), (uint32_t)value);
    else if (field->type == KB_FIELD_ID && value == KB_NONE)
        visitor->nothing(visitor->user, field->name);
    else
        visitor->number(visitor->user, field->name, value);
}

static void visit_list(const kb_field *field, const uint8_t *record, const kb_visitor *visitor) {
    const uint8_t *items = pointer_of(field, record);
    uint64_t count = count_of(field, record);
    visitor->begin(visitor->user, field->name, true);
    for (size_t i = 0; i < count; i++) {
        if (field->type == KB_FIELD_REPEATED) {
            visitor->begin(visitor->user, NULL, false);
            visit_message(field->message, items + i * field->message->size, visitor);
            visitor->end(visitor->user);
        } else if (field->type == KB_FIELD_PACKED_U32) {
            visitor->number(visitor->user, NULL, ((const uint32_t *)(const void *)items)[i]);
        } else if (field->type == KB_FIELD_PACKED_S64) {
            visitor->integer(visitor->user, NULL, ((const int64_t *)(const void *)items)[i]);
        } else {
            visitor->number(visitor->user, NULL, ((const uint64_t *)(const void *)items)[i]);
        }
    }
    visitor->end(visitor->user);
}

static void visit_field(const kb_field *field, const uint8_t *record, const kb_visitor *visitor) {
    const uint8_t *at = record + field->offset;
    double real;
    switch (field->type) {
    case KB_FIELD_BOOL: visitor->truth(visitor->user, field->name, *(const bool *)at); break;
    case KB_FIELD_DOUBLE:
        memcpy(&real, at, sizeof real);
        visitor->real(visitor->user, field->name, real);
        break;
    case KB_FIELD_TEXT: {
        const char *text = pointer_of(field, record);
        visitor->text(visitor->user, field->name, text != NULL ? text : "");
        break;
    }
    case KB_FIELD_DIGEST: visitor->bytes(visitor->user, field->name, at, sizeof(kb_digest)); break;
    case KB_FIELD_BYTES:
        visitor->bytes(visitor->user, field->name, pointer_of(field, record),
                       (size_t)count_of(field, record));
        break;
    case KB_FIELD_PACKED_U32:
    case KB_FIELD_PACKED_U64:
    case KB_FIELD_PACKED_S64:
    case KB_FIELD_PACKED_FIXED64:
    case KB_FIELD_REPEATED: visit_list(field, record, visitor); break;
    default: visit_scalar(field, record, visitor);
    }
}

static void visit_message(const kb_message *message, const uint8_t *record, const kb_visitor *visitor) {
    for (size_t i = 0; i < message->field_count; i++)
        visit_field(&message->fields[i], record, visitor);
}

/* --- tables ----------------------------------------------------------------------------------- */

size_t kb_defs_table_count(void) {
    return KB_TABLE_COUNT;
}

const char *kb_defs_table_name(size_t table) {
    return kb_definition_messages[table]->name;
}

size_t kb_defs_row_count(const kb_defs *defs, size_t table) {
    return kb_defs_view(defs, (enum kb_table)table).count;
}

void kb_defs_visit(const kb_defs *defs, size_t table, size_t row, const kb_visitor *visitor) {
    kb_view view = kb_defs_view(defs, (enum kb_table)table);
    assert(row < view.count);
    visit_message(kb_definition_messages[table], view.items + row * view.row_size, visitor);
}

void kb_run_visit(const kb_run *run, const kb_visitor *visitor) {
    const kb_message *header = &kb_message_header;
    for (size_t i = 0; i < header->field_count; i++)
        if (header->fields[i].type == KB_FIELD_MESSAGE)
            visit_message(header->fields[i].message, (const uint8_t *)run, visitor);
}

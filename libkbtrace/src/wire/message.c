/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one encoder and the one decoder of cold messages, driven by the tables of schema.c.
 *
 * A record is a plain struct; a table row says where in it a field stands. Sizes of embedded
 * messages are found by encoding and then making room, which is cheap where messages are small.
 */
#include <assert.h>

#include "ground/text.h"
#include "kbtrace/op.h"
#include "wire/wire.h"

static uint64_t load_count(const kb_field *field, const uint8_t *record) {
    if (field->count_size == sizeof(uint32_t)) {
        uint32_t count;
        memcpy(&count, record + field->count_offset, sizeof count);
        return count;
    }
    size_t count;
    memcpy(&count, record + field->count_offset, sizeof count);
    return count;
}

static void store_count(const kb_field *field, uint8_t *record, size_t count) {
    if (field->count_size == sizeof(uint32_t)) {
        uint32_t narrow = (uint32_t)count;
        memcpy(record + field->count_offset, &narrow, sizeof narrow);
    } else {
        memcpy(record + field->count_offset, &count, sizeof count);
    }
}

static const void *load_pointer(const kb_field *field, const uint8_t *record) {
    const void *pointer;
    memcpy(&pointer, record + field->offset, sizeof pointer);
    return pointer;
}

/* --- encoding --------------------------------------------------------------------------------- */

static uint64_t load_scalar(const kb_field *field, const uint8_t *record) {
    const uint8_t *at = record + field->offset;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (field->type) {
    case KB_FIELD_U8: return *at;
    case KB_FIELD_BOOL: return *(const bool *)at ? 1 : 0;
    case KB_FIELD_U16: memcpy(&u16, at, sizeof u16); return u16;
    case KB_FIELD_U32:
    case KB_FIELD_ID: memcpy(&u32, at, sizeof u32); return u32;
    default: memcpy(&u64, at, sizeof u64); return u64;
    }
}

static void put_tag(kb_buffer *out, const kb_field *field, uint32_t wire_type) {
    kb_buffer_put(out, (uint64_t)field->number << 3 | wire_type);
}

static void put_fixed64(kb_buffer *out, uint64_t value) {
    for (unsigned i = 0; i < 8; i++)
        out->bytes[out->size++] = (uint8_t)(value >> (8 * i));
}

static kb_status put_bytes(const kb_field *field, const void *bytes, size_t size, kb_buffer *out,
                           kb_trail *trail) {
    KB_TRY(kb_buffer_reserve(out, 2 * KB_VARINT_MAX + size, trail));
    put_tag(out, field, KB_WIRE_BYTES);
    kb_buffer_put(out, size);
    return kb_buffer_append(out, bytes, size, trail);
}

static uint64_t packed_value(kb_field_type type, const void *items, size_t i) {
    if (type == KB_FIELD_PACKED_U32)
        return ((const uint32_t *)items)[i];
    if (type == KB_FIELD_PACKED_S64)
        return kb_zigzag(((const int64_t *)items)[i]);
    return ((const uint64_t *)items)[i];
}

static kb_status put_packed(const kb_field *field, const uint8_t *record, kb_buffer *out, kb_trail *trail) {
    const void *items = load_pointer(field, record);
    size_t count = (size_t)load_count(field, record), size = 0;
    if (count == 0)
        return KB_OK;
    bool fixed = field->type == KB_FIELD_PACKED_FIXED64;
    for (size_t i = 0; i < count; i++)
        size += fixed ? 8 : kb_varint_size(packed_value(field->type, items, i));
    KB_TRY(kb_buffer_reserve(out, 2 * KB_VARINT_MAX + size, trail));
    put_tag(out, field, KB_WIRE_BYTES);
    kb_buffer_put(out, size);
    for (size_t i = 0; i < count; i++) {
        uint64_t value = packed_value(field->type, items, i);
        if (fixed)
            put_fixed64(out, value);
        else
            kb_buffer_put(out, value);
    }
    return KB_OK;
}

kb_status kb_message_embed(const kb_message *message, uint32_t number, const void *record, kb_buffer *out,
                           kb_trail *trail) {
    KB_TRY(kb_buffer_reserve(out, 2 * KB_VARINT_MAX, trail));
    kb_buffer_put(out, (uint64_t)number << 3 | KB_WIRE_BYTES);
    size_t before = out->size;
    KB_TRY(kb_message_encode(message, record, out, trail));
    size_t size = out->size - before, head = kb_varint_size(size);
    KB_TRY(kb_buffer_reserve(out, head, trail));
    memmove(out->bytes + before + head, out->bytes + before, size);
    out->size = before;
    kb_buffer_put(out, size);
    out->size += size;
    return KB_OK;
}

static kb_status put_repeated(const kb_field *field, const uint8_t *record, kb_buffer *out, kb_trail *trail) {
    const uint8_t *items = load_pointer(field, record);
    size_t count = (size_t)load_count(field, record);
    for (size_t i = 0; i < count; i++)
        KB_TRY(kb_message_embed(field->message, field->number, items + i * field->message->size, out, trail));
    return KB_OK;
}

static kb_status put_text(const kb_field *field, const uint8_t *record, kb_buffer *out, kb_trail *trail) {
    const char *text = load_pointer(field, record);
    if (text == NULL || text[0] == '\0')
        return KB_OK;
    return put_bytes(field, text, strlen(text), out, trail);
}

static kb_status put_scalar(const kb_field *field, const uint8_t *record, kb_buffer *out, kb_trail *trail) {
    uint64_t value = load_scalar(field, record);
    bool absent = field->type == KB_FIELD_ID ? value == KB_NONE : value == 0;
    if (absent)
        return KB_OK;
    KB_TRY(kb_buffer_reserve(out, 2 * KB_VARINT_MAX, trail));
    if (field->type == KB_FIELD_DOUBLE) {
        put_tag(out, field, KB_WIRE_FIXED64);
        put_fixed64(out, value);
    } else {
        put_tag(out, field, KB_WIRE_VARINT);
        kb_buffer_put(out, value);
    }
    return KB_OK;
}

kb_status kb_message_encode(const kb_message *message, const void *record, kb_buffer *out, kb_trail *trail) {
    const uint8_t *base = record;
    for (size_t i = 0; i < message->field_count; i++) {
        const kb_field *field = &message->fields[i];
        switch (field->type) {
        case KB_FIELD_TEXT: KB_TRY(put_text(field, base, out, trail)); break;
        case KB_FIELD_DIGEST:
            KB_TRY(put_bytes(field, base + field->offset, sizeof(kb_digest), out, trail));
            break;
        case KB_FIELD_BYTES:
            if (load_count(field, base) > 0)
                KB_TRY(
                    put_bytes(field, load_pointer(field, base), (size_t)load_count(field, base), out, trail));
            break;
        case KB_FIELD_PACKED_U32:
        case KB_FIELD_PACKED_U64:
        case KB_FIELD_PACKED_S64:
        case KB_FIELD_PACKED_FIXED64: KB_TRY(put_packed(field, base, out, trail)); break;
        case KB_FIELD_MESSAGE:
            KB_TRY(kb_message_embed(field->message, field->number, base + field->offset, out, trail));
            break;
        case KB_FIELD_REPEATED: KB_TRY(put_repeated(field, base, out, trail)); break;
        default: KB_TRY(put_scalar(field, base, out, trail));
        }
    }
    return KB_OK;
}

/* --- decoding --------------------------------------------------------------------------------- */

typedef struct decoding {
    const kb_message *message;
    const uint8_t *origin; /* of the bytes, to tell offsets */
    kb_arena *arena;
    kb_trail *trail;
} decoding;

static kb_status bad(const decoding *d, const kb_field *field, const uint8_t *at, const char *why) {
    return kb_fail(d->trail, KB_E_CORRUPT, "%s.%s is damaged at byte %zu of its message: %s",
                   d->message->name, field ? field->name : "(field)", (size_t)(at - d->origin), why);
}

static const kb_field *find_field(const kb_message *message, uint32_t number) {
    for (size_t i = 0; i < message->field_count; i++)
        if (message->fields[i].number == number)
            return &message->fields[i];
    return NULL;
}

/* How many bytes an item of a repeated field takes in memory; 0 for fields that stand alone. */
static size_t item_size(const kb_field *field) {
    switch (field->type) {
    case KB_FIELD_PACKED_U32: return sizeof(uint32_t);
    case KB_FIELD_PACKED_U64:
    case KB_FIELD_PACKED_S64:
    case KB_FIELD_PACKED_FIXED64: return sizeof(uint64_t);
    case KB_FIELD_REPEATED: return field->message->size;
    default: return 0;
    }
}

/* How many items the bytes of one wire field hold: a varint ends with a byte below 0x80. */
static size_t items_in(const kb_field *field, const kb_wire_field *wire) {
    if (field->type == KB_FIELD_REPEATED || wire->type != KB_WIRE_BYTES)
        return 1;
    size_t size = (size_t)(wire->bytes.end - wire->bytes.at), count = 0;
    if (field->type == KB_FIELD_PACKED_FIXED64)
        return size / 8;
    for (size_t i = 0; i < size; i++)
        count += wire->bytes.at[i] < 0x80;
    return count;
}

/* Counts first, so that each array is allocated once, and never larger than its bytes justify. */
static kb_status make_arrays(const decoding *d, kb_span bytes, uint8_t *record) {
    size_t counts[32] = {0};
    kb_wire_field wire;
    assert(d->message->field_count <= 32);
    while (bytes.at < bytes.end) {
        const uint8_t *at = bytes.at;
        if (!kb_wire_next(&bytes, &wire))
            return bad(d, NULL, at, "no protobuf field");
        const kb_field *field = find_field(d->message, wire.number);
        if (field != NULL && item_size(field) > 0)
            counts[field - d->message->fields] += items_in(field, &wire);
    }
    for (size_t i = 0; i < d->message->field_count; i++) {
        const kb_field *field = &d->message->fields[i];
        if (item_size(field) == 0)
            continue;
        if (counts[i] > SIZE_MAX / item_size(field) || counts[i] > UINT32_MAX)
            return kb_fail(d->trail, KB_E_LIMIT, "%s.%s has too many items", d->message->name, field->name);
        void *items;
        KB_TRY(kb_arena_new(d->arena, counts[i] * item_size(field), &items, d->trail));
        memcpy(record + field->offset, &items, sizeof items);
        store_count(field, record, 0); /* filled one by one */
    }
    return KB_OK;
}

static kb_status take_scalar(const decoding *d, const kb_field *field, const kb_wire_field *wire,
                             const uint8_t *at, uint8_t *record) {
    static const uint64_t most[] = {
        [KB_FIELD_U8] = UINT8_MAX, [KB_FIELD_U16] = UINT16_MAX,    [KB_FIELD_U32] = UINT32_MAX,
        [KB_FIELD_BOOL] = 1,       [KB_FIELD_ID] = UINT32_MAX - 1, [KB_FIELD_U64] = UINT64_MAX,
    };
    uint32_t wanted = field->type == KB_FIELD_DOUBLE ? KB_WIRE_FIXED64 : KB_WIRE_VARINT;
    if (wire->type != wanted)
        return bad(d, field, at, "not the wire type of its schema");
    if (wanted == KB_WIRE_VARINT && wire->value > most[field->type])
        return bad(d, field, at, "larger than its type allows");
    uint8_t *to = record + field->offset;
    uint16_t u16 = (uint16_t)wire->value;
    uint32_t u32 = (uint32_t)wire->value;
    if (field->type == KB_FIELD_U8 || field->type == KB_FIELD_BOOL)
        *to = (uint8_t)wire->value;
    else if (field->type == KB_FIELD_U16)
        memcpy(to, &u16, sizeof u16);
    else if (field->type == KB_FIELD_U32 || field->type == KB_FIELD_ID)
        memcpy(to, &u32, sizeof u32);
    else
        memcpy(to, &wire->value, sizeof wire->value);
    return KB_OK;
}

static kb_status take_packed(const decoding *d, const kb_field *field, const kb_wire_field *wire,
                             const uint8_t *at, uint8_t *record) {
    kb_span span = wire->bytes;
    uint8_t *items = (uint8_t *)(uintptr_t)load_pointer(field, record);
    size_t count = (size_t)load_count(field, record);
    if (wire->type != KB_WIRE_BYTES)
        return bad(d, field, at, "not packed");
    while (span.at < span.end) {
        uint64_t value = 0;
        kb_wire_field fixed;
        if (field->type == KB_FIELD_PACKED_FIXED64) {
            if (span.end - span.at < 8)
                return bad(d, field, at, "a cut number");
            fixed.value = 0;
            for (unsigned i = 0; i < 8; i++)
                fixed.value |= (uint64_t)*span.at++ << (8 * i);
            value = fixed.value;
        } else if (!kb_varint_get(&span, &value)) {
            return bad(d, field, at, "a cut number");
        }
        if (field->type == KB_FIELD_PACKED_U32) {
            if (value > UINT32_MAX)
                return bad(d, field, at, "larger than its type allows");
            ((uint32_t *)(void *)items)[count++] = (uint32_t)value;
        } else if (field->type == KB_FIELD_PACKED_S64) {
            ((int64_t *)(void *)items)[count++] = kb_unzigzag(value);
        } else {
            ((uint64_t *)(void *)items)[count++] = value;
        }
    }
    store_count(field, record, count);
    return KB_OK;
}

static kb_status take_bytes(const decoding *d, const kb_field *field, const kb_wire_field *wire,
                            const uint8_t *at, uint8_t *record) {
    size_t size = (size_t)(wire->bytes.end - wire->bytes.at);
    void *copy;
    if (wire->type != KB_WIRE_BYTES)
        return bad(d, field, at, "not the wire type of its schema");
    if (field->type == KB_FIELD_DIGEST) {
        if (size != sizeof(kb_digest))
            return bad(d, field, at, "a digest has 16 bytes");
        memcpy(record + field->offset, wire->bytes.at, size);
        return KB_OK;
    }
    if (field->type == KB_FIELD_TEXT) {
        const char *text;
        if (memchr(wire->bytes.at, 0, size) != NULL)
            return bad(d, field, at, "a text with a zero byte");
        if (!kb_text_is_utf8((const char *)wire->bytes.at, size))
            return bad(d, field, at, "a text that is not UTF-8");
        KB_TRY(kb_arena_text(d->arena, (const char *)wire->bytes.at, size, &text, d->trail));
        memcpy(record + field->offset, &text, sizeof text);
        return KB_OK;
    }
    KB_TRY(kb_arena_copy(d->arena, wire->bytes.at, size, &copy, d->trail));
    memcpy(record + field->offset, &copy, sizeof copy);
    store_count(field, record, size);
    return KB_OK;
}

static kb_status take_message(const decoding *d, const kb_field *field, const kb_wire_field *wire,
                              const uint8_t *at, uint8_t *record) {
    if (wire->type != KB_WIRE_BYTES)
        return bad(d, field, at, "not the wire type of its schema");
    uint8_t *to = record + field->offset;
    if (field->type == KB_FIELD_REPEATED) {
        size_t count = (size_t)load_count(field, record);
        to = (uint8_t *)(uintptr_t)load_pointer(field, record) + count * field->message->size;
        store_count(field, record, count + 1);
    }
    kb_status status = kb_message_decode(field->message, wire->bytes, d->arena, to, d->trail);
    if (status != KB_OK)
        return kb_while(d->trail, status, "reading %s.%s at byte %zu", d->message->name, field->name,
                        (size_t)(at - d->origin));
    return KB_OK;
}

static void set_defaults(const kb_message *message, uint8_t *record) {
    static const char *const nothing = "";
    const uint32_t none = KB_NONE;
    memset(record, 0, message->size);
    for (size_t i = 0; i < message->field_count; i++) {
        const kb_field *field = &message->fields[i];
        if (field->type == KB_FIELD_TEXT)
            memcpy(record + field->offset, &nothing, sizeof nothing);
        else if (field->type == KB_FIELD_ID)
            memcpy(record + field->offset, &none, sizeof none);
        else if (field->type == KB_FIELD_MESSAGE)
            set_defaults(field->message, record + field->offset);
    }
}

kb_status kb_message_decode(const kb_message *message, kb_span bytes, kb_arena *arena, void *record,
                            kb_trail *trail) {
    decoding d = {message, bytes.at, arena, trail};
    uint8_t *base = record;
    kb_wire_field wire;
    set_defaults(message, base);
    KB_TRY(make_arrays(&d, bytes, base));
    while (bytes.at < bytes.end) {
        const uint8_t *at = bytes.at;
        bool whole = kb_wire_next(&bytes, &wire);
        assert(whole); /* make_arrays walked the same bytes */
        (void)whole;
        const kb_field *field = find_field(message, wire.number);
        if (field == NULL)
            continue;
        if (field->type == KB_FIELD_MESSAGE || field->type == KB_FIELD_REPEATED)
            KB_TRY(take_message(&d, field, &wire, at, base));
        else if (item_size(field) > 0)
            KB_TRY(take_packed(&d, field, &wire, at, base));
        else if (field->type == KB_FIELD_TEXT || field->type == KB_FIELD_DIGEST ||
                 field->type == KB_FIELD_BYTES)
            KB_TRY(take_bytes(&d, field, &wire, at, base));
        else
            KB_TRY(take_scalar(&d, field, &wire, at, base));
    }
    return KB_OK;
}

/* --- copying ---------------------------------------------------------------------------------- */

static kb_status copy_items(const kb_field *field, const uint8_t *record, kb_arena *arena, uint8_t *copy,
                            kb_trail *trail) {
    size_t count = (size_t)load_count(field, record);
    size_t size = field->type == KB_FIELD_BYTES ? 1 : item_size(field);
    const uint8_t *from = load_pointer(field, record);
    void *items;
    if (count > SIZE_MAX / size)
        return kb_fail(trail, KB_E_LIMIT, "a row with %zu items cannot be held", count);
    KB_TRY(kb_arena_copy(arena, from, count * size, &items, trail));
    memcpy(copy + field->offset, &items, sizeof items);
    if (field->type != KB_FIELD_REPEATED)
        return KB_OK;
    for (size_t i = 0; i < count; i++)
        KB_TRY(kb_message_copy(field->message, from + i * size, arena, (uint8_t *)items + i * size, trail));
    return KB_OK;
}

kb_status kb_message_copy(const kb_message *message, const void *record, kb_arena *arena, void *copy,
                          kb_trail *trail) {
    memcpy(copy, record, message->size);
    for (size_t i = 0; i < message->field_count; i++) {
        const kb_field *field = &message->fields[i];
        if (field->type == KB_FIELD_TEXT) {
            const char *text = load_pointer(field, record);
            text = text ? text : "";
            if (!kb_text_is_utf8(text, strlen(text)))
                return kb_fail(trail, KB_E_ARGUMENT,
                               "the %s of a %s is not UTF-8: other readers would refuse it", field->name,
                               message->name);
            KB_TRY(kb_arena_text(arena, text, strlen(text), &text, trail));
            memcpy((uint8_t *)copy + field->offset, &text, sizeof text);
        } else if (field->type == KB_FIELD_BYTES || item_size(field) > 0) {
            KB_TRY(copy_items(field, record, arena, copy, trail));
        } else if (field->type == KB_FIELD_MESSAGE) {
            KB_TRY(kb_message_copy(field->message, (const uint8_t *)record + field->offset, arena,
                                   (uint8_t *)copy + field->offset, trail));
        }
    }
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A frame's contents written again with one of its numbers changed: see forge.h. */
#include <stdlib.h>
#include <string.h>

#include "support/forge.h"

#include "wire/schema.h"

typedef struct rewriting {
    size_t left;    /* numbers before the one that is replaced */
    uint64_t value; /* what replaces it */
    bool done;
} rewriting;

typedef struct out {
    uint8_t *bytes;
    size_t size, capacity;
} out;

static void put_raw(out *to, const void *bytes, size_t size) {
    if (size > to->capacity - to->size)
        abort();
    if (size > 0)
        memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

static void put_number(out *to, uint64_t value, rewriting *r) {
    uint8_t bytes[KB_VARINT_MAX];
    if (!r->done && r->left-- == 0) {
        value = r->value;
        r->done = true;
    }
    put_raw(to, bytes, (size_t)(kb_varint_put(bytes, value) - bytes));
}

static void rewrite(kb_span span, const kb_message *message, rewriting *r, out *to);
static void rewrite_ops(kb_span span, rewriting *r, out *to);

static void put_packed(kb_span span, rewriting *r, out *to) {
    uint64_t value;
    while (span.at < span.end && kb_varint_get(&span, &value))
        put_number(to, value, r);
}

static const kb_field *field_of(const kb_message *message, uint32_t number) {
    for (size_t i = 0; message != NULL && i < message->field_count; i++)
        if (message->fields[i].number == number)
            return &message->fields[i];
    return NULL;
}

static bool is_packed(const kb_field *field) {
    return field != NULL && (field->type == KB_FIELD_PACKED_U32 || field->type == KB_FIELD_PACKED_U64 ||
                             field->type == KB_FIELD_PACKED_S64);
}

/* Length and contents, the length true unless it is the number that is replaced. */
typedef void (*inside_fn)(kb_span span, const void *how, rewriting *r, out *to);
static void put_inside(kb_span span, inside_fn inside, const void *how, rewriting *r, out *to) {
    size_t room = 2 * (size_t)(span.end - span.at) + 64;
    out inner = {malloc(room), 0, room};
    if (inner.bytes == NULL)
        abort();
    bool is_length = !r->done && r->left == 0; /* it comes before what it is the length of */
    if (is_length)
        r->done = true;
    else if (!r->done)
        r->left--;
    inside(span, how, r, &inner);
    rewriting length = {.left = 0, .value = r->value, .done = !is_length};
    put_number(to, inner.size, &length);
    put_raw(to, inner.bytes, inner.size);
    free(inner.bytes);
}

static void inside_bytes(kb_span span, const void *how, rewriting *r, out *to) {
    (void)how, (void)r;
    put_raw(to, span.at, (size_t)(span.end - span.at));
}

static void inside_packed(kb_span span, const void *how, rewriting *r, out *to) {
    (void)how;
    put_packed(span, r, to);
}

static void inside_message(kb_span span, const void *how, rewriting *r, out *to) {
    rewrite(span, how, r, to);
}

static void inside_ops(kb_span span, const void *how, rewriting *r, out *to) {
    (void)how;
    rewrite_ops(span, r, to);
}

static void put_field(const kb_wire_field *wire, rewriting *r, out *to) {
    uint8_t bytes[8];
    put_number(to, (uint64_t)wire->number << 3 | wire->type, r);
    if (wire->type == KB_WIRE_VARINT)
        put_number(to, wire->value, r);
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(wire->value >> (8 * i));
    if (wire->type == KB_WIRE_FIXED64 || wire->type == KB_WIRE_FIXED32)
        put_raw(to, bytes, wire->type == KB_WIRE_FIXED64 ? 8 : 4);
}

static void rewrite(kb_span span, const kb_message *message, rewriting *r, out *to) {
    kb_wire_field wire;
    while (span.at < span.end && kb_wire_next(&span, &wire)) {
        const kb_field *field = field_of(message, wire.number);
        put_field(&wire, r, to);
        if (wire.type != KB_WIRE_BYTES)
            continue;
        if (is_packed(field))
            put_inside(wire.bytes, inside_packed, NULL, r, to);
        else if (field != NULL && field->message != NULL)
            put_inside(wire.bytes, inside_message, field->message, r, to);
        else
            put_inside(wire.bytes, inside_bytes, NULL, r, to);
    }
}

static void rewrite_ops(kb_span span, rewriting *r, out *to) {
    kb_wire_field wire;
    while (span.at < span.end && kb_wire_next(&span, &wire)) {
        put_field(&wire, r, to);
        if (wire.type == KB_WIRE_BYTES)
            put_inside(wire.bytes, wire.number == KB_OPS_PAYLOAD ? inside_bytes : inside_packed, NULL, r, to);
    }
}

static void rewrite_definitions(kb_span span, const void *how, rewriting *r, out *to) {
    kb_wire_field wire;
    (void)how;
    while (span.at < span.end && kb_wire_next(&span, &wire)) {
        put_field(&wire, r, to);
        if (wire.type == KB_WIRE_BYTES)
            put_inside(wire.bytes, inside_message,
                       wire.number <= KB_TABLE_COUNT ? kb_definition_messages[wire.number - 1] : NULL, r, to);
    }
}

static void rewrite_packet(kb_span span, const void *how, rewriting *r, out *to) {
    static const kb_message *const messages[] = {
        [KB_PACKET_HEADER] = &kb_message_header,   [KB_PACKET_TEMPLATES] = &kb_message_templates,
        [KB_PACKET_SAMPLES] = &kb_message_samples, [KB_PACKET_INDEX] = &kb_message_index,
        [KB_PACKET_FOOTER] = &kb_message_footer,
    };
    kb_wire_field wire;
    (void)how;
    while (span.at < span.end && kb_wire_next(&span, &wire)) {
        put_field(&wire, r, to);
        if (wire.type != KB_WIRE_BYTES)
            continue;
        if (wire.number == KB_PACKET_OPS || wire.number == KB_PACKET_LATE)
            put_inside(wire.bytes, inside_ops, NULL, r, to);
        else if (wire.number == KB_PACKET_DEFINITIONS)
            put_inside(wire.bytes, rewrite_definitions, NULL, r, to);
        else
            put_inside(wire.bytes, inside_message,
                       wire.number <= KB_PACKET_FOOTER ? messages[wire.number] : NULL, r, to);
    }
}

size_t forge_replace(const uint8_t *raw, size_t size, size_t which, uint64_t value, uint8_t *bytes,
                     size_t capacity) {
    kb_span span = {raw, raw + size};
    kb_wire_field wire;
    rewriting r = {which, value, false};
    out to = {bytes, 0, capacity};
    while (span.at < span.end && kb_wire_next(&span, &wire)) {
        put_field(&wire, &r, &to);
        if (wire.type == KB_WIRE_BYTES)
            put_inside(wire.bytes, rewrite_packet, NULL, &r, &to);
    }
    return r.done ? to.size : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protobuf's wire format: varints, growing buffers, and a codec that walks tables of fields.
 *
 * Cold messages (definitions, templates, index, footer) are described by a kb_message each, in
 * schema.c; one encoder and one decoder serve them all. The decoder believes nothing: every length
 * is held against the bytes that remain, and all that it allocates comes from a bounded arena.
 * The hot columns of ops have loops of their own, made of the inline functions here.
 */
#ifndef KBTRACE_SRC_WIRE_H
#define KBTRACE_SRC_WIRE_H

#include <string.h>

#include "kbtrace/memory.h"

/* --- growing bytes ---------------------------------------------------------------------------- */

typedef struct kb_buffer {
    const kb_alloc *alloc;
    uint8_t *bytes;
    size_t size, capacity;
} kb_buffer;

void kb_buffer_init(kb_buffer *buffer, const kb_alloc *alloc);
void kb_buffer_fini(kb_buffer *buffer);
kb_status kb_buffer_enlarge(kb_buffer *buffer, size_t size, kb_trail *trail) KB_MUST_USE;

/* Room for `size` more bytes, so that the put functions below need no check. */
static inline KB_MUST_USE kb_status kb_buffer_reserve(kb_buffer *buffer, size_t size, kb_trail *trail) {
    if (__builtin_expect(buffer->capacity - buffer->size >= size, 1))
        return KB_OK;
    return kb_buffer_enlarge(buffer, size, trail);
}

kb_status kb_buffer_append(kb_buffer *buffer, const void *bytes, size_t size, kb_trail *trail) KB_MUST_USE;

/* --- varints ---------------------------------------------------------------------------------- */

#define KB_VARINT_MAX 10u

static inline uint64_t kb_zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t kb_unzigzag(uint64_t value) {
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

static inline size_t kb_varint_size(uint64_t value) {
    unsigned bits = 64u - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6u) / 7u;
}

/* Writes without asking for room: reserve KB_VARINT_MAX first. */
static inline uint8_t *kb_varint_put(uint8_t *at, uint64_t value) {
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline void kb_buffer_put(kb_buffer *buffer, uint64_t value) {
    buffer->size = (size_t)(kb_varint_put(buffer->bytes + buffer->size, value) - buffer->bytes);
}

/* Bytes that are being read; `at` never passes `end`. */
typedef struct kb_span {
    const uint8_t *at, *end;
} kb_span;

/* The slow path: several bytes, or the end. False where the varint is cut or exceeds 64 bits. */
bool kb_varint_get_long(kb_span *span, uint64_t *ret_value);

static inline bool kb_varint_get(kb_span *span, uint64_t *ret_value) {
    if (__builtin_expect(span->at < span->end && *span->at < 0x80, 1)) {
        *ret_value = *span->at++;
        return true;
    }
    return kb_varint_get_long(span, ret_value);
}

/* --- fields ----------------------------------------------------------------------------------- */

enum { KB_WIRE_VARINT = 0, KB_WIRE_FIXED64 = 1, KB_WIRE_BYTES = 2, KB_WIRE_FIXED32 = 5 };

/* One field as it stands in the bytes: its number, and either a value or a span. */
typedef struct kb_wire_field {
    uint32_t number;
    uint32_t type;
    uint64_t value;
    kb_span bytes;
} kb_wire_field;

/* The next field of `span`. False where the bytes are no protobuf. */
bool kb_wire_next(kb_span *span, kb_wire_field *ret_field);

/* --- tables ----------------------------------------------------------------------------------- */

typedef enum kb_field_type {
    KB_FIELD_U8, /* unsigned, checked against the width of the member */
    KB_FIELD_U16,
    KB_FIELD_U32,
    KB_FIELD_U64,
    KB_FIELD_BOOL,
    KB_FIELD_ID, /* uint32_t, absent for KB_NONE */
    KB_FIELD_DOUBLE,
    KB_FIELD_TEXT,   /* const char *, never NULL once decoded */
    KB_FIELD_DIGEST, /* kb_digest, 16 bytes or nothing */
    KB_FIELD_BYTES,  /* pointer and count from here on */
    KB_FIELD_PACKED_U32,
    KB_FIELD_PACKED_U64,
    KB_FIELD_PACKED_S64,
    KB_FIELD_PACKED_FIXED64,
    KB_FIELD_MESSAGE, /* a member of the struct itself */
    KB_FIELD_REPEATED /* of `message`, packed side by side */
} kb_field_type;

typedef struct kb_message kb_message;

typedef struct kb_field {
    const char *name;
    uint32_t number;
    kb_field_type type;
    uint32_t offset;           /* of the member: a value or a pointer */
    uint32_t count_offset;     /* of a pointer's count */
    uint32_t count_size;       /* 4 or 8: bytes of that count */
    uint32_t vocabulary;       /* kb_vocabulary + 1 of a word, for text; 0 for a plain number */
    const kb_message *message; /* of KB_FIELD_MESSAGE and KB_FIELD_REPEATED */
} kb_field;

struct kb_message {
    const char *name;
    size_t size; /* of its struct */
    const kb_field *fields;
    size_t field_count;
};

/* Appends the fields of `record`, in the order of the table; default values are left out. */
kb_status kb_message_encode(const kb_message *message, const void *record, kb_buffer *out,
                            kb_trail *trail) KB_MUST_USE;

/* Appends `record` as the embedded message `number`. */
kb_status kb_message_embed(const kb_message *message, uint32_t number, const void *record, kb_buffer *out,
                           kb_trail *trail) KB_MUST_USE;

/*
 * Fills `record` (of message->size bytes) from all of `bytes`; unknown fields are skipped, as the
 * rules of evolution ask. Failures name the message, the field and the byte in `bytes`.
 */
kb_status kb_message_decode(const kb_message *message, kb_span bytes, kb_arena *arena, void *record,
                            kb_trail *trail) KB_MUST_USE;

/* Fills `copy` with `record` and copies of all that it points to. NULL texts become "". */
kb_status kb_message_copy(const kb_message *message, const void *record, kb_arena *arena, void *copy,
                          kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Varints, fields and growing buffers of protobuf's wire format: see wire.h. */
#include "wire/wire.h"

void kb_buffer_init(kb_buffer *buffer, const kb_alloc *alloc) {
    *buffer = (kb_buffer){.alloc = alloc};
}

void kb_buffer_fini(kb_buffer *buffer) {
    kb_delete(buffer->alloc, buffer->bytes, buffer->capacity);
    *buffer = (kb_buffer){.alloc = buffer->alloc};
}

kb_status kb_buffer_enlarge(kb_buffer *buffer, size_t size, kb_trail *trail) {
    if (size > SIZE_MAX / 2 - buffer->size)
        return kb_fail(trail, KB_E_MEMORY, "a buffer of more than half the address space was asked for");
    void *block = buffer->bytes;
    KB_TRY(kb_grow(buffer->alloc, 1, buffer->size + size, &buffer->capacity, &block, trail));
    buffer->bytes = block;
    return KB_OK;
}

kb_status kb_buffer_append(kb_buffer *buffer, const void *bytes, size_t size, kb_trail *trail) {
    if (size == 0)
        return KB_OK;
    KB_TRY(kb_buffer_reserve(buffer, size, trail));
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    return KB_OK;
}

bool kb_varint_get_long(kb_span *span, uint64_t *ret_value) {
    uint64_t value = 0;
    const uint8_t *at = span->at;
    for (unsigned shift = 0; shift < 70 && at < span->end; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            span->at = at;
            return true;
        }
    }
    return false;
}

static bool get_fixed(kb_span *span, size_t size, uint64_t *ret_value) {
    if ((size_t)(span->end - span->at) < size)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)span->at[i] << (8 * i);
    span->at += size;
    *ret_value = value;
    return true;
}

bool kb_wire_next(kb_span *span, kb_wire_field *ret_field) {
    uint64_t tag, size;
    if (!kb_varint_get(span, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
        return false;
    *ret_field = (kb_wire_field){.number = (uint32_t)(tag >> 3), .type = (uint32_t)(tag & 7)};
    switch (ret_field->type) {
    case KB_WIRE_VARINT: return kb_varint_get(span, &ret_field->value);
    case KB_WIRE_FIXED64: return get_fixed(span, 8, &ret_field->value);
    case KB_WIRE_FIXED32: return get_fixed(span, 4, &ret_field->value);
    case KB_WIRE_BYTES:
        if (!kb_varint_get(span, &size) || size > (uint64_t)(span->end - span->at))
            return false;
        ret_field->bytes = (kb_span){span->at, span->at + size};
        span->at += size;
        return true;
    default: return false;
    }
}

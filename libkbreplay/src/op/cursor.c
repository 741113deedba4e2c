/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors: stepping through views in place; see cursor.h. */
#include "op/cursor.h"

#include <assert.h>
#include <string.h>

void kbr_cursor_init(kbr_cursor *cursor, kbr_memories *memories, const kb_operand *operand, uint64_t offset) {
    cursor->memories = memories;
    cursor->memory = operand->memory;
    cursor->bytes = NULL;
    kbr_runs_init(&cursor->runs, operand, offset);
    if (!kbr_runs_next(&cursor->runs, &cursor->at, &cursor->left))
        cursor->left = 0;
}

void kbr_cursor_init_buffer(kbr_cursor *cursor, uint8_t *bytes, uint64_t size) {
    cursor->memories = NULL;
    cursor->bytes = bytes;
    cursor->left = size;
}

kb_status kbr_cursor_read(const kbr_cursor *cursor, kbr_span *ret_span, kb_trail *trail) {
    assert(cursor->left > 0);
    if (cursor->memories != NULL)
        return kbr_memory_readable(cursor->memories, cursor->memory, cursor->at, cursor->left, ret_span,
                                   trail);
    *ret_span = (kbr_span){cursor->bytes, cursor->left, true};
    return KB_OK;
}

uint64_t kbr_cursor_room(const kbr_cursor *cursor) {
    uint64_t room = cursor->memories != NULL ? kbr_memory_room(cursor->at) : UINT64_MAX;
    return room < cursor->left ? room : cursor->left;
}

kb_status kbr_cursor_write(const kbr_cursor *cursor, uint64_t size, uint8_t **ret_bytes, kb_trail *trail) {
    assert(size <= cursor->left);
    uint64_t got = size;
    *ret_bytes = cursor->bytes;
    if (cursor->memories != NULL)
        KB_TRY(
            kbr_memory_writable(cursor->memories, cursor->memory, cursor->at, size, ret_bytes, &got, trail));
    assert(got == size);
    return KB_OK;
}

void kbr_cursor_advance(kbr_cursor *cursor, uint64_t size) {
    assert(size <= cursor->left);
    cursor->left -= size;
    if (cursor->memories == NULL)
        cursor->bytes += size;
    else if (cursor->left != 0)
        cursor->at += size;
    else if (!kbr_runs_next(&cursor->runs, &cursor->at, &cursor->left))
        cursor->left = 0;
}

kb_status kbr_cursor_take(kbr_cursor *cursor, uint64_t size, uint8_t *bytes, kb_trail *trail) {
    for (uint64_t done = 0; done < size;) {
        kbr_span span;
        KB_TRY(kbr_cursor_read(cursor, &span, trail));
        uint64_t count = span.size < size - done ? span.size : size - done;
        memcpy(bytes + done, span.bytes, count);
        kbr_cursor_advance(cursor, count);
        done += count;
    }
    return KB_OK;
}

kb_status kbr_cursor_put(kbr_cursor *cursor, uint64_t size, const uint8_t *bytes, kb_trail *trail) {
    for (uint64_t done = 0; done < size;) {
        uint64_t room = kbr_cursor_room(cursor), count = room < size - done ? room : size - done;
        uint8_t *to;
        KB_TRY(kbr_cursor_write(cursor, count, &to, trail));
        memcpy(to, bytes + done, count);
        kbr_cursor_advance(cursor, count);
        done += count;
    }
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors: an operand's bytes in the order of its elements, in place, a piece at a time. A piece ends where
 * a run of the view does, or where memory is not in one piece.
 *
 * For operands in reach (exchange.h) alone. What lies in a buffer can be a cursor, too, and is one piece.
 */
#ifndef KBREPLAY_SRC_CURSOR_H
#define KBREPLAY_SRC_CURSOR_H

#include "op/access.h"

typedef struct kbr_cursor {
    kbr_memories *memories; /* NULL: it lies in `bytes` */
    uint32_t memory;
    uint64_t at, left; /* what is left of the run under way; of a buffer: of all */
    kbr_runs runs;     /* those after it */
    uint8_t *bytes;
} kbr_cursor;

void kbr_cursor_init(kbr_cursor *cursor, kbr_memories *memories, const kb_operand *operand, uint64_t offset);
void kbr_cursor_init_buffer(kbr_cursor *cursor, uint8_t *bytes, uint64_t size);

/* The piece that it stands at; there must be one. */
kb_status kbr_cursor_read(const kbr_cursor *cursor, kbr_span *ret_span, kb_trail *trail) KB_MUST_USE;
/* Bytes that can be written in one piece. */
uint64_t kbr_cursor_room(const kbr_cursor *cursor);
/* So many bytes, within that room, for the caller to write: all of them, before it asks for anything else. */
kb_status kbr_cursor_write(const kbr_cursor *cursor, uint64_t size, uint8_t **ret_bytes,
                           kb_trail *trail) KB_MUST_USE;
/* Goes on by so many, within the piece. */
void kbr_cursor_advance(kbr_cursor *cursor, uint64_t size);

/* The next `size` bytes, however many pieces they lie in, to or from elsewhere; goes on behind them. */
kb_status kbr_cursor_take(kbr_cursor *cursor, uint64_t size, uint8_t *bytes, kb_trail *trail) KB_MUST_USE;
kb_status kbr_cursor_put(kbr_cursor *cursor, uint64_t size, const uint8_t *bytes,
                         kb_trail *trail) KB_MUST_USE;

#endif

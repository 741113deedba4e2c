/* SPDX-License-Identifier: Apache-2.0 */
/* Sending, receiving, and collecting; see messages.h. */
#include "support/replays/messages.h"

#include <string.h>

#include "memory/recipe.h"
#include "op/access.h"

/* --- messages ---------------------------------------------------------------------------------- */

/* A view's bytes, and a bit for each that tells whether it is defined. */
typedef struct message {
    uint64_t size;
    uint8_t *bytes, *bits;
} message;

static kb_status message_init(messages *it, message *letter, const kb_operand *view, kb_trail *trail) {
    letter->size = kbr_operand_size(view);
    void *block;
    KB_TRY(kb_new_zeroed(kb_alloc_heap(), letter->size + letter->size / 8 + 1, &block, trail));
    letter->bytes = block;
    letter->bits = letter->bytes + letter->size;
    atomic_fetch_add(&it->count, 1);
    return KB_OK;
}

static void message_fini(message *letter) {
    kb_delete(kb_alloc_heap(), letter->bytes, letter->size + letter->size / 8 + 1);
}

static uint32_t home_of(const messages *it, uint32_t memory) {
    uint32_t rank = it->defs->memories[memory].rank;
    return rank < it->run->ranks ? rank : it->run->ranks;
}

static kbr_memories *reach(kbr_exchange *exchange, uint32_t rank, uint32_t memory) {
    messages *it = (messages *)exchange;
    return home_of(it, memory) == rank ? it->memories[rank] : NULL;
}

/* The pass of the other side: that of the memory's owner. */
static kbr_pass other_side(const messages *it, const kbr_pass *pass, const kb_operand *view) {
    kbr_pass other = *pass;
    memset(other.buffers, 0, sizeof other.buffers);
    other.rank = home_of(it, view->memory);
    return other;
}

static kb_status fetch(kbr_exchange *exchange, kbr_pass *pass, const kb_operand *view, uint64_t offset,
                       uint8_t *bytes, uint8_t *bits, kb_trail *trail) {
    messages *it = (messages *)exchange;
    kbr_pass other = other_side(it, pass, view);
    message letter;
    KB_TRY(message_init(it, &letter, view, trail));
    kb_status status = kbr_gather(&other, view, offset, letter.bytes, letter.bits, trail);
    kbr_pass_fini(&other);
    if (status == KB_OK && letter.size != 0) {
        memcpy(bytes, letter.bytes, letter.size);
        if (bits != NULL)
            memcpy(bits, letter.bits, (letter.size + 7) / 8);
    }
    message_fini(&letter);
    return status;
}

static kb_status store(kbr_exchange *exchange, kbr_pass *pass, const kb_operand *view, uint64_t offset,
                       const uint8_t *bytes, const uint8_t *bits, kb_trail *trail) {
    messages *it = (messages *)exchange;
    kbr_pass other = other_side(it, pass, view);
    message letter;
    KB_TRY(message_init(it, &letter, view, trail));
    if (letter.size != 0) {
        memcpy(letter.bytes, bytes, letter.size);
        if (bits != NULL)
            memcpy(letter.bits, bits, (letter.size + 7) / 8);
    }
    kb_status status =
        kbr_scatter(&other, view, offset, letter.bytes, bits != NULL ? letter.bits : NULL, trail);
    kbr_pass_fini(&other);
    message_fini(&letter);
    return status;
}

static kb_status undefine(kbr_exchange *exchange, kbr_pass *pass, const kb_operand *view, uint64_t offset,
                          kb_trail *trail) {
    kbr_pass other = other_side((messages *)exchange, pass, view);
    return kbr_undefine(&other, view, offset, trail);
}

/* --- what is touched --------------------------------------------------------------------------- */

static void raise(messages *it, uint32_t memory, uint64_t high) {
    uint64_t size = it->defs->memories[memory].size_bytes;
    high = high < size ? high : size;
    if (high > it->high[memory])
        it->high[memory] = high;
}

static kb_status scan(messages *it, kb_reader *reader, uint32_t rank, kb_trail *trail) {
    kb_cursor *cursor;
    KB_TRY(kb_cursor_create(reader, rank, &cursor, trail));
    const kb_op *op;
    kb_status status;
    while ((status = kb_cursor_next(cursor, &op, trail)) == KB_OK) {
        for (uint32_t i = 0; i < op->what->operand_count; i++) {
            int64_t low, high;
            if (kb_operand_extent(&op->what->operands[i], &low, &high))
                raise(it, op->what->operands[i].memory, op->offsets[i] + (uint64_t)high);
        }
    }
    kb_cursor_destroy(cursor);
    return status == KB_END ? KB_OK : status;
}

/* --- life -------------------------------------------------------------------------------------- */

kb_status messages_init(messages *it, kb_reader *reader, uint64_t limit_size, kb_trail *trail) {
    *it = (messages){.exchange = {reach, fetch, store, undefine},
                     .run = kb_reader_run(reader),
                     .defs = kb_reader_defs(reader)};
    void *block;
    KB_TRY(kb_new_zeroed(NULL, (it->run->ranks + 1u) * sizeof(kbr_memories *), &block, trail));
    it->memories = block;
    KB_TRY(kb_new_zeroed(NULL, it->defs->memory_count * sizeof(uint64_t) + 1, &block, trail));
    it->high = block;
    for (uint32_t rank = 0; rank <= it->run->ranks; rank++)
        KB_TRY(kbr_memories_create(it->defs, kb_alloc_heap(), limit_size, &it->memories[rank], trail));
    for (uint32_t id = 0; id < it->defs->initial_count; id++) {
        const kb_initial *initial = &it->defs->initials[id];
        raise(it, initial->memory, initial->offset_bytes + kbr_recipe_size(initial));
    }
    for (uint32_t rank = 0; rank < it->run->ranks; rank++)
        KB_TRY(scan(it, reader, rank, trail));
    return KB_OK;
}

void messages_fini(messages *it) {
    for (uint32_t rank = 0; it->memories != NULL && rank <= it->run->ranks; rank++)
        kbr_memories_destroy(it->memories[rank]);
    kb_delete(NULL, it->memories, (it->run->ranks + 1u) * sizeof(kbr_memories *));
    kb_delete(NULL, it->high, it->defs->memory_count * sizeof(uint64_t) + 1);
}

kb_status messages_collect(messages *it, kbr_memories *into, kb_trail *trail) {
    enum { BLOCK = 1 << 16 };
    uint8_t bytes[BLOCK], bits[BLOCK / 8];
    for (uint32_t memory = 0; memory < it->defs->memory_count; memory++) {
        kbr_memories *from = it->memories[home_of(it, memory)];
        for (uint64_t at = 0; at < it->high[memory]; at += BLOCK) {
            uint64_t size = it->high[memory] - at < BLOCK ? it->high[memory] - at : BLOCK;
            KB_TRY(kbr_memory_read(from, memory, at, size, bytes, NULL, trail));
            KB_TRY(kbr_memory_get_bits(from, memory, at, size, bits, trail));
            KB_TRY(kbr_memory_write_bits(into, memory, at, size, bytes, bits, trail));
        }
    }
    return KB_OK;
}

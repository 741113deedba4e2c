/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of all ops of a trace; see loaded.h. */
#include "support/loaded.h"

#include <string.h>

static kb_status keep(loaded_trace *it, const void *from, size_t size, void *ret_pointer, kb_trail *trail) {
    void *copy = NULL;
    KB_TRY(kb_arena_copy(&it->arena, from, size, &copy, trail));
    memcpy(ret_pointer, &copy, sizeof copy);
    return KB_OK;
}

static kb_status keep_template(loaded_trace *it, const kb_template *from, const kb_template **ret,
                               kb_trail *trail) {
    kb_template *what;
    KB_TRY(keep(it, from, sizeof *from, &what, trail));
    KB_TRY(keep(it, from->operands, from->operand_count * sizeof *from->operands, &what->operands, trail));
    KB_TRY(keep(it, from->claims, from->claim_count * sizeof *from->claims, &what->claims, trail));
    KB_TRY(keep(it, from->whys, from->why_count * sizeof *from->whys, &what->whys, trail));
    KB_TRY(keep(it, from->immediates, from->immediate_count * sizeof *from->immediates, &what->immediates,
                trail));
    *ret = what;
    return KB_OK;
}

static kb_status keep_op(loaded_trace *it, const kb_op *from, kb_op *to, kb_trail *trail) {
    const kb_template *what = from->what;
    *to = *from;
    KB_TRY(keep_template(it, what, &to->what, trail));
    KB_TRY(keep(it, from->offsets, what->operand_count * sizeof *from->offsets, &to->offsets, trail));
    KB_TRY(keep(it, from->claimed, what->claim_count * sizeof *from->claimed, &to->claimed, trail));
    KB_TRY(keep(it, from->blames, what->why_count * sizeof *from->blames, &to->blames, trail));
    return keep(it, from->payload, from->payload_size, &to->payload, trail);
}

static kb_status read_rank(loaded_trace *it, kb_cursor *cursor, uint32_t rank, kb_trail *trail) {
    uint64_t capacity = 0;
    for (;;) {
        const kb_op *op;
        const kb_status status = kb_cursor_next(cursor, &op, trail);
        if (status != KB_OK)
            return status == KB_END ? KB_OK : status;
        if (it->counts[rank] == capacity) {
            void *grown;
            capacity = capacity > 0 ? 2 * capacity : 64;
            KB_TRY(kb_arena_new(&it->arena, capacity * sizeof(kb_op), &grown, trail));
            if (it->counts[rank] > 0)
                memcpy(grown, it->ops[rank], it->counts[rank] * sizeof(kb_op));
            it->ops[rank] = grown;
        }
        KB_TRY(keep_op(it, op, &it->ops[rank][it->counts[rank]++], trail));
        it->count++;
    }
}

kb_status loaded_read(loaded_trace *it, const char *path, kb_trail *trail) {
    memset(it, 0, sizeof *it);
    kb_arena_init(&it->arena, kb_alloc_heap(), SIZE_MAX);
    KB_TRY(kb_reader_open(&path, 1, &(kb_reader_options){0}, &it->reader, trail));
    it->defs = kb_reader_defs(it->reader);
    it->ranks = kb_reader_run(it->reader)->ranks;
    void *memory;
    KB_TRY(kb_arena_new(&it->arena, it->ranks * sizeof *it->ops, &memory, trail));
    it->ops = memory;
    KB_TRY(kb_arena_new(&it->arena, it->ranks * sizeof *it->counts, &memory, trail));
    it->counts = memset(memory, 0, it->ranks * sizeof *it->counts);
    for (uint32_t rank = 0; rank < it->ranks; rank++) {
        kb_cursor *cursor;
        KB_TRY(kb_cursor_create(it->reader, rank, &cursor, trail));
        const kb_status status = read_rank(it, cursor, rank, trail);
        kb_cursor_destroy(cursor);
        KB_TRY(status);
    }
    return KB_OK;
}

void loaded_fini(loaded_trace *it) {
    kb_reader_destroy(it->reader);
    kb_arena_fini(&it->arena);
}

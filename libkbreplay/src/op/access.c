/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering and scattering views; see access.h. */
#include "op/access.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exchange/exchange.h"
#include "op/cursor.h"

/* --- runs -------------------------------------------------------------------------------------- */

uint64_t kbr_operand_size(const kb_operand *operand) {
    uint64_t size;
    bool over = __builtin_mul_overflow(kb_operand_elements(operand), kb_dtype_size(operand->dtype), &size);
    return over ? UINT64_MAX : size;
}

void kbr_runs_init(kbr_runs *runs, const kb_operand *operand, uint64_t offset) {
    uint32_t size = kb_dtype_size(operand->dtype);
    runs->offset = offset;
    runs->ended = kb_operand_elements(operand) == 0;
    unsigned dims = operand->dims;
    uint64_t dense = 1; /* elements that lie side by side */
    while (dims > 0 && (operand->shape[dims - 1] == 1 || operand->stride[dims - 1] == (int64_t)dense))
        dense *= operand->shape[--dims];
    runs->run_size = dense * size;
    runs->dims = dims;
    for (unsigned i = 0; i < dims; i++) {
        runs->index[i] = 0;
        runs->shape[i] = operand->shape[i];
        runs->step[i] = (int64_t)((uint64_t)operand->stride[i] * size);
    }
}

bool kbr_runs_next(kbr_runs *runs, uint64_t *ret_offset, uint64_t *ret_size) {
    if (runs->ended)
        return false;
    *ret_offset = runs->offset;
    *ret_size = runs->run_size;
    unsigned axis = runs->dims;
    while (axis > 0) {
        axis--;
        runs->offset += (uint64_t)runs->step[axis];
        if (++runs->index[axis] < runs->shape[axis])
            return true;
        runs->offset -= (uint64_t)runs->step[axis] * runs->shape[axis];
        runs->index[axis] = 0;
    }
    runs->ended = true;
    return true;
}

/* --- operands ---------------------------------------------------------------------------------- */

/* Copies `count` bits from the beginning of `from` to bit `at` of `to`, whose bits there are 0. */
static void append_bits(uint8_t *to, uint64_t at, const uint8_t *from, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        to[(at + i) / 8] |= (uint8_t)((from[i / 8] >> i % 8 & 1) << (at + i) % 8);
}

kb_status kbr_gather(kbr_pass *pass, const kb_operand *operand, uint64_t offset, uint8_t *bytes,
                     uint8_t *bits, kb_trail *trail) {
    uint64_t total = kbr_operand_size(operand), done = 0, at, size;
    kbr_memories *memories = kbr_exchange_reach(pass, operand->memory);
    if (memories == NULL)
        return pass->exchange->fetch(pass->exchange, pass, operand, offset, bytes, bits, trail);
    kbr_runs runs;
    kbr_runs_init(&runs, operand, offset);
    uint8_t *part = bits;
    if (bits != NULL && runs.run_size < total) {
        KB_TRY(kbr_pass_buffer(pass, KBR_BUFFERS - 1, runs.run_size / 8 + 1, &part, trail));
        memset(bits, 0, (total + 7) / 8);
    }
    while (kbr_runs_next(&runs, &at, &size)) {
        KB_TRY(kbr_memory_read(memories, operand->memory, at, size, bytes + done, NULL, trail));
        if (bits != NULL) {
            KB_TRY(kbr_memory_get_bits(memories, operand->memory, at, size, part, trail));
            if (part != bits)
                append_bits(bits, done, part, size);
        }
        done += size;
    }
    return KB_OK;
}

kb_status kbr_scatter(kbr_pass *pass, const kb_operand *operand, uint64_t offset, const uint8_t *bytes,
                      const uint8_t *bits, kb_trail *trail) {
    uint64_t total = kbr_operand_size(operand), done = 0, at, size;
    kbr_memories *memories = kbr_exchange_reach(pass, operand->memory);
    if (memories == NULL)
        return pass->exchange->store(pass->exchange, pass, operand, offset, bytes, bits, trail);
    kbr_runs runs;
    kbr_runs_init(&runs, operand, offset);
    uint8_t *part = NULL;
    if (bits != NULL && runs.run_size < total)
        KB_TRY(kbr_pass_buffer(pass, KBR_BUFFERS - 1, runs.run_size / 8 + 1, &part, trail));
    while (kbr_runs_next(&runs, &at, &size)) {
        if (bits == NULL) {
            KB_TRY(kbr_memory_write(memories, operand->memory, at, size, bytes + done, trail));
        } else {
            const uint8_t *run_bits = bits;
            if (part != NULL) {
                memset(part, 0, size / 8 + 1);
                for (uint64_t i = 0; i < size; i++)
                    part[i / 8] |= (uint8_t)((bits[(done + i) / 8] >> (done + i) % 8 & 1) << i % 8);
                run_bits = part;
            }
            KB_TRY(kbr_memory_write_bits(memories, operand->memory, at, size, bytes + done, run_bits, trail));
        }
        done += size;
    }
    return KB_OK;
}

kb_status kbr_undefine(kbr_pass *pass, const kb_operand *operand, uint64_t offset, kb_trail *trail) {
    kbr_memories *memories = kbr_exchange_reach(pass, operand->memory);
    if (memories == NULL)
        return pass->exchange->undefine(pass->exchange, pass, operand, offset, trail);
    kbr_runs runs;
    kbr_runs_init(&runs, operand, offset);
    uint64_t at, size;
    while (kbr_runs_next(&runs, &at, &size))
        KB_TRY(kbr_memory_undefine(memories, operand->memory, at, size, trail));
    return KB_OK;
}

/* Of `size` bytes; `size` where all are defined. */
static uint64_t first_clear(const uint8_t *bits, uint64_t from, uint64_t size) {
    uint64_t at = 0;
    while (at < size && (bits[(from + at) / 8] >> (from + at) % 8 & 1) != 0)
        at++;
    return at;
}

kb_status kbr_find_undefined(kbr_pass *pass, const kb_operand *operand, uint64_t offset, bool *ret_found,
                             uint64_t *ret_at, kb_trail *trail) {
    kbr_memories *memories = kbr_exchange_reach(pass, operand->memory);
    uint8_t *bytes, *bits = NULL;
    if (memories == NULL) {
        uint64_t total = kbr_operand_size(operand);
        KB_TRY(kbr_pass_buffer(pass, 0, total, &bytes, trail));
        KB_TRY(kbr_pass_buffer(pass, 1, total / 8 + 1, &bits, trail));
        KB_TRY(pass->exchange->fetch(pass->exchange, pass, operand, offset, bytes, bits, trail));
    }
    kbr_runs runs;
    kbr_runs_init(&runs, operand, offset);
    uint64_t at, size, first, done = 0;
    *ret_found = false;
    while (kbr_runs_next(&runs, &at, &size)) {
        if (memories != NULL)
            KB_TRY(kbr_memory_find_undefined(memories, operand->memory, at, size, &first, trail));
        else
            first = first_clear(bits, done, size);
        if (first < size) {
            *ret_found = true;
            *ret_at = at + first;
            return KB_OK;
        }
        done += size;
    }
    return KB_OK;
}

bool kbr_move_fits(const kb_op *op, char words[KBR_MISFIT_CHARS]) {
    uint64_t to = kbr_operand_size(&op->what->operands[0]), from = kbr_operand_size(&op->what->operands[1]);
    if (to != from)
        snprintf(words, KBR_MISFIT_CHARS, "operand 1 holds %" PRIu64 " bytes, and what it becomes %" PRIu64,
                 from, to);
    return to == from;
}

kb_status kbr_view_in_place(kbr_pass *pass, const kb_operand *view, uint64_t offset,
                            const uint8_t **ret_first, kb_trail *trail) {
    kbr_memories *memories = kbr_exchange_reach(pass, view->memory);
    int64_t low, high;
    *ret_first = NULL;
    if (memories == NULL || !kb_operand_extent(view, &low, &high) || low == high)
        return KB_OK;
    uint64_t begin = offset + (uint64_t)low, size = (uint64_t)(high - low);
    if (size > kbr_memory_room(begin))
        return KB_OK;
    kbr_span span;
    KB_TRY(kbr_memory_readable(memories, view->memory, begin, size, &span, trail));
    *ret_first = span.bytes - low;
    return KB_OK;
}

bool kbr_operands_meet(const kb_op *op, uint32_t a, uint32_t b) {
    const kb_operand *x = &op->what->operands[a], *y = &op->what->operands[b];
    int64_t x_low, x_high, y_low, y_high;
    if (x->memory != y->memory)
        return false;
    if (!kb_operand_extent(x, &x_low, &x_high) || !kb_operand_extent(y, &y_low, &y_high))
        return true;
    uint64_t x_at = op->offsets[a], y_at = op->offsets[b];
    return x_at + (uint64_t)x_low < y_at + (uint64_t)y_high &&
           y_at + (uint64_t)y_low < x_at + (uint64_t)x_high;
}

/* All is read before any is written. */
static kb_status move_by_buffer(kbr_pass *pass, const kb_op *op, kb_trail *trail) {
    const kb_operand *to = &op->what->operands[0], *from = &op->what->operands[1];
    uint64_t size = kbr_operand_size(from), at;
    uint8_t *bytes, *bits = NULL;
    bool found = true; /* bits travel with what comes from elsewhere anyway */
    if (kbr_exchange_reach(pass, from->memory) != NULL)
        KB_TRY(kbr_find_undefined(pass, from, op->offsets[1], &found, &at, trail));
    KB_TRY(kbr_pass_buffer(pass, 0, size, &bytes, trail));
    if (found)
        KB_TRY(kbr_pass_buffer(pass, 1, size / 8 + 1, &bits, trail));
    KB_TRY(kbr_gather(pass, from, op->offsets[1], bytes, bits, trail));
    return kbr_scatter(pass, to, op->offsets[0], bytes, bits, trail);
}

/* A piece of which some bytes are undefined, and stay so. */
static kb_status move_holes(kbr_pass *pass, const kbr_cursor *to, const kbr_cursor *from,
                            const uint8_t *bytes, uint64_t size, kb_trail *trail) {
    uint8_t *bits;
    KB_TRY(kbr_pass_buffer(pass, KBR_BUFFERS - 1, size / 8 + 1, &bits, trail));
    KB_TRY(kbr_memory_get_bits(from->memories, from->memory, from->at, size, bits, trail));
    return kbr_memory_write_bits(to->memories, to->memory, to->at, size, bytes, bits, trail);
}

/* From page to page. */
static kb_status move_in_place(kbr_pass *pass, kbr_cursor *to, kbr_cursor *from, kb_trail *trail) {
    while (from->left != 0) {
        kbr_span span;
        KB_TRY(kbr_cursor_read(from, &span, trail));
        uint64_t room = span.defined ? kbr_cursor_room(to) : to->left;
        uint64_t size = span.size < room ? span.size : room;
        uint8_t *bytes;
        if (span.defined) {
            KB_TRY(kbr_cursor_write(to, size, &bytes, trail));
            memcpy(bytes, span.bytes, size);
        } else {
            KB_TRY(move_holes(pass, to, from, span.bytes, size, trail));
        }
        kbr_cursor_advance(from, size);
        kbr_cursor_advance(to, size);
    }
    return KB_OK;
}

kb_status kbr_move(kbr_pass *pass, const kb_op *op, kb_trail *trail) {
    const kb_operand *to = &op->what->operands[0], *from = &op->what->operands[1];
    kbr_memories *reach_to = kbr_exchange_reach(pass, to->memory);
    kbr_memories *reach_from = kbr_exchange_reach(pass, from->memory);
    if (reach_to == NULL || reach_from == NULL || kbr_operands_meet(op, 0, 1))
        return move_by_buffer(pass, op, trail);
    KB_TRY(kbr_pass_allow(pass, kbr_operand_size(from), trail));
    kbr_cursor at_to, at_from;
    kbr_cursor_init(&at_to, reach_to, to, op->offsets[0]);
    kbr_cursor_init(&at_from, reach_from, from, op->offsets[1]);
    return move_in_place(pass, &at_to, &at_from, trail);
}

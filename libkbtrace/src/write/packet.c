/* SPDX-License-Identifier: Apache-2.0 */
/* Ops into columns: see packet.h, and docs/trace-format.md for the rule of prediction. */
#include "write/packet.h"

#include <assert.h>
#include <endian.h>

#include "wire/schema.h"
#include "words/digest.h"

void kb_packet_init(kb_packet *packet, const kb_alloc *alloc, uint32_t rank) {
    *packet = (kb_packet){.rank = rank};
    kb_buffer_init(&packet->form, alloc);
    kb_buffer_init(&packet->op, alloc);
    kb_buffer_init(&packet->payload, alloc);
    for (size_t i = 0; i < KB_CLASS_COUNT; i++)
        kb_buffer_init(&packet->columns[i], alloc);
}

void kb_packet_fini(kb_packet *packet) {
    kb_delete(packet->form.alloc, packet->resumes, packet->resume_capacity * sizeof *packet->resumes);
    kb_buffer_fini(&packet->form);
    kb_buffer_fini(&packet->op);
    kb_buffer_fini(&packet->payload);
    for (size_t i = 0; i < KB_CLASS_COUNT; i++)
        kb_buffer_fini(&packet->columns[i]);
}

void kb_packet_open(kb_packet *packet, uint64_t number, uint64_t first, int64_t base_ps) {
    packet->number = number;
    packet->first = first;
    packet->count = 0;
    packet->base_ps = packet->last_ps = base_ps;
    packet->forms = 0;
    packet->resume_count = 0;
    packet->form.size = packet->op.size = packet->payload.size = 0;
    for (size_t i = 0; i < KB_CLASS_COUNT; i++)
        packet->columns[i].size = 0;
}

kb_status kb_packet_resume(kb_packet *packet, kb_known *known, int64_t **ret_ps, kb_trail *trail) {
    size_t at = 0;
    if (known->packet == packet->number) {
        *ret_ps = &packet->resumes[known->resume].ps;
        return KB_OK;
    }
    while (at < packet->resume_count && packet->resumes[at].stream != known->key.stream)
        at++;
    if (at == packet->resume_count) {
        void *resumes = packet->resumes;
        KB_TRY(kb_grow(packet->form.alloc, sizeof *packet->resumes, packet->resume_count + 1,
                       &packet->resume_capacity, &resumes, trail));
        packet->resumes = resumes;
        packet->resumes[packet->resume_count++] = (kb_resume){known->key.stream, packet->base_ps};
    }
    known->resume = at;
    *ret_ps = &packet->resumes[at].ps;
    return KB_OK;
}

/* Each item writes all that one could have, and the next writes over what this one has not. */
static uint64_t *why_fields(const kb_known *known, const uint64_t *words, uint64_t index, uint64_t *fields,
                            uint64_t *ret_sum) {
    const kb_template *what = &known->key;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < what->why_count; i++) {
        sum += fields[0] = le64toh(words[0]);
        fields[1] = (uint32_t)(le64toh(words[1]) + 1);
        fields[2] = le64toh(words[2]);
        fields[3] = index - le64toh(words[3]);
        const size_t count = 2 + 2 * (size_t)what->whys[i].blames;
        fields += count;
        words += count;
    }
    *ret_sum = sum;
    return fields;
}

void kb_put_to_fields(const kb_known *known, const kb_put *put, int64_t resume_ps, uint64_t *fields) {
    const kb_template *what = &known->key;
    const uint64_t *words = put->words;
    const uint64_t issue_ps = le64toh(words[KB_CANONICAL_ISSUE]),
                   start_ps = le64toh(words[KB_CANONICAL_START]), sent_ps = le64toh(words[KB_CANONICAL_SENT]),
                   done_ps = le64toh(words[KB_CANONICAL_DONE]);
    fields[KB_FIX_GAP] = issue_ps - (uint64_t)resume_ps;
    fields[KB_FIX_START] = start_ps - issue_ps;
    fields[KB_FIX_SENT] = sent_ps - start_ps;
    fields[KB_FIX_DONE] = done_ps - sent_ps;
    for (size_t i = 0; i < KB_FIX_COUNT - KB_FIX_STEP; i++)
        fields[KB_FIX_STEP + i] = le64toh(words[KB_CANONICAL_STEP + i]);
    words += KB_CANONICAL_PARTS + (fields[KB_FIX_PAYLOAD] > 0 ? KB_CANONICAL_DIGEST : 0);
    uint64_t *at = fields + KB_FIX_COUNT;
    for (uint32_t i = 0; i < what->operand_count; i++)
        *at++ = le64toh(*words++);
    for (uint32_t i = 0; i < what->claim_count; i++) {
        *at = put->index - le64toh(*words++);
        at += what->claims[i].set == KB_SET_ONE;
    }
    uint64_t sum;
    at = why_fields(known, words, put->index, at, &sum);
    assert(at == fields + known->layout.count);
    /* One item counts from what the others leave, so that it is nearly always 0. */
    if (what->why_count > 0)
        fields[known->rest_field] = sum - (done_ps - issue_ps);
}

/* --- prediction ------------------------------------------------------------------------------- */

static void restart(kb_known *known, uint64_t packet) {
    size_t fields = known->layout.count * sizeof(uint64_t), masks = known->layout.words * sizeof(uint64_t);
    memcpy(known->guess.next, known->nominal, fields);
    memset(known->guess.stride, 0, fields);
    memset(known->guess.step, 0, fields);
    memset(known->guess.moving, 0, masks);
    memset(known->guess.unsettled, 0, masks);
    known->forms = NULL;
    known->packet = packet;
}

static uint64_t differences(const uint64_t *a, const uint64_t *b, uint32_t count) {
    uint64_t mask = 0;
    for (uint32_t i = 0; i < count; i++)
        mask |= (uint64_t)(a[i] != b[i]) << i;
    return mask;
}

/* Fields that came as expected: only those that move or were not settled are touched. */
static void confirm(kb_guess *guess, uint32_t word, uint64_t expected) {
    for (uint64_t mask = guess->moving[word] & expected; mask != 0; mask &= mask - 1) {
        uint32_t field = 64 * word + (uint32_t)__builtin_ctzll(mask);
        guess->next[field] += guess->stride[field];
    }
    for (uint64_t mask = guess->unsettled[word] & expected; mask != 0; mask &= mask - 1) {
        uint32_t field = 64 * word + (uint32_t)__builtin_ctzll(mask);
        guess->step[field] = guess->stride[field];
    }
    guess->unsettled[word] &= ~expected;
}

/* A field that did not: returns its residual. */
static uint64_t correct(kb_guess *guess, uint32_t field, uint64_t value) {
    uint64_t residual = value - guess->next[field], step = guess->stride[field] + residual;
    uint64_t bit = (uint64_t)1 << (field % 64), *moving = &guess->moving[field / 64];
    if (step == guess->step[field]) {
        guess->stride[field] = step;
        *moving = step != 0 ? *moving | bit : *moving & ~bit;
        guess->unsettled[field / 64] &= ~bit;
    } else {
        guess->unsettled[field / 64] |= bit;
    }
    guess->step[field] = step;
    guess->next[field] = value + guess->stride[field];
    return residual;
}

/* Writes the residuals of all fields to their columns, and their masks. */
static inline __attribute__((always_inline)) kb_status predict(kb_packet *packet, kb_known *known,
                                                               const uint64_t *fields, uint32_t words,
                                                               uint64_t *masks, size_t *inout_size,
                                                               kb_trail *trail) {
    const kb_layout *layout = &known->layout;
    for (uint32_t word = 0; word < words; word++) {
        uint32_t first = 64 * word, count = layout->count - first < 64 ? layout->count - first : 64;
        masks[word] = differences(fields + first, known->guess.next + first, count);
        confirm(&known->guess, word, ~masks[word]);
        for (uint64_t mask = masks[word]; mask != 0; mask &= mask - 1) {
            uint32_t field = first + (uint32_t)__builtin_ctzll(mask);
            kb_buffer *column = &packet->columns[kb_field_class(layout, field)];
            KB_TRY(kb_buffer_reserve(column, KB_VARINT_MAX, trail));
            size_t before = column->size;
            kb_buffer_put(column, kb_zigzag((int64_t)correct(&known->guess, field, fields[field])));
            *inout_size += column->size - before;
        }
    }
    return KB_OK;
}

static bool same_masks(const uint64_t *a, const uint64_t *b, uint32_t words) {
    for (uint32_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static kb_status new_form(kb_packet *packet, kb_known *known, const uint64_t *masks, kb_arena *arena,
                          size_t *inout_size, kb_trail *trail) {
    void *block;
    uint32_t words = known->layout.words;
    KB_TRY(kb_arena_new(arena, sizeof(kb_form) + words * sizeof(uint64_t), &block, trail));
    KB_TRY(kb_buffer_reserve(&packet->form, (1 + words) * KB_VARINT_MAX, trail));
    kb_form *form = block;
    *form = (kb_form){.next = known->forms, .number = packet->forms++};
    memcpy(form->masks, masks, words * sizeof(uint64_t));
    known->forms = form;
    size_t before = packet->form.size;
    kb_buffer_put(&packet->form, known->id);
    for (uint32_t i = 0; i < words; i++)
        kb_buffer_put(&packet->form, masks[i]);
    *inout_size += packet->form.size - before;
    return KB_OK;
}

/* The form is at the head of the list afterwards: the next op is likely to be of it again. */
static kb_status find_form(kb_packet *packet, kb_known *known, const uint64_t *masks, kb_arena *arena,
                           size_t *inout_size, kb_trail *trail) {
    for (kb_form **link = &known->forms; *link != NULL; link = &(*link)->next)
        if (same_masks((*link)->masks, masks, known->layout.words)) {
            kb_form *form = *link;
            *link = form->next;
            form->next = known->forms;
            known->forms = form;
            return KB_OK;
        }
    return new_form(packet, known, masks, arena, inout_size, trail);
}

kb_status kb_packet_add(kb_packet *packet, kb_known *known, const kb_put *put, const uint64_t *fields,
                        kb_arena *forms, size_t *ret_size, kb_trail *trail) {
    uint64_t few[4], *masks = few;
    const uint32_t words = known->layout.words;
    const int64_t done_ps = (int64_t)le64toh(put->words[KB_CANONICAL_DONE]);
    size_t payload_size = (size_t)fields[KB_FIX_PAYLOAD], size = payload_size + 1;
    if (known->packet != packet->number)
        restart(known, packet->number);
    if (words == 1) {
        KB_TRY(predict(packet, known, fields, 1, masks, &size, trail));
    } else {
        if (words > sizeof few / sizeof few[0]) {
            void *many;
            KB_TRY(kb_arena_new(forms, words * sizeof(uint64_t), &many, trail));
            masks = many;
        }
        KB_TRY(predict(packet, known, fields, words, masks, &size, trail));
    }
    KB_TRY(find_form(packet, known, masks, forms, &size, trail));
    KB_TRY(kb_buffer_append(&packet->payload, put->payload, payload_size, trail));
    KB_TRY(kb_buffer_reserve(&packet->op, KB_VARINT_MAX, trail));
    kb_buffer_put(&packet->op, known->forms->number);
    packet->count++;
    if (done_ps > packet->last_ps)
        packet->last_ps = done_ps;
    *ret_size = size;
    return KB_OK;
}

/* --- the packet as bytes ---------------------------------------------------------------------- */

static size_t scalar_size(uint64_t value) {
    return value == 0 ? 0 : 1 + kb_varint_size(value);
}

static size_t column_size(const kb_buffer *column) {
    return column->size == 0 ? 0 : 1 + kb_varint_size(column->size) + column->size;
}

static void put_scalar(kb_buffer *out, uint32_t number, uint64_t value) {
    if (value == 0)
        return;
    kb_buffer_put(out, (uint64_t)number << 3 | KB_WIRE_VARINT);
    kb_buffer_put(out, value);
}

static void put_column(kb_buffer *out, uint32_t number, const kb_buffer *column) {
    if (column->size == 0)
        return;
    kb_buffer_put(out, (uint64_t)number << 3 | KB_WIRE_BYTES);
    kb_buffer_put(out, column->size);
    memcpy(out->bytes + out->size, column->bytes, column->size);
    out->size += column->size;
}

kb_status kb_packet_close(kb_packet *packet, uint32_t kind, kb_buffer *out, kb_trail *trail) {
    size_t size = scalar_size(packet->rank) + scalar_size(packet->first) + scalar_size(packet->count) +
                  scalar_size((uint64_t)packet->base_ps) + column_size(&packet->form) +
                  column_size(&packet->op) + column_size(&packet->payload);
    for (size_t i = 0; i < KB_CLASS_COUNT; i++)
        size += column_size(&packet->columns[i]);
    KB_TRY(kb_buffer_reserve(out, size + 4 * KB_VARINT_MAX, trail));
    kb_buffer_put(out, KB_TRACE_PACKET << 3 | KB_WIRE_BYTES);
    kb_buffer_put(out, 1 + kb_varint_size(size) + size);
    kb_buffer_put(out, (uint64_t)kind << 3 | KB_WIRE_BYTES);
    kb_buffer_put(out, size);
    size_t before = out->size;
    put_scalar(out, KB_OPS_RANK, packet->rank);
    put_scalar(out, KB_OPS_FIRST, packet->first);
    put_scalar(out, KB_OPS_COUNT, packet->count);
    put_scalar(out, KB_OPS_BASE_PS, (uint64_t)packet->base_ps);
    put_column(out, KB_OPS_FORM, &packet->form);
    put_column(out, KB_OPS_OP, &packet->op);
    for (uint32_t i = 0; i < KB_CLASS_COUNT; i++)
        put_column(out, KB_OPS_GAP + i, &packet->columns[i]);
    put_column(out, KB_OPS_PAYLOAD, &packet->payload);
    assert(out->size - before == size);
    (void)before;
    packet->number = 0;
    return KB_OK;
}

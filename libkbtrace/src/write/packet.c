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

/* --- fields ----------------------------------------------------------------------------------- */

/* Each item writes all that one could have, and the next writes over what this one has not. */
static inline uint64_t *why_fields(const kb_known *known, const uint64_t *words, uint64_t index,
                                   uint64_t *fields, uint64_t *ret_sum) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < known->why_count; i++) {
        sum += fields[0] = le64toh(words[0]);
        fields[1] = (uint32_t)(le64toh(words[1]) + 1);
        fields[2] = le64toh(words[2]);
        fields[3] = index - le64toh(words[3]);
        const size_t count = kb_known_blames(known, i) ? 4 : 2;
        fields += count;
        words += count;
    }
    *ret_sum = sum;
    return fields;
}

static inline void make_fields(const kb_known *known, const kb_put *put, int64_t resume_ps,
                               uint64_t *fields) {
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
    for (uint32_t i = 0; i < known->operand_count; i++)
        *at++ = le64toh(*words++);
    for (uint32_t i = 0; i < known->claim_count; i++) {
        *at = put->index - le64toh(*words++);
        at += kb_known_names(known, i);
    }
    uint64_t sum;
    at = why_fields(known, words, put->index, at, &sum);
    assert(at == fields + known->layout.count);
    /* One item counts from what the others leave, so that it is nearly always 0. */
    if (known->why_count > 0)
        fields[known->rest_field] = sum - (done_ps - issue_ps);
}

void kb_put_to_fields(const kb_known *known, const kb_put *put, int64_t resume_ps, uint64_t *fields) {
    make_fields(known, put, resume_ps, fields);
}

/* --- prediction ------------------------------------------------------------------------------- */

/* A bit for each of `count` fields, at most 64, that differs. */
static inline uint64_t differences(const uint64_t *a, const uint64_t *b, uint32_t count) {
    uint64_t mask = 0;
    for (uint32_t i = 0; i < count; i++)
        mask |= (uint64_t)(a[i] != b[i]) << i;
    return mask;
}

/* Fields that came as expected: only those that move are touched. */
static inline void confirm(kb_guess *guess, uint32_t word, uint64_t expected) {
    for (uint64_t mask = guess->moving[word] & expected; mask != 0; mask &= mask - 1) {
        uint32_t field = 64 * word + (uint32_t)__builtin_ctzll(mask);
        guess->next[field] += guess->strides[field];
    }
    guess->unsettled[word] &= ~expected;
}

/* A field that did not: returns its residual. */
static inline uint64_t correct(kb_guess *guess, uint32_t field, uint64_t value) {
    uint64_t *stride = &guess->strides[field];
    uint64_t bit = (uint64_t)1 << (field % 64), *moving = &guess->moving[field / 64],
             *unsettled = &guess->unsettled[field / 64];
    uint64_t residual = value - guess->next[field], step = *stride + residual;
    if (step == ((*unsettled & bit) != 0 ? guess->steps[field] : *stride)) {
        *stride = step;
        *moving = step != 0 ? *moving | bit : *moving & ~bit;
        *unsettled &= ~bit;
    } else {
        guess->steps[field] = step;
        *unsettled |= bit;
    }
    guess->next[field] = value + *stride;
    return residual;
}

/* Appends a varint; *inout_size grows by what it takes. */
static inline KB_MUST_USE kb_status append(kb_buffer *column, uint64_t value, size_t *inout_size,
                                           kb_trail *trail) {
    KB_TRY(kb_buffer_reserve(column, KB_VARINT_MAX, trail));
    const size_t before = column->size;
    kb_buffer_put(column, value);
    *inout_size += column->size - before;
    return KB_OK;
}

/* Writes the residuals of 64 fields to their columns; *ret_mask says of which. */
static inline KB_MUST_USE kb_status predict(kb_packet *packet, kb_known *known, const uint64_t *fields,
                                            uint32_t word, uint64_t *ret_mask, size_t *inout_size,
                                            kb_trail *trail) {
    const kb_layout *layout = &known->layout;
    const uint32_t first = 64 * word, count = layout->count - first < 64 ? layout->count - first : 64;
    const uint64_t differ = differences(fields + first, known->guess.next + first, count);
    confirm(&known->guess, word, ~differ);
    for (uint64_t mask = differ; mask != 0; mask &= mask - 1) {
        const uint32_t field = first + (uint32_t)__builtin_ctzll(mask);
        const uint64_t residual = correct(&known->guess, field, fields[field]);
        KB_TRY(append(&packet->columns[kb_field_class(layout, field)], kb_zigzag((int64_t)residual),
                      inout_size, trail));
    }
    *ret_mask = differ;
    return KB_OK;
}

/* --- forms ------------------------------------------------------------------------------------ */

static inline bool same_masks(const uint64_t *a, const uint64_t *b, uint32_t words) {
    for (uint32_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* The form that is found is at the head of the list afterwards, or else a new one is. */
static kb_status far_form(kb_packet *packet, kb_known *known, const uint64_t *masks, kb_workplace *place,
                          uint32_t *ret_number, kb_trail *trail) {
    const uint32_t words = known->layout.words;
    kb_form **first = &known->forms.far, *form;
    for (kb_form **link = first; (form = *link) != NULL; link = &form->next)
        if (same_masks(form->masks, masks, words)) {
            *link = form->next;
            form->next = *first;
            *first = form;
            *ret_number = form->number;
            return KB_OK;
        }
    void *block;
    KB_TRY(kb_arena_new(&place->forms, sizeof(kb_form) + words * sizeof(uint64_t), &block, trail));
    form = block;
    *form = (kb_form){.next = *first, .number = packet->forms++};
    memcpy(form->masks, masks, words * sizeof(uint64_t));
    *first = form;
    KB_TRY(append(&packet->form, known->id, &place->size, trail));
    for (uint32_t i = 0; i < words; i++)
        KB_TRY(append(&packet->form, masks[i], &place->size, trail));
    *ret_number = form->number;
    return KB_OK;
}

/* Of an op with one mask. */
static inline KB_MUST_USE kb_status near_form(kb_packet *packet, kb_known *known, uint64_t mask,
                                              kb_workplace *place, uint32_t *ret_number, kb_trail *trail) {
    kb_forms *forms = &known->forms;
    uint32_t number = KB_NONE;
    for (uint32_t i = 0; i < KB_FORMS_NEAR; i++)
        number = forms->near_masks[i] == mask ? forms->near_numbers[i] : number;
    if (number == KB_NONE) {
        KB_TRY(far_form(packet, known, &mask, place, &number, trail));
        forms->near_masks[forms->turn] = mask;
        forms->near_numbers[forms->turn] = number;
        forms->turn = (forms->turn + 1) % KB_FORMS_NEAR;
    }
    *ret_number = number;
    return KB_OK;
}

/* --- ops -------------------------------------------------------------------------------------- */

/* Where the stream of `known` is among the packet's resumes; new streams begin at base_ps. */
static kb_status find_resume(kb_packet *packet, kb_known *known, kb_trail *trail) {
    size_t at = 0;
    while (at < packet->resume_count && packet->resumes[at].stream != known->key.stream)
        at++;
    if (at == packet->resume_count) {
        void *resumes = packet->resumes;
        KB_TRY(kb_grow(packet->form.alloc, sizeof *packet->resumes, packet->resume_count + 1,
                       &packet->resume_capacity, &resumes, trail));
        packet->resumes = resumes;
        packet->resumes[packet->resume_count++] = (kb_resume){known->key.stream, packet->base_ps};
    }
    known->resume = (uint32_t)at;
    return KB_OK;
}

/* The first op of its template in the packet: prediction begins anew. */
static kb_status enter(kb_packet *packet, kb_known *known, const kb_put *put, kb_trail *trail) {
    const size_t fields = known->layout.count * sizeof(uint64_t),
                 masks = known->layout.words * sizeof(uint64_t);
    KB_TRY(find_resume(packet, known, trail));
    if (!known->has_nominal)
        kb_put_to_fields(known, put, packet->resumes[known->resume].ps, known->nominal);
    known->has_nominal = true;
    memcpy(known->guess.next, known->nominal, fields);
    memset(known->guess.strides, 0, fields);
    memset(known->guess.moving, 0, masks);
    memset(known->guess.unsettled, 0, masks);
    known->forms = (kb_forms){.near_numbers = {KB_NONE, KB_NONE, KB_NONE, KB_NONE}};
    known->packet = packet->number;
    return KB_OK;
}

/* An op with more fields than a mask has bits. */
static kb_status add_wide(kb_packet *packet, kb_known *known, kb_workplace *place, uint32_t *ret_form,
                          kb_trail *trail) {
    uint64_t few[4], *masks = few;
    const uint32_t words = known->layout.words;
    if (words > sizeof few / sizeof few[0]) {
        void *many;
        KB_TRY(kb_arena_new(&place->forms, words * sizeof(uint64_t), &many, trail));
        masks = many;
    }
    for (uint32_t word = 0; word < words; word++)
        KB_TRY(predict(packet, known, place->fields, word, &masks[word], &place->size, trail));
    return far_form(packet, known, masks, place, ret_form, trail);
}

kb_status kb_packet_add(kb_packet *packet, kb_known *known, const kb_put *put, kb_workplace *place,
                        kb_trail *trail) {
    if (known->packet != packet->number)
        KB_TRY(enter(packet, known, put, trail));
    kb_resume *resume = &packet->resumes[known->resume];
    make_fields(known, put, resume->ps, place->fields);
    resume->ps = (int64_t)le64toh(put->words[known->resume_word]);
    uint32_t form;
    if (known->layout.words == 1) {
        uint64_t mask;
        KB_TRY(predict(packet, known, place->fields, 0, &mask, &place->size, trail));
        KB_TRY(near_form(packet, known, mask, place, &form, trail));
    } else {
        KB_TRY(add_wide(packet, known, place, &form, trail));
    }
    KB_TRY(kb_buffer_reserve(&packet->op, KB_VARINT_MAX, trail));
    kb_buffer_put(&packet->op, form);
    const size_t payload_size = (size_t)place->fields[KB_FIX_PAYLOAD];
    if (payload_size > 0)
        KB_TRY(kb_buffer_append(&packet->payload, put->payload, payload_size, trail));
    place->size += 1 + payload_size;
    packet->count++;
    const int64_t done_ps = (int64_t)le64toh(put->words[KB_CANONICAL_DONE]);
    packet->last_ps = done_ps > packet->last_ps ? done_ps : packet->last_ps;
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

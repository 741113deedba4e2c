/* SPDX-License-Identifier: Apache-2.0 */
/* Ops into columns: see packet.h, and docs/trace-format.md for the rule of prediction. */
#include "packet.h"

#include <assert.h>

#include "schema.h"

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

int64_t kb_op_resume_ps(const kb_op *op) {
    if (op->what->blocks == KB_BLOCKS_DONE)
        return op->done_ps;
    return op->what->blocks == KB_BLOCKS_SENT ? op->sent_ps : op->issue_ps;
}

static uint64_t minus(int64_t a, int64_t b) {
    return (uint64_t)a - (uint64_t)b;
}

void kb_op_to_fields(const kb_op *op, int64_t resume_ps, uint64_t *fields) {
    const kb_template *what = op->what;
    const uint64_t fixed[KB_FIX_COUNT] = {
        [KB_FIX_GAP] = minus(op->issue_ps, resume_ps),
        [KB_FIX_START] = minus(op->start_ps, op->issue_ps),
        [KB_FIX_SENT] = minus(op->sent_ps, op->start_ps),
        [KB_FIX_DONE] = minus(op->done_ps, op->sent_ps),
        [KB_FIX_STEP] = op->step,
        [KB_FIX_SEQUENCE] = op->sequence,
        [KB_FIX_ID] = op->id,
        [KB_FIX_TILE] = op->tile,
        [KB_FIX_COLLECTIVE] = op->collective,
        [KB_FIX_VALUE] = op->value,
        [KB_FIX_PAYLOAD] = op->payload_size,
    };
    memcpy(fields, fixed, sizeof fixed);
    fields += KB_FIX_COUNT;
    for (uint32_t i = 0; i < what->operand_count; i++)
        *fields++ = op->offsets[i];
    for (uint32_t i = 0; i < what->claim_count; i++)
        if (what->claims[i].set == KB_SET_ONE)
            *fields++ = op->index - op->claimed[i];
    /* The last item counts from what the others leave, so that it is nearly always 0. */
    uint64_t left = minus(op->done_ps, op->issue_ps);
    for (uint32_t i = 0; i < what->why_count; i++) {
        const kb_blame *blame = &op->blames[i];
        bool last = i + 1 == what->why_count;
        *fields++ = (uint64_t)blame->ps - (last ? left : 0);
        *fields++ = (uint64_t)(uint32_t)(blame->resource + 1);
        left -= (uint64_t)blame->ps;
        if (what->whys[i].blames) {
            *fields++ = blame->rank;
            *fields++ = op->index - blame->op;
        }
    }
}

/* --- prediction ------------------------------------------------------------------------------------ */

static void restart(kb_known *known, uint64_t packet) {
    size_t size = known->layout.count * sizeof(uint64_t);
    memcpy(known->track.last, known->nominal, size);
    memset(known->track.stride, 0, size);
    memset(known->track.step, 0, size);
    known->forms = NULL;
    known->packet = packet;
}

/* Writes the residuals of fields [from, to) to a column and sets their bits. */
static void predict(kb_known *known, const uint64_t *fields, uint32_t from, uint32_t to, kb_buffer *column,
                    uint64_t *masks) {
    kb_track track = known->track;
    uint8_t *at = column->bytes + column->size;
    for (uint32_t i = from; i < to; i++) {
        uint64_t step = fields[i] - track.last[i];
        uint64_t residual = step - track.stride[i];
        if (residual != 0) {
            masks[i / 64] |= (uint64_t)1 << (i % 64);
            at = kb_varint_put(at, kb_zigzag((int64_t)residual));
        }
        if (step == track.step[i])
            track.stride[i] = step;
        track.step[i] = step;
        track.last[i] = fields[i];
    }
    column->size = (size_t)(at - column->bytes);
}

static kb_status find_form(kb_packet *packet, kb_known *known, const uint64_t *masks, kb_arena *arena,
                           uint32_t *ret_number, kb_trail *trail) {
    size_t size = known->layout.words * sizeof(uint64_t);
    kb_form **link = &known->forms;
    for (; *link != NULL; link = &(*link)->next)
        if (memcmp((*link)->masks, masks, size) == 0) {
            /* To the front: the next op is likely to be of this form again. */
            kb_form *form = *link;
            *link = form->next;
            form->next = known->forms;
            known->forms = form;
            *ret_number = form->number;
            return KB_OK;
        }
    void *block;
    KB_TRY(kb_arena_new(arena, sizeof(kb_form) + size, &block, trail));
    KB_TRY(kb_buffer_reserve(&packet->form, (1 + known->layout.words) * KB_VARINT_MAX, trail));
    kb_form *form = block;
    *form = (kb_form){.next = known->forms, .number = packet->forms++};
    memcpy(form->masks, masks, size);
    known->forms = form;
    kb_buffer_put(&packet->form, known->id);
    for (uint32_t i = 0; i < known->layout.words; i++)
        kb_buffer_put(&packet->form, masks[i]);
    *ret_number = form->number;
    return KB_OK;
}

static size_t column_sizes(const kb_packet *packet) {
    size_t size = packet->form.size + packet->op.size + packet->payload.size;
    for (size_t i = 0; i < KB_CLASS_COUNT; i++)
        size += packet->columns[i].size;
    return size;
}

/* Room for the worst case comes first, so that prediction runs without a check. */
static kb_status make_room(kb_packet *packet, const kb_layout *layout, const kb_op *op, kb_trail *trail) {
    for (size_t i = 0; i < KB_CLASS_PLACE; i++)
        KB_TRY(kb_buffer_reserve(&packet->columns[i], KB_VARINT_MAX, trail));
    uint32_t places = layout->first_claim - KB_FIX_STEP, claims = layout->first_why - layout->first_claim;
    KB_TRY(kb_buffer_reserve(&packet->columns[KB_CLASS_PLACE], places * KB_VARINT_MAX, trail));
    KB_TRY(kb_buffer_reserve(&packet->columns[KB_CLASS_CLAIM], claims * KB_VARINT_MAX, trail));
    KB_TRY(kb_buffer_reserve(&packet->columns[KB_CLASS_WHY],
                             (layout->count - layout->first_why) * KB_VARINT_MAX, trail));
    KB_TRY(kb_buffer_reserve(&packet->op, KB_VARINT_MAX, trail));
    return kb_buffer_append(&packet->payload, op->payload, (size_t)op->payload_size, trail);
}

kb_status kb_packet_add(kb_packet *packet, kb_known *known, const uint64_t *fields, const kb_op *op,
                        kb_arena *forms, size_t *ret_size, kb_trail *trail) {
    const kb_layout *layout = &known->layout;
    uint64_t few[4] = {0}, *masks = few;
    size_t before = column_sizes(packet);
    if (layout->words > sizeof few / sizeof few[0]) {
        void *many;
        KB_TRY(kb_arena_new(forms, layout->words * sizeof(uint64_t), &many, trail));
        masks = many;
    }
    KB_TRY(make_room(packet, layout, op, trail));
    if (known->packet != packet->number)
        restart(known, packet->number);
    for (uint32_t i = 0; i < KB_FIX_STEP; i++)
        predict(known, fields, i, i + 1, &packet->columns[i], masks);
    predict(known, fields, KB_FIX_STEP, layout->first_claim, &packet->columns[KB_CLASS_PLACE], masks);
    predict(known, fields, layout->first_claim, layout->first_why, &packet->columns[KB_CLASS_CLAIM], masks);
    predict(known, fields, layout->first_why, layout->count, &packet->columns[KB_CLASS_WHY], masks);
    uint32_t number;
    KB_TRY(find_form(packet, known, masks, forms, &number, trail));
    kb_buffer_put(&packet->op, number);
    packet->count++;
    if (op->done_ps > packet->last_ps)
        packet->last_ps = op->done_ps;
    *ret_size = column_sizes(packet) - before;
    return KB_OK;
}

/* --- the packet as bytes ----------------------------------------------------------------------------- */

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

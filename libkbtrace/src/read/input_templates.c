/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of a file, read as far as they are needed, each checked once before any op uses it. */
#include <string.h>

#include "read/input.h"
#include "words/defs_check.h"

static kb_status convert_operands(const kb_wire_template *wire, kb_arena *arena, kb_template *key,
                                  kb_trail *trail) {
    void *block;
    if (wire->operand_count > KB_OPERANDS_MAX)
        return kb_fail(trail, KB_E_CORRUPT, "a template of %zu operands, at most %u can be",
                       wire->operand_count, KB_OPERANDS_MAX);
    KB_TRY(kb_arena_new(arena, wire->operand_count * sizeof(kb_operand), &block, trail));
    kb_operand *operands = block;
    for (size_t i = 0; i < wire->operand_count; i++) {
        const kb_wire_operand *from = &wire->operands[i];
        if (from->shape_count > KB_DIMS_MAX || from->shape_count != from->stride_count)
            return kb_fail(trail, KB_E_CORRUPT, "operand %zu has %zu extents and %zu strides", i,
                           from->shape_count, from->stride_count);
        operands[i] = (kb_operand){.memory = from->memory,
                                   .access = from->access,
                                   .dtype = from->dtype,
                                   .dims = (uint8_t)from->shape_count};
        for (size_t d = 0; d < from->shape_count; d++) {
            operands[i].shape[d] = from->shape[d];
            operands[i].stride[d] = from->stride[d];
        }
    }
    key->operands = operands;
    key->operand_count = (uint32_t)wire->operand_count;
    return KB_OK;
}

static kb_status add_template(kb_input *input, const kb_wire_template *wire, const kb_defs *defs,
                              kb_arena *scratch, kb_trail *trail) {
    void *block, *templates = input->templates;
    KB_TRY(kb_arena_new(&input->arena, sizeof(kb_read_template), &block, trail));
    kb_read_template *template = block;
    kb_template key = wire->key;
    KB_TRY(convert_operands(wire, scratch, &key, trail));
    KB_TRY(kb_template_check(&key, trail));
    KB_TRY(kb_template_copy(&key, &input->arena, &template->key, trail));
    KB_TRY(kb_template_check_ids(&template->key, defs, input->header.run.ranks, KB_E_CORRUPT, trail));
    template->layout = kb_template_layout(&template->key);
    if (wire->nominal_count != template->layout.count)
        return kb_fail(trail, KB_E_CORRUPT, "a template of %u fields begins with %zu", template->layout.count,
                       wire->nominal_count);
    KB_TRY(
        kb_arena_copy(&input->arena, wire->nominal, wire->nominal_count * sizeof(uint64_t), &block, trail));
    template->nominal = block;
    template->id = (uint32_t)input->template_count;
    KB_TRY(kb_grow(input->alloc, sizeof *input->templates, input->template_count + 1,
                   &input->template_capacity, &templates, trail));
    input->templates = templates;
    input->templates[input->template_count++] = template;
    return KB_OK;
}

typedef struct taking {
    kb_input *input;
    const kb_defs *defs;
    kb_arena *scratch; /* for what is on the wire only */
} taking;

static kb_status first_of(kb_span body, uint64_t *ret_first, kb_trail *trail) {
    kb_wire_field field;
    uint64_t first = 0;
    while (body.at < body.end) {
        if (!kb_wire_next(&body, &field) ||
            (field.number == KB_TEMPLATES_FIRST && field.type != KB_WIRE_VARINT) ||
            (field.number == KB_TEMPLATES_TEMPLATE && field.type != KB_WIRE_BYTES))
            return kb_fail(trail, KB_E_CORRUPT, "templates that are no protobuf");
        if (field.number == KB_TEMPLATES_FIRST)
            first = field.value;
    }
    *ret_first = first;
    return KB_OK;
}

/* One after another, so that what is on the wire takes no more memory than one template does. */
static kb_status take_templates(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail) {
    taking *to = user;
    uint64_t id = 0;
    kb_wire_field field;
    if (kind != KB_PACKET_TEMPLATES)
        return KB_OK;
    KB_TRY(first_of(body, &id, trail));
    if (id > to->input->template_count)
        return kb_fail(trail, KB_E_CORRUPT, "templates from %llu on, but %zu came before",
                       (unsigned long long)id, to->input->template_count);
    while (body.at < body.end && kb_wire_next(&body, &field)) {
        kb_wire_template wire;
        if (field.number != KB_TEMPLATES_TEMPLATE || id++ < to->input->template_count)
            continue;
        KB_TRY(kb_message_decode(&kb_message_template, field.bytes, to->scratch, &wire, trail));
        KB_TRY(add_template(to->input, &wire, to->defs, to->scratch, trail));
        kb_arena_reset(to->scratch);
    }
    return KB_OK;
}

/* After what is known, or at the last frame that says everything again. */
size_t kb_input_first_templates(const kb_input *input, uint32_t frame) {
    size_t from = input->template_frame;
    for (size_t i = frame; i > from; i--)
        if (input->entries[i].restated)
            return i;
    return from;
}

kb_status kb_input_take_templates(kb_input *input, uint32_t frame, const kb_raw_frame *raw,
                                  const kb_defs *defs, kb_trail *trail) {
    kb_arena scratch;
    kb_arena_init(&scratch, input->alloc, 0);
    taking to = {input, defs, &scratch};
    kb_status status =
        kb_walk_packets((kb_span){raw->bytes, raw->bytes + raw->size}, take_templates, &to, trail);
    kb_arena_fini(&scratch);
    if (status != KB_OK)
        return kb_while(trail, status, "reading templates in frame %u of %s at byte %llu", frame,
                        input->shown, (unsigned long long)input->places[frame].offset);
    return KB_OK;
}

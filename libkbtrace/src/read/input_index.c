/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the frames of a file: header, footer, index, definitions, templates. See input.h. */
#include <stdio.h>
#include <string.h>

#include "read/input.h"
#include "words/defs_rows.h"

/* --- walking ---------------------------------------------------------------------------------- */

kb_status kb_walk_packets(kb_span raw, kb_packet_fn each, void *user, kb_trail *trail) {
    const uint8_t *origin = raw.at;
    kb_wire_field packet, body;
    while (raw.at < raw.end) {
        size_t offset = (size_t)(raw.at - origin);
        bool whole = kb_wire_next(&raw, &packet);
        if (!whole || (packet.number == KB_TRACE_PACKET && packet.type != KB_WIRE_BYTES))
            return kb_fail(trail, KB_E_CORRUPT, "no packet at byte %zu of the frame's contents", offset);
        if (packet.number != KB_TRACE_PACKET)
            continue; /* of a newer minor version, as are bodies of unknown numbers */
        while (packet.bytes.at < packet.bytes.end) {
            whole = kb_wire_next(&packet.bytes, &body);
            if (!whole || (body.number <= KB_PACKET_LATE && body.type != KB_WIRE_BYTES))
                return kb_fail(trail, KB_E_CORRUPT, "no body of a packet at byte %zu of the frame's contents",
                               offset);
            if (body.number > KB_PACKET_LATE)
                continue;
            kb_status status = each(user, (enum kb_packet_kind)body.number, body.bytes, trail);
            if (status != KB_OK)
                return kb_while(trail, status, "reading the packet at byte %zu of the frame's contents",
                                offset);
        }
    }
    return KB_OK;
}

static kb_status take_column(kb_ops_body *ops, const kb_wire_field *field, kb_trail *trail) {
    kb_span *to = NULL;
    if (field->number == KB_OPS_FORM)
        to = &ops->form;
    else if (field->number == KB_OPS_OP)
        to = &ops->op;
    else if (field->number == KB_OPS_PAYLOAD)
        to = &ops->payload;
    else if (field->number >= KB_OPS_GAP && field->number <= KB_OPS_WHY)
        to = &ops->columns[field->number - KB_OPS_GAP];
    if (to == NULL)
        return KB_OK; /* of a newer minor version */
    if (field->type != KB_WIRE_BYTES || to->at != NULL)
        return kb_fail(trail, KB_E_CORRUPT, "column %u of ops is not one packed field", field->number);
    *to = field->bytes;
    return KB_OK;
}

kb_status kb_ops_body_get(kb_span body, kb_ops_body *ret_ops, kb_trail *trail) {
    kb_ops_body ops = {.rank = 0};
    kb_wire_field field;
    while (body.at < body.end) {
        if (!kb_wire_next(&body, &field))
            return kb_fail(trail, KB_E_CORRUPT, "ops that are no protobuf");
        bool narrow = field.number == KB_OPS_RANK || field.number == KB_OPS_COUNT;
        if (field.number > KB_OPS_BASE_PS) {
            KB_TRY(take_column(&ops, &field, trail));
            continue;
        }
        if (field.type != KB_WIRE_VARINT || (narrow && field.value > UINT32_MAX))
            return kb_fail(trail, KB_E_CORRUPT, "field %u of ops is no number of its size", field.number);
        if (field.number == KB_OPS_RANK)
            ops.rank = (uint32_t)field.value;
        else if (field.number == KB_OPS_COUNT)
            ops.count = (uint32_t)field.value;
        else if (field.number == KB_OPS_FIRST)
            ops.first = field.value;
        else
            ops.base_ps = field.value;
    }
    /* Each op has at least a byte in its column, so a count that lies is found before it is used. */
    if (ops.count == 0 || ops.count > (size_t)(ops.op.end - ops.op.at))
        return kb_fail(trail, KB_E_CORRUPT, "%u ops in a column of %zu bytes", ops.count,
                       (size_t)(ops.op.end - ops.op.at));
    if (ops.base_ps > (uint64_t)KB_TIME_MAX_PS || ops.first > UINT64_MAX - ops.count)
        return kb_fail(trail, KB_E_CORRUPT, "ops from %llu on at %llu ps are beyond all limits",
                       (unsigned long long)ops.first, (unsigned long long)ops.base_ps);
    *ret_ops = ops;
    return KB_OK;
}

/* --- header ----------------------------------------------------------------------------------- */

static kb_status take_header(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail) {
    kb_input *input = user;
    if (input->header.format_major != 0)
        return KB_OK;
    if (kind != KB_PACKET_HEADER)
        return kb_fail(trail, KB_E_CORRUPT, "the first packet is no header");
    kb_header header;
    KB_TRY(kb_message_decode(&kb_message_header, body, &input->arena, &header, trail));
    if (header.format_major != KB_FORMAT_MAJOR)
        return kb_fail(
            trail, KB_E_VERSION,
            "%s is of format %u.%u, this build reads up to %u.x: use a kb that is as new as the trace",
            input->shown, header.format_major, header.format_minor, KB_FORMAT_MAJOR);
    if (header.run.ranks == 0 || header.run.ranks > (1u << 20) || header.rank >= header.run.ranks)
        return kb_fail(trail, KB_E_CORRUPT, "a header of rank %u of %u ranks", header.rank, header.run.ranks);
    input->header = header;
    return KB_OK;
}

/* --- entries of the index --------------------------------------------------------------------- */

static kb_status add_entry(kb_input *input, const kb_frame_entry *entry, kb_trail *trail) {
    void *entries = input->entries;
    size_t packets = entry->rank_count;
    if (entry->number != input->entry_count || entry->first_count != packets ||
        entry->count_count != packets || entry->first_ps_count != packets || entry->last_ps_count != packets)
        return kb_fail(trail, KB_E_CORRUPT, "the index's entry %zu has no sense", input->entry_count);
    KB_TRY(kb_grow(input->alloc, sizeof *input->entries, input->entry_count + 1, &input->entry_capacity,
                   &entries, trail));
    input->entries = entries;
    input->entries[input->entry_count++] = *entry;
    return KB_OK;
}

static kb_status take_end(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail) {
    kb_input *input = user;
    kb_index index;
    kb_wire_footer footer;
    if (kind == KB_PACKET_FOOTER) {
        KB_TRY(kb_message_decode(&kb_message_footer, body, &input->arena, &footer, trail));
        for (size_t i = 0; i < footer.rank_count; i++)
            if (footer.ranks[i].blocks_size !=
                sizeof(kb_digest) *
                    ((footer.ranks[i].ops / KB_DIGEST_BLOCK) + (footer.ranks[i].ops % KB_DIGEST_BLOCK != 0)))
                return kb_fail(trail, KB_E_CORRUPT,
                               "the footer has %zu bytes of digests for %llu ops of rank %u",
                               footer.ranks[i].blocks_size, (unsigned long long)footer.ranks[i].ops,
                               footer.ranks[i].rank);
        input->footer = footer;
        input->has_footer = true;
    } else if (kind == KB_PACKET_INDEX && input->ended) {
        KB_TRY(kb_message_decode(&kb_message_index, body, &input->lists, &index, trail));
        for (size_t i = 0; i < index.frame_count; i++)
            KB_TRY(add_entry(input, &index.frames[i], trail));
    }
    return KB_OK;
}

/* Loads a frame and gives `each` its packets; what fails is told with the place. */
/* The packets of a frame that was loaded; a failure says which frame it was, and what was looked for. */
static kb_status walk_loaded(const kb_input *input, uint32_t frame, const kb_raw_frame *raw,
                             kb_packet_fn each, void *user, const char *what, kb_trail *trail) {
    kb_status status = kb_walk_packets((kb_span){raw->bytes, raw->bytes + raw->size}, each, user, trail);
    if (status == KB_OK)
        return KB_OK;
    return kb_while(trail, status, "reading the %s in frame %u of %s at byte %llu", what, frame, input->shown,
                    (unsigned long long)input->places[frame].offset);
}

static kb_status walk_frame(kb_input *input, uint32_t frame, kb_packet_fn each, const char *what,
                            kb_raw_frame *raw, kb_trail *trail) {
    KB_TRY(kb_input_load(input, frame, raw, trail));
    return walk_loaded(input, frame, raw, each, input, what, trail);
}

static kb_status read_index(kb_input *input, kb_raw_frame *raw, kb_trail *trail) {
    uint32_t last = (uint32_t)input->place_count - 1;
    KB_TRY(walk_frame(input, last, take_end, "footer", raw, trail));
    if (!input->has_footer || input->footer.index_frames > last)
        return kb_input_bad(input, input->places[last].offset, trail, "the last frame has no sound footer");
    for (uint32_t i = last - input->footer.index_frames; i < last; i++)
        KB_TRY(walk_frame(input, i, take_end, "index", raw, trail));
    if (input->entry_count != last - input->footer.index_frames)
        return kb_input_bad(input, input->places[last].offset, trail,
                            "the index knows %zu frames, the file has %u", input->entry_count,
                            last - input->footer.index_frames);
    return KB_OK;
}

/* --- an index made by reading every frame ----------------------------------------------------- */

typedef struct survey {
    kb_input *input;
    kb_frame_entry *entry;
    uint32_t templates;
} survey;

static kb_status count_templates(survey *to, kb_span body, kb_trail *trail) {
    kb_wire_field field;
    uint32_t first = 0, count = 0;
    while (body.at < body.end) {
        if (!kb_wire_next(&body, &field))
            return kb_fail(trail, KB_E_CORRUPT, "templates that are no protobuf");
        if (field.number == 1 && field.type == KB_WIRE_VARINT && field.value <= UINT32_MAX)
            first = (uint32_t)field.value;
        count += field.number == KB_TEMPLATES_TEMPLATE;
        to->entry->restated |= field.number == 3 && field.type == KB_WIRE_VARINT && field.value == 1;
    }
    if (count > UINT32_MAX - first)
        return kb_fail(trail, KB_E_CORRUPT, "templates beyond all numbers");
    if (first + count > to->templates) {
        to->entry->new_templates += first + count - to->templates;
        to->templates = first + count;
    }
    return KB_OK;
}

static kb_status survey_packet(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail) {
    survey *to = user;
    kb_frame_entry *entry = to->entry;
    kb_ops_body ops;
    if (kind == KB_PACKET_TEMPLATES)
        return count_templates(to, body, trail);
    entry->definitions |= kind == KB_PACKET_DEFINITIONS;
    entry->samples |= kind == KB_PACKET_SAMPLES;
    entry->late |= kind == KB_PACKET_LATE;
    if (kind != KB_PACKET_OPS)
        return take_end(to->input, kind, body, trail);
    KB_TRY(kb_ops_body_get(body, &ops, trail));
    size_t i = entry->rank_count++;
    ((uint32_t *)(uintptr_t)entry->ranks)[i] = ops.rank;
    ((uint32_t *)(uintptr_t)entry->counts)[i] = ops.count;
    ((uint64_t *)(uintptr_t)entry->firsts)[i] = ops.first;
    ((uint64_t *)(uintptr_t)entry->first_ps)[i] = ops.base_ps;
    return KB_OK;
}

static kb_status survey_frame(kb_input *input, uint32_t frame, kb_raw_frame *raw, uint32_t *inout_templates,
                              kb_trail *trail) {
    void *numbers;
    KB_TRY(kb_input_load(input, frame, raw, trail));
    size_t packets = raw->packet_count;
    KB_TRY(kb_arena_new(&input->lists, packets * (3 * sizeof(uint64_t) + 2 * sizeof(uint32_t)), &numbers,
                        trail));
    uint64_t *wide = numbers;
    uint32_t *narrow = (uint32_t *)(void *)(wide + 3 * packets);
    kb_frame_entry entry = {.number = frame,
                            .ranks = narrow,
                            .counts = narrow + packets,
                            .firsts = wide,
                            .first_ps = wide + packets,
                            .last_ps = wide + 2 * packets};
    survey to = {input, &entry, *inout_templates};
    KB_TRY(walk_loaded(input, frame, raw, survey_packet, &to, "packets", trail));
    entry.first_count = entry.count_count = entry.first_ps_count = entry.last_ps_count = entry.rank_count;
    entry.templates = *inout_templates = to.templates;
    return add_entry(input, &entry, trail);
}

static kb_status survey_all(kb_input *input, bool recover, kb_raw_frame *raw, kb_trail *trail) {
    uint32_t templates = 0;
    bool ended = input->ended;
    input->ended = false; /* an index in the file counts for nothing here */
    for (uint32_t i = 0; i < input->place_count; i++) {
        kb_status status = survey_frame(input, i, raw, &templates, trail);
        if (status == KB_E_CORRUPT && recover) {
            input->damaged = true;
            input->trouble_at = input->places[i].offset;
            snprintf(input->words, sizeof input->words,
                     "%s is damaged at byte %llu: the %u whole frames before are used", input->shown,
                     (unsigned long long)input->places[i].offset, i);
            input->place_count = i;
            input->has_footer = false;
            return i > 0 ? KB_OK : status;
        }
        KB_TRY(status);
    }
    input->ended = ended && input->has_footer;
    if (ended && !input->ended)
        snprintf(input->words, sizeof input->words, "%s has no footer: its %zu whole frames are used",
                 input->shown, input->place_count);
    return KB_OK;
}

kb_status kb_input_learn(kb_input *input, bool recover, kb_trail *trail) {
    kb_raw_frame raw = {.size = 0};
    kb_status status = walk_frame(input, 0, take_header, "header", &raw, trail);
    if (status == KB_OK && input->header.format_major == 0)
        status = kb_input_bad(input, 0, trail, "the first frame has no header");
    if (status == KB_OK)
        status = input->ended && !recover ? read_index(input, &raw, trail)
                                          : survey_all(input, recover, &raw, trail);
    kb_raw_frame_fini(&raw, input->alloc);
    return status;
}

void kb_input_forget_packets(kb_input *input) {
    for (size_t i = 0; i < input->entry_count; i++) {
        kb_frame_entry *entry = &input->entries[i];
        *entry = (kb_frame_entry){.number = entry->number,
                                  .new_templates = entry->new_templates,
                                  .templates = entry->templates,
                                  .restated = entry->restated,
                                  .definitions = entry->definitions,
                                  .samples = entry->samples,
                                  .late = entry->late};
    }
    kb_arena_fini(&input->lists);
}

/* --- definitions ------------------------------------------------------------------------------ */

static kb_status take_definitions(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail) {
    kb_defs *defs = user;
    size_t seen[KB_TABLE_COUNT] = {0};
    kb_wire_field field;
    bool restated = false;
    if (kind != KB_PACKET_DEFINITIONS)
        return KB_OK;
    /* Whether rows are said again decides where they begin, and stands at the packet's end. */
    for (kb_span span = body; span.at < span.end;) {
        if (!kb_wire_next(&span, &field))
            return kb_fail(trail, KB_E_CORRUPT, "definitions that are no protobuf");
        restated |=
            field.number == KB_DEFINITIONS_RESTATED && field.type == KB_WIRE_VARINT && field.value == 1;
    }
    while (body.at < body.end) {
        bool whole = kb_wire_next(&body, &field);
        if (!whole || field.number > KB_TABLE_COUNT)
            continue;
        enum kb_table table = (enum kb_table)(field.number - 1);
        if (field.type != KB_WIRE_BYTES)
            return kb_fail(trail, KB_E_CORRUPT, "a definition that is no message");
        if (restated && seen[table]++ < *kb_defs_rows(defs, table).count)
            continue;
        void *row;
        KB_TRY(kb_defs_new_row(defs, table, &row, trail));
        KB_TRY(kb_message_decode(kb_definition_messages[table], field.bytes, &defs->arena, row, trail));
        ++*kb_defs_rows(defs, table).count;
    }
    return KB_OK;
}

kb_status kb_input_definitions(kb_input *input, kb_defs *defs, kb_trail *trail) {
    kb_raw_frame raw = {.size = 0};
    kb_status status = KB_OK;
    for (uint32_t i = 0; i < input->entry_count && status == KB_OK; i++) {
        if (!input->entries[i].definitions)
            continue;
        status = kb_input_load(input, i, &raw, trail);
        if (status == KB_OK)
            status =
                kb_walk_packets((kb_span){raw.bytes, raw.bytes + raw.size}, take_definitions, defs, trail);
        if (status != KB_OK)
            status = kb_while(trail, status, "reading definitions in frame %u of %s at byte %llu", i,
                              input->shown, (unsigned long long)input->places[i].offset);
    }
    kb_raw_frame_fini(&raw, input->alloc);
    return status;
}

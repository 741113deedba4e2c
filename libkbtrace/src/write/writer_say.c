/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file of a trace holds beside ops: header, definitions, templates, samples, index, footer;
 * and how all of it is put together into frames.
 */
#include <string.h>

#include "words/defs_check.h"
#include "words/defs_rows.h"
#include "write/writer_parts.h"

enum {
    INDEX_CHUNK = 1 << 20,       /* bytes of index a frame, about */
    DEFINITIONS_CHUNK = 4 << 20, /* of definitions, likewise */
};

/* --- packets of cold messages ----------------------------------------------------------------- */

/* Makes what was appended to `out` since `before` the body `kind` of a packet. */
static kb_status wrap(kb_buffer *out, size_t before, enum kb_packet_kind kind, kb_trail *trail) {
    size_t size = out->size - before, inner = 1 + kb_varint_size(size) + size;
    size_t head = 1 + kb_varint_size(inner) + 1 + kb_varint_size(size);
    KB_TRY(kb_buffer_reserve(out, head, trail));
    memmove(out->bytes + before + head, out->bytes + before, size);
    out->size = before;
    kb_buffer_put(out, KB_TRACE_PACKET << 3 | KB_WIRE_BYTES);
    kb_buffer_put(out, inner);
    kb_buffer_put(out, (uint64_t)kind << 3 | KB_WIRE_BYTES);
    kb_buffer_put(out, size);
    out->size += size;
    return KB_OK;
}

static kb_status put_packet(kb_writer *writer, enum kb_packet_kind kind, const kb_message *message,
                            const void *record, kb_trail *trail) {
    size_t before = writer->raw.size;
    KB_TRY(kb_message_encode(message, record, &writer->raw, trail));
    return wrap(&writer->raw, before, kind, trail);
}

/* --- files ------------------------------------------------------------------------------------ */

void kb_out_file_init(kb_out_file *file, const kb_alloc *alloc) {
    kb_arena_init(&file->index, alloc, 0);
    kb_row_log_init(&file->rows, alloc);
    kb_buffer_init(&file->sample_counters, alloc);
    kb_buffer_init(&file->sample_times, alloc);
    kb_buffer_init(&file->sample_values, alloc);
}

void kb_out_file_fini(kb_out_file *file) {
    kb_delete(file->index.alloc, file->entries, file->entry_capacity * sizeof *file->entries);
    kb_row_log_fini(&file->rows);
    kb_buffer_fini(&file->sample_counters);
    kb_buffer_fini(&file->sample_times);
    kb_buffer_fini(&file->sample_values);
    kb_arena_fini(&file->index);
}

void kb_out_file_learn(kb_out_file *file, kb_known *known) {
    known->id = file->known_count++;
    if (file->known_last != NULL)
        file->known_last->in_file = known;
    else
        file->known = known;
    file->known_last = known;
    if (file->unsaid == NULL)
        file->unsaid = known;
}

kb_status kb_out_file_sample(kb_out_file *file, uint32_t counter, int64_t later_ps, int64_t value,
                             int64_t former_value, kb_trail *trail) {
    int64_t more = (int64_t)((uint64_t)value - (uint64_t)former_value);
    KB_TRY(kb_buffer_append(&file->sample_counters, &counter, sizeof counter, trail));
    KB_TRY(kb_buffer_append(&file->sample_times, &later_ps, sizeof later_ps, trail));
    return kb_buffer_append(&file->sample_values, &more, sizeof more, trail);
}

/* --- what a frame may say before its ops ------------------------------------------------------ */

static bool has_definitions(const kb_writer *writer, const kb_out_file *file) {
    return file == &writer->files[0];
}

static kb_status submit(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    file->frames++;
    writer->raw_bytes += writer->raw.size;
    return kb_press_submit(&writer->press, &file->output, &writer->raw, trail);
}

/* An entry of the index for the frame that is being made. */
static kb_status new_entry(kb_out_file *file, size_t packets, kb_frame_entry **ret_entry, kb_trail *trail) {
    void *entries = file->entries, *numbers;
    KB_TRY(kb_grow(file->index.alloc, sizeof *file->entries, file->entry_count + 1, &file->entry_capacity,
                   &entries, trail));
    file->entries = entries;
    KB_TRY(
        kb_arena_new(&file->index, packets * (3 * sizeof(uint64_t) + 2 * sizeof(uint32_t)), &numbers, trail));
    uint64_t *wide = numbers;
    uint32_t *narrow = (uint32_t *)(void *)(wide + 3 * packets);
    kb_frame_entry *entry = &file->entries[file->entry_count++];
    *entry = (kb_frame_entry){
        .number = file->frames,
        .templates = file->said_count,
        .ranks = narrow,
        .counts = narrow + packets,
        .firsts = wide,
        .first_ps = wide + packets,
        .last_ps = wide + 2 * packets,
    };
    *ret_entry = entry;
    return KB_OK;
}

/* What stands in `raw` since `before` as a frame of definitions. */
static kb_status submit_definitions(kb_writer *writer, kb_out_file *file, size_t before, kb_trail *trail) {
    kb_frame_entry *entry;
    file->said_size += writer->raw.size - before;
    KB_TRY(wrap(&writer->raw, before, KB_PACKET_DEFINITIONS, trail));
    KB_TRY(new_entry(file, 0, &entry, trail));
    entry->definitions = true;
    return submit(writer, file, trail);
}

/* New rows, in frames of their own; `raw` may begin with the header. */
static kb_status say_definitions(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    while (kb_row_log_has_unsaid(&file->rows)) {
        const size_t before = writer->raw.size;
        KB_TRY(kb_row_log_say(&file->rows, DEFINITIONS_CHUNK, &writer->raw, trail));
        KB_TRY(submit_definitions(writer, file, before, trail));
    }
    return KB_OK;
}

/* All rows again, at the beginning of a frame of ops. */
static kb_status restate_definitions(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    size_t before = writer->raw.size;
    KB_TRY(kb_row_log_restate(&file->rows, &writer->raw, trail));
    KB_TRY(kb_buffer_reserve(&writer->raw, 2 * KB_VARINT_MAX, trail));
    kb_buffer_put(&writer->raw, KB_DEFINITIONS_RESTATED << 3 | KB_WIRE_VARINT);
    kb_buffer_put(&writer->raw, 1);
    return wrap(&writer->raw, before, KB_PACKET_DEFINITIONS, trail);
}

static void to_wire(const kb_known *known, kb_wire_operand *operands, kb_wire_template *ret) {
    const kb_template *key = &known->key;
    for (uint32_t i = 0; i < key->operand_count; i++)
        operands[i] = (kb_wire_operand){
            .memory = key->operands[i].memory,
            .access = key->operands[i].access,
            .dtype = key->operands[i].dtype,
            .shape = key->operands[i].shape,
            .shape_count = key->operands[i].dims,
            .stride = key->operands[i].stride,
            .stride_count = key->operands[i].dims,
        };
    *ret = (kb_wire_template){
        .key = *key,
        .operands = operands,
        .operand_count = key->operand_count,
        .nominal = (const int64_t *)known->nominal,
        .nominal_count = known->layout.count,
    };
}

static kb_status say_templates(kb_writer *writer, kb_out_file *file, bool restate, kb_trail *trail) {
    kb_known *known = restate ? file->known : file->unsaid;
    if (known == NULL)
        return KB_OK;
    size_t before = writer->raw.size;
    kb_wire_templates said = {.first = known->id, .restated = restate};
    KB_TRY(kb_message_encode(&kb_message_templates, &said, &writer->raw, trail));
    for (; known != NULL; known = known->in_file) {
        kb_wire_operand operands[KB_OPERANDS_MAX];
        kb_wire_template template;
        to_wire(known, operands, &template);
        KB_TRY(kb_message_embed(&kb_message_template, KB_TEMPLATES_TEMPLATE, &template, &writer->raw, trail));
    }
    if (!restate)
        file->said_size += writer->raw.size - before;
    file->unsaid = NULL;
    file->said_count = file->known_count;
    return wrap(&writer->raw, before, KB_PACKET_TEMPLATES, trail);
}

static kb_status say_samples(kb_writer *writer, kb_out_file *file, bool *ret_said, kb_trail *trail) {
    size_t count = file->sample_counters.size / sizeof(uint32_t);
    *ret_said = count > 0;
    if (count == 0)
        return KB_OK;
    kb_samples samples = {
        (const uint32_t *)(const void *)file->sample_counters.bytes, count,
        (const int64_t *)(const void *)file->sample_times.bytes,     count,
        (const int64_t *)(const void *)file->sample_values.bytes,    count,
    };
    KB_TRY(put_packet(writer, KB_PACKET_SAMPLES, &kb_message_samples, &samples, trail));
    file->sample_counters.size = file->sample_times.size = file->sample_values.size = 0;
    return KB_OK;
}

/* --- frames ----------------------------------------------------------------------------------- */

static void note_packet(kb_frame_entry *entry, const kb_packet *packet) {
    size_t i = entry->rank_count;
    ((uint32_t *)(uintptr_t)entry->ranks)[i] = packet->rank;
    ((uint32_t *)(uintptr_t)entry->counts)[i] = packet->count;
    ((uint64_t *)(uintptr_t)entry->firsts)[i] = packet->first;
    ((uint64_t *)(uintptr_t)entry->first_ps)[i] = (uint64_t)packet->base_ps;
    ((uint64_t *)(uintptr_t)entry->last_ps)[i] = (uint64_t)packet->last_ps;
    entry->rank_count = entry->first_count = entry->count_count = entry->first_ps_count =
        entry->last_ps_count = i + 1;
}

static size_t open_packets(const kb_writer *writer, const kb_out_file *file) {
    size_t count = 0;
    for (uint32_t i = 0; i < file->rank_count; i++)
        count += writer->ranks[file->first_rank + i].packet.number != 0;
    return count;
}

static kb_status fill_frame(kb_writer *writer, kb_out_file *file, bool restate, kb_frame_entry *entry,
                            kb_trail *trail) {
    entry->restated = restate;
    entry->definitions = restate && kb_row_log_has_unsaid(&file->rows);
    entry->late = file->late != NULL;
    entry->new_templates = file->known_count - file->said_count;
    if (restate && has_definitions(writer, file))
        KB_TRY(restate_definitions(writer, file, trail));
    KB_TRY(say_templates(writer, file, restate, trail));
    entry->templates = file->known_count;
    KB_TRY(say_samples(writer, file, &entry->samples, trail));
    for (uint32_t i = 0; i < file->rank_count; i++) {
        kb_packet *packet = &writer->ranks[file->first_rank + i].packet;
        if (packet->number == 0)
            continue;
        note_packet(entry, packet);
        KB_TRY(kb_packet_close(packet, KB_PACKET_OPS, &writer->raw, trail));
    }
    return kb_writer_say_late(writer, file, trail);
}

static kb_status flush_file(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    kb_frame_entry *entry;
    size_t packets = open_packets(writer, file);
    bool anything = packets > 0 || file->sample_counters.size > 0 || file->late != NULL;
    bool restate = anything && file->frames % KB_RESTATE_FRAMES == 0 && file->said_size < KB_RESTATE_SIZE;
    if (!restate)
        KB_TRY(say_definitions(writer, file, trail));
    if (file->said_size >= KB_RESTATE_SIZE)
        kb_row_log_forget(&file->rows);
    if (!anything)
        return KB_OK;
    KB_TRY(new_entry(file, packets, &entry, trail));
    KB_TRY(fill_frame(writer, file, restate, entry, trail));
    return submit(writer, file, trail);
}

kb_status kb_writer_flush(kb_writer *writer, kb_trail *trail) {
    for (size_t i = 0; i < writer->file_count; i++)
        KB_TRY(flush_file(writer, &writer->files[i], trail));
    kb_arena_reset(&writer->place.forms);
    writer->place.size = 0;
    writer->round++;
    return KB_OK;
}

kb_status kb_writer_say_header(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    kb_header header = {
        .format_major = KB_FORMAT_MAJOR,
        .format_minor = KB_FORMAT_MINOR,
        .run = writer->run,
        .one_rank = writer->folder,
        .rank = writer->folder ? file->first_rank : 0,
        .definitions_here = has_definitions(writer, file),
    };
    kb_frame_entry *entry;
    KB_TRY(put_packet(writer, KB_PACKET_HEADER, &kb_message_header, &header, trail));
    if (header.definitions_here && kb_row_log_has_unsaid(&file->rows))
        return say_definitions(writer, file, trail);
    KB_TRY(new_entry(file, 0, &entry, trail));
    return submit(writer, file, trail);
}

/* --- the end ---------------------------------------------------------------------------------- */

kb_status kb_writer_make_footer(kb_writer *writer, const kb_ending *ending, kb_trail *trail) {
    void *block;
    kb_footer *footer = &writer->footer;
    KB_TRY(kb_arena_new(&writer->arena, writer->run.ranks * sizeof(kb_rank_summary), &block, trail));
    kb_rank_summary *ranks = block;
    for (uint32_t i = 0; i < writer->run.ranks; i++) {
        kb_out_rank *of = &writer->ranks[i];
        kb_digest late = {{0}};
        if (of->late_count > 0)
            KB_TRY(kb_late_digests(of->late, of->late_count, writer->alloc, &late, trail));
        KB_TRY(kb_rank_digester_end(&of->digester, i, of->late_count, &late, &ranks[i], trail));
    }
    KB_TRY(kb_defs_check(writer->defs, writer->run.ranks, KB_E_ARGUMENT, trail));
    const char *message = ending->message ? ending->message : "";
    *footer = (kb_footer){.ending = *ending,
                          .ops = writer->ops,
                          .samples = writer->samples,
                          .ranks = ranks,
                          .rank_count = writer->run.ranks};
    KB_TRY(kb_arena_text(&writer->arena, message, strlen(message), &footer->ending.message, trail));
    KB_TRY(kb_record_digest(ranks, writer->run.ranks, writer->alloc, &footer->record_digest, trail));
    return kb_definitions_digest(writer->defs, writer->alloc, &footer->definitions_digest, trail);
}

static size_t entry_size(const kb_frame_entry *entry) {
    return 32 + 24 * entry->rank_count; /* about */
}

static kb_status say_index(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    for (size_t first = 0; first < file->entry_count;) {
        size_t end = first, size = 0;
        while (end < file->entry_count && (end == first || size < INDEX_CHUNK))
            size += entry_size(&file->entries[end++]);
        kb_index index = {file->entries + first, end - first};
        KB_TRY(put_packet(writer, KB_PACKET_INDEX, &kb_message_index, &index, trail));
        KB_TRY(submit(writer, file, trail));
        file->index_frames++;
        first = end;
    }
    return KB_OK;
}

static kb_status say_footer(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    const kb_footer *footer = &writer->footer;
    void *block;
    KB_TRY(kb_arena_new(&file->index, file->rank_count * sizeof(kb_wire_summary), &block, trail));
    kb_wire_summary *ranks = block;
    for (uint32_t i = 0; i < file->rank_count; i++) {
        const kb_rank_summary *summary = &footer->ranks[file->first_rank + i];
        ranks[i] = (kb_wire_summary){summary->rank,
                                     summary->ops,
                                     summary->digest,
                                     (const uint8_t *)summary->blocks,
                                     summary->block_count * sizeof(kb_digest),
                                     summary->late,
                                     summary->late_digest};
    }
    kb_wire_footer wire = {
        .outcome = (uint32_t)footer->ending.outcome,
        .message = footer->ending.message,
        .time_ps = (uint64_t)footer->ending.time_ps,
        .ops = footer->ops,
        .samples = footer->samples,
        .record_digest = footer->record_digest,
        .definitions_digest = footer->definitions_digest,
        .ranks = ranks,
        .rank_count = file->rank_count,
        .index_frames = file->index_frames,
    };
    KB_TRY(put_packet(writer, KB_PACKET_FOOTER, &kb_message_footer, &wire, trail));
    return submit(writer, file, trail);
}

kb_status kb_writer_say_end(kb_writer *writer, kb_out_file *file, kb_trail *trail) {
    KB_TRY(say_index(writer, file, trail));
    return say_footer(writer, file, trail);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A corrupt trace for each check of the reader: bad-trace NAME PATH; bad-trace --list. A good trace of two
 * ranks is taken apart, made wrong in one thing, and sealed again where the check lies behind the seals.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kbtrace/writer.h"
#include "support/fault_fs.h"
#include "support/forge.h"

#include "wire/frame.h"
#include "wire/schema.h"

/* The good trace's frames. OPS has templates, samples and what is said again, too. */
enum { FIRST, OPS, INDEX, FOOTER, FRAMES };

static forge_part *parts;
static uint8_t good[1 << 16];
static size_t good_size;
static kb_arena arena;

static void must(bool holds) {
    if (holds)
        return;
    fprintf(stderr, "bad-trace: the good trace is not as it was thought\n");
    exit(2);
}

/* --- the good trace ------------------------------------------------------------------------------- */

static void define(kb_defs *defs) {
    uint32_t id;
    bool all = true;
    kb_defs_init(defs, NULL, 0);
    for (uint32_t rank = 0; rank < 2; rank++) {
        all = all && kb_defs_add_stream(defs, &(kb_stream){rank, KB_NONE, "host"}, &id, NULL) == KB_OK;
        all = all && kb_defs_add_memory(defs, &(kb_memory){KB_SPACE_HOST, rank, KB_NONE, 4096, 0, "m"}, &id,
                                        NULL) == KB_OK;
    }
    all = all && kb_defs_add_engine(defs, &(kb_engine){KB_ENGINE_HOST, KB_PROMISE_NONE, 0, 1, "e"}, &id,
                                    NULL) == KB_OK;
    all = all && kb_defs_add_counter(defs, &(kb_counter){"c", "bytes", 0, KB_RESOURCE_MEMORY, 0}, &id,
                                     NULL) == KB_OK;
    must(all);
}

static void put_ops(kb_writer *writer, uint32_t rank) {
    kb_operand operand = kb_operand_vector(rank, KB_ACCESS_WRITE, KB_DTYPE_BYTES, 3);
    kb_claim claim = {rank, KB_ROLE_OBSERVED, KB_POINT_DONE, KB_SET_ONE, 0};
    kb_why why = {KB_CAUSE_HOST, KB_RESOURCE_NONE, 0};
    for (uint64_t i = 0; i < 5; i++) {
        uint64_t offset = 100 * i * i, claimed = 0;
        uint8_t payload[3] = {1, (uint8_t)i, 3};
        kb_blame blame = {70, KB_NONE, 0, 0};
        bool writes = i % 2 == 0;
        kb_template what = {.kind = writes ? KB_OP_HOST_WRITE : KB_OP_WAIT,
                            .blocks = KB_BLOCKS_DONE,
                            .reached = KB_POINT_DONE,
                            .stream = rank,
                            .engine = KB_NONE,
                            .queue = KB_NONE,
                            .route = KB_NONE,
                            .group = KB_NONE,
                            .step = KB_NONE,
                            .kernel = KB_NONE,
                            .file = KB_NONE,
                            .operand_count = writes,
                            .claim_count = i > 0,
                            .why_count = 1,
                            .operands = &operand,
                            .claims = &claim,
                            .whys = &why};
        int64_t at = (int64_t)(1000 * i + 10 * i * i);
        kb_op op = {.what = &what,
                    .index = i,
                    .issue_ps = at,
                    .start_ps = at + 10,
                    .sent_ps = at + 70,
                    .done_ps = at + 70,
                    .offsets = &offset,
                    .claimed = &claimed,
                    .blames = &blame,
                    .payload = writes ? payload : NULL,
                    .payload_size = writes ? 3 : 0};
        must(kb_writer_put(writer, rank, &op, NULL) == KB_OK);
        if (rank == 0 && i == 3)
            must(kb_writer_amend(writer, rank, &op, NULL) == KB_OK);
    }
}

static void make_good(uint64_t seed, uint8_t *bytes, size_t *ret_size) {
    fault_fs disk;
    kb_defs defs;
    kb_writer *writer;
    kb_run run = {
        .model_version = "1", .memory_model = "kb.mm.1", .producer = "test", .bench = "bad", .ranks = 2};
    const kb_ending ending = {KB_OUTCOME_COMPLETE, "", 9000};
    kb_writer_options options = {.path = "a", .fs = &disk.fs};
    run.seed = seed;
    kb_run_identify(&run);
    fault_fs_init(&disk);
    define(&defs);
    must(kb_writer_create(&options, &run, &defs, &writer, NULL) == KB_OK);
    for (uint32_t rank = 0; rank < 2; rank++)
        put_ops(writer, rank);
    for (int64_t i = 0; i < 3; i++)
        must(kb_writer_sample(writer, 0, 10 * i, i, NULL) == KB_OK);
    must(kb_writer_finish(writer, &ending, NULL, NULL) == KB_OK);
    kb_writer_destroy(writer);
    memcpy(bytes, fault_fs_bytes(&disk, "a", ret_size), 1);
    must(*ret_size < sizeof good);
    memcpy(bytes, fault_fs_bytes(&disk, "a", ret_size), *ret_size);
    kb_defs_fini(&defs);
    fault_fs_fini(&disk);
}

/* --- packets made anew ----------------------------------------------------------------------------- */

typedef void (*edit_fn)(kb_span body, kb_buffer *out);

static void put_bytes(kb_buffer *out, uint32_t number, const void *bytes, size_t size) {
    must(kb_buffer_reserve(out, size + 2 * KB_VARINT_MAX, NULL) == KB_OK);
    kb_buffer_put(out, (uint64_t)number << 3 | KB_WIRE_BYTES);
    kb_buffer_put(out, size);
    must(kb_buffer_append(out, bytes, size, NULL) == KB_OK);
}

/* The contents of `frame` with the first body of `kind` edited; NULL leaves it out. */
static void edit_frame(size_t frame, uint32_t kind, edit_fn edit) {
    kb_span span = {parts[frame].raw, parts[frame].raw + parts[frame].raw_size};
    kb_wire_field packet, body;
    kb_buffer out, inner, changed;
    bool done = false;
    kb_buffer_init(&out, kb_alloc_heap());
    kb_buffer_init(&inner, kb_alloc_heap());
    kb_buffer_init(&changed, kb_alloc_heap());
    while (span.at < span.end && kb_wire_next(&span, &packet) && kb_wire_next(&packet.bytes, &body)) {
        kb_span now = body.bytes;
        inner.size = 0;
        if (body.number == kind && !done) {
            done = true;
            if (edit == NULL)
                continue;
            edit(body.bytes, &changed);
            now = (kb_span){changed.bytes, changed.bytes + changed.size};
        }
        put_bytes(&inner, body.number, now.at, (size_t)(now.end - now.at));
        put_bytes(&out, KB_TRACE_PACKET, inner.bytes, inner.size);
    }
    must(done);
    free(parts[frame].raw);
    parts[frame].raw = malloc(out.size + 1);
    memcpy(parts[frame].raw, out.bytes, out.size);
    parts[frame].raw_size = out.size;
    kb_buffer_fini(&out);
    kb_buffer_fini(&inner);
    kb_buffer_fini(&changed);
}

/* EDIT(name, type, message, code): decodes into `m`, runs the code, encodes. */
#define EDIT(name, type, message, code)                                                 \
    static void name(kb_span body, kb_buffer *out) {                                    \
        type it, *m = &it;                                                              \
        must(kb_message_decode(&kb_message_##message, body, &arena, m, NULL) == KB_OK); \
        code;                                                                           \
        must(kb_message_encode(&kb_message_##message, m, out, NULL) == KB_OK);          \
    }
#define MUTABLE(type, pointer) ((type *)(uintptr_t)(pointer))

EDIT(header_no_ranks, kb_header, header, m->run.ranks = 0)
EDIT(header_next_major, kb_header, header, m->format_major++)
EDIT(header_no_definitions, kb_header, header, m->definitions_here = false)
EDIT(header_one_rank, kb_header, header, m->one_rank = true)

#define TEMPLATE(i) MUTABLE(kb_wire_template, &m->templates[i])
EDIT(templates_gap, kb_wire_templates, templates, m->first = 5)
EDIT(templates_fewer, kb_wire_templates, templates, m->template_count--)
EDIT(templates_kind, kb_wire_templates, templates, TEMPLATE(0)->key.kind = 0)
EDIT(templates_axes, kb_wire_templates, templates,
     MUTABLE(kb_wire_operand, m->templates[0].operands)->stride_count = 0)
EDIT(templates_access, kb_wire_templates, templates,
     MUTABLE(kb_wire_operand, m->templates[0].operands)->access = 9)
EDIT(templates_claim, kb_wire_templates, templates, MUTABLE(kb_claim, m->templates[1].key.claims)->set = 9)
EDIT(templates_why, kb_wire_templates, templates, MUTABLE(kb_why, m->templates[1].key.whys)->blames = 2)
EDIT(templates_blame, kb_wire_templates, templates, {
    static int64_t nominal[64];
    kb_wire_template *to = TEMPLATE(1);
    MUTABLE(kb_why, to->key.whys)->blames = 1;
    memcpy(nominal, to->nominal, to->nominal_count * sizeof nominal[0]);
    nominal[to->nominal_count] = 9;
    to->nominal = nominal;
    to->nominal_count += 2;
})
EDIT(templates_memory, kb_wire_templates, templates,
     MUTABLE(kb_wire_operand, m->templates[0].operands)->memory = 99)
EDIT(templates_engine, kb_wire_templates, templates, TEMPLATE(0)->key.engine = 7)
EDIT(templates_rank, kb_wire_templates, templates, MUTABLE(kb_claim, m->templates[1].key.claims)->rank = 2)
EDIT(templates_nominal, kb_wire_templates, templates, TEMPLATE(0)->nominal_count--)
EDIT(templates_stream, kb_wire_templates, templates, TEMPLATE(0)->key.stream = 1)

EDIT(samples_counter, kb_samples, samples, MUTABLE(uint32_t, m->counters)[1] = 99)
EDIT(samples_columns, kb_samples, samples, m->value_count--)
EDIT(samples_past, kb_samples, samples, MUTABLE(int64_t, m->times)[1] = -5)
EDIT(samples_fewer, kb_samples, samples, (m->counter_count--, m->time_count--, m->value_count--))

#define ENTRY(i) MUTABLE(kb_frame_entry, &m->frames[i])
EDIT(index_fewer, kb_index, index, m->frame_count--)
EDIT(index_number, kb_index, index, ENTRY(1)->number = 7)
EDIT(index_first, kb_index, index, MUTABLE(uint64_t, m->frames[1].firsts)[0] = 3)
EDIT(index_count, kb_index, index, MUTABLE(uint32_t, m->frames[1].counts)[1] = 4)
EDIT(index_rank, kb_index, index, MUTABLE(uint32_t, m->frames[1].ranks)[1] = 9)
EDIT(index_templates, kb_index, index, ENTRY(1)->templates = 50)

EDIT(footer_blocks, kb_wire_footer, footer, MUTABLE(kb_wire_summary, m->ranks)->blocks_size = 0)
EDIT(footer_rank_ops, kb_wire_footer, footer, (MUTABLE(kb_wire_summary, m->ranks)->ops++, m->ops++))
EDIT(footer_ops, kb_wire_footer, footer, m->ops++)
EDIT(footer_late, kb_wire_footer, footer, MUTABLE(kb_wire_summary, m->ranks)->late = 0)
EDIT(footer_rank, kb_wire_footer, footer, MUTABLE(kb_wire_summary, m->ranks)->rank = 5)
EDIT(footer_outcome, kb_wire_footer, footer, m->outcome = 0)
EDIT(footer_digest, kb_wire_footer, footer, m->record_digest.bytes[3] ^= 1)
EDIT(footer_definitions, kb_wire_footer, footer, m->definitions_digest.bytes[3] ^= 1)
EDIT(footer_index, kb_wire_footer, footer, m->index_frames = 9)
EDIT(footer_deadlock, kb_wire_footer, footer, m->outcome = KB_OUTCOME_DEADLOCK)

/* The row `table` that says `from` says `to`. */
static void change_row(kb_span body, kb_buffer *out, uint32_t table, const char *from, const char *to,
                       size_t size) {
    kb_wire_field field;
    while (body.at < body.end && kb_wire_next(&body, &field)) {
        uint8_t row[256];
        size_t length = (size_t)(field.bytes.end - field.bytes.at);
        must(length < sizeof row);
        memcpy(row, field.bytes.at, length);
        for (size_t i = 0; field.number == table + 1 && i + size <= length; i++)
            if (memcmp(row + i, from, size) == 0) {
                memcpy(row + i, to, size);
                table = KB_TABLE_COUNT;
            }
        put_bytes(out, field.number, row, length);
    }
    must(table == KB_TABLE_COUNT);
}

static void definitions_text(kb_span body, kb_buffer *out) {
    change_row(body, out, KB_TABLE_stream, "host", "h\xffst", 4);
}
static void definitions_zero(kb_span body, kb_buffer *out) {
    change_row(body, out, KB_TABLE_stream, "host", "ho\0t", 4);
}
static void definitions_id(kb_span body, kb_buffer *out) {
    change_row(body, out, KB_TABLE_engine, "\x20\x01", "\x18\x08", 2); /* capacity 1 becomes stream 8 */
}
static void definitions_wire(kb_span body, kb_buffer *out) {
    change_row(body, out, KB_TABLE_engine, "\x20\x01", "\x22\x7f", 2); /* a length beyond the row */
}

/* ROW(name, table, type, {...}): one row more. */
#define ROW(name, table, type, ...)                                                        \
    static void name(kb_span body, kb_buffer *out) {                                       \
        const kb_message *message = kb_definition_messages[KB_TABLE_##table];              \
        const type row = __VA_ARGS__;                                                      \
        must(kb_buffer_append(out, body.at, (size_t)(body.end - body.at), NULL) == KB_OK); \
        must(kb_message_embed(message, KB_TABLE_##table + 1, &row, out, NULL) == KB_OK);   \
    }

ROW(definitions_cause, cause, kb_cause_def, {.cause = UINT16_MAX + 1})
ROW(definitions_rank, stream, kb_stream, {.rank = 2, .pe = KB_NONE})
ROW(definitions_ring, queue, kb_queue, {.consumer = 1, .slot_bytes = 64})
ROW(definitions_group, collective, kb_collective, {.group = 0, .algorithm = KB_NONE})
static const uint64_t four[1] = {4};
static const kb_shard flat = {.origin = four, .origin_count = 1, .shape = four, .shape_count = 1};
ROW(definitions_shard, tensor, kb_tensor,
    {.dtype = KB_DTYPE_F16, .shape = four, .shape_count = 1, .shards = &flat, .shard_count = 1})
ROW(definitions_elements, initial, kb_initial, {.dtype = 200, .recipe = KB_RECIPE_ZEROS, .elements = 1})
ROW(definitions_bytes, initial, kb_initial,
    {.dtype = KB_DTYPE_F16, .recipe = KB_RECIPE_BYTES, .elements = 2, .bytes = good, .bytes_count = 3})

/* --- ops made anew ---------------------------------------------------------------------------------- */

typedef struct raw_ops {
    uint64_t scalars[KB_OPS_FORM]; /* by field */
    kb_buffer columns[KB_OPS_PAYLOAD + 1];
} raw_ops;

static void take_ops(kb_span body, raw_ops *o) {
    kb_wire_field field;
    memset(o, 0, sizeof *o);
    for (size_t i = 0; i <= KB_OPS_PAYLOAD; i++)
        kb_buffer_init(&o->columns[i], kb_alloc_heap());
    while (body.at < body.end && kb_wire_next(&body, &field))
        if (field.number < KB_OPS_FORM)
            o->scalars[field.number] = field.value;
        else
            must(kb_buffer_append(&o->columns[field.number], field.bytes.at,
                                  (size_t)(field.bytes.end - field.bytes.at), NULL) == KB_OK);
}

static void give_ops(raw_ops *o, kb_buffer *out) {
    must(kb_buffer_reserve(out, 100, NULL) == KB_OK);
    for (uint32_t i = 1; i < KB_OPS_FORM; i++) {
        kb_buffer_put(out, i << 3 | KB_WIRE_VARINT);
        kb_buffer_put(out, o->scalars[i]);
    }
    for (uint32_t i = KB_OPS_FORM; i <= KB_OPS_PAYLOAD; i++) {
        if (o->columns[i].size > 0)
            put_bytes(out, i, o->columns[i].bytes, o->columns[i].size);
        kb_buffer_fini(&o->columns[i]);
    }
}

#define OPS_EDIT(name, code)                         \
    static void name(kb_span body, kb_buffer *out) { \
        raw_ops o;                                   \
        take_ops(body, &o);                          \
        code;                                        \
        give_ops(&o, out);                           \
    }

static void replace(kb_buffer *column, const char *bytes, size_t size) {
    column->size = 0;
    must(kb_buffer_append(column, bytes, size, NULL) == KB_OK);
}

OPS_EDIT(ops_no_count, o.scalars[KB_OPS_COUNT] = 0)
OPS_EDIT(ops_count, o.scalars[KB_OPS_COUNT] = UINT32_MAX)
OPS_EDIT(ops_wide_count, o.scalars[KB_OPS_COUNT] = UINT64_MAX)
OPS_EDIT(ops_first, o.scalars[KB_OPS_FIRST] = UINT64_MAX)
OPS_EDIT(ops_base, o.scalars[KB_OPS_BASE_PS] = UINT64_MAX / 2)
OPS_EDIT(ops_rank, o.scalars[KB_OPS_RANK] = 3)
OPS_EDIT(ops_form, o.columns[KB_OPS_OP].bytes[1] = 99)
OPS_EDIT(ops_template, o.columns[KB_OPS_FORM].bytes[0] = 99)
OPS_EDIT(ops_form_cut, o.columns[KB_OPS_FORM].size--)
OPS_EDIT(ops_mask, replace(&o.columns[KB_OPS_FORM], "\x00\xff\xff\xff\x7f", 5))
OPS_EDIT(ops_column_cut, o.columns[KB_OPS_GAP].size--)
OPS_EDIT(ops_column_long, must(kb_buffer_append(&o.columns[KB_OPS_WHY], "\x02", 1, NULL) == KB_OK))
OPS_EDIT(ops_payload_cut, o.columns[KB_OPS_PAYLOAD].size--)
OPS_EDIT(ops_time, replace(&o.columns[KB_OPS_GAP], "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10))
OPS_EDIT(ops_payload, o.columns[KB_OPS_PAYLOAD].bytes[4]++)
OPS_EDIT(late_two, o.scalars[KB_OPS_COUNT] = 2)
OPS_EDIT(late_nowhere, o.scalars[KB_OPS_FIRST] = 77)

/* --- the container ----------------------------------------------------------------------------------- */

static forge *f;

static void keep(size_t frame) {
    forge_keep(f, good + parts[frame].offset, parts[frame].size);
}

static void in_order(size_t a, size_t b, size_t c, size_t d) {
    keep(a), keep(b), keep(c), keep(d);
    forge_end(f);
}

static void flipped(size_t byte) {
    good[byte] ^= 4;
    forge_append(f, good, good_size);
}

static void sound(void) {
    in_order(FIRST, OPS, INDEX, FOOTER);
}
static void not_a_trace(void) {
    forge_append(f, "hello, world", 12);
}
static void empty(void) {
}
static void cut(void) {
    forge_append(f, good, parts[FOOTER].offset + 60);
}
static void cut_early(void) {
    forge_append(f, good, parts[FIRST].size - 1);
}
static void head_flipped(void) {
    flipped(parts[OPS].offset + 13);
}
static void first_flipped(void) {
    good[13] ^= 4;
    forge_append(f, good, parts[FOOTER].offset);
}
static void frame_flipped(void) {
    flipped(parts[OPS].offset + KB_HEAD_SIZE + 20);
}
static void table_flipped(void) {
    flipped(parts[FOOTER].offset + parts[FOOTER].size + 12);
}
static void table_size(void) {
    flipped(parts[FOOTER].offset + parts[FOOTER].size + KB_SEEK_HEADER_SIZE + 12);
}
static void frame_doubled(void) {
    keep(FIRST), in_order(OPS, OPS, INDEX, FOOTER);
}
static void frame_dropped(void) {
    keep(FIRST), keep(INDEX), keep(FOOTER), forge_end(f);
}
static void frames_swapped(void) {
    in_order(FIRST, INDEX, OPS, FOOTER);
}
static void footer_dropped(void) {
    keep(FIRST), keep(OPS), keep(INDEX), forge_end(f);
}
static void bytes_behind(void) {
    forge_append(f, good, good_size), forge_append(f, "more", 4);
}

static void other_run(void) {
    static uint8_t other[sizeof good];
    size_t size;
    forge_part *theirs;
    make_good(2, other, &size);
    must(forge_take_apart(other, size, &theirs) == FRAMES);
    keep(FIRST);
    forge_keep(f, other + theirs[OPS].offset, theirs[OPS].size);
    keep(INDEX), keep(FOOTER), forge_end(f);
    forge_parts_free(theirs, FRAMES);
}

static void lying(uint32_t size) {
    forge_lying_frame(f, parts[FIRST].raw, parts[FIRST].raw_size, 0, size);
    forge_end(f);
}
static void frame_large(void) {
    lying((uint32_t)1 << 30);
}
static void frame_grows(void) {
    lying(10);
}
static void frame_shrinks(void) {
    lying((uint32_t)parts[FIRST].raw_size + 10);
}

static void zeros(void) {
    forge_frame(f, "\0\0\0\0", 4);
    forge_end(f);
}

/* --- all of them -------------------------------------------------------------------------------------- */

typedef struct bad {
    const char *name;
    void (*container)(void); /* or: */
    size_t frame;
    uint32_t packet;
    edit_fn edit;
} bad;

#define WHOLE(name) \
    { #name, name, 0, 0, NULL }
#define INSIDE(frame, packet, name) \
    { #name, NULL, frame, KB_PACKET_##packet, name }

static const bad all[] = {
    WHOLE(sound), /* what the others are made of */
    WHOLE(not_a_trace),
    WHOLE(empty),
    WHOLE(cut),
    WHOLE(cut_early),
    WHOLE(head_flipped),
    WHOLE(first_flipped),
    WHOLE(frame_flipped),
    WHOLE(table_flipped),
    WHOLE(table_size),
    WHOLE(frame_doubled),
    WHOLE(frame_dropped),
    WHOLE(frames_swapped),
    WHOLE(footer_dropped),
    WHOLE(bytes_behind),
    WHOLE(other_run),
    WHOLE(frame_large),
    WHOLE(frame_grows),
    WHOLE(frame_shrinks),
    WHOLE(zeros),
    INSIDE(FIRST, HEADER, header_no_ranks),
    INSIDE(FIRST, HEADER, header_next_major),
    INSIDE(FIRST, HEADER, header_no_definitions),
    INSIDE(FIRST, HEADER, header_one_rank),
    INSIDE(FIRST, DEFINITIONS, definitions_text),
    INSIDE(FIRST, DEFINITIONS, definitions_zero),
    INSIDE(FIRST, DEFINITIONS, definitions_id),
    INSIDE(FIRST, DEFINITIONS, definitions_wire),
    INSIDE(FIRST, DEFINITIONS, definitions_cause),
    INSIDE(FIRST, DEFINITIONS, definitions_rank),
    INSIDE(FIRST, DEFINITIONS, definitions_ring),
    INSIDE(FIRST, DEFINITIONS, definitions_group),
    INSIDE(FIRST, DEFINITIONS, definitions_shard),
    INSIDE(FIRST, DEFINITIONS, definitions_elements),
    INSIDE(FIRST, DEFINITIONS, definitions_bytes),
    INSIDE(OPS, TEMPLATES, templates_gap),
    INSIDE(OPS, TEMPLATES, templates_fewer),
    INSIDE(OPS, TEMPLATES, templates_kind),
    INSIDE(OPS, TEMPLATES, templates_axes),
    INSIDE(OPS, TEMPLATES, templates_access),
    INSIDE(OPS, TEMPLATES, templates_claim),
    INSIDE(OPS, TEMPLATES, templates_why),
    INSIDE(OPS, TEMPLATES, templates_memory),
    INSIDE(OPS, TEMPLATES, templates_blame),
    INSIDE(OPS, TEMPLATES, templates_engine),
    INSIDE(OPS, TEMPLATES, templates_rank),
    INSIDE(OPS, TEMPLATES, templates_nominal),
    INSIDE(OPS, TEMPLATES, templates_stream),
    INSIDE(OPS, SAMPLES, samples_counter),
    INSIDE(OPS, SAMPLES, samples_columns),
    INSIDE(OPS, SAMPLES, samples_past),
    INSIDE(OPS, SAMPLES, samples_fewer),
    INSIDE(OPS, OPS, ops_no_count),
    INSIDE(OPS, OPS, ops_count),
    INSIDE(OPS, OPS, ops_wide_count),
    INSIDE(OPS, OPS, ops_first),
    INSIDE(OPS, OPS, ops_base),
    INSIDE(OPS, OPS, ops_rank),
    INSIDE(OPS, OPS, ops_form),
    INSIDE(OPS, OPS, ops_template),
    INSIDE(OPS, OPS, ops_form_cut),
    INSIDE(OPS, OPS, ops_mask),
    INSIDE(OPS, OPS, ops_column_cut),
    INSIDE(OPS, OPS, ops_column_long),
    INSIDE(OPS, OPS, ops_payload_cut),
    INSIDE(OPS, OPS, ops_time),
    INSIDE(OPS, OPS, ops_payload),
    INSIDE(OPS, LATE, late_two),
    INSIDE(OPS, LATE, late_nowhere),
    INSIDE(INDEX, INDEX, index_fewer),
    INSIDE(INDEX, INDEX, index_number),
    INSIDE(INDEX, INDEX, index_first),
    INSIDE(INDEX, INDEX, index_count),
    INSIDE(INDEX, INDEX, index_rank),
    INSIDE(INDEX, INDEX, index_templates),
    INSIDE(FOOTER, FOOTER, footer_blocks),
    INSIDE(FOOTER, FOOTER, footer_rank_ops),
    INSIDE(FOOTER, FOOTER, footer_ops),
    INSIDE(FOOTER, FOOTER, footer_late),
    INSIDE(FOOTER, FOOTER, footer_rank),
    INSIDE(FOOTER, FOOTER, footer_outcome),
    INSIDE(FOOTER, FOOTER, footer_digest),
    INSIDE(FOOTER, FOOTER, footer_definitions),
    INSIDE(FOOTER, FOOTER, footer_index),
    INSIDE(FOOTER, FOOTER, footer_deadlock),
    {"ops_dropped", NULL, OPS, KB_PACKET_OPS, NULL},
    {"definitions_dropped", NULL, FIRST, KB_PACKET_DEFINITIONS, NULL},
    {"header_dropped", NULL, FIRST, KB_PACKET_HEADER, NULL},
};

enum { ALL = sizeof all / sizeof all[0] };

static void make_bad(const bad *how) {
    if (how->container != NULL) {
        how->container();
        return;
    }
    edit_frame(how->frame, how->packet, how->edit);
    for (size_t i = 0; i < FRAMES; i++)
        forge_frame(f, parts[i].raw, parts[i].raw_size);
    forge_end(f);
}

int main(int argc, char **argv) {
    size_t at = 0;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (; at < ALL; at++)
            puts(all[at].name);
        return 0;
    }
    while (argc == 3 && at < ALL && strcmp(all[at].name, argv[1]) != 0)
        at++;
    if (argc != 3 || at == ALL) {
        fprintf(stderr, "usage: bad-trace NAME PATH; bad-trace --list\n");
        return 2;
    }
    kb_arena_init(&arena, NULL, 0);
    make_good(1, good, &good_size);
    must(forge_take_apart(good, good_size, &parts) == FRAMES);
    f = forge_create();
    make_bad(&all[at]);
    FILE *file = fopen(argv[2], "wb");
    if (file == NULL ||
        fwrite(forge_bytes(f) ? forge_bytes(f) : good, 1, forge_size(f), file) != forge_size(f) ||
        fclose(file) != 0) {
        perror(argv[2]);
        return 2;
    }
    forge_destroy(f);
    forge_parts_free(parts, FRAMES);
    kb_arena_fini(&arena);
    return 0;
}

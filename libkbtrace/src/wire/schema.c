/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of schema.h, message by message in the order of proto/kbtrace.proto. */
#include "wire/schema.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A row: type, member of STRUCT, field number. */
#define PLAIN(TYPE, member, number_) \
    { .name = #member, .number = (number_), .type = KB_FIELD_##TYPE, .offset = offsetof(STRUCT, member) }
/* A word: its vocabulary gives it a name in text. */
#define WORD(TYPE, member, number_, voc)                                                                   \
    {                                                                                                      \
        .name = #member, .number = (number_), .type = KB_FIELD_##TYPE, .offset = offsetof(STRUCT, member), \
        .vocabulary = KB_VOC_##voc + 1                                                                     \
    }
/* A pointer with its count; `name_` is that of the schema. */
#define ARRAY(TYPE, name_, member, count_, number_, message_)                                            \
    {                                                                                                    \
        .name = name_, .number = (number_), .type = KB_FIELD_##TYPE, .offset = offsetof(STRUCT, member), \
        .count_offset = offsetof(STRUCT, count_), .count_size = sizeof(((STRUCT *)0)->count_),           \
        .message = (message_)                                                                            \
    }
#define INSIDE(member, number_, message_)                                                                   \
    {                                                                                                       \
        .name = #member, .number = (number_), .type = KB_FIELD_MESSAGE, .offset = offsetof(STRUCT, member), \
        .message = (message_)                                                                               \
    }
#define MESSAGE(name_) \
    const kb_message kb_message_##name_ = {#name_, sizeof(STRUCT), name_##_fields, COUNT_OF(name_##_fields)}
#define OWN_MESSAGE(name_) static MESSAGE(name_)

/* --- header ----------------------------------------------------------------------------------- */

#define STRUCT kb_run
static const kb_field run_fields[] = {
    PLAIN(DIGEST, run_id, 1),
    PLAIN(DIGEST, config_digest, 2),
    PLAIN(DIGEST, program_digest, 3),
    PLAIN(TEXT, model_version, 4),
    PLAIN(TEXT, memory_model, 5),
    PLAIN(TEXT, producer, 6),
    PLAIN(TEXT, bench, 7),
    PLAIN(U64, seed, 8),
    PLAIN(U32, ranks, 9),
};
OWN_MESSAGE(run);
#undef STRUCT

#define STRUCT kb_header
static const kb_field header_fields[] = {
    PLAIN(U32, format_major, 1), PLAIN(U32, format_minor, 2), INSIDE(run, 3, &kb_message_run),
    PLAIN(BOOL, one_rank, 4),    PLAIN(U32, rank, 5),         PLAIN(BOOL, definitions_here, 6),
};
MESSAGE(header);
#undef STRUCT

/* --- definitions ------------------------------------------------------------------------------ */

#define STRUCT kb_string
static const kb_field string_fields[] = {PLAIN(TEXT, text, 1)};
MESSAGE(string);
#undef STRUCT

#define STRUCT kb_setting
static const kb_field setting_fields[] = {PLAIN(TEXT, path, 1), PLAIN(TEXT, value, 2),
                                          PLAIN(TEXT, origin, 3)};
MESSAGE(setting);
#undef STRUCT

#define STRUCT kb_cause_def
static const kb_field cause_fields[] = {PLAIN(U32, cause, 1), PLAIN(TEXT, name, 2), PLAIN(TEXT, help, 3)};
MESSAGE(cause);
#undef STRUCT

#define STRUCT kb_pe
static const kb_field pe_fields[] = {
    PLAIN(ID, rank, 1), PLAIN(U32, sip, 2), PLAIN(U32, cube, 3), PLAIN(U32, pe, 4), PLAIN(TEXT, name, 5),
};
MESSAGE(pe);
#undef STRUCT

#define STRUCT kb_stream
static const kb_field stream_fields[] = {PLAIN(U32, rank, 1), PLAIN(ID, pe, 2), PLAIN(TEXT, name, 3)};
MESSAGE(stream);
#undef STRUCT

#define STRUCT kb_engine
static const kb_field engine_fields[] = {
    WORD(U32, kind, 1, ENGINE), WORD(U32, promise, 2, PROMISE), PLAIN(U32, stream, 3),
    PLAIN(U32, capacity, 4),    PLAIN(TEXT, name, 5),
};
MESSAGE(engine);
#undef STRUCT

#define STRUCT kb_memory
static const kb_field memory_fields[] = {
    WORD(U32, space, 1, SPACE), PLAIN(U32, rank, 2),         PLAIN(ID, pe, 3),
    PLAIN(U64, size_bytes, 4),  PLAIN(U64, base_address, 5), PLAIN(TEXT, name, 6),
};
MESSAGE(memory);
#undef STRUCT

#define STRUCT kb_link
static const kb_field link_fields[] = {
    PLAIN(TEXT, name, 1),
    PLAIN(U64, bytes_per_s, 2),
    PLAIN(U64, flit_ps, 3),
    PLAIN(U64, latency_ps, 4),
};
MESSAGE(link);
#undef STRUCT

#define STRUCT kb_route
static const kb_field route_fields[] = {ARRAY(PACKED_U32, "link", links, link_count, 1, NULL)};
MESSAGE(route);
#undef STRUCT

#define STRUCT kb_group
static const kb_field group_fields[] = {PLAIN(TEXT, name, 1),
                                        ARRAY(PACKED_U32, "rank", ranks, rank_count, 2, NULL)};
MESSAGE(group);
#undef STRUCT

#define STRUCT kb_queue
static const kb_field queue_fields[] = {
    PLAIN(U32, producer, 1),     PLAIN(U32, consumer, 2), PLAIN(U32, channel, 3),    PLAIN(U32, memory, 4),
    PLAIN(U64, offset_bytes, 5), PLAIN(U32, slots, 6),    PLAIN(U64, slot_bytes, 7), PLAIN(TEXT, name, 8),
};
MESSAGE(queue);
#undef STRUCT

#define STRUCT kb_shard
static const kb_field shard_fields[] = {
    PLAIN(U32, memory, 1),
    PLAIN(U64, offset_bytes, 2),
    ARRAY(PACKED_U64, "origin", origin, origin_count, 3, NULL),
    ARRAY(PACKED_U64, "shape", shape, shape_count, 4, NULL),
    ARRAY(PACKED_S64, "stride", stride, stride_count, 5, NULL),
};
OWN_MESSAGE(shard);
#undef STRUCT

#define STRUCT kb_tensor
static const kb_field tensor_fields[] = {
    PLAIN(TEXT, name, 1),
    WORD(U32, dtype, 2, DTYPE),
    PLAIN(ID, rank, 3),
    ARRAY(PACKED_U64, "shape", shape, shape_count, 4, NULL),
    ARRAY(REPEATED, "shard", shards, shard_count, 5, &kb_message_shard),
};
MESSAGE(tensor);
#undef STRUCT

#define STRUCT kb_initial
static const kb_field initial_fields[] = {
    PLAIN(U32, memory, 1),        WORD(U32, dtype, 2, DTYPE),
    WORD(U32, recipe, 3, RECIPE), PLAIN(U64, offset_bytes, 4),
    PLAIN(U64, elements, 5),      PLAIN(U64, seed, 6),
    PLAIN(U64, first_element, 7), PLAIN(DOUBLE, low, 8),
    PLAIN(DOUBLE, high, 9),       ARRAY(BYTES, "bytes", bytes, bytes_count, 10, NULL),
};
MESSAGE(initial);
#undef STRUCT

#define STRUCT kb_part
static const kb_field part_fields[] = {
    PLAIN(U32, rank, 1),
    PLAIN(U32, stream, 2),
    PLAIN(ID, input, 3),
    PLAIN(ID, output, 4),
    PLAIN(U64, input_offset_bytes, 5),
    PLAIN(U64, output_offset_bytes, 6),
    PLAIN(U64, input_first, 7),
    PLAIN(U64, input_count, 8),
    PLAIN(U64, output_first, 9),
    PLAIN(U64, output_count, 10),
};
OWN_MESSAGE(part);
#undef STRUCT

#define STRUCT kb_collective
static const kb_field collective_fields[] = {
    WORD(U32, kind, 1, COLL),     PLAIN(U32, group, 2),
    WORD(U32, reduce, 3, REDUCE), WORD(U32, dtype, 4, DTYPE),
    PLAIN(U64, elements, 5),      PLAIN(ID, root, 6),
    PLAIN(ID, algorithm, 7),      ARRAY(REPEATED, "part", parts, part_count, 8, &kb_message_part),
    PLAIN(U64, bound_ps, 9),      WORD(U32, cut, 10, CUT),
};
MESSAGE(collective);
#undef STRUCT

#define STRUCT kb_counter
static const kb_field counter_fields[] = {
    PLAIN(TEXT, name, 1),       PLAIN(TEXT, unit, 2), PLAIN(U32, rank, 3),
    WORD(U32, on, 4, RESOURCE), PLAIN(U32, id, 5),
};
MESSAGE(counter);
#undef STRUCT

/* Their numbers in kb.trace.Definitions are their places here, from 1. */
const kb_message *const kb_definition_messages[KB_TABLE_COUNT] = {
#define KB_DEF(name, type, plural) &kb_message_##name,
    KB_DEFS(KB_DEF)
#undef KB_DEF
};

/* --- templates -------------------------------------------------------------------------------- */

#define STRUCT kb_wire_operand
static const kb_field operand_fields[] = {
    PLAIN(U32, memory, 1),
    WORD(U8, access, 2, ACCESS),
    WORD(U8, dtype, 3, DTYPE),
    ARRAY(PACKED_U64, "shape", shape, shape_count, 4, NULL),
    ARRAY(PACKED_S64, "stride", stride, stride_count, 5, NULL),
};
OWN_MESSAGE(operand);
#undef STRUCT

#define STRUCT kb_claim
static const kb_field claim_fields[] = {
    PLAIN(U32, rank, 1),
    WORD(U8, role, 2, ROLE),
    WORD(U8, point, 3, POINT),
    WORD(U8, set, 4, SET),
};
OWN_MESSAGE(claim);
#undef STRUCT

#define STRUCT kb_why
static const kb_field why_fields[] = {
    WORD(U16, cause, 1, CAUSE),
    WORD(U8, resource, 2, RESOURCE),
    PLAIN(U8, blames, 3),
};
OWN_MESSAGE(why);
#undef STRUCT

#define STRUCT kb_wire_template
#define KEY(TYPE, member, number_) \
    { .name = #member, .number = (number_), .type = KB_FIELD_##TYPE, .offset = offsetof(STRUCT, key.member) }
#define KEY_WORD(TYPE, member, number_, voc)                                   \
    {                                                                          \
        .name = #member, .number = (number_), .type = KB_FIELD_##TYPE,         \
        .offset = offsetof(STRUCT, key.member), .vocabulary = KB_VOC_##voc + 1 \
    }
#define KEY_ARRAY(TYPE, name_, member, count_, number_, message_)                                            \
    {                                                                                                        \
        .name = name_, .number = (number_), .type = KB_FIELD_##TYPE, .offset = offsetof(STRUCT, key.member), \
        .count_offset = offsetof(STRUCT, key.count_), .count_size = sizeof(uint32_t), .message = (message_)  \
    }
static const kb_field template_fields[] = {
    KEY_WORD(U16, kind, 1, KIND),
    KEY_WORD(U8, blocks, 2, BLOCKS),
    KEY_WORD(U8, reached, 3, POINT),
    KEY(U32, stream, 4),
    KEY(ID, engine, 5),
    KEY(ID, queue, 6),
    KEY(ID, route, 7),
    KEY(ID, group, 8),
    KEY_WORD(U32, func, 9, FUNC),
    KEY(U32, flags, 10),
    KEY(ID, step, 11),
    KEY(ID, kernel, 12),
    KEY(ID, file, 13),
    KEY(U32, line, 14),
    ARRAY(REPEATED, "operand", operands, operand_count, 15, &kb_message_operand),
    KEY_ARRAY(REPEATED, "claim", claims, claim_count, 16, &kb_message_claim),
    KEY_ARRAY(REPEATED, "why", whys, why_count, 17, &kb_message_why),
    KEY_ARRAY(PACKED_FIXED64, "immediate", immediates, immediate_count, 18, NULL),
    ARRAY(PACKED_S64, "nominal", nominal, nominal_count, 19, NULL),
};
MESSAGE(template);
#undef STRUCT

#define STRUCT kb_wire_templates
static const kb_field templates_fields[] = {
    PLAIN(U32, first, 1),
    ARRAY(REPEATED, "template", templates, template_count, 2, &kb_message_template),
    PLAIN(BOOL, restated, 3),
};
MESSAGE(templates);
#undef STRUCT

/* --- samples, index, footer ------------------------------------------------------------------- */

#define STRUCT kb_samples
static const kb_field samples_fields[] = {
    ARRAY(PACKED_U32, "counter", counters, counter_count, 1, NULL),
    ARRAY(PACKED_S64, "time", times, time_count, 2, NULL),
    ARRAY(PACKED_S64, "value", values, value_count, 3, NULL),
};
MESSAGE(samples);
#undef STRUCT

#define STRUCT kb_frame_entry
static const kb_field frame_fields[] = {
    PLAIN(U32, number, 1),
    PLAIN(U32, new_templates, 2),
    PLAIN(U32, templates, 3),
    PLAIN(BOOL, restated, 4),
    PLAIN(BOOL, definitions, 5),
    PLAIN(BOOL, samples, 6),
    ARRAY(PACKED_U32, "rank", ranks, rank_count, 7, NULL),
    ARRAY(PACKED_U64, "first", firsts, first_count, 8, NULL),
    ARRAY(PACKED_U32, "count", counts, count_count, 9, NULL),
    ARRAY(PACKED_U64, "first_ps", first_ps, first_ps_count, 10, NULL),
    ARRAY(PACKED_U64, "last_ps", last_ps, last_ps_count, 11, NULL),
    PLAIN(BOOL, late, 12),
};
OWN_MESSAGE(frame);
#undef STRUCT

#define STRUCT kb_index
static const kb_field index_fields[] = {ARRAY(REPEATED, "frame", frames, frame_count, 1, &kb_message_frame)};
MESSAGE(index);
#undef STRUCT

#define STRUCT kb_wire_summary
static const kb_field summary_fields[] = {
    PLAIN(U32, rank, 1),      PLAIN(U64, ops, 2),
    PLAIN(DIGEST, digest, 3), ARRAY(BYTES, "blocks", blocks, blocks_size, 4, NULL),
    PLAIN(U64, late, 5),      PLAIN(DIGEST, late_digest, 6),
};
OWN_MESSAGE(summary);
#undef STRUCT

#define STRUCT kb_wire_footer
static const kb_field footer_fields[] = {
    PLAIN(U32, outcome, 1),
    PLAIN(TEXT, message, 2),
    PLAIN(U64, time_ps, 3),
    PLAIN(U64, ops, 4),
    PLAIN(U64, samples, 5),
    PLAIN(DIGEST, record_digest, 6),
    PLAIN(DIGEST, definitions_digest, 7),
    ARRAY(REPEATED, "rank", ranks, rank_count, 8, &kb_message_summary),
    PLAIN(U32, index_frames, 9),
};
MESSAGE(footer);
#undef STRUCT

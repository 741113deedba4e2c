/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kb.trace's cold messages as tables for wire.h, and the structs that exist on the wire only.
 *
 * Names and numbers are those of proto/kbtrace.proto; a test holds the two against each other.
 */
#ifndef KBTRACE_SRC_SCHEMA_H
#define KBTRACE_SRC_SCHEMA_H

#include "kbtrace/defs.h"
#include "kbtrace/run.h"
#include "wire/wire.h"

/* Field numbers of kb.trace.Trace and kb.trace.Packet. */
enum { KB_TRACE_PACKET = 1 };
enum kb_packet_kind {
    KB_PACKET_HEADER = 1,
    KB_PACKET_DEFINITIONS = 2,
    KB_PACKET_TEMPLATES = 3,
    KB_PACKET_OPS = 4,
    KB_PACKET_SAMPLES = 5,
    KB_PACKET_INDEX = 6,
    KB_PACKET_FOOTER = 7,
    KB_PACKET_LATE = 8
};

/* Field numbers of kb.trace.Ops, whose loops are written by hand. */
enum kb_ops_field {
    KB_OPS_RANK = 1,
    KB_OPS_FIRST = 2,
    KB_OPS_COUNT = 3,
    KB_OPS_BASE_PS = 4,
    KB_OPS_FORM = 5,
    KB_OPS_OP = 6,
    KB_OPS_GAP = 7,
    KB_OPS_WHY = 13,
    KB_OPS_PAYLOAD = 14
};

/* Field numbers of kb.trace.Definitions are 1 + the table's place in KB_DEFS. */
enum { KB_DEFINITIONS_RESTATED = 16 };
enum { KB_TEMPLATES_FIRST = 1, KB_TEMPLATES_TEMPLATE = 2 };

typedef struct kb_header {
    uint32_t format_major, format_minor;
    kb_run run;
    bool one_rank;
    uint32_t rank;
    bool definitions_here;
} kb_header;

/* An operand's extents travel without their unused tail. */
typedef struct kb_wire_operand {
    uint32_t memory;
    uint8_t access, dtype;
    const uint64_t *shape;
    size_t shape_count;
    const int64_t *stride;
    size_t stride_count;
} kb_wire_operand;

/*
 * A template with what only the wire knows: the values that prediction starts from. Its operands
 * stand beside the key, whose own are not used here.
 */
typedef struct kb_wire_template {
    kb_template key;
    const kb_wire_operand *operands;
    size_t operand_count;
    const int64_t *nominal;
    size_t nominal_count;
} kb_wire_template;

typedef struct kb_wire_templates {
    uint32_t first;
    const kb_wire_template *templates;
    size_t template_count;
    bool restated;
} kb_wire_templates;

typedef struct kb_samples {
    const uint32_t *counters;
    size_t counter_count;
    const int64_t *times;
    size_t time_count;
    const int64_t *values;
    size_t value_count;
} kb_samples;

/* What the index says of one frame; arrays run over its Ops packets. */
typedef struct kb_frame_entry {
    uint32_t number;
    uint32_t new_templates;
    uint32_t templates;
    bool restated, definitions, samples, late;
    const uint32_t *ranks;
    size_t rank_count;
    const uint64_t *firsts;
    size_t first_count;
    const uint32_t *counts;
    size_t count_count;
    const uint64_t *first_ps;
    size_t first_ps_count;
    const uint64_t *last_ps;
    size_t last_ps_count;
} kb_frame_entry;

typedef struct kb_index {
    const kb_frame_entry *frames;
    size_t frame_count;
} kb_index;

typedef struct kb_wire_summary {
    uint32_t rank;
    uint64_t ops;
    kb_digest digest;
    const uint8_t *blocks;
    size_t blocks_size;
    uint64_t late;
    kb_digest late_digest;
} kb_wire_summary;

typedef struct kb_wire_footer {
    uint32_t outcome;
    const char *message;
    uint64_t time_ps;
    uint64_t ops, samples;
    kb_digest record_digest, definitions_digest;
    const kb_wire_summary *ranks;
    size_t rank_count;
    uint32_t index_frames;
} kb_wire_footer;

extern const kb_message kb_message_header;
extern const kb_message kb_message_templates;
extern const kb_message kb_message_template;
extern const kb_message kb_message_samples;
extern const kb_message kb_message_index;
extern const kb_message kb_message_footer;

enum kb_table {
#define KB_DEF(name, type, plural) KB_TABLE_##name,
    KB_DEFS(KB_DEF)
#undef KB_DEF
        KB_TABLE_COUNT
};

/* One a table of KB_DEFS, in their order; also by name: kb_message_string, kb_message_memory … */
extern const kb_message *const kb_definition_messages[KB_TABLE_COUNT];
#define KB_DEF(name, type, plural) extern const kb_message kb_message_##name;
KB_DEFS(KB_DEF)
#undef KB_DEF

#endif

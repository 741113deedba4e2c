/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A corrupt trace for each check of single fields: bad-trace-fields NAME GOOD PATH; bad-trace-fields --list.
 * Into one message of a good trace go bytes that do not belong there, behind what it has or in its place, and
 * every frame is sealed again: of a field that stands twice the last one counts, so any field can be changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/forge.h"

#include "wire/schema.h"

enum { DEPTH = 4 };

typedef struct bad {
    const char *name;
    uint32_t path[DEPTH]; /* field numbers from the frame's contents on, 0 behind; the first that is there */
    const char *bytes;
    size_t size, times;
    bool instead; /* of what the message has */
    bool cut;     /* no index, footer, seek table: the frames end with the changed one */
} bad;

#define AT(...) \
    { KB_TRACE_PACKET, KB_PACKET_##__VA_ARGS__ }
/* A literal may hold zero bytes. */
#define TIMES(count, literal) .bytes = (literal), .size = sizeof(literal) - 1, .times = (count)
#define BYTES(literal) TIMES(1, literal)

/* A tag is 8 * number + type: 0 a varint, 2 a length and bytes. A length of \x7f is beyond the message. */
static const bad all[] = {
    {"field_no_header", {0}, BYTES(""), .instead = true},
    {"field_no_body", {KB_TRACE_PACKET}, BYTES("\x0a\x7f")},
    {"field_ops_wire", AT(OPS), BYTES("\x2a\x7f")},
    {"field_ops_column", AT(OPS), BYTES("\x2a\x00")},
    {"field_ops_form_cut", AT(OPS, KB_OPS_FORM), BYTES("\x80")},
    {"field_ops_index", AT(OPS), BYTES("\x10\x01")},
    /* op 3, 1 op, the form of template 0 as it begins, that form, 3 bytes */
    {"field_late_payload", AT(LATE),
     BYTES("\x10\x03\x18\x01\x2a\x02\x00\x00\x32\x01\x00\x72\x03\x01\x02\x03"), .instead = true},
    {"field_definitions_wire", AT(DEFINITIONS), BYTES("\x0a\x7f")},
    {"field_definitions_number", AT(DEFINITIONS), BYTES("\x08\x01")},
    {"field_templates_wire", AT(TEMPLATES), BYTES("\x12\x7f")},
    {"field_templates_wire_cut", AT(TEMPLATES), BYTES("\x12\x7f"), .cut = true},
    {"field_templates_beyond", AT(TEMPLATES), BYTES("\x08\xff\xff\xff\xff\x0f"), .cut = true},
    {"field_operands", AT(TEMPLATES, KB_TEMPLATES_TEMPLATE), TIMES(16, "\x7a\x00")},
    {"field_claims", AT(TEMPLATES, KB_TEMPLATES_TEMPLATE), TIMES(65536, "\x82\x01\x00")},
    {"field_whys", AT(TEMPLATES, KB_TEMPLATES_TEMPLATE), TIMES(255, "\x8a\x01\x00")},
    {"field_immediates", AT(TEMPLATES, KB_TEMPLATES_TEMPLATE),
     TIMES(17, "\x92\x01\x08\x01\x02\x03\x04\x05\x06\x07\x08")},
    {"field_immediate_cut", AT(TEMPLATES, KB_TEMPLATES_TEMPLATE), BYTES("\x92\x01\x03\x01\x02\x03")},
    {"field_type_number", AT(FOOTER), BYTES("\x0a\x00")},
    {"field_type_text", AT(FOOTER), BYTES("\x10\x01")},
    {"field_type_message", AT(FOOTER), BYTES("\x40\x01")},
    {"field_digest", AT(FOOTER), BYTES("\x32\x03\x01\x02\x03")},
    {"field_large", AT(FOOTER), BYTES("\x08\x80\x80\x80\x80\x10")},
    {"field_footer_time", AT(FOOTER), BYTES("\x18\x01")},
    {"field_packed_large", AT(SAMPLES), BYTES("\x0a\x05\x80\x80\x80\x80\x10")},
    {"field_packed_not", AT(SAMPLES), BYTES("\x08\x01")},
    {"field_packed_cut", AT(SAMPLES), BYTES("\x0a\x01\x80")},
};

enum { ALL = sizeof all / sizeof all[0] };

static void must(bool holds) {
    if (holds)
        return;
    fprintf(stderr, "bad-trace-fields: the good trace is not as it was thought\n");
    exit(2);
}

static void put(kb_buffer *out, const uint8_t *at, const uint8_t *end) {
    must(kb_buffer_append(out, at, (size_t)(end - at), NULL) == KB_OK);
}

/* The message that the path leads to need be none before: a column of numbers will do. */
static void change_here(kb_span span, const bad *how, kb_buffer *out) {
    if (!how->instead)
        put(out, span.at, span.end);
    for (size_t i = 0; i < how->times; i++)
        must(kb_buffer_append(out, how->bytes, how->size, NULL) == KB_OK);
}

/* Copies the message, and changes the first one that the path leads to; whether there was one. */
static bool change(kb_span span, const bad *how, size_t depth, kb_buffer *out) {
    bool done = false;
    if (depth == DEPTH || how->path[depth] == 0) {
        change_here(span, how, out);
        return true;
    }
    while (span.at < span.end) {
        const uint8_t *before = span.at;
        kb_wire_field field;
        must(kb_wire_next(&span, &field));
        if (done || field.number != how->path[depth]) {
            put(out, before, span.at);
            continue;
        }
        kb_buffer inside;
        kb_buffer_init(&inside, kb_alloc_heap());
        done = change(field.bytes, how, depth + 1, &inside);
        must(kb_buffer_reserve(out, 2 * KB_VARINT_MAX, NULL) == KB_OK);
        kb_buffer_put(out, (uint64_t)field.number << 3 | KB_WIRE_BYTES);
        kb_buffer_put(out, inside.size);
        put(out, inside.bytes, inside.bytes + inside.size);
        kb_buffer_fini(&inside);
    }
    return done;
}

static void make_bad(const bad *how, const uint8_t *good, size_t size, forge *f) {
    forge_part *parts;
    size_t count = forge_take_apart(good, size, &parts);
    bool done = false;
    for (size_t i = 0; i < count && !(done && how->cut); i++) {
        kb_buffer raw;
        kb_span span = {parts[i].raw, parts[i].raw + parts[i].raw_size};
        kb_buffer_init(&raw, kb_alloc_heap());
        if (done)
            put(&raw, span.at, span.end);
        else
            done = change(span, how, 0, &raw);
        forge_frame(f, raw.bytes != NULL ? raw.bytes : good, raw.size);
        kb_buffer_fini(&raw);
    }
    must(done);
    if (!how->cut)
        forge_end(f);
    forge_parts_free(parts, count);
}

int main(int argc, char **argv) {
    static uint8_t good[1 << 20];
    size_t at = 0, size;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (; at < ALL; at++)
            puts(all[at].name);
        return 0;
    }
    while (argc == 4 && at < ALL && strcmp(all[at].name, argv[1]) != 0)
        at++;
    if (argc != 4 || at == ALL) {
        fprintf(stderr, "usage: bad-trace-fields NAME GOOD PATH; bad-trace-fields --list\n");
        return 2;
    }
    FILE *file = fopen(argv[2], "rb");
    if (file == NULL || (size = fread(good, 1, sizeof good, file)) == sizeof good || fclose(file) != 0) {
        perror(argv[2]);
        return 2;
    }
    forge *f = forge_create();
    make_bad(&all[at], good, size, f);
    file = fopen(argv[3], "wb");
    if (file == NULL || fwrite(forge_bytes(f), 1, forge_size(f), file) != forge_size(f) ||
        fclose(file) != 0) {
        perror(argv[3]);
        return 2;
    }
    forge_destroy(f);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile files whose seals are right: numbers that lie, bombs, nothing where something belongs, and what
 * only a newer kb could have written. A status, a word, and never more memory than was allowed.
 *
 * By default every so many-th number; KB_CAMPAIGN in the environment asks for all.
 */
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/forge.h"
#include "support/read_all.h"
#include "support/small_trace.h"

#include "wire/schema.h"

enum { ROOM = 1 << 20 };

typedef struct fixture {
    small_trace t;
    fault_fs disk;
    forge_part *parts;
    size_t count;
    uint8_t *changed; /* [ROOM] */
} fixture;

static fixture fix;

static size_t stride(size_t usual) {
    return getenv("KB_CAMPAIGN") != NULL ? 1 : usual;
}

static int set_up(void **state) {
    kb_trail trail;
    size_t size;
    (void)state;
    kb_trail_init(&trail);
    fault_fs_init(&fix.disk);
    small_trace_init(&fix.t, 2, 2, 24, 500);
    kb_writer_options options = {.path = "a.zst", .fs = &fix.disk.fs};
    check_ok(small_trace_write(&fix.t, &options, NULL, NULL, &trail), &trail);
    const uint8_t *bytes = fault_fs_bytes(&fix.disk, "a.zst", &size);
    fix.count = forge_take_apart(bytes, size, &fix.parts);
    fix.changed = malloc(ROOM);
    assert_non_null(fix.changed);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(fix.changed);
    forge_parts_free(fix.parts, fix.count);
    small_trace_fini(&fix.t);
    fault_fs_fini(&fix.disk);
    return 0;
}

/* --- reading what was forged ----------------------------------------------------------------------- */

/* As written, but for the source's place, which digests leave out. */
static void check_record(void *user, uint32_t rank, const kb_op *op) {
    size_t *wrong = user;
    kb_template what = *op->what;
    kb_op copy = *op;
    if (rank < fix.t.ranks && op->index < fix.t.counts[rank]) {
        what.file = fix.t.last[rank][op->index].what->file;
        what.line = fix.t.last[rank][op->index].what->line;
    }
    copy.what = &what;
    *wrong += !small_trace_has(&fix.t, rank, &copy, false);
}

static read_all_result read_forged(forge *f, kb_reader_options options, read_all_fn each, kb_trail *trail) {
    const char *path = "a.zst";
    size_t wrong = 0;
    kb_trail_init(trail);
    options.fs = &fix.disk.fs;
    fault_fs_put(&fix.disk, path, forge_bytes(f), forge_size(f));
    read_all_result result = read_all(&path, 1, &options, 200000, each, &wrong, trail);
    assert_int_equal(fault_fs_open_count(&fix.disk), 0);
    /* Digests are known at the end: until then ops may be wrong, but not in the end. */
    if (result.status == KB_OK && wrong > 0)
        fail_msg("%zu ops are not what was written, and nobody notices", wrong);
    return result;
}

/* --- numbers that lie ------------------------------------------------------------------------------ */

/* With digests checked, what is given is what was written, or it is refused. */
static void try_number(forge *f, size_t frame, const uint8_t *raw, size_t size) {
    kb_trail trail;
    kb_reader_options options = {.check_digests = true, .max_memory = 64 << 20};
    forge_reset(f);
    for (size_t i = 0; i < fix.count; i++)
        forge_frame(f, i == frame ? raw : fix.parts[i].raw, i == frame ? size : fix.parts[i].raw_size);
    forge_end(f);
    read_all_result result = read_forged(f, options, check_record, &trail);
    if (result.status != KB_OK)
        check_says(&trail, "a.zst");
    assert_true(result.status != KB_E_MEMORY && result.status != KB_E_IO);
}

static void every_number_replaced(void **state) {
    const uint64_t values[] = {UINT32_MAX, UINT64_MAX, 0, (uint64_t)1 << 31, (uint64_t)1 << 63};
    forge *f = forge_create();
    size_t number = 0;
    (void)state;
    for (size_t frame = 0; frame < fix.count; frame++)
        for (size_t which = 0;; which++) {
            size_t size = 1;
            for (size_t v = 0; v < 5 && size > 0; v++) {
                if (number++ % stride(47) != 0)
                    continue;
                size = forge_replace(fix.parts[frame].raw, fix.parts[frame].raw_size, which, values[v],
                                     fix.changed, ROOM);
                if (size > 0)
                    try_number(f, frame, fix.changed, size);
            }
            if (size == 0)
                break;
        }
    forge_destroy(f);
}

/* --- bombs ----------------------------------------------------------------------------------------- */

static void the_head_lies_about_size(void **state) {
    kb_trail trail;
    kb_reader_options options = {.check_digests = true};
    forge *f = forge_create();
    (void)state;
    const uint32_t sizes[] = {0, 10, 1u << 30, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        forge_reset(f);
        forge_lying_frame(f, fix.parts[0].raw, fix.parts[0].raw_size, 0, sizes[i]);
        forge_end(f);
        read_all_result result = read_forged(f, options, NULL, &trail);
        assert_int_equal(result.status, sizes[i] < 1000 ? KB_E_CORRUPT : KB_E_LIMIT);
        check_says(&trail, "a.zst");
        check_says(&trail, sizes[i] < 1000 ? "damaged" : "max_frame");
    }
    forge_destroy(f);
}

typedef struct bomb {
    uint8_t *bytes;
    size_t size;
} bomb;

static void put(bomb *b, const void *bytes, size_t size) {
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

static void put_number(bomb *b, uint64_t value) {
    b->size = (size_t)(kb_varint_put(b->bytes + b->size, value) - b->bytes);
}

/* A packet of one kind whose body is `piece` again and again behind `first`. */
static void fill(bomb *b, uint32_t kind, const char *first, size_t first_size, const char *piece,
                 size_t piece_size, size_t most) {
    size_t times = (most - first_size - 64) / piece_size, body = first_size + times * piece_size;
    b->size = 0;
    put_number(b, KB_TRACE_PACKET << 3 | KB_WIRE_BYTES);
    put_number(b, 1 + kb_varint_size(body) + body);
    put_number(b, kind << 3 | KB_WIRE_BYTES);
    put_number(b, body);
    put(b, first, first_size);
    for (size_t i = 0; i < times; i++)
        put(b, piece, piece_size);
}

/* The header and definitions of the good trace, the bomb, and the rest of it. */
static void explode(forge *f, const bomb *b, size_t at, bool ended, bool recover) {
    kb_trail trail;
    fail_alloc memory;
    fail_alloc_init(&memory);
    kb_reader_options options = {.alloc = &memory.alloc, .check_digests = true, .recover = recover};
    forge_reset(f);
    for (size_t i = 0; i < fix.count; i++)
        if (i == at)
            forge_frame(f, b->bytes, b->size);
        else
            forge_frame(f, fix.parts[i].raw, fix.parts[i].raw_size);
    if (ended)
        forge_end(f);
    read_all_result result = read_forged(f, options, NULL, &trail);
    if (result.status == KB_OK && ended && !recover)
        fail_msg("a bomb goes unnoticed");
    assert_true(result.status != KB_E_MEMORY && result.status != KB_E_IO);
    if (memory.peak_size > (size_t)256 << 20)
        fail_msg("%zu bytes at the peak", memory.peak_size);
    fail_alloc_fini(&memory);
}

/* What takes little room in a frame and much in memory. */
static void amplification(void **state) {
    static const struct {
        uint32_t kind;
        const char *first;
        size_t first_size;
        const char *piece;
        size_t piece_size;
    } bombs[] = {
        {KB_PACKET_DEFINITIONS, "", 0, "\x0a\x00", 2},                 /* strings of nothing */
        {KB_PACKET_DEFINITIONS, "", 0, "\x62\x00", 2},                 /* tensors */
        {KB_PACKET_DEFINITIONS, "", 0, "\x62\x02\x2a\x00", 4},         /* with a shard each */
        {KB_PACKET_DEFINITIONS, "", 0, "\x72\x00", 2},                 /* collectives */
        {KB_PACKET_TEMPLATES, "", 0, "\x12\x00", 2},                   /* templates */
        {KB_PACKET_TEMPLATES, "", 0, "\x12\x02\x7a\x00", 4},           /* with an operand */
        {KB_PACKET_INDEX, "", 0, "\x0a\x00", 2},                       /* frames */
        {KB_PACKET_FOOTER, "", 0, "\x42\x00", 2},                      /* ranks */
        {KB_PACKET_FOOTER, "", 0, "\x12\x01x", 3},                     /* messages again and again */
        {KB_PACKET_SAMPLES, "", 0, "\x0a\x01\x01", 3},                 /* samples without times */
        {KB_PACKET_OPS, "\x18\x01\x32\x01\x00", 5, "\xd8\x07\x01", 3}, /* fields that nobody knows */
        {KB_PACKET_LATE, "", 0, "\x08\x01", 2},
        {KB_PACKET_HEADER, "", 0, "\x1a\x00", 2},
        {20, "", 0, "\x00", 1},
    };
    bomb b = {malloc((size_t)64 << 20), 0};
    forge *f = forge_create();
    size_t most = getenv("KB_CAMPAIGN") != NULL ? (size_t)63 << 20 : (size_t)3 << 20;
    (void)state;
    assert_non_null(b.bytes);
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        fill(&b, bombs[i].kind, bombs[i].first, bombs[i].first_size, bombs[i].piece, bombs[i].piece_size,
             i == 1 ? (size_t)63 << 20 : most);
        explode(f, &b, 1, false, false);
        explode(f, &b, fix.count - 1, true, false);
        explode(f, &b, fix.count - 2, true, true);
    }
    forge_destroy(f);
    free(b.bytes);
}

/* A limit of the caller's holds, and is told as one. */
static void little_memory(void **state) {
    (void)state;
    forge *f = forge_create();
    size_t refused = 0;
    for (size_t i = 0; i < fix.count; i++)
        forge_frame(f, fix.parts[i].raw, fix.parts[i].raw_size);
    forge_end(f);
    for (uint64_t limit = 1000; limit < 400000; limit += 1 + limit / 20) {
        kb_trail trail;
        kb_reader_options options = {.max_memory = limit, .check_digests = true};
        read_all_result result = read_forged(f, options, check_record, &trail);
        assert_true(result.peak_memory <= limit);
        if (result.status == KB_OK)
            continue;
        check_status(result.status, KB_E_LIMIT, &trail);
        refused++;
    }
    assert_true(refused > 10);
    forge_destroy(f);
}

/* --- nothing, and what is newer -------------------------------------------------------------------- */

static void nothing_where_something_belongs(void **state) {
    kb_trail trail;
    forge *f = forge_create();
    (void)state;
    static const char *const nothings[] = {"", "\x0a\x00", "\x0a\x02\x0a\x00", "\x0a\x02\x22\x00",
                                           "\x0a\x02\x3a\x00"};
    for (size_t frame = 0; frame <= fix.count; frame++)
        for (size_t i = 0; i < 5; i++) {
            kb_reader_options options = {.check_digests = true, .recover = (frame + i) % 2 != 0};
            forge_reset(f);
            for (size_t j = 0; j < fix.count; j++) {
                bool here = j == frame || frame == fix.count;
                forge_frame(f, here ? (const void *)nothings[i] : fix.parts[j].raw,
                            here ? strlen(nothings[i]) + (i > 0) : fix.parts[j].raw_size);
            }
            forge_end(f);
            read_all_result result = read_forged(f, options, NULL, &trail);
            if (!options.recover && result.status == KB_OK)
                fail_msg("frame %zu is nothing, and nobody notices", frame);
        }
    forge_destroy(f);
}

/* Fields, tables and packets of numbers that do not exist yet, beside everything that does. */
static size_t make_newer(const uint8_t *raw, size_t size, uint8_t *to) {
    static const char more[] = "\xc0\x3e\x05\xca\x3e\x03new\xc5\x3e"
                               "abcd\xc1\x3e"
                               "abcdefgh";
    bomb b = {to, 0};
    kb_span span = {raw, raw + size};
    kb_wire_field packet, body;
    put(&b, more, sizeof more - 1);
    while (span.at < span.end && kb_wire_next(&span, &packet)) {
        assert_true(kb_wire_next(&packet.bytes, &body));
        size_t length = (size_t)(body.bytes.end - body.bytes.at), inner = length + sizeof more - 1;
        size_t outer = 1 + kb_varint_size(inner) + inner + sizeof more - 1;
        put_number(&b, KB_TRACE_PACKET << 3 | KB_WIRE_BYTES);
        put_number(&b, outer);
        put_number(&b, body.number << 3 | KB_WIRE_BYTES);
        put_number(&b, inner);
        put(&b, body.bytes.at, length);
        put(&b, more, sizeof more - 1);
        put(&b, more, sizeof more - 1);
    }
    put(&b, "\x0a\x05\xca\x3e\x02hi", 7);
    return b.size;
}

static void a_newer_minor_version(void **state) {
    kb_trail trail;
    kb_reader_options options = {.check_digests = true};
    forge *f = forge_create();
    (void)state;
    for (size_t i = 0; i < fix.count; i++)
        forge_frame(f, fix.changed, make_newer(fix.parts[i].raw, fix.parts[i].raw_size, fix.changed));
    forge_end(f);
    read_all_result result = read_forged(f, options, check_record, &trail);
    check_status(result.status, KB_OK, &trail);
    assert_int_equal(result.state, KB_TRACE_COMPLETE);
    assert_int_equal(result.ops, fix.t.counts[0] + fix.t.counts[1]);
    assert_int_equal(result.samples, SMALL_TRACE_SAMPLES);
    forge_destroy(f);
}

static void a_newer_major_version(void **state) {
    kb_trail trail;
    kb_reader_options options = {.check_digests = true};
    forge *f = forge_create();
    size_t at = 0;
    (void)state;
    memcpy(fix.changed, fix.parts[0].raw, fix.parts[0].raw_size);
    while (memcmp(fix.changed + at, "\x08\x01", 2) != 0) /* format_major = 1, the header's first field */
        at++;
    fix.changed[at + 1] = KB_FORMAT_MAJOR + 1;
    forge_frame(f, fix.changed, fix.parts[0].raw_size);
    forge_end(f);
    read_all_result result = read_forged(f, options, NULL, &trail);
    check_status(result.status, KB_E_VERSION, &trail);
    check_says(&trail, "a.zst is of format 2.1, this build reads up to 1.x");
    forge_destroy(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_replaced),
        cmocka_unit_test(the_head_lies_about_size),
        cmocka_unit_test(amplification),
        cmocka_unit_test(little_memory),
        cmocka_unit_test(nothing_where_something_belongs),
        cmocka_unit_test(a_newer_minor_version),
        cmocka_unit_test(a_newer_major_version),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seeds of the fuzz targets: fuzz-seeds FOLDER [TRACE...]; of each trace a seed of fuzz_replay.
 * They are committed in tests/fuzz/corpus; run it again when the format grows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/forge.h"
#include "support/small_trace.h"

#include "wire/schema.h"

static const char *folder;

static void save(const char *target, const char *name, const void *bytes, size_t size) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

static void save_messages(const char *name, const uint8_t *raw, size_t size) {
    kb_span span = {raw, raw + size};
    kb_wire_field packet, body;
    static const uint8_t tables[] = {[KB_PACKET_HEADER] = 0,
                                     [KB_PACKET_TEMPLATES] = 1,
                                     [KB_PACKET_SAMPLES] = 3,
                                     [KB_PACKET_INDEX] = 4,
                                     [KB_PACKET_FOOTER] = 5};
    while (span.at < span.end && kb_wire_next(&span, &packet))
        while (packet.bytes.at < packet.bytes.end && kb_wire_next(&packet.bytes, &body)) {
            uint8_t bytes[65536];
            char file[128];
            size_t length = (size_t)(body.bytes.end - body.bytes.at);
            if (body.number == KB_PACKET_OPS || body.number == KB_PACKET_LATE ||
                body.number == KB_PACKET_DEFINITIONS || length >= sizeof bytes)
                continue;
            bytes[0] = tables[body.number];
            memcpy(bytes + 1, body.bytes.at, length);
            snprintf(file, sizeof file, "%s-%u", name, body.number);
            save("fuzz_message", file, bytes, length + 1);
        }
}

static void save_frames(const char *target, const char *name, const forge_part *parts, size_t count,
                        uint8_t how) {
    uint8_t bytes[1 << 18];
    size_t size = 1;
    bytes[0] = how;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].raw_size > UINT16_MAX || size + parts[i].raw_size + 2 > sizeof bytes)
            continue;
        bytes[size++] = (uint8_t)parts[i].raw_size;
        bytes[size++] = (uint8_t)(parts[i].raw_size >> 8);
        memcpy(bytes + size, parts[i].raw, parts[i].raw_size);
        size += parts[i].raw_size;
    }
    save(target, name, bytes, size);
}

static void make(const char *name, uint64_t seed, uint32_t ranks, uint64_t ops, size_t open_bytes) {
    small_trace t;
    fault_fs disk;
    kb_trail trail;
    size_t size;
    forge_part *parts;
    uint8_t file[1 << 18];
    char other[128];
    kb_trail_init(&trail);
    fault_fs_init(&disk);
    small_trace_init(&t, seed, ranks, ops, open_bytes);
    kb_writer_options options = {.path = "a.zst", .fs = &disk.fs};
    if (small_trace_write(&t, &options, NULL, NULL, &trail) != KB_OK)
        exit(2);
    const uint8_t *bytes = fault_fs_bytes(&disk, "a.zst", &size);
    file[0] = (uint8_t)(seed * 7);
    memcpy(file + 1, bytes, size);
    save("fuzz_reader", name, file, size + 1);
    size_t count = forge_take_apart(bytes, size, &parts);
    save_frames("fuzz_frames", name, parts, count, 2 + 8);
    snprintf(other, sizeof other, "%s-cut", name);
    save_frames("fuzz_frames", other, parts, count > 3 ? count - 2 : count, 1 + 4 + 8);
    for (size_t i = 0; i < count; i++)
        save_messages(name, parts[i].raw, parts[i].raw_size);
    forge_parts_free(parts, count);
    small_trace_fini(&t);
    fault_fs_fini(&disk);
}

/* One row of each table of definitions. */
static void save_definitions(void) {
    records r;
    kb_buffer out;
    records_init(&r, 5, 2, true);
    kb_buffer_init(&out, kb_alloc_heap());
#define KB_DEF(name_, type, plural)                                                                     \
    out.size = 0;                                                                                       \
    if (kb_buffer_append(&out, &(uint8_t){6 + KB_TABLE_##name_}, 1, NULL) != KB_OK ||                   \
        kb_message_encode(&kb_message_##name_, &r.defs.plural[r.defs.name_##_count - 1], &out, NULL) != \
            KB_OK)                                                                                      \
        exit(2);                                                                                        \
    save("fuzz_message", #name_, out.bytes, out.size);
    KB_DEFS(KB_DEF)
#undef KB_DEF
    kb_buffer_fini(&out);
    records_fini(&r);
}

/* A trace of a tool, to be verified, and looked at in time. */
static void save_trace(const char *path) {
    static uint8_t bytes[1 << 18];
    FILE *file = fopen(path, "rb");
    const size_t size = file != NULL ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (size == 0 || size == sizeof bytes || fclose(file) != 0) {
        fprintf(stderr, "fuzz-seeds: %s: not there, or too large\n", path);
        exit(2);
    }
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char bare[128];
    forge_part *parts;
    const size_t count = forge_take_apart(bytes, size, &parts);
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(name, "."), name);
    save_frames("fuzz_replay", bare, parts, count, 8 + 64 + 128);
    forge_parts_free(parts, count);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: fuzz-seeds FOLDER [TRACE...]\n");
        return 2;
    }
    folder = argv[1];
    make("tiny", 1, 1, 3, 0);
    make("two-ranks", 2, 2, 30, 700);
    make("many-frames", 3, 2, 40, 400);
    save_definitions();
    save("fuzz_reader", "empty", "", 0);
    for (int i = 2; i < argc; i++)
        save_trace(argv[i]);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Forged traces: see forge.h. */
#include "support/forge.h"

#include <stdlib.h>
#include <string.h>

#include "support/check.h"

#include "wire/frame.h"
#include "wire/schema.h"

struct forge {
    kb_packer *packer;
    kb_buffer file, seek;
    uint32_t frames;
    uint64_t run;
};

/* The first level: what is forged is small, or compresses by itself. */
enum { LEVEL = 1 };

static void must(kb_status status) {
    if (status != KB_OK)
        abort(); /* not cmocka's: fuzzers forge too */
}

forge *forge_create(void) {
    forge *f = calloc(1, sizeof *f);
    if (f == NULL)
        abort();
    must(kb_packer_create(kb_alloc_heap(), LEVEL, &f->packer, NULL));
    kb_buffer_init(&f->file, kb_alloc_heap());
    kb_buffer_init(&f->seek, kb_alloc_heap());
    return f;
}

void forge_destroy(forge *f) {
    kb_packer_destroy(f->packer);
    kb_buffer_fini(&f->file);
    kb_buffer_fini(&f->seek);
    free(f);
}

void forge_reset(forge *f) {
    f->file.size = f->seek.size = 0;
    f->frames = 0;
    f->run = 0;
}

/* --- of which run -------------------------------------------------------------------------------- */

static bool field_of(kb_span span, uint32_t number, kb_span *ret) {
    kb_wire_field field;
    while (span.at < span.end && kb_wire_next(&span, &field))
        if (field.number == number && field.type == KB_WIRE_BYTES) {
            *ret = field.bytes;
            return true;
        }
    return false;
}

static uint64_t run_of(const uint8_t *raw, size_t size) {
    kb_span span = {raw, raw + size};
    enum { HEADER_RUN = 3, RUN_ID = 1 };
    const uint32_t path[] = {KB_TRACE_PACKET, KB_PACKET_HEADER, HEADER_RUN, RUN_ID};
    for (size_t i = 0; i < 4; i++)
        if (size == 0 || !field_of(span, path[i], &span))
            return 0;
    uint64_t run = 0;
    for (unsigned i = 0; i < 8 && span.at + i < span.end; i++)
        run |= (uint64_t)span.at[i] << (8 * i);
    return run;
}

/* --- frames --------------------------------------------------------------------------------------- */

static void add_entry(forge *f, uint32_t packed_size, uint32_t raw_size) {
    uint8_t entry[2 * KB_SEEK_ENTRY_SIZE] = {0};
    kb_le32_put(entry, KB_HEAD_SIZE);
    kb_le32_put(entry + 8, packed_size);
    kb_le32_put(entry + 12, raw_size);
    must(kb_buffer_append(&f->seek, entry, sizeof entry, NULL));
    f->frames++;
}

void forge_lying_frame(forge *f, const void *raw, size_t size, uint32_t number, uint32_t said_size) {
    uint32_t packed_size;
    kb_head head;
    size_t before = f->file.size;
    if (f->frames == 0)
        f->run = run_of(raw, size);
    must(kb_pack(f->packer, number, f->run, raw, size, &f->file, &packed_size, NULL));
    must(kb_head_get(f->file.bytes + before, &head) ? KB_OK : KB_E_CORRUPT);
    head.raw_size = said_size;
    kb_head_put(&head, f->file.bytes + before);
    add_entry(f, packed_size, said_size);
}

void forge_frame(forge *f, const void *raw, size_t size) {
    forge_lying_frame(f, raw, size, f->frames, (uint32_t)size);
}

void forge_keep(forge *f, const uint8_t *bytes, size_t size) {
    kb_head head;
    must(kb_head_get(bytes, &head) ? KB_OK : KB_E_CORRUPT);
    must(kb_buffer_append(&f->file, bytes, size, NULL));
    add_entry(f, head.packed_size, head.raw_size);
}

void forge_append(forge *f, const void *bytes, size_t size) {
    must(kb_buffer_append(&f->file, bytes, size, NULL));
}

void forge_end(forge *f) {
    uint8_t header[KB_SEEK_HEADER_SIZE], footer[KB_SEEK_FOOTER_SIZE] = {0};
    kb_le32_put(header, KB_SKIPPABLE_SEEK);
    kb_le32_put(header + 4, (uint32_t)(f->seek.size + sizeof footer));
    kb_le32_put(footer, 2 * f->frames);
    kb_le32_put(footer + 5, KB_SEEK_MAGIC);
    forge_append(f, header, sizeof header);
    forge_append(f, f->seek.bytes, f->seek.size);
    forge_append(f, footer, sizeof footer);
}

const uint8_t *forge_bytes(const forge *f) {
    return f->file.bytes;
}

size_t forge_size(const forge *f) {
    return f->file.size;
}

/* --- apart ---------------------------------------------------------------------------------------- */

size_t forge_take_apart(const uint8_t *bytes, size_t size, forge_part **ret_parts) {
    kb_unpacker *unpacker;
    kb_head head;
    size_t count = 0, offset = 0;
    forge_part *parts = NULL;
    must(kb_unpacker_create(kb_alloc_heap(), &unpacker, NULL));
    while (size - offset >= KB_HEAD_SIZE && kb_head_get(bytes + offset, &head) &&
           size - offset - KB_HEAD_SIZE >= head.packed_size) {
        parts = realloc(parts, (count + 1) * sizeof *parts);
        forge_part *part = &parts[count++];
        *part =
            (forge_part){offset, KB_HEAD_SIZE + head.packed_size, malloc(head.raw_size + 1u), head.raw_size};
        must(kb_unpack(unpacker, &head, bytes + offset + KB_HEAD_SIZE, part->raw, NULL));
        offset += part->size;
    }
    kb_unpacker_destroy(unpacker);
    assert_true(count > 0);
    *ret_parts = parts;
    return count;
}

void forge_parts_free(forge_part *parts, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(parts[i].raw);
    free(parts);
}

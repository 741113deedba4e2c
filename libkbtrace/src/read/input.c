/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a file of a trace, finding its frames, and loading one: see input.h. */
#include "read/input.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ground/text.h"
#include "read/spool.h"

/* --- bytes ------------------------------------------------------------------------------------ */

kb_status kb_input_read(kb_input *input, uint64_t offset, void *bytes, size_t size, kb_trail *trail) {
    if (!input->open) {
        KB_TRY(kb_file_open(&input->file, input->file.fs, input->path, KB_OPEN_READ, trail));
        input->open = true;
    }
    kb_status status = kb_file_read_at(&input->file, offset, bytes, size, trail);
    if (!input->keep_open) {
        kb_file_abandon(&input->file);
        input->open = false;
    }
    return status;
}

kb_status kb_input_bad(const kb_input *input, uint64_t offset, kb_trail *trail, const char *format, ...) {
    char words[KB_TRAIL_CHARS];
    va_list args;
    va_start(args, format);
    kb_text_vformat(words, sizeof words, format, args);
    va_end(args);
    return kb_fail(trail, KB_E_CORRUPT, "%s, byte %llu: %s", input->shown, (unsigned long long)offset, words);
}

/* Remembers why the frames end early. */
static void note_trouble(kb_input *input, uint64_t offset, bool damaged, const char *format, ...)
    KB_PRINTF(4, 5);
static void note_trouble(kb_input *input, uint64_t offset, bool damaged, const char *format, ...) {
    va_list args;
    va_start(args, format);
    kb_text_vformat(input->words, sizeof input->words, format, args);
    va_end(args);
    input->ended = false;
    input->damaged = damaged;
    input->trouble_at = offset;
}

/* --- where the frames are --------------------------------------------------------------------- */

static kb_status add_place(kb_input *input, kb_place place, kb_trail *trail) {
    void *places = input->places;
    KB_TRY(kb_grow(input->alloc, sizeof *input->places, input->place_count + 1, &input->place_capacity,
                   &places, trail));
    input->places = places;
    input->places[input->place_count++] = place;
    return KB_OK;
}

/* True when the table's entries are sound and account for every byte before it. */
static bool take_entries(const uint8_t *entries, uint32_t frames, uint64_t table_at, kb_place *places) {
    uint64_t offset = 0;
    for (uint32_t i = 0; i < frames; i++) {
        const uint8_t *at = entries + (size_t)i * 2 * KB_SEEK_ENTRY_SIZE;
        if (kb_le32(at) != KB_HEAD_SIZE || kb_le32(at + 4) != 0)
            return false;
        places[i] = (kb_place){offset, kb_le32(at + 8), kb_le32(at + 12)};
        offset += KB_HEAD_SIZE + places[i].packed_size;
    }
    return offset == table_at;
}

/* *ret_sound stays false where the file has no sound table; only trouble with reading fails. */
static kb_status try_table(kb_input *input, bool *ret_sound, kb_trail *trail) {
    uint8_t footer[KB_SEEK_FOOTER_SIZE], header[KB_SEEK_HEADER_SIZE];
    if (input->size_bytes < KB_SEEK_HEADER_SIZE + KB_SEEK_FOOTER_SIZE)
        return KB_OK;
    KB_TRY(kb_input_read(input, input->size_bytes - sizeof footer, footer, sizeof footer, trail));
    uint64_t count = kb_le32(footer), table_size = count * KB_SEEK_ENTRY_SIZE + KB_SEEK_FOOTER_SIZE;
    if (kb_le32(footer + 5) != KB_SEEK_MAGIC || footer[4] != 0 || count == 0 || count % 2 != 0 ||
        table_size + KB_SEEK_HEADER_SIZE > input->size_bytes)
        return KB_OK;
    uint64_t table_at = input->size_bytes - table_size - KB_SEEK_HEADER_SIZE;
    KB_TRY(kb_input_read(input, table_at, header, sizeof header, trail));
    if (kb_le32(header) != KB_SKIPPABLE_SEEK || kb_le32(header + 4) != table_size)
        return KB_OK;
    void *entries, *places;
    size_t entries_size = (size_t)count * KB_SEEK_ENTRY_SIZE;
    KB_TRY(kb_new(input->alloc, entries_size, &entries, trail));
    kb_status status = kb_input_read(input, table_at + KB_SEEK_HEADER_SIZE, entries, entries_size, trail);
    if (status == KB_OK) {
        places = input->places;
        status = kb_grow(input->alloc, sizeof *input->places, (size_t)count / 2, &input->place_capacity,
                         &places, trail);
        input->places = status == KB_OK ? places : input->places;
    }
    if (status == KB_OK && take_entries(entries, (uint32_t)(count / 2), table_at, input->places)) {
        input->place_count = (size_t)count / 2;
        *ret_sound = true;
    }
    kb_delete(input->alloc, entries, entries_size);
    return status;
}

static uint64_t run_tag(const kb_input *input) {
    uint64_t tag = 0;
    for (unsigned i = 0; i < 8; i++)
        tag |= (uint64_t)input->header.run.run_id.bytes[i] << (8 * i);
    return tag;
}

/* Whether the bytes at the end of a file could be the beginning of what a trace holds there. */
static bool begins_like_ours(const uint8_t *bytes, size_t size) {
    uint8_t head[4], seek[4];
    kb_le32_put(head, KB_SKIPPABLE_HEAD);
    kb_le32_put(seek, KB_SKIPPABLE_SEEK);
    size = size < 4 ? size : 4;
    return memcmp(bytes, head, size) == 0 || memcmp(bytes, seek, size) == 0;
}

/* What stands at `offset`, if it is no whole frame: an end that was cut, or damage. */
static kb_status explain_end(kb_input *input, uint64_t offset, const uint8_t *bytes, size_t size,
                             bool recover, kb_trail *trail) {
    uint32_t frames = (uint32_t)input->place_count;
    bool cut = size < KB_HEAD_SIZE && begins_like_ours(bytes, size);
    if (size >= 8 && kb_le32(bytes) == KB_SKIPPABLE_SEEK &&
        kb_le32(bytes + 4) == 2 * frames * KB_SEEK_ENTRY_SIZE + KB_SEEK_FOOTER_SIZE)
        cut = offset + KB_SEEK_HEADER_SIZE + kb_le32(bytes + 4) > input->size_bytes;
    if (cut) {
        note_trouble(input, offset, false,
                     "%s ends at byte %llu, before its seek table: %u whole frames are used", input->shown,
                     (unsigned long long)input->size_bytes, frames);
        return KB_OK;
    }
    if (frames == 0)
        return kb_input_bad(input, offset, trail, "damaged: no frame begins here, nothing can be used");
    if (!recover && size >= 4 && kb_le32(bytes) == KB_SKIPPABLE_SEEK)
        return kb_input_bad(input, offset, trail,
                            "the seek table is damaged, behind %u whole frames (--recover uses those)",
                            frames);
    if (!recover)
        return kb_input_bad(input, offset, trail,
                            "damaged: no frame begins here, behind %u whole ones (--recover uses those)",
                            frames);
    note_trouble(input, offset, true, "%s is damaged at byte %llu: the %u whole frames before are used",
                 input->shown, (unsigned long long)offset, frames);
    return KB_OK;
}

static kb_status scan(kb_input *input, bool recover, kb_trail *trail) {
    uint64_t offset = 0;
    input->place_count = 0;
    for (;;) {
        uint8_t bytes[KB_HEAD_SIZE];
        uint64_t left = input->size_bytes - offset;
        size_t size = left < sizeof bytes ? (size_t)left : sizeof bytes;
        kb_head head;
        KB_TRY(kb_input_read(input, offset, bytes, size, trail));
        if (size < sizeof bytes || !kb_head_get(bytes, &head) || head.number != input->place_count)
            return explain_end(input, offset, bytes, size, recover, trail);
        if (left - sizeof bytes < head.packed_size) {
            note_trouble(input, offset, false,
                         "%s ends at byte %llu, inside frame %u: %zu whole frames are used", input->shown,
                         (unsigned long long)input->size_bytes, head.number, input->place_count);
            return KB_OK;
        }
        KB_TRY(add_place(input, (kb_place){offset, head.packed_size, head.raw_size}, trail));
        offset += sizeof bytes + head.packed_size;
    }
}

/* Whether the heads say what the table says: with damage about, the table may be what is damaged. */
static kb_status doubt_table(kb_input *input, bool *inout_sound, kb_trail *trail) {
    for (uint32_t i = 0; i < input->place_count && *inout_sound; i++) {
        uint8_t bytes[KB_HEAD_SIZE];
        kb_head head;
        const kb_place *place = &input->places[i];
        KB_TRY(kb_input_read(input, place->offset, bytes, sizeof bytes, trail));
        *inout_sound = kb_head_get(bytes, &head) && head.number == i &&
                       head.packed_size == place->packed_size && head.raw_size == place->raw_size;
    }
    return KB_OK;
}

static kb_status check_first_bytes(kb_input *input, kb_trail *trail) {
    uint8_t bytes[4] = {0};
    size_t size = input->size_bytes < sizeof bytes ? (size_t)input->size_bytes : sizeof bytes;
    if (size == 0)
        return kb_fail(trail, KB_E_CORRUPT, "%s is empty: no trace (is its writer still at work?)",
                       input->shown);
    KB_TRY(kb_input_read(input, 0, bytes, size, trail));
    if (!begins_like_ours(bytes, size) || (size == 4 && kb_le32(bytes) != KB_SKIPPABLE_HEAD))
        return kb_input_bad(input, 0, trail, "not a kb trace: it begins with %02x %02x %02x %02x", bytes[0],
                            bytes[1], bytes[2], bytes[3]);
    return KB_OK;
}

kb_status kb_input_find_frames(kb_input *input, bool recover, kb_trail *trail) {
    bool sound = false;
    KB_TRY(check_first_bytes(input, trail));
    KB_TRY(try_table(input, &sound, trail));
    if (recover && sound)
        KB_TRY(doubt_table(input, &sound, trail));
    input->ended = sound;
    if (!sound)
        KB_TRY(scan(input, recover, trail));
    if (input->place_count == 0)
        return kb_fail(trail, KB_E_INCOMPLETE,
                       "%s ends at byte %llu, inside its first frame: nothing can be used", input->shown,
                       (unsigned long long)input->size_bytes);
    return KB_OK;
}

/* --- one frame -------------------------------------------------------------------------------- */

static kb_status check_head(kb_input *input, uint32_t frame, kb_head *ret_head, kb_trail *trail) {
    uint8_t bytes[KB_HEAD_SIZE];
    const kb_place *place = &input->places[frame];
    KB_TRY(kb_input_read(input, place->offset, bytes, sizeof bytes, trail));
    if (!kb_head_get(bytes, ret_head))
        return kb_input_bad(input, place->offset, trail, "the head of frame %u is damaged", frame);
    if (ret_head->number != frame)
        return kb_input_bad(input, place->offset, trail, "frame %u stands where frame %u belongs",
                            ret_head->number, frame);
    if (ret_head->packed_size != place->packed_size || ret_head->raw_size != place->raw_size)
        return kb_input_bad(input, place->offset, trail,
                            "the seek table does not agree with the head of frame %u", frame);
    if (frame > 0 && ret_head->run != run_tag(input))
        return kb_input_bad(input, place->offset, trail, "frame %u is of another run", frame);
    if (ret_head->raw_size > input->max_frame)
        return kb_fail(trail, KB_E_LIMIT,
                       "%s, byte %llu: frame %u wants %u bytes, the limit is %llu (raise max_frame to allow "
                       "it: --max-memory)",
                       input->shown, (unsigned long long)place->offset, frame, ret_head->raw_size,
                       (unsigned long long)input->max_frame);
    return KB_OK;
}

static kb_status make_room(const kb_alloc *alloc, size_t size, kb_raw_frame *raw, kb_trail *trail) {
    if (raw->capacity >= size)
        return KB_OK;
    void *block;
    kb_delete(alloc, raw->bytes, raw->capacity);
    raw->bytes = NULL;
    raw->capacity = 0;
    KB_TRY(kb_new(alloc, size, &block, trail));
    raw->bytes = block;
    raw->capacity = size;
    return KB_OK;
}

typedef struct listing {
    const kb_alloc *alloc;
    kb_raw_frame *raw;
} listing;

static kb_status list_packet(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail) {
    listing *to = user;
    kb_raw_frame *raw = to->raw;
    if (kind != KB_PACKET_OPS)
        return KB_OK;
    kb_ops_body ops;
    KB_TRY(kb_ops_body_get(body, &ops, trail));
    if (raw->packet_count > 0 && raw->packets[raw->packet_count - 1].rank >= ops.rank)
        return kb_fail(trail, KB_E_CORRUPT, "ops of rank %u come after those of rank %u", ops.rank,
                       raw->packets[raw->packet_count - 1].rank);
    void *packets = raw->packets;
    KB_TRY(kb_grow(to->alloc, sizeof *raw->packets, raw->packet_count + 1, &raw->packet_capacity, &packets,
                   trail));
    raw->packets = packets;
    raw->packets[raw->packet_count++] = (kb_raw_packet){ops.rank, body};
    return KB_OK;
}

static kb_status unpack_at(kb_input *input, kb_loader *loader, uint32_t frame, kb_raw_frame *raw,
                           kb_trail *trail) {
    kb_head head;
    const kb_place *place = &input->places[frame];
    KB_TRY(check_head(input, frame, &head, trail));
    /* A frame of nothing has a place too: walking it begins at a pointer. */
    KB_TRY(make_room(input->alloc, head.raw_size > 0 ? head.raw_size : 1, raw, trail));
    loader->packed.size = 0;
    KB_TRY(kb_buffer_reserve(&loader->packed, head.packed_size, trail));
    KB_TRY(kb_input_read(input, place->offset + KB_HEAD_SIZE, loader->packed.bytes, head.packed_size, trail));
    KB_TRY(kb_unpack(loader->unpacker, &head, loader->packed.bytes, raw->bytes, trail));
    raw->size = head.raw_size;
    listing to = {input->alloc, raw};
    return kb_walk_packets((kb_span){raw->bytes, raw->bytes + raw->size}, list_packet, &to, trail);
}

kb_status kb_input_load_with(kb_input *input, kb_loader *loader, uint32_t frame, kb_raw_frame *raw,
                             kb_trail *trail) {
    raw->packet_count = 0;
    raw->size = 0;
    kb_status status = unpack_at(input, loader, frame, raw, trail);
    if (status != KB_OK) {
        raw->packet_count = 0;
        raw->size = 0;
        return kb_while(trail, status, "reading frame %u of %s at byte %llu%s", frame, input->shown,
                        (unsigned long long)input->places[frame].offset,
                        status == KB_E_CORRUPT && frame > 0 ? " (--recover uses those before)" : "");
    }
    return KB_OK;
}

kb_status kb_input_load(kb_input *input, uint32_t frame, kb_raw_frame *raw, kb_trail *trail) {
    return kb_input_load_with(input, input->loader, frame, raw, trail);
}

kb_status kb_loader_init(kb_loader *loader, const kb_alloc *alloc, kb_trail *trail) {
    *loader = (kb_loader){.unpacker = NULL};
    kb_buffer_init(&loader->packed, alloc);
    return kb_unpacker_create(alloc, &loader->unpacker, trail);
}

void kb_loader_fini(kb_loader *loader) {
    kb_unpacker_destroy(loader->unpacker);
    kb_buffer_fini(&loader->packed);
    loader->unpacker = NULL;
}

void kb_raw_frame_fini(kb_raw_frame *raw, const kb_alloc *alloc) {
    kb_delete(alloc, raw->bytes, raw->capacity);
    kb_delete(alloc, raw->packets, raw->packet_capacity * sizeof *raw->packets);
    *raw = (kb_raw_frame){.size = 0};
}

/* --- opening ---------------------------------------------------------------------------------- */

kb_status kb_input_open(kb_input *input, const char *path, kb_loader *loader, const kb_input_limits *limits,
                        kb_trail *trail) {
    *input = (kb_input){.alloc = limits->alloc,
                        .path = path,
                        .loader = loader,
                        .max_frame = limits->max_frame,
                        .keep_open = limits->keep_open};
    kb_shown_path(path, input->shown);
    kb_arena_init(&input->arena, limits->alloc, limits->arena_limit);
    kb_arena_init(&input->lists, limits->alloc, limits->arena_limit);
    bool spooled = false;
    kb_status status = kb_file_open(&input->file, limits->fs, path, KB_OPEN_READ, trail);
    if (status == KB_OK) {
        input->open = true;
        status = kb_spool(&input->file, path, &spooled, &input->size_bytes, trail);
        input->keep_open |= spooled;
    }
    if (status == KB_OK)
        status = kb_input_find_frames(input, limits->recover, trail);
    if (status == KB_OK)
        status = kb_input_learn(input, limits->recover, trail);
    if (status != KB_OK)
        kb_input_close(input);
    return status;
}

void kb_input_close(kb_input *input) {
    if (input->open)
        kb_file_abandon(&input->file);
    input->open = false;
    kb_delete(input->alloc, input->places, input->place_capacity * sizeof *input->places);
    kb_delete(input->alloc, input->entries, input->entry_capacity * sizeof *input->entries);
    kb_delete(input->alloc, input->templates, input->template_capacity * sizeof *input->templates);
    kb_arena_fini(&input->arena);
    kb_arena_fini(&input->lists);
    input->places = NULL;
    input->entries = NULL;
    input->templates = NULL;
    input->place_capacity = input->entry_capacity = input->template_capacity = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file of a trace that is being read: where its frames are, what its index and footer say, and
 * its templates as far as they were needed.
 *
 * input.c opens and finds frames, input_index.c learns what is in them. Damage is told with the
 * file's name and the byte where it was found.
 */
#ifndef KBTRACE_SRC_INPUT_H
#define KBTRACE_SRC_INPUT_H

#include "ground/explain.h"
#include "kbtrace/fs.h"
#include "kbtrace/reader.h"
#include "wire/frame.h"
#include "wire/schema.h"
#include "words/template.h"

typedef struct kb_place {
    uint64_t offset; /* of the head in the file */
    uint32_t packed_size, raw_size;
} kb_place;

/* A template as ops of a file name it, with what prediction needs. */
typedef struct kb_read_template {
    uint32_t id;
    kb_template key;
    kb_layout layout;
    const uint64_t *nominal;
    bool digested;
    kb_digest digest;
} kb_read_template;

/* One Ops packet of a rank. */
typedef struct kb_span_of_ops {
    uint32_t frame;
    uint32_t count;
    uint64_t first;
    uint64_t first_ps;
} kb_span_of_ops;

/* A frame's raw bytes and where its Ops packets stand in them, by rank. */
typedef struct kb_raw_packet {
    uint32_t rank;
    kb_span body;
} kb_raw_packet;

typedef struct kb_raw_frame {
    uint8_t *bytes;
    size_t size, capacity;
    kb_raw_packet *packets;
    size_t packet_count, packet_capacity;
} kb_raw_frame;

/* What it takes to unpack a frame; each thread that does has its own. */
typedef struct kb_loader {
    kb_unpacker *unpacker;
    kb_buffer packed;
} kb_loader;

kb_status kb_loader_init(kb_loader *loader, const kb_alloc *alloc, kb_trail *trail) KB_MUST_USE;
void kb_loader_fini(kb_loader *loader);

typedef struct kb_input {
    const kb_alloc *alloc;
    const char *path;
    char shown[KB_SHOWN_PATH_CHARS]; /* the same for messages */
    kb_file file;
    bool open, keep_open;
    uint64_t size_bytes;
    uint64_t max_frame;
    kb_loader *loader; /* the reader's */

    kb_header header;
    kb_place *places;
    size_t place_count, place_capacity;
    bool ended;                 /* has a footer and a seek table */
    uint64_t trouble_at;        /* otherwise: where the file ends or is damaged */
    bool damaged;               /* damaged, not merely cut */
    char words[KB_TRAIL_CHARS]; /* about that */

    kb_arena arena; /* entries, footer, templates */
    kb_arena lists; /* what entries say of packets, until somebody took it */
    kb_frame_entry *entries;
    size_t entry_count, entry_capacity;
    bool has_footer;
    kb_wire_footer footer;

    kb_read_template **templates;
    size_t template_count, template_capacity;
    size_t template_frame; /* frames before it were looked at for templates */
} kb_input;

typedef struct kb_input_limits {
    const kb_alloc *alloc;
    const kb_fs *fs;
    uint64_t max_frame;
    size_t arena_limit;
    bool recover;
    bool keep_open;
} kb_input_limits;

/* Opens and learns all but templates; `path` and `loader` must outlive the input. */
kb_status kb_input_open(kb_input *input, const char *path, kb_loader *loader, const kb_input_limits *limits,
                        kb_trail *trail) KB_MUST_USE;
void kb_input_close(kb_input *input);

/* --- bytes and frames (input.c) --------------------------------------------------------------- */

kb_status kb_input_read(kb_input *input, uint64_t offset, void *bytes, size_t size,
                        kb_trail *trail) KB_MUST_USE;

/* Fails with KB_E_CORRUPT that says "PATH, byte OFFSET: " and the rest. */
kb_status kb_input_bad(const kb_input *input, uint64_t offset, kb_trail *trail, const char *format, ...)
    KB_PRINTF(4, 5);

/* Finds the frames: by the seek table if it is sound, else head by head from the start. */
kb_status kb_input_find_frames(kb_input *input, bool recover, kb_trail *trail) KB_MUST_USE;

/* Reads, checks, unpacks a frame, and finds its packets. */
kb_status kb_input_load(kb_input *input, uint32_t frame, kb_raw_frame *raw, kb_trail *trail) KB_MUST_USE;
/* The same from another thread, for inputs whose file stays open. */
kb_status kb_input_load_with(kb_input *input, kb_loader *loader, uint32_t frame, kb_raw_frame *raw,
                             kb_trail *trail) KB_MUST_USE;
void kb_raw_frame_fini(kb_raw_frame *raw, const kb_alloc *alloc);

/* --- what stands in them (input_index.c) ------------------------------------------------------ */

/* Header, footer and index; or an index made by reading every frame where there is none. */
kb_status kb_input_learn(kb_input *input, bool recover, kb_trail *trail) KB_MUST_USE;

/* Gives up what the entries say of packets; what they say of frames stays. */
void kb_input_forget_packets(kb_input *input);

/* Definitions of frames 0 … in their order, into `defs`. */
kb_status kb_input_definitions(kb_input *input, kb_defs *defs, kb_trail *trail) KB_MUST_USE;

/* Where to begin to look for templates that `frame` may name. */
size_t kb_input_first_templates(const kb_input *input, uint32_t frame);
/* Adds the templates of a raw frame that are not known yet to input->templates. */
kb_status kb_input_take_templates(kb_input *input, uint32_t frame, const kb_raw_frame *raw,
                                  const kb_defs *defs, kb_trail *trail) KB_MUST_USE;

/* --- walking a raw frame ---------------------------------------------------------------------- */

/* Calls `each` for the body of every packet; its failure ends the walk. */
typedef kb_status (*kb_packet_fn)(void *user, enum kb_packet_kind kind, kb_span body, kb_trail *trail);
kb_status kb_walk_packets(kb_span raw, kb_packet_fn each, void *user, kb_trail *trail) KB_MUST_USE;

/* The scalars of an Ops packet and its columns. */
typedef struct kb_ops_body {
    uint32_t rank, count;
    uint64_t first, base_ps;
    kb_span form, op, columns[KB_CLASS_COUNT], payload;
} kb_ops_body;

kb_status kb_ops_body_get(kb_span body, kb_ops_body *ret_ops, kb_trail *trail) KB_MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What reader.c (files, definitions, footer) and cursor.c (ops) share. */
#ifndef KBTRACE_SRC_READER_PARTS_H
#define KBTRACE_SRC_READER_PARTS_H

#include "kbtrace/reader.h"
#include "read/ahead.h"
#include "read/decode.h"
#include "read/input.h"
#include "words/digest.h"

/* Frames kept unpacked: ranks advance at different speeds, but seldom by more than a frame. */
#define KB_CACHED_FRAMES 2u

typedef struct kb_cached {
    kb_input *input; /* NULL: nothing here */
    uint32_t frame;
    uint64_t used; /* when last: the least is given up */
    kb_raw_frame raw;
} kb_cached;

/* Where a rank's ops are: a run of kb_reader.spans. */
typedef struct kb_rank_place {
    kb_input *input;
    size_t first_span, span_count;
    kb_op *late; /* amended ops, by index */
    kb_late_digest *late_digests;
    size_t late_count;
} kb_rank_place;

struct kb_reader {
    kb_bounded bounded;
    const kb_alloc *alloc; /* of `bounded` */
    const kb_alloc *outer; /* that the reader itself came from */
    const kb_fs *fs;
    const kb_log *log;
    kb_reader_options options;
    bool limit_follows; /* nobody set max_memory */
    kb_arena arena;     /* paths, spans, footer */
    kb_loader loader;
    kb_ahead *ahead; /* NULL: nothing is unpacked beside the caller's thread */
    kb_input *inputs;
    size_t input_count, input_capacity;
    kb_run run;
    kb_defs defs;
    kb_rank_place *ranks; /* [run.ranks] */
    kb_span_of_ops *spans;
    kb_cached cache[KB_CACHED_FRAMES];
    uint64_t clock;
    uint64_t raw_bytes;
    kb_reader_state state;
    char words[KB_TRAIL_CHARS];
    bool has_footer;
    kb_footer footer;
};

/* The packet of `rank` in a frame; *ret_body lives until the next call. */
kb_status kb_reader_packet(kb_reader *reader, kb_input *input, uint32_t frame, uint32_t rank,
                           kb_span *ret_body, kb_trail *trail) KB_MUST_USE;
/* A frame's raw bytes; they live until the next call. */
kb_status kb_reader_frame(kb_reader *reader, kb_input *input, uint32_t frame, const kb_raw_frame **ret_raw,
                          kb_trail *trail) KB_MUST_USE;

/* Reads what was amended, before any cursor is handed out. */
kb_status kb_reader_gather_late(kb_reader *reader, kb_trail *trail) KB_MUST_USE;

/* Footers and the condition, when everything else is known. */
kb_status kb_reader_conclude(kb_reader *reader, kb_trail *trail) KB_MUST_USE;

/* KB_E_MEMORY that only the caller's limit caused is KB_E_LIMIT, and says so. */
kb_status kb_reader_explain(kb_reader *reader, kb_status status, kb_trail *trail) KB_MUST_USE;

/* All templates that a frame names are known afterwards. */
kb_status kb_reader_templates(kb_reader *reader, kb_input *input, uint32_t frame,
                              kb_trail *trail) KB_MUST_USE;

/* What the ops of a rank may refer to, as far as it is known now. */
kb_decode_scope kb_reader_scope(const kb_reader *reader, uint32_t rank);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What writer.c (the whole), writer_put.c (ops), writer_late.c (ops said again) and writer_say.c
 * (everything else that a file holds) share.
 */
#ifndef KBTRACE_SRC_WRITER_PARTS_H
#define KBTRACE_SRC_WRITER_PARTS_H

#include "kbtrace/writer.h"
#include "wire/schema.h"
#include "words/digest.h"
#include "write/beside.h"
#include "write/packet.h"
#include "write/press.h"
#include "write/rowlog.h"
#include "write/stage.h"

#define KB_RANKS_MAX ((uint32_t)1 << 20)
#define KB_RESTATE_FRAMES 64u              /* templates and definitions are said again in full so often, */
#define KB_RESTATE_SIZE ((size_t)16 << 20) /* unless they are larger than that */

/* A rank as putting sees it. */
typedef struct kb_put_rank {
    uint64_t ops;
    int64_t issue_ps; /* of the last op */
    kb_known *last;   /* its template, where it brought its own */
} kb_put_rank;

/* And as encoding does. */
typedef struct kb_out_rank {
    kb_packet packet;
    uint64_t ops;
    kb_rank_digester digester;
    kb_late_digest *late; /* amended ops */
    size_t late_count, late_capacity;
} kb_out_rank;

/* An op said again, until the next flush. */
typedef struct kb_amendment {
    struct kb_amendment *next;
    uint32_t rank;
    kb_known *known;
    uint64_t index;
    const uint64_t *words; /* canonical */
} kb_amendment;

typedef struct kb_out_file {
    kb_output output;
    uint32_t first_rank, rank_count;
    uint32_t frames; /* handed to the press */
    uint32_t index_frames;
    kb_known *known, *known_last; /* its templates by id */
    kb_known *unsaid;             /* the first that no frame has */
    uint32_t known_count, said_count;
    size_t said_size;        /* bytes of templates and definitions so far */
    kb_row_log rows;         /* of the file that has the definitions */
    kb_frame_entry *entries; /* of the index */
    size_t entry_count, entry_capacity;
    kb_arena index;
    kb_amendment *late, *late_last;
    kb_buffer sample_counters, sample_times, sample_values;
} kb_out_file;

typedef struct kb_counter_state {
    uint64_t round; /* of the writer, in which time_ps and value were said */
    int64_t time_ps, value;
} kb_counter_state;

/*
 * Ops are put into the stage that is being filled, and handed over as a whole to be encoded, beside the
 * caller's thread if there are two. Then there are two stages, and what encoding has is its own
 * until it was waited for.
 */
struct kb_writer {
    /* Of both: not changed after the beginning. */
    const kb_alloc *alloc;
    const kb_fs *fs;
    kb_run run;
    const char *path;
    bool folder;
    size_t open_limit;
    size_t file_count, file_capacity;
    kb_beside *beside; /* NULL: all is done in the caller's thread */
    /* Of putting. */
    const kb_defs *defs;
    kb_status failed; /* the first failure stays; nothing is written after it */
    kb_arena arena;
    kb_intern intern;
    kb_put_rank *puts;
    kb_stage stages[2];
    kb_stage *stage;              /* that is being filled */
    size_t noted[KB_TABLE_COUNT]; /* rows of defs */
    int64_t *sampled_ps;          /* by counter: its latest sample */
    size_t sampled_capacity;
    uint64_t ops, samples;
    kb_footer footer;
    /* Of encoding. */
    kb_out_file *files;
    kb_out_rank *ranks;
    kb_counter_state *counters;
    size_t counter_capacity;
    kb_packet late_packet;
    kb_workplace place; /* its arena serves the open packets, its size is theirs */
    size_t field_capacity;
    kb_press press;
    kb_buffer raw; /* the frame that is being made */
    uint64_t round, packets, raw_bytes;
};

void kb_out_file_init(kb_out_file *file, const kb_alloc *alloc);
void kb_out_file_fini(kb_out_file *file);
/* Gives a new template its id. */
void kb_out_file_learn(kb_out_file *file, kb_known *known);
kb_status kb_out_file_sample(kb_out_file *file, uint32_t counter, int64_t later_ps, int64_t value,
                             int64_t former_value, kb_trail *trail) KB_MUST_USE;

kb_out_file *kb_writer_file_of(kb_writer *writer, uint32_t rank);
/* What any record must keep to. */
kb_status kb_writer_check_op(const kb_writer *writer, const kb_known *known, const kb_op *op,
                             kb_trail *trail) KB_MUST_USE;
/* What is known of a template; makes it known where it is new. */
kb_status kb_writer_find(kb_writer *writer, uint32_t rank, const kb_template *what, kb_known **ret_known,
                         kb_trail *trail) KB_MUST_USE;
/* Gives a template that has none its place in its file. */
kb_status kb_writer_learn(kb_writer *writer, kb_known *known, kb_trail *trail) KB_MUST_USE;
/* Encodes and digests what is in a kb_stage; a kb_beside_fn. */
kb_status kb_writer_encode(void *writer, void *stage, kb_trail *trail) KB_MUST_USE;
/* A sample of a stage, as its file will say it. */
kb_status kb_writer_take_sample(kb_writer *writer, const kb_staged_sample *sample,
                                kb_trail *trail) KB_MUST_USE;
/* Hands over what was put so far. */
kb_status kb_writer_hand_over(kb_writer *writer, kb_trail *trail) KB_MUST_USE;
/* The same, and waits: what encoding has is the caller's until the next is handed over. */
kb_status kb_writer_drain(kb_writer *writer, kb_trail *trail) KB_MUST_USE;
/* The amendments that wait. */
kb_status kb_writer_say_late(kb_writer *writer, kb_out_file *file, kb_trail *trail) KB_MUST_USE;

/* A first frame of its own: header and definitions, so that a trace cut early can be read. */
kb_status kb_writer_say_header(kb_writer *writer, kb_out_file *file, kb_trail *trail) KB_MUST_USE;
/* All that is open becomes a frame in each file that it concerns. */
kb_status kb_writer_flush(kb_writer *writer, kb_trail *trail) KB_MUST_USE;
kb_status kb_writer_make_footer(kb_writer *writer, const kb_ending *ending, kb_trail *trail) KB_MUST_USE;
/* Index and footer. */
kb_status kb_writer_say_end(kb_writer *writer, kb_out_file *file, kb_trail *trail) KB_MUST_USE;

#endif

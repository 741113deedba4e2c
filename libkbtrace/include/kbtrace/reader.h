/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a trace.
 *
 *   kb_reader *reader;
 *   KB_TRY(kb_reader_open(paths, path_count, &options, &reader, trail));
 *   kb_cursor *cursor;
 *   KB_TRY(kb_cursor_create(reader, rank, &cursor, trail));
 *   const kb_op *op;
 *   while ((status = kb_cursor_next(cursor, &op, trail)) == KB_OK)
 *       ...
 *   if (status != KB_END) ...trouble...
 *   kb_cursor_destroy(cursor);
 *   kb_reader_destroy(reader);
 *
 * A path is a file with every rank, a folder of one file a rank, one of these files, or "-"; together
 * the paths must name every rank of one run.
 * Nothing that the bytes claim is believed before it is checked, and nothing is allocated beyond
 * max_memory. One reader and its cursors belong to one thread.
 */
#ifndef KBTRACE_READER_H
#define KBTRACE_READER_H

#include "kbtrace/defs.h"
#include "kbtrace/fs.h"
#include "kbtrace/log.h"
#include "kbtrace/run.h"

typedef struct kb_reader kb_reader;
typedef struct kb_cursor kb_cursor;

typedef struct kb_reader_options {
    const kb_alloc *alloc; /* NULL: the heap. Must bear calls from several threads */
    const kb_fs *fs;       /* NULL: the system's */
    const kb_log *log;
    uint64_t max_memory; /* bytes in all; 0: 192 MiB, or 48 times the files where that is more */
    uint64_t max_frame;  /* bytes of one frame, decompressed; 0: 64 MiB */
    unsigned threads;    /* decompress ahead with so many; 0 or 1: none beside the caller's */
    bool check_digests;  /* recompute the record digest while ops are read to the end */
    bool recover;        /* after damage, use the frames that are whole before it */
} kb_reader_options;

/*
 * A trace without footer opens (kb_reader_condition tells); damage before the end does not, unless
 * options->recover.
 */
kb_status kb_reader_open(const char *const *paths, size_t path_count, const kb_reader_options *options,
                         kb_reader **ret_reader, kb_trail *trail) KB_MUST_USE;
void kb_reader_destroy(kb_reader *reader);

typedef enum kb_reader_state {
    KB_TRACE_COMPLETE,   /* footer read, outcome COMPLETE */
    KB_TRACE_UNFINISHED, /* footer read: the run says itself that it is incomplete */
    KB_TRACE_CUT,        /* no footer: read up to the last whole frame */
    KB_TRACE_DAMAGED     /* recovered: read up to the last whole frame before the damage */
} kb_reader_state;

/* *ret_words (may be NULL) explains any state but COMPLETE, with file and offset where there is one. */
kb_reader_state kb_reader_condition(const kb_reader *reader, const char **ret_words);

const kb_run *kb_reader_run(const kb_reader *reader);
const kb_defs *kb_reader_defs(const kb_reader *reader);
/* Footers of all files, merged; NULL where there is none. */
const kb_footer *kb_reader_footer(const kb_reader *reader);

/* Ops of all ranks, as the index counts them. */
uint64_t kb_reader_op_count(const kb_reader *reader);

/* --- ops of one rank, in their order ---------------------------------------------------------- */

/* A rank of the run without ops has an empty cursor. */
kb_status kb_cursor_create(kb_reader *reader, uint32_t rank, kb_cursor **ret_cursor,
                           kb_trail *trail) KB_MUST_USE;
void kb_cursor_destroy(kb_cursor *cursor);

/* KB_END after the last. *ret_op and all that it points to live until the cursor's next call. */
kb_status kb_cursor_next(kb_cursor *cursor, const kb_op **ret_op, kb_trail *trail) KB_MUST_USE;

/*
 * The number of the frame that the next op is in, where other ranks' ops lie beside it in one file; 0 where
 * each rank has a file of its own, and at the end. Who reads many ranks opens each frame once if none of
 * them is read beyond a frame before the others are.
 */
uint32_t kb_cursor_frame(const kb_cursor *cursor);

/* The next op will be number `index`, or KB_END's place when there are fewer. */
kb_status kb_cursor_seek_op(kb_cursor *cursor, uint64_t index, kb_trail *trail) KB_MUST_USE;
/* The next op will be the first that is issued at `time_ps` or later. */
kb_status kb_cursor_seek_time(kb_cursor *cursor, int64_t time_ps, kb_trail *trail) KB_MUST_USE;

/* --- counters --------------------------------------------------------------------------------- */

/* Calls `each` for every sample in the order of the file; stops at its first status but KB_OK. */
typedef kb_status (*kb_sample_fn)(void *user, uint32_t counter, int64_t time_ps, int64_t value,
                                  kb_trail *trail);
kb_status kb_reader_samples(kb_reader *reader, kb_sample_fn each, void *user, kb_trail *trail) KB_MUST_USE;

/* --- sizes, for summaries --------------------------------------------------------------------- */

typedef struct kb_reader_stats {
    uint64_t files, frames, file_bytes;
    uint64_t raw_bytes; /* of the frames decoded so far */
    uint64_t peak_memory;
} kb_reader_stats;

void kb_reader_measure(const kb_reader *reader, kb_reader_stats *ret_stats);

#endif

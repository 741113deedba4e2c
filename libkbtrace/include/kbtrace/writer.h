/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a trace.
 *
 *   kb_writer *writer;
 *   KB_TRY(kb_writer_create(&options, &run, &defs, &writer, trail));
 *   for each op, rank by rank in the order of its numbers:
 *       KB_TRY(kb_writer_put(writer, rank, &op, trail));
 *   KB_TRY(kb_writer_finish(writer, &ending, &footer, trail));
 *   kb_writer_destroy(writer);
 *
 * The same calls give the same bytes, whatever the threads. Memory is bounded by open_bytes however
 * many ranks there are. A regular file grows beside its final name and gets it in finish(); pipes
 * and devices are written directly. Destroying an unfinished writer leaves nothing behind.
 */
#ifndef KBTRACE_WRITER_H
#define KBTRACE_WRITER_H

#include "kbtrace/defs.h"
#include "kbtrace/fs.h"
#include "kbtrace/log.h"
#include "kbtrace/run.h"

typedef struct kb_writer kb_writer;
typedef struct kb_known kb_known; /* a template that a writer knows */

typedef struct kb_writer_options {
    const char *path;      /* FILE for all ranks in one; FOLDER/ for one file a rank; "-" for stdout */
    const kb_alloc *alloc; /* NULL: the heap. Must bear calls from two threads */
    const kb_fs *fs;       /* NULL: the system's */
    const kb_log *log;
    unsigned threads; /* 0 or 1: encode and compress in the caller's thread; more: beside it */
    int level;        /* of zstd; 0: the default */
    /* Flush all ranks' open packets when they reach this sum; 0: 3 KiB a rank, 768 KiB to 4 MiB. */
    size_t open_bytes;
} kb_writer_options;

/*
 * `defs` stays the caller's, and may grow while the trace is written: new rows go into the trace
 * before the next ops. It must outlive the writer; `run` is copied.
 */
kb_status kb_writer_create(const kb_writer_options *options, const kb_run *run, const kb_defs *defs,
                           kb_writer **ret_writer, kb_trail *trail) KB_MUST_USE;

/*
 * Takes the next op of a rank; op->index must be its number. Nothing of `op` is kept, and its
 * template may live anywhere: equal ones are found and shared. Ops of a rank come in the order
 * of (issue, stream, program order). What is wrong with an op is told at once; that memory or a
 * file has failed may be told by any later call.
 */
kb_status kb_writer_put(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;

/*
 * For who writes many ops of a template and knows it: looking it up costs more than writing an op.
 *
 *   if (mine->known == NULL)
 *       KB_TRY(kb_writer_template(writer, rank, &mine->template, &mine->known, trail));
 *   KB_TRY(kb_writer_put_as(writer, mine->known, &op, trail));
 *
 * *ret_known lives as long as the writer, is of this rank, and is the same for equal templates, of
 * which nothing is kept. A template of which no op is put leaves no trace.
 */
kb_status kb_writer_template(kb_writer *writer, uint32_t rank, const kb_template *what, kb_known **ret_known,
                             kb_trail *trail) KB_MUST_USE;

/*
 * The same as kb_writer_put() of an op with that template; op->what is not looked at. Both may be
 * mixed. `known` must be this writer's.
 */
kb_status kb_writer_put_as(kb_writer *writer, kb_known *known, const kb_op *op, kb_trail *trail) KB_MUST_USE;

/*
 * Says an op that was put before once more, whole: for the few that end long after the ops behind
 * them, so that those need not wait. Put it first with what->reached at the last point that is
 * known; readers give the amended record, and a trace that is cut before it still has the first.
 * An op can be amended once, carries no payload, and keeps its issue.
 */
kb_status kb_writer_amend(kb_writer *writer, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;

/* A counter's value from `time_ps` on. Times of one counter never fall. */
kb_status kb_writer_sample(kb_writer *writer, uint32_t counter, int64_t time_ps, int64_t value,
                           kb_trail *trail) KB_MUST_USE;

/*
 * Writes what is open, the index and the footer, and gives the files their names. After a failure,
 * here or in any call before, nothing stands under the final name. *ret_footer (may be NULL) lives
 * as long as the writer.
 */
kb_status kb_writer_finish(kb_writer *writer, const kb_ending *ending, const kb_footer **ret_footer,
                           kb_trail *trail) KB_MUST_USE;

void kb_writer_destroy(kb_writer *writer);

/* What it took so far, for summaries and benchmarks. */
typedef struct kb_writer_stats {
    uint64_t ops, templates, frames, packets;
    uint64_t raw_bytes;  /* before compression */
    uint64_t file_bytes; /* in the files */
} kb_writer_stats;

void kb_writer_measure(const kb_writer *writer, kb_writer_stats *ret_stats);

#endif

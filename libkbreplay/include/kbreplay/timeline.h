/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory at any time of a run.
 *
 *   kbr_timeline *timeline;
 *   KB_TRY(kbr_timeline_create(reader, &(kbr_timeline_options){0}, &timeline, trail));
 *   KB_TRY(kbr_timeline_seek(timeline, 1500000, trail));                      1.5 us
 *   KB_TRY(kbr_timeline_read(timeline, memory, 0x400, 512, bytes, defined, trail));
 *   KB_TRY(kbr_timeline_seek(timeline, 700000, trail));                       back again
 *   ...
 *   kbr_timeline_destroy(timeline);
 *
 * Memory at time T holds the initial contents and the effects of every op that is done at T (done ≤ T).
 * What an op writes that has started and is not done (start ≤ T < done) is undefined at T, for it is
 * changing. docs/memory-model.md, section 7, says this in full. Before 0 nothing has happened; from the last
 * done on memory is what the run leaves.
 *
 * Going forward executes what lies between. Going back, or far, restores the nearest checkpoint before the
 * time and executes from there. A checkpoint keeps the pages that memory has changed since, and is made at
 * intervals, as the timeline advances into what it has not seen; when there are too many, or they hold too
 * much, the interval is doubled and those between are dropped. Behind that point a few finer ones are made
 * around where the timeline goes to and fro. So time and memory are bounded, whatever the length of a run.
 *
 * Where two conflicting ops of a trace are not ordered (a finding of `order`), they take effect in the
 * order of their starts here, while kbr_replay_run() runs them in another of their possible orders. What
 * is seen at a time never depends on where the timeline came from.
 *
 * A failed seek leaves a timeline that stands nowhere: it may seek again (which begins at a checkpoint), or
 * be destroyed. One timeline belongs to one thread; several on one reader share that thread.
 */
#ifndef KBREPLAY_TIMELINE_H
#define KBREPLAY_TIMELINE_H

#include "kbreplay/replay.h"

typedef struct kbr_timeline kbr_timeline;

typedef struct kbr_timeline_options {
    /*
     * alloc, log, kernels, progress (every 1024 ops); max_memory is for what all checkpoints hold, too. With
     * `random` ops that nothing orders are executed in a drawn order, the bytes being the same, and every
     * step back begins at the beginning. `verify` and `threads` mean nothing here.
     */
    kbr_options replay;
    uint64_t checkpoint_ops;  /* executed between two checkpoints, at first; 0: 8192 */
    size_t checkpoint_count;  /* kept at most; 0: 128 */
    uint64_t checkpoint_size; /* bytes that they may hold beside live memory; 0: twice that, or 512 MiB */
} kbr_timeline_options;

/* Stands before everything. The reader stays the caller's and must outlive the timeline. */
kb_status kbr_timeline_create(kb_reader *reader, const kbr_timeline_options *options,
                              kbr_timeline **ret_timeline, kb_trail *trail) KB_MUST_USE;
void kbr_timeline_destroy(kbr_timeline *timeline);

/* Any time, in any order; times beyond the run are fine. */
kb_status kbr_timeline_seek(kbr_timeline *timeline, int64_t time_ps, kb_trail *trail) KB_MUST_USE;

/* --- where it stands --------------------------------------------------------------------------- */

typedef struct kbr_moment {
    int64_t time_ps;    /* as it was asked for */
    uint64_t started;   /* ops that have begun, those that are done included */
    uint64_t in_flight; /* of them: not done, and writing; what they write is undefined */
    bool ended;         /* nothing happens after this time */
} kbr_moment;

/* After a seek that went well. */
const kbr_moment *kbr_timeline_moment(const kbr_timeline *timeline);

/*
 * What the records showed so far to those checks that always run: findings, executed ops, and once
 * the end was reached what never ran. The digest is that of kbr_timeline_digest() when it was last asked
 * for. Lives until the next call.
 */
kb_status kbr_timeline_result(kbr_timeline *timeline, const kbr_result **ret_result,
                              kb_trail *trail) KB_MUST_USE;

/* --- what memory holds ------------------------------------------------------------------------- */

/*
 * `size` bytes of a memory from `offset` on; undefined ones are 0. Byte i is defined where bit i % 8 of
 * defined[i / 8] is set; NULL: nobody asks. A range that leaves its memory is KB_E_ARGUMENT.
 */
kb_status kbr_timeline_read(kbr_timeline *timeline, uint32_t memory, uint64_t offset, uint64_t size,
                            uint8_t *bytes, uint8_t *defined, kb_trail *trail) KB_MUST_USE;

/*
 * All elements of a tensor, gathered from its shards in row-major order; undefined ones are 0. defined[i] is
 * 1 where element i lies in a shard and is defined, else 0. Both have room for all elements.
 */
kb_status kbr_timeline_read_tensor(kbr_timeline *timeline, uint32_t tensor, uint8_t *bytes, uint8_t *defined,
                                   kb_trail *trail) KB_MUST_USE;

/* The memory_digest of that time. */
kb_status kbr_timeline_digest(kbr_timeline *timeline, kb_digest *ret_digest, kb_trail *trail) KB_MUST_USE;

/* As kbr_replay_dump(). */
kb_status kbr_timeline_dump(kbr_timeline *timeline, uint32_t tensor, const kb_fs *fs, const char *path,
                            uint64_t *ret_undefined, kb_trail *trail) KB_MUST_USE;

/* --- what it costs ----------------------------------------------------------------------------- */

typedef struct kbr_timeline_costs {
    uint64_t executed; /* ops, each as often as it was */
    size_t checkpoints;
    uint64_t checkpoint_size; /* bytes that only checkpoints hold */
} kbr_timeline_costs;

void kbr_timeline_measure(const kbr_timeline *timeline, kbr_timeline_costs *ret_costs);

#endif

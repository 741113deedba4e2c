/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaying a trace: memory rebuilt, data computed, claims checked.
 *
 *   kbr_replay *replay;
 *   KB_TRY(kbr_replay_create(reader, &options, &replay, trail));
 *   KB_TRY(kbr_replay_run(replay, trail));
 *   const kbr_result *result = kbr_replay_result(replay);
 *   ...
 *   kbr_replay_destroy(replay);
 *
 * A status tells that the replay itself failed: a damaged trace, no memory, an op that this build
 * cannot execute. What is wrong with the program or the trace is a finding.
 */
#ifndef KBREPLAY_REPLAY_H
#define KBREPLAY_REPLAY_H

#include "kbreplay/finding.h"
#include "kbtrace/reader.h"

typedef struct kbr_replay kbr_replay;

/* Asked now and then while a replay goes on. */
typedef struct kbr_progress {
    /* Shall it go on? `ops` were read, or began. If not, the call that goes on ends as KB_E_INTERRUPTED. */
    bool (*tell)(void *user, uint64_t ops);
    void *user;
} kbr_progress;

typedef struct kbr_options {
    const kb_alloc *alloc;
    const kb_log *log;
    bool verify;           /* run every check, not only those without which nothing can be executed */
    bool strict_init;      /* a copy of undefined bytes is a finding, too */
    bool random;           /* another linear extension of the trace's order … */
    uint64_t seed;         /* … drawn by this seed */
    uint64_t max_memory;   /* bytes of rebuilt memory; 0: 16 GiB */
    unsigned threads;      /* that compute, 0: one; they have no effect on any result */
    const char *kernels;   /* "portable", "avx2", "avx512"; NULL: the best that this machine has */
    kbr_progress progress; /* tell may be NULL */
} kbr_options;

typedef struct kbr_result {
    uint64_t ops;                /* executed */
    uint64_t unfinished;         /* read, but never executed or never done */
    uint64_t collectives;        /* that began */
    uint64_t compared;           /* elements of their outputs that were compared with what they should be */
    const kbr_finding *findings; /* the first is the one to look at first */
    size_t finding_count;        /* each cause comes before what follows from it */
    size_t cause_count;          /* of them: causes */
    uint64_t finding_overflow;   /* findings beyond the table */
    kb_digest memory_digest;
    /* The comparison that came nearest to its bound, or exceeded it most; 0 where all had to be exact. */
    double worst_error, bound;
    const char *const *unchecked; /* what was not checked, in words */
    size_t unchecked_count;
} kbr_result;

/* The reader stays the caller's and must outlive the replay; its cursors are the replay's while it runs. */
kb_status kbr_replay_create(kb_reader *reader, const kbr_options *options, kbr_replay **ret_replay,
                            kb_trail *trail) KB_MUST_USE;
kb_status kbr_replay_run(kbr_replay *replay, kb_trail *trail) KB_MUST_USE;
void kbr_replay_destroy(kbr_replay *replay);

/* Lives as long as the replay. */
const kbr_result *kbr_replay_result(const kbr_replay *replay);

/* --- tensors ----------------------------------------------------------------------------------- */

/*
 * The tensor of a name, as "y" where one tensor has it, else "y@3" for that of rank 3. A failure
 * names the nearest.
 */
kb_status kbr_find_tensor(const kb_defs *defs, const char *name, uint32_t *ret_tensor,
                          kb_trail *trail) KB_MUST_USE;

/* Could a tensor be dumped there? Refuses folders, and places where no file can be made. */
kb_status kbr_dump_place(const kb_fs *fs, const char *path, kb_trail *trail) KB_MUST_USE;

/*
 * Writes a tensor, gathered from its shards as memory is now, as a NumPy array file. bf16 is widened
 * to f32, which NumPy knows; undefined elements are written as 0 and counted. A regular file is written
 * beside itself and renamed when whole; a device or a pipe is written directly.
 */
kb_status kbr_replay_dump(kbr_replay *replay, uint32_t tensor, const kb_fs *fs, const char *path,
                          uint64_t *ret_undefined, kb_trail *trail) KB_MUST_USE;

/* --- the table of checks ----------------------------------------------------------------------- */

typedef struct kbr_check_info {
    const char *name, *help;
    bool always; /* runs without verify too */
} kbr_check_info;

size_t kbr_check_count(void);
kbr_check_info kbr_check_describe(size_t number);

#endif

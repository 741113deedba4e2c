/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probing a machine: tiny programs run in the simulator, and what they took beside what a closed form says.
 *
 *   kbs_probe_options options = {.machine = &machine, .sizes = sizes, .size_count = 3};
 *   kbs_probe_result result;
 *   KB_TRY(kbs_probe(&options, &result, trail));
 *   ...
 *   kbs_probe_fini(&result);
 *
 * The forms are computed from the parameters alone, without the simulator's code: where the two differ, one
 * of them is wrong.
 */
#ifndef KBSIM_PROBE_H
#define KBSIM_PROBE_H

#include <signal.h>

#include "kbsim/machine.h"
#include "kbtrace/fs.h"
#include "kbtrace/log.h"
#include "kbtrace/memory.h"

enum { KBS_PROBE_NAME_CHARS = 48 };

/* One transfer on an idle machine. */
typedef struct kbs_probe_row {
    const char
        *what; /* "read", "write", "send", "host write", "host read", "barrier", "launch", "round trip" */
    const char *target; /* what the other end is to the PE: "its own slice" */
    char from[KBS_PROBE_NAME_CHARS], to[KBS_PROBE_NAME_CHARS];
    uint64_t size_bytes; /* of a barrier or launch 0 */
    /* From its issue to its last visible byte; until the PE goes on, or begins; until all hosts hear. */
    int64_t took_ps;
    int64_t form_ps;
} kbs_probe_row;

/* Many transfers at once. */
typedef struct kbs_probe_crowd {
    const char *what;
    uint32_t pes;              /* that move data, each between its TCM and */
    uint32_t slices;           /* so many slices in all */
    uint64_t size_bytes;       /* of all together */
    int64_t took_ps;           /* from the first issue to the last visible byte */
    int64_t first_ps, last_ps; /* of these PEs, when the first and the last one had done */
    double channels_gbps;      /* what the channels of the slices give */
    double ports_gbps;         /* what the links of these PEs give */
} kbs_probe_crowd;

typedef struct kbs_probe_options {
    const kbs_machine *machine; /* it was checked, and has no faults */
    uint32_t pe;                /* that moves data */
    const uint64_t *sizes;      /* bytes, each at least 1 */
    size_t size_count;
    bool alone;                        /* single transfers only, no crowds */
    const kb_alloc *alloc;             /* NULL: the heap */
    const kb_fs *fs;                   /* NULL: the system's */
    const kb_log *log;                 /* may be NULL */
    const volatile sig_atomic_t *stop; /* becomes non-zero when the probe shall end; may be NULL */
} kbs_probe_options;

typedef struct kbs_probe_result {
    kb_arena arena; /* of all that follows */
    kbs_probe_row *rows;
    size_t row_count;
    size_t different; /* rows whose two times differ */
    size_t left_out;  /* rows whose size finds no room in a memory, or has no form */
    kbs_probe_crowd *crowds;
    size_t crowd_count;
    uint64_t events;
} kbs_probe_result;

/* Untouched on failure. */
kb_status kbs_probe(const kbs_probe_options *options, kbs_probe_result *ret_result,
                    kb_trail *trail) KB_MUST_USE;
void kbs_probe_fini(kbs_probe_result *result);

#endif

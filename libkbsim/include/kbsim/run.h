/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a bench: recorded, simulated, written as a trace.
 *
 *   kbs_run_options options = {.bench = "allreduce", .machine = &machine, .ranks = 8, .path = "ring.zst"};
 *   kbs_result result;
 *   KB_TRY(kbs_run(&options, &result, trail));
 *   ...
 *   kbs_result_fini(&result);
 *
 * With `.host = program` it runs a host program of one's own (host.h) instead of a bench. Benches and
 * algorithms may be users' files, too: shared objects, or C files where there is a `.compiler`.
 */
#ifndef KBSIM_RUN_H
#define KBSIM_RUN_H

#include <signal.h>
#include <stdbool.h>

#include "kbsim/bench.h"
#include "kbsim/config.h"
#include "kbsim/machine.h"
#include "kbsim/models.h"
#include "kbtrace/fs.h"
#include "kbtrace/log.h"
#include "kbtrace/run.h"

/* Called now and then while the clock moves. */
typedef struct kbs_progress {
    int64_t time_ps;
    uint64_t events;
    uint64_t commands, all_commands; /* of the recorded ones, those that were taken */
} kbs_progress;
typedef void (*kbs_progress_fn)(void *context, const kbs_progress *progress);

/* Called when a phase begins, in this order; writing goes on beside the simulation, too. */
typedef enum kbs_phase { KBS_RECORDING, KBS_SIMULATING, KBS_FINISHING, KBS_PHASES } kbs_phase;
typedef void (*kbs_phase_fn)(void *context, kbs_phase phase);

/* Makes a shared object of a C file; `discard` is called when it has been loaded, or could not be. */
typedef struct kbs_compiler {
    kb_status (*compile)(void *context, const char *source, const char **ret_object, kb_trail *trail);
    void (*discard)(void *context, const char *object);
    void *context;
} kbs_compiler;

/*
 * What a run is doing in users' code, for who must tell of code that crashed or does not return: kept up by
 * the run, and read at any time, in a signal handler even.
 */
typedef enum kbs_foreign {
    KBS_FOREIGN_NOT,
    KBS_FOREIGN_LOADS, /* its constructors run */
    KBS_FOREIGN_RECORDS,
    KBS_FOREIGN_UNLOADS /* its destructors, when all else is over */
} kbs_foreign;
typedef struct kbs_recording {
    volatile kbs_foreign stage;
    char sources[256];                 /* base names of the files: "mine.c, other.so" */
    const struct kbs_program *program; /* while it records */
} kbs_recording;

typedef struct kbs_run_options {
    const char *bench;         /* of kbs_bench_name(), a file, or a name for `host` */
    kb_host_fn host;           /* a host program of the caller's, instead of a bench; else NULL */
    void *host_context;        /* is given to it */
    const char *const *params; /* "KEY=VALUE" each */
    size_t param_count;
    const kbs_given *given; /* parameters that files give; `params` come after them */
    size_t given_count;
    kbs_machine *machine; /* params may set some of it */
    uint32_t ranks;       /* 0: all of the machine */
    bool ranks_are_sips;  /* a rank has all PEs of a SIP, else one PE */
    uint64_t seed;
    int64_t max_time_ps; /* stops the clock; 0: never */
    const char *path;    /* of the trace, as for kb_writer_create */
    unsigned threads;
    const kb_alloc *alloc; /* NULL: the heap */
    const kb_fs *fs;       /* NULL: the system's */
    const kb_log *log;
    const kbs_compiler *compiler;      /* NULL: C files are refused */
    uint64_t most_commands;            /* of each stream of users' code, about; 0: any number */
    kbs_recording *recording;          /* NULL: nobody watches */
    const volatile sig_atomic_t *stop; /* becomes non-zero when the run shall end; may be NULL */
    kbs_progress_fn progress;          /* may be NULL, and so may: */
    kbs_phase_fn phase;
    void *context;    /* for both */
    uint64_t shuffle; /* for tests: not 0, and components come to be, and what happens at one instant is
                         taken, in an order drawn from it. The records are the same */
} kbs_run_options;

/* A collective as the run had it: from the first rank that entered it to the last that left it. */
typedef struct kbs_result_collective {
    const char *kind, *cut; /* "all_reduce"; what the bound comes from, NULL where there is none */
    char algorithm[32];
    uint32_t ranks;
    uint64_t size_bytes;           /* of a rank's input; of all_gather of all of them */
    int64_t time_ps;               /* -1: it did not come to its end */
    uint64_t bound_ps;             /* no run of it on this machine takes less */
    double algbw_gbps, busbw_gbps; /* GB/s; 0 where there is no time or size */
} kbs_result_collective;

typedef struct kbs_result {
    kb_outcome outcome;
    int64_t time_ps; /* the latest done */
    uint64_t events;
    uint64_t ops[KB_OP_LIMIT]; /* by kind */
    uint64_t file_bytes;
    kb_digest record_digest;
    kbs_result_collective *collectives; /* in the order in which the first rank called them */
    size_t collective_count;
    char *explanation; /* of a deadlock: lines, each with its end; else NULL */
    const kb_alloc *alloc;
} kbs_result;

/* Any outcome but a failure leaves a trace, which says how it ended. */
kb_status kbs_run(const kbs_run_options *options, kbs_result *ret_result, kb_trail *trail) KB_MUST_USE;
void kbs_result_fini(kbs_result *result);

/* --- sweeps ------------------------------------------------------------------------------------ */

/*
 * A bench's size that stands for several, of which each is a run: "bytes=64KiB:1GiB:x4" is 64 KiB, 256 KiB …
 * up to 1 GiB; elems likewise. kbs_run() takes one size at a time: "bytes=65536".
 */
enum { KBS_SWEEP_SIZES = 64 };
typedef struct kbs_sweep {
    char key[8]; /* "bytes" */
    uint64_t sizes[KBS_SWEEP_SIZES];
    size_t count;
} kbs_sweep;

bool kbs_is_sweep(const char *param);
kb_status kbs_sweep_read(const char *param, kbs_sweep *ret, kb_trail *trail) KB_MUST_USE;

/* --- users' own ------------------------------------------------------------------------------ */

/* Whether the name of a bench or algorithm is a file's: it has a '/', or ends in .so or .c. */
bool kbs_is_plugin(const char *text);

/* Who records at the moment, and how far that is. */
typedef struct kbs_recording_place {
    const char *what, *name; /* "kernel", "algorithm" or "host program", and its name */
    uint32_t rank;
    const char *file; /* base name, of the last command that it recorded; NULL where there is none yet */
    uint32_t line;
    uint64_t progress;     /* is another number whenever more is recorded */
    const kb_trail *trail; /* of a mistake or failure after which nothing more is recorded, or NULL */
} kbs_recording_place;

/* False where nobody records. Reads only, and allocates nothing. */
bool kbs_recording_look(const kbs_recording *recording, kbs_recording_place *ret);

/* --- listings -------------------------------------------------------------------------------- */

size_t kbs_bench_count(void);
const char *kbs_bench_name(size_t index);
const char *kbs_bench_help(size_t index);
const kbs_bench_param *kbs_bench_params(size_t index, size_t *ret_count);

size_t kbs_algorithm_count(void);
const kbs_algorithm *kbs_algorithm_describe(size_t index);

#endif

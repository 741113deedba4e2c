/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that are programs of their own, and may be missing. */
#ifndef KB_BENCH_PEER_PROCESS_H
#define KB_BENCH_PEER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a peer printed first, and the seconds that its whole process took. */
typedef struct bench_answer {
    char line[4096];
    double wall_s, cpu_s;
    uint64_t peak_bytes; /* of resident memory */
} bench_answer;

/*
 * Runs argv[0] with its arguments, the last of which is NULL. False if it cannot be started or fails; what
 * it says on stderr is shown unless `quiet`.
 */
bool bench_run(const char *const argv[], bool quiet, bench_answer *ret);

/* The first of some Pythons that can import the module, or NULL. */
const char *bench_python_with(const char *module);

#endif

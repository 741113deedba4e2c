/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that are programs of their own, and may be missing. */
#ifndef KB_BENCH_PEER_PROCESS_H
#define KB_BENCH_PEER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs argv[0] with its arguments, the last of which is NULL, and keeps the first line that it prints.
 * False if it cannot be started or fails; what it says on stderr is shown unless `quiet`.
 */
bool bench_run(const char *const argv[], bool quiet, char *ret_line, size_t size);

/* The first of some Pythons that can import the module, or NULL. */
const char *bench_python_with(const char *module);

#endif

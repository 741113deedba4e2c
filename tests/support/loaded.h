/* SPDX-License-Identifier: Apache-2.0 */
/* A whole trace in memory, for tests that look at all of its ops at a time. */
#ifndef KB_TESTS_LOADED_H
#define KB_TESTS_LOADED_H

#include "kbtrace/reader.h"

typedef struct loaded_trace {
    kb_arena arena;
    kb_reader *reader;
    const kb_defs *defs;
    uint32_t ranks;
    kb_op **ops;      /* by rank and index */
    uint64_t *counts; /* by rank */
    uint64_t count;   /* of all */
} loaded_trace;

kb_status loaded_read(loaded_trace *it, const char *path, kb_trail *trail) KB_MUST_USE;
/* May be called after a failure, too. */
void loaded_fini(loaded_trace *it);

#endif

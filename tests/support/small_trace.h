/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small trace with something of everything: several frames, late ops, samples, payloads; and copies of
 * the records that it was made of, to hold against what a reader gives.
 */
#ifndef KB_TESTS_SMALL_TRACE_H
#define KB_TESTS_SMALL_TRACE_H

#include "kbtrace/writer.h"
#include "support/fault_fs.h"
#include "support/records.h"

typedef struct small_trace {
    uint64_t seed;
    uint32_t ranks;
    uint64_t ops;      /* of rank 0; rank r has 1 / (1 + r) of them */
    size_t open_bytes; /* of the writer */
    records records;   /* as they began */
    kb_arena arena;
    kb_op **first, **last; /* [ranks][ops of the rank]: as put, and as amended */
    uint64_t *counts;      /* [ranks] */
} small_trace;

void small_trace_init(small_trace *t, uint64_t seed, uint32_t ranks, uint64_t ops, size_t open_bytes);
void small_trace_fini(small_trace *t);

enum { SMALL_TRACE_SAMPLES = 20 };

/*
 * Writes it; the same bytes every time. After every flush-worthy step `pace` is called if it is given. The
 * first failure is returned with its trail, and nothing of the writer is left.
 */
kb_status small_trace_write(const small_trace *t, const kb_writer_options *options, void (*pace)(void *user),
                            void *user, kb_trail *trail);

/* Whether a reader may give this op, at the number that it says it has. */
bool small_trace_has(const small_trace *t, uint32_t rank, const kb_op *op, bool amended);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads all of a trace in every way that the reader offers, and holds what it gives against rules
 * that any trace keeps, good or bad. For tests of damage and for fuzzers: it stops the process where the
 * reader breaks its word, and uses nothing of cmocka's.
 */
#ifndef KB_TESTS_READ_ALL_H
#define KB_TESTS_READ_ALL_H

#include "kbtrace/reader.h"

typedef struct read_all_result {
    kb_status status; /* KB_OK, or the first failure */
    bool opened;
    kb_reader_state state; /* where it opened */
    uint64_t ops, samples; /* that were given */
    uint64_t frames;       /* of all files */
    uint64_t peak_memory;
} read_all_result;

/* Takes every op that comes; NULL takes none. */
typedef void (*read_all_fn)(void *user, uint32_t rank, const kb_op *op);

/*
 * Opens, reads every rank from the first op to the last and every sample. What fails is told with a
 * trail that has a cause. `most_ops` bounds what is read of one rank: hostile counts are large.
 */
read_all_result read_all(const char *const *paths, size_t count, const kb_reader_options *options,
                         uint64_t most_ops, read_all_fn each, void *user, kb_trail *trail);

/* Seeks to and fro in a rank: what comes then is what came in order. */
void read_all_seek(kb_reader *reader, uint32_t rank, uint64_t ops);

#endif

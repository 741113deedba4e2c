/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random definitions and ops of every kind, for tests of writers and readers.
 *
 * The records are well-formed, not sensible: no program could have made them. Half of their numbers
 * go on regularly, as a real trace's do, the others are extreme.
 */
#ifndef KB_TESTS_RECORDS_H
#define KB_TESTS_RECORDS_H

#include "kbtrace/defs.h"
#include "kbtrace/run.h"
#include "support/random.h"

typedef struct records {
    random_source random;
    kb_defs defs;
    kb_run run;
    uint32_t ranks;
    uint32_t streams_per_rank;
    struct records_rank *state; /* [ranks] */
    bool wild;                  /* extreme numbers; else as regular as a program's */
} records;

/* Fails the test where memory runs out. */
void records_init(records *records, uint64_t seed, uint32_t ranks, bool wild);
void records_fini(records *records);

/* The next op of a rank; what it points to lives until the next call for any rank. */
const kb_op *records_next(records *records, uint32_t rank);

/* Equal in everything that a trace carries, location included. */
bool records_equal(const kb_op *a, const kb_op *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace of a program with all that ranks do beside collectives, right in every record, for tests to
 * spoil: hosts that write and read, two launches, scratch memory, a peek, DMA to another's memory, queues in
 * every memory, fences and barriers.
 */
#ifndef KB_TESTS_PROGRAM_H
#define KB_TESTS_PROGRAM_H

#include "support/made.h"

enum { PROGRAM_RANKS = 3, PROGRAM_ELEMENTS = 32, PROGRAM_BYTES = 2 * PROGRAM_ELEMENTS, PROGRAM_SLOTS = 2 };

/* Places: in HBM the input x, the result y and what a neighbour writes, z; in TCM scratch. */
enum {
    PROGRAM_X_AT = 0,
    PROGRAM_Y_AT = 0x1000,
    PROGRAM_Z_AT = 0x2000,
    PROGRAM_SCRATCH_AT = 0x400,
    PROGRAM_RINGS_AT = 0x8000
};

typedef struct program_rank {
    made_op *write, *launches[2], *alloc, *load, *assume, *scale, *store, *fence, *barriers[2], *fetch, *free;
    made_op *second, *reload; /* the first of the second launch */
    made_op *copies[4], *recvs[4], *adds[4], *releases[4], *read, *wait;
} program_rank;

typedef struct program {
    made_trace made;
    program_rank ranks[PROGRAM_RANKS];
    uint32_t queues[PROGRAM_RANKS]; /* from a rank to the next */
} program;

/* Its ops may be spoilt until made_write(&it->made, …). */
void program_make(program *it);

#endif

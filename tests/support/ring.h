/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace of a ring all-reduce, made by hand and right in every record, for tests to spoil.
 *
 *   ring it;
 *   ring_make(&it, &(ring_shape){.ranks = 5, .elements = 1000});
 *   ring_op *op = ring_find(&it, 3, KB_OP_IPCQ_COPY, 2);     the third copy of rank 3
 *   op->offsets[1] += 2;
 *   ring_write(&it, &disk.fs, "run.zst");
 *   ring_fini(&it);
 *
 * Knows nothing of the simulator: its times are simple, and its claims are those of the protocol.
 */
#ifndef KB_TESTS_RING_H
#define KB_TESTS_RING_H

#include "kbtrace/defs.h"
#include "kbtrace/writer.h"

typedef struct ring_shape {
    uint32_t ranks;
    uint64_t elements;
    uint32_t dtype;   /* 0: f16 */
    uint32_t reduce;  /* KB_REDUCE_…; 0: sum */
    uint32_t recipe;  /* KB_RECIPE_…; 0: ints */
    double low, high; /* both 0: integers from -8 to 8 */
    uint32_t slots;   /* 0: 4 */
    uint64_t seed;
} ring_shape;

typedef struct ring_op {
    kb_op op;
    kb_template what;
    kb_operand operands[3];
    kb_claim claims[4];
    kb_why whys[1];
    kb_blame blames[1];
    uint64_t offsets[3], claimed[4];
} ring_op;

typedef struct ring {
    ring_shape shape;
    kb_arena arena;
    kb_defs defs;
    kb_run run;
    ring_op **ops;    /* [ranks], each in the order of its numbers */
    size_t *op_count; /* [ranks] */
    kb_ending ending;
} ring;

/* Where a rank's tensor `x` begins in its TCM, which is memory `rank`; its ring begins at RING_AT. */
enum { RING_X_AT = 0x1000, RING_AT = 0x40000, RING_TCM_SIZE = 0x100000 };

void ring_make(ring *it, const ring_shape *shape);
void ring_fini(ring *it);

/* The n-th op of a kind in a rank, from 0; fails the test where there is none. */
ring_op *ring_find(ring *it, uint32_t rank, uint32_t kind, size_t n);
size_t ring_count(const ring *it, uint32_t rank, uint32_t kind);

/* Takes an op out: later ones move up, claims on it go, and claims on later ones follow them. */
void ring_drop(ring *it, uint32_t rank, uint64_t index);

/* Gives the op a claim on one op. */
void ring_claim(ring_op *op, uint32_t role, uint32_t rank, uint64_t index, uint32_t point);
void ring_unclaim(ring_op *op, uint32_t role);

/* As ring_write, but says how it went. */
kb_status ring_try_write(ring *it, const kb_fs *fs, const char *path, kb_trail *trail);
void ring_write(ring *it, const kb_fs *fs, const char *path);

#endif

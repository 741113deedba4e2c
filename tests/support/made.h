/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace made op by op, for tests of what replays it. Each rank has one PE.
 *
 *   made_trace it;
 *   made_init(&it, 2);
 *   made_op *launch = made_launch(&it, 0, 0);
 *   made_op *add = made_add(&it, made_pe(0), KB_OP_MATH, KB_BLOCKS_DONE);
 *   made_touch(add, TCM(0), KB_ACCESS_WRITE, KB_DTYPE_F16, 64, 8);
 *   ...
 *   made_write(&it, &disk.fs, "run.zst");
 *
 * Ops are added in an order in which they could run. Times follow from that: an op is issued when its
 * stream is free, starts when what it claims has happened, and takes as long as `cost_ps` says. Claims of a
 * launch, of an engine's former op and of a launch's completion are made by themselves.
 */
#ifndef KB_TESTS_MADE_H
#define KB_TESTS_MADE_H

#include "kbtrace/defs.h"
#include "kbtrace/writer.h"

enum { MADE_OPS = 4096, MADE_RANKS = 8, MADE_SIZE = 1 << 20 };

/* Ids: of memories, streams, engines. */
#define TCM(rank) (3 * (uint32_t)(rank))
#define HBM(rank) (3 * (uint32_t)(rank) + 1)
#define SRAM(rank) (3 * (uint32_t)(rank) + 2)
#define PE(rank) (2 * (uint32_t)(rank))
#define HOST(rank) (2 * (uint32_t)(rank) + 1)

typedef struct made_op {
    kb_op op;
    kb_template what;
    kb_operand operands[4];
    kb_claim claims[6];
    struct made_op *claimed[6];
    uint64_t offsets[4], claimed_index[6], immediate;
    kb_why why;
    kb_blame blame;
    int64_t cost_ps;
    uint32_t rank;
    size_t order; /* in which they were added */
    bool timed;
    struct made_op *launch; /* that it is of */
    uint8_t payload[64];
} made_op;

typedef struct made_trace {
    kb_defs defs;
    kb_run run;
    uint32_t ranks;
    made_op *ops;
    size_t count;
    made_op *launches[MADE_RANKS], *former[2 * MADE_RANKS], *served[2 * MADE_RANKS];
    bool timed;
    bool begins[MADE_RANKS]; /* the next op of the rank's PE is the first of a launch */
    size_t open_bytes;       /* as the writer's: small ones make many frames; 0: its own */
    kb_ending ending;
} made_trace;

void made_init(made_trace *it, uint32_t ranks);
void made_fini(made_trace *it);

/* --- definitions --------------------------------------------------------------------------------- */

/* Contents before the first op. */
void made_initial(made_trace *it, uint32_t memory, uint32_t dtype, uint64_t offset, uint64_t elements,
                  uint64_t seed);

/* From a rank's PE to another's, its ring in one of the other's memories. */
uint32_t made_queue(made_trace *it, uint32_t from, uint32_t to, uint32_t memory, uint64_t offset,
                    uint32_t slots, uint64_t slot_bytes);

/* --- ops ------------------------------------------------------------------------------------------- */

void made_claim(made_op *op, uint32_t role, made_op *whom, uint32_t point);
void made_claim_set(made_op *op, uint32_t role, uint32_t set, uint32_t point);

/* Takes the claims of a role away. */
void made_unclaim(made_op *op, uint32_t role);

made_op *made_add(made_trace *it, uint32_t stream, uint32_t kind, uint32_t blocks);

/* Starts a kernel in a rank; what is added to the rank's PE from now on is of it. */
made_op *made_launch(made_trace *it, uint32_t rank, uint64_t id);

/* The op's next operand. */
void made_view(made_op *op, uint64_t offset, kb_operand view);
void made_touch(made_op *op, uint32_t memory, uint32_t access, uint32_t dtype, uint64_t offset,
                uint64_t elements);

/* dst = src, whichever DMA does it. */
made_op *made_move(made_trace *it, uint32_t stream, uint32_t kind, uint32_t blocks, uint32_t to,
                   uint64_t to_offset, uint32_t from, uint64_t from_offset, uint64_t elements);

made_op *made_wait(made_trace *it, made_op *whom, uint32_t point);
made_op *made_fence(made_trace *it, uint32_t stream);
made_op *made_barrier(made_trace *it, uint32_t stream, uint64_t id);

/* One op of a queue's message; `claimed`: the copy of a receive, the release of a copy, or NULL. */
made_op *made_message(made_trace *it, uint32_t queue, uint32_t kind, uint64_t sequence, uint64_t elements,
                      uint32_t source, uint64_t source_offset, made_op *claimed);

/* Gives every op its times; to spoil them, call it before the trace is written. */
void made_times(made_trace *it);

/* Numbers the ops of each rank, and writes them; as made_try_write(), but fails the test. */
void made_write(made_trace *it, const kb_fs *fs, const char *path);
kb_status made_try_write(made_trace *it, const kb_fs *fs, const char *path, kb_trail *trail);

#endif

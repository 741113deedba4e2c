/* SPDX-License-Identifier: Apache-2.0 */
/* Making the program, rank by rank; see program.h. */
#include "support/program.h"

#include <string.h>

static made_op *range(made_trace *it, uint32_t rank, uint32_t kind, uint64_t id) {
    made_op *op = made_add(it, PE(rank), kind, KB_BLOCKS_DONE);
    made_touch(op, TCM(rank), KB_ACCESS_WRITE, KB_DTYPE_BYTES, PROGRAM_SCRATCH_AT, PROGRAM_BYTES);
    op->op.id = id;
    op->cost_ps = 0;
    return op;
}

/* out = a (+ b) in scratch. */
static made_op *math(made_trace *it, uint32_t rank, uint32_t func, uint32_t memory, uint64_t offset) {
    made_op *op = made_add(it, PE(rank), KB_OP_MATH, KB_BLOCKS_DONE);
    op->what.func = func;
    made_touch(op, TCM(rank), KB_ACCESS_WRITE, KB_DTYPE_F16, PROGRAM_SCRATCH_AT, PROGRAM_ELEMENTS);
    made_touch(op, TCM(rank), KB_ACCESS_READ, KB_DTYPE_F16, PROGRAM_SCRATCH_AT, PROGRAM_ELEMENTS);
    if (func == KB_FUNC_ADD)
        made_touch(op, memory, KB_ACCESS_READ, KB_DTYPE_F16, offset, PROGRAM_ELEMENTS);
    return op;
}

/* x of the host into scratch, doubled, to the next rank's z; behind a barrier the own z is fetched. */
static void add_first(program *it, uint32_t rank) {
    made_trace *made = &it->made;
    program_rank *ops = &it->ranks[rank];
    uint32_t next = (rank + 1) % PROGRAM_RANKS;
    ops->write = made_add(made, HOST(rank), KB_OP_HOST_WRITE, KB_BLOCKS_DONE);
    made_touch(ops->write, HBM(rank), KB_ACCESS_WRITE, KB_DTYPE_F16, PROGRAM_X_AT, PROGRAM_ELEMENTS / 2);
    for (size_t i = 0; i < PROGRAM_BYTES / 2; i++)
        ops->write->payload[i] = (uint8_t)(i % 2 != 0 ? 0x3C + rank : 16 * i);
    ops->write->op.payload_size = PROGRAM_BYTES / 2;
    ops->launches[0] = made_launch(made, rank, 0);
    ops->alloc = range(made, rank, KB_OP_ALLOC, 1);
    ops->load = made_move(made, PE(rank), KB_OP_DMA_READ, KB_BLOCKS_DONE, TCM(rank), PROGRAM_SCRATCH_AT,
                          HBM(rank), PROGRAM_X_AT, PROGRAM_ELEMENTS);
    ops->assume = made_add(made, PE(rank), KB_OP_ASSUME, KB_BLOCKS_DONE);
    made_touch(ops->assume, HBM(rank), KB_ACCESS_READ, KB_DTYPE_F16, PROGRAM_X_AT + 2, 1);
    ops->assume->op.value = (uint64_t)(0x3C + rank) << 8 | 32;
    ops->scale = math(made, rank, KB_FUNC_MUL_SCALAR, 0, 0);
    double two = 2.0;
    memcpy(&ops->scale->immediate, &two, sizeof two);
    ops->scale->what.immediate_count = 1;
    ops->store = made_move(made, PE(rank), KB_OP_DMA_WRITE, KB_BLOCKS_NO, HBM(next), PROGRAM_Z_AT, TCM(rank),
                           PROGRAM_SCRATCH_AT, PROGRAM_ELEMENTS);
    ops->fence = made_fence(made, PE(rank));
    ops->barriers[0] = made_barrier(made, PE(rank), 0);
}

/* Scratch is freed and taken anew; z of the neighbour goes round through rings, and is added up in y. */
static void add_second(program *it, uint32_t rank) {
    made_trace *made = &it->made;
    program_rank *ops = &it->ranks[rank];
    ops->fetch = made_move(made, PE(rank), KB_OP_DMA_READ, KB_BLOCKS_DONE, TCM(rank), PROGRAM_SCRATCH_AT,
                           HBM((rank + 2) % PROGRAM_RANKS), PROGRAM_Z_AT, PROGRAM_ELEMENTS);
    made_move(made, PE(rank), KB_OP_DMA_WRITE, KB_BLOCKS_DONE, HBM(rank), PROGRAM_Y_AT, TCM(rank),
              PROGRAM_SCRATCH_AT, PROGRAM_ELEMENTS);
    ops->free = range(made, rank, KB_OP_FREE, 1);
}

static void add_rings(program *it) {
    made_trace *made = &it->made;
    for (uint64_t s = 0; s < 4; s++) {
        for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++) {
            program_rank *ops = &it->ranks[rank], *next = &it->ranks[(rank + 1) % PROGRAM_RANKS];
            ops->copies[s] =
                made_message(made, it->queues[rank], KB_OP_IPCQ_COPY, s, PROGRAM_ELEMENTS, HBM(rank),
                             PROGRAM_Y_AT, s >= PROGRAM_SLOTS ? next->releases[s - PROGRAM_SLOTS] : NULL);
        }
        for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++) {
            program_rank *ops = &it->ranks[rank],
                         *before = &it->ranks[(rank + PROGRAM_RANKS - 1) % PROGRAM_RANKS];
            uint32_t queue = it->queues[(rank + PROGRAM_RANKS - 1) % PROGRAM_RANKS];
            const kb_queue *of = &made->defs.queues[queue];
            ops->recvs[s] =
                made_message(made, queue, KB_OP_IPCQ_RECV, s, PROGRAM_ELEMENTS, 0, 0, before->copies[s]);
            ops->adds[s] =
                math(made, rank, KB_FUNC_ADD, of->memory, of->offset_bytes + s % of->slots * of->slot_bytes);
            ops->releases[s] = made_message(made, queue, KB_OP_IPCQ_RELEASE, s, PROGRAM_ELEMENTS, 0, 0, NULL);
        }
    }
}

void program_make(program *it) {
    memset(it, 0, sizeof *it);
    made_init(&it->made, PROGRAM_RANKS);
    made_trace *made = &it->made;
    for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++) {
        uint32_t next = (rank + 1) % PROGRAM_RANKS, memories[] = {TCM(next), HBM(next), SRAM(next)};
        made_initial(made, HBM(rank), KB_DTYPE_F16, PROGRAM_X_AT + PROGRAM_BYTES / 2, PROGRAM_ELEMENTS / 2,
                     rank);
        it->queues[rank] =
            made_queue(made, rank, next, memories[rank % 3], PROGRAM_RINGS_AT, PROGRAM_SLOTS, PROGRAM_BYTES);
    }
    for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++)
        add_first(it, rank);
    for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++)
        add_second(it, rank);
    for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++) {
        it->ranks[rank].launches[1] = made_launch(made, rank, 1);
        it->ranks[rank].second = range(made, rank, KB_OP_ALLOC, 2);
        it->ranks[rank].reload = made_move(made, PE(rank), KB_OP_DMA_READ, KB_BLOCKS_DONE, TCM(rank),
                                           PROGRAM_SCRATCH_AT, HBM(rank), PROGRAM_Y_AT, PROGRAM_ELEMENTS);
    }
    add_rings(it);
    for (uint32_t rank = 0; rank < PROGRAM_RANKS; rank++) {
        program_rank *ops = &it->ranks[rank];
        ops->wait = made_wait(made, ops->copies[3], KB_POINT_SENT);
        ops->barriers[1] = made_barrier(made, PE(rank), 1);
        made_move(made, PE(rank), KB_OP_DMA_WRITE, KB_BLOCKS_DONE, HBM(rank), PROGRAM_Y_AT, TCM(rank),
                  PROGRAM_SCRATCH_AT, PROGRAM_ELEMENTS);
        range(made, rank, KB_OP_FREE, 2);
        ops->read = made_add(made, HOST(rank), KB_OP_HOST_READ, KB_BLOCKS_DONE);
        made_touch(ops->read, HBM(rank), KB_ACCESS_READ, KB_DTYPE_F16, PROGRAM_Y_AT, PROGRAM_ELEMENTS);
    }
}

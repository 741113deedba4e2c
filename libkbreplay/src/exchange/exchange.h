/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchange: the one way by which bytes cross from rank to rank.
 *
 * A memory has one owner, a rank. An op runs for the rank whose op it is; most of its operands lie in
 * memories of that rank. What lies in another's memory is touched through an exchange and in no other
 * way, so ranks can be spread over places that share no memory. Only src/op asks it.
 *
 * Where all ranks share one address space (exchange_shared) everything is in reach, and nothing is
 * ever fetched or stored: that two ops do not touch one rank's memory at the same time, and in which
 * order they do, is what src/play sees to, by lines of owners.
 *
 * An implementation over messages (MPI), one process for a share of the ranks:
 * - Each process walks all records, so all agree on the order of the walk and on the number that each
 *   op has in it: (number, place of the operand) is a message's tag. Checks of records run in each, or in
 *   one of them; checks of bytes run where the op runs. What src/play passes over, all pass over.
 * - reach() gives the process's own memories for a memory that one of its ranks owns, else NULL.
 * - An op of a rank of the process is run, at the head of the lines of those of its owners that are here.
 *   It stands in no line of others; instead each operand of theirs that it reads counts among what it
 *   awaits (kbr_turn.awaited) until its message has come. So no thread ever waits inside an op.
 * - An op of another process that names memories of ours is served at the head of those owners' lines,
 *   without knowing its kind: each operand in our memory that it reads (access read or update) is sent,
 *   whole, its bytes in the order of its elements and a bit of definedness for each, and nobody waits for
 *   that to arrive; then the turn stays at the head of the lines of what the op writes here until these
 *   operands have come, and stores them. `alloc`, `free` and ops that never were done write *undefined*,
 *   which needs no message: the owner does it as it passes.
 * - fetch() takes the operand, or a part, out of its message, which stays until the op has run: checks may
 *   have asked for it before. store() sends.
 * - Waiting cannot go in a circle: a turn waits for turns that are earlier in the order of the walk, here or
 *   elsewhere, or for the other half of its own op; and the earliest op that has not run waits for nobody.
 * - What is found (findings, errors, digests of memories) is collected from all at the end.
 */
#ifndef KBREPLAY_SRC_EXCHANGE_H
#define KBREPLAY_SRC_EXCHANGE_H

#include "pass.h"

typedef struct kbr_exchange {
    /* The memories in which the bytes of `memory` may be touched directly by an op of `rank`, or NULL. */
    kbr_memories *(*reach)(struct kbr_exchange *exchange, uint32_t rank, uint32_t memory);
    /*
     * These three are asked for what is out of reach alone; NULL where nothing is. The view is an operand
     * of the op that `pass` runs, or a part of one. It goes by the order of its elements; `bits` tells
     * which bytes are defined (see memory.h), NULL: nobody asks, or all are.
     */
    kb_status (*fetch)(struct kbr_exchange *exchange, kbr_pass *pass, const kb_operand *view, uint64_t offset,
                       uint8_t *bytes, uint8_t *bits, kb_trail *trail);
    kb_status (*store)(struct kbr_exchange *exchange, kbr_pass *pass, const kb_operand *view, uint64_t offset,
                       const uint8_t *bytes, const uint8_t *bits, kb_trail *trail);
    kb_status (*undefine)(struct kbr_exchange *exchange, kbr_pass *pass, const kb_operand *view,
                          uint64_t offset, kb_trail *trail);
} kbr_exchange;

static inline kbr_memories *kbr_exchange_reach(const kbr_pass *pass, uint32_t memory) {
    return pass->exchange->reach(pass->exchange, pass->rank, memory);
}

/* All ranks in one address space. */
typedef struct kbr_exchange_shared {
    kbr_exchange exchange;
    kbr_memories *memories;
} kbr_exchange_shared;

/* `memories` must outlive it. */
void kbr_exchange_shared_init(kbr_exchange_shared *shared, kbr_memories *memories);

#endif

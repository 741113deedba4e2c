/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine without programs: its fabric, and PEs of which only the DMA is there. Ops are handed over by
 * hand, with the times at which a sequencer would have done so.
 */
#ifndef KB_TESTS_BARE_H
#define KB_TESTS_BARE_H

#include "pe/dma.h"

typedef struct bare {
    kbs_machine machine; /* set by the test, before bare_init */
    kbs_program program; /* of which only the fabric is used */
    kbs_sim *sim;        /* between bare_start and bare_stop */
    kb_trail trail;
} bare;

void bare_set(bare *of, const char *path, const char *value);

void bare_init(bare *of);
void bare_fini(bare *of);

/* A route, asked for before bare_start. */
const kbs_route *bare_route(bare *of, kbs_place from, kbs_place to, uint32_t channel);

/* Everything is idle; `fuse` as kbs_routes_settle. */
void bare_start(bare *of, bool fuse);
/* Runs until nothing is left to do. */
void bare_run(bare *of);
void bare_stop(bare *of);

/* A new op of a PE whose sequencer hands it over at ready_ps; both operands lie at one offset. */
kbs_op *bare_op(bare *of, uint32_t pe, kbs_shape *shape, uint64_t offset_bytes, int64_t ready_ps);

/*
 * Bytes that go as a queue sends them: packet after packet, each when the one before was sent. Its op must
 * have a start, and bytes.
 */
typedef struct bare_copy {
    kbs_op *op;
    bare *of;
    uint64_t injected;
    uint32_t packets, seen;
} bare_copy;
void bare_copy_begin(bare_copy *copy, bare *of, kbs_op *op, const kbs_route *route);

#endif

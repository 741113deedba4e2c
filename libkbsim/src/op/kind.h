/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pass one knows of a kind of op: who serves it, what it costs the sequencer, and how its times come
 * to be.
 */
#ifndef KBSIM_SRC_KIND_H
#define KBSIM_SRC_KIND_H

#include "pe/sim.h"

typedef struct kbs_kind {
    uint32_t engine; /* KB_ENGINE_… that serves it */
    bool is_free;    /* takes no dispatch */
    /*
     * The sequencer hands `op` over at op->ready_ps, which may lie ahead of the clock. Finds the op's
     * times, or leaves it where somebody will. Returns false when the engine's line is full: then it has
     * arranged that the sequencer is woken when there is room, and will be called again. May not wake
     * sequencers but through kbs_pe_wake().
     */
    bool (*begin)(kbs_pe *pe, kbs_op *op);
    /* What the unfinished `op` waits for, in words; NULL where it never waits. */
    void (*explain)(const kbs_pe *pe, const kbs_op *op, char *buffer, size_t buffer_size);
} kbs_kind;

#define KBS_KIND(NAME, name) extern const kbs_kind kbs_kind_##name;
#include "op/kinds.def"
#undef KBS_KIND

/* Of a kind that was recorded. */
const kbs_kind *kbs_kind_of(uint32_t kind);

#endif

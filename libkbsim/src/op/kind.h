/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pass one knows of a kind of op: who serves it, what it costs the sequencer, and how its times come
 * to be.
 */
#ifndef KBSIM_SRC_KIND_H
#define KBSIM_SRC_KIND_H

#include <assert.h>

#include "lint/words.h"
#include "pe/sim.h"

/* What an unfinished op waits for: words, and whom. */
typedef struct kbs_reason {
    kbs_words words;
    const kbs_op *op; /* an op that was issued and must go on first, or NULL */
    const kbs_pe *on; /* else the stream that must go on; NULL: nobody will bring what it waits for */
} kbs_reason;

typedef struct kbs_kind {
    uint32_t engine; /* KB_ENGINE_… that serves it in a PE's stream; in a host's all are the host's */
    bool is_free;    /* takes no dispatch */
    /*
     * The sequencer hands `op` over at op->ready_ps, which may lie ahead of the clock. Finds the op's
     * times, or leaves it where somebody will. Returns false when the engine's line is full: then it has
     * arranged that the sequencer is woken when it is known when there is room (pe->full), or knows it
     * (pe->full is NULL, pe->room_ps), and will be called again. May not wake sequencers but through
     * kbs_pe_wake().
     */
    bool (*begin)(kbs_pe *pe, kbs_op *op);
    /* What the unfinished `op` waits for; *ret is zeros. NULL where it never waits. */
    void (*explain)(const kbs_pe *pe, const kbs_op *op, kbs_reason *ret);
} kbs_kind;

#define KBS_KIND(NAME, name) extern const kbs_kind kbs_kind_##name;
#include "op/kinds.def"
#undef KBS_KIND

/* A begin() of what takes no time. */
bool kbs_mark(kbs_pe *pe, kbs_op *op);

/* By KB_OP_…; NULL for a kind that cannot be timed. */
extern const kbs_kind *const kbs_kinds[KB_OP_LIMIT];

/* Of a kind that was recorded. */
static inline const kbs_kind *kbs_kind_of(uint32_t kind) {
    assert(kind < KB_OP_LIMIT && kbs_kinds[kind] != NULL);
    return kbs_kinds[kind];
}

#endif

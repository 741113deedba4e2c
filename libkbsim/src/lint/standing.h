/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a program stands still: every op that cannot go on waits for one thing, and that for another. Whoever
 * follows them comes back to where it was, or to something that nobody will ever bring.
 *
 * Ops are nodes, numbers of whoever knows them: the simulation once it has come to a standstill, or a
 * program's execution without time.
 */
#ifndef KBSIM_SRC_STANDING_H
#define KBSIM_SRC_STANDING_H

#include "kbsim/lint.h"
#include "lint/words.h"

#define KBS_NOWHERE UINT64_C(0) /* no node */

/* An op that cannot go on, as a node's owner tells of it. */
typedef struct kbs_stand {
    const kbs_common *common;
    const tl_stream *stream;
    bool has_number;
    bool is_quiet;         /* not worth a word where it is only behind: a host that waits for its PEs */
    uint64_t step, number; /* number: in the trace, where it has one */
    uint64_t order;        /* among the ops of its stream */
    kbs_words words;
    uint64_t next;        /* the op that must go on before, or KBS_NOWHERE */
    const tl_stream *end; /* then, perhaps, a stream that would have to go on and has nothing left to do */
} kbs_stand;

typedef struct kbs_standing {
    const kbs_program *program;
    void *context;
    /* The op that a stream stands at, by place: PEs', then hosts'. KBS_NOWHERE: it has nothing left to do. */
    kb_status (*stands_at)(void *context, uint32_t stream, uint64_t *ret, kb_trail *trail);
    /* *ret is zeros. */
    kb_status (*look)(void *context, uint64_t node, kbs_stand *ret, kb_trail *trail);
} kbs_standing;

/* All that is told lives in the arena. */
kb_status kbs_standing_explain(const kbs_standing *standing, kb_arena *arena, kbs_standstill *ret,
                               kb_trail *trail) KB_MUST_USE;

#endif

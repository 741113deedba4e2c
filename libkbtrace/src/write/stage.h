/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops between being put and being encoded: the canonical words of each rank's, side by side, so that
 * the digest takes them in long pieces; and the order in which all of them came.
 */
#ifndef KBTRACE_SRC_STAGE_H
#define KBTRACE_SRC_STAGE_H

#include "wire/wire.h"
#include "write/intern.h"

/* An op in the order in which it came. */
typedef struct kb_staged {
    kb_known *known;
    uint32_t next;       /* of its rank, or KB_NONE */
    uint32_t payload_at; /* in `payloads` */
} kb_staged;

/* A counter's value, and the rank that the counter is of. */
typedef struct kb_staged_sample {
    int64_t time_ps, value;
    uint32_t counter, rank;
} kb_staged_sample;

typedef struct kb_stage_rank {
    uint64_t *words; /* of its ops; KB_PUT_BEYOND more may be read */
    uint32_t count, capacity;
    uint32_t first, last; /* its ops, where there are some */
} kb_stage_rank;

typedef struct kb_stage {
    const kb_alloc *alloc;
    kb_stage_rank *ranks;
    uint32_t rank_count;
    uint32_t rank_words; /* a rank's usual capacity */
    uint32_t most_ops;   /* that wait */
    uint32_t op_count, touched_count;
    size_t word_count, most_words;
    bool has_new; /* templates of which these are the first ops */
    kb_buffer payloads;
    kb_buffer samples; /* kb_staged_sample each */
    kb_buffer rows;    /* of definitions that are new, as kb_row_log_note() makes them */
    kb_staged *ops;    /* [most_ops] */
    uint32_t *touched; /* [most_ops]: the ranks that have ops here */
} kb_stage;

/* For packets that are closed when they have open_bytes. */
kb_status kb_stage_init(kb_stage *stage, const kb_alloc *alloc, uint32_t ranks, size_t open_bytes,
                        kb_trail *trail) KB_MUST_USE;
void kb_stage_fini(kb_stage *stage);

/* False where the stage must be cleared first. */
bool kb_stage_has_room(const kb_stage *stage);

/*
 * Takes the next op of its rank where that needs no more than to write its words: nearly always. Else
 * returns false, and has done nothing.
 */
bool kb_stage_add(kb_stage *stage, kb_known *known, const kb_op *op);

/* Takes any; there must be room. */
kb_status kb_stage_take(kb_stage *stage, kb_known *known, const kb_op *op, kb_trail *trail) KB_MUST_USE;

/* All that was taken is encoded and digested. */
kb_status kb_stage_clear(kb_stage *stage, kb_trail *trail) KB_MUST_USE;

#endif

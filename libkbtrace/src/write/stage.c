/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that wait to be encoded: see stage.h. */
#include "write/stage.h"

#include <assert.h>

#include "words/digest.h"
#include "write/packet.h"

/*
 * Ops of all ranks together, and of each where there are many: what a rank's packet and templates need is
 * fetched once for several of them. A stage is small beside what the packets hold, so that these are closed
 * about when they should be.
 */
enum { OPS_LEAST = 16, OPS_USUAL = 2048, OPS_A_RANK = 8, OPEN_BYTES_AN_OP = 64 };

/* Words: of all ops about half as many again as most have; of a rank, where there are many or few. */
enum { WORDS_AN_OP = 32, WORDS_LEAST = 128, WORDS_MOST = 64 << 10 };

/* Bytes of payloads, but for those of the last op. */
enum { PAYLOADS_MOST = 64 << 10 };

static uint32_t between(size_t least, size_t value, size_t most) {
    return (uint32_t)(value < least ? least : value > most ? most : value);
}

static uint32_t ops_of(uint32_t ranks, size_t open_bytes) {
    const size_t grouped = (size_t)OPS_A_RANK * ranks;
    return between(OPS_LEAST, open_bytes / OPEN_BYTES_AN_OP, grouped > OPS_USUAL ? grouped : OPS_USUAL);
}

kb_status kb_stage_init(kb_stage *stage, const kb_alloc *alloc, uint32_t ranks, size_t open_bytes,
                        kb_trail *trail) {
    void *block;
    *stage = (kb_stage){.alloc = alloc, .rank_count = ranks, .most_ops = ops_of(ranks, open_bytes)};
    stage->most_words = (size_t)WORDS_AN_OP * (stage->most_ops > OPS_USUAL ? stage->most_ops : OPS_USUAL);
    stage->rank_words = between(WORDS_LEAST, stage->most_words / ranks, WORDS_MOST);
    kb_buffer_init(&stage->payloads, alloc);
    kb_buffer_init(&stage->samples, alloc);
    kb_buffer_init(&stage->rows, alloc);
    KB_TRY(kb_new_zeroed(alloc, ranks * sizeof *stage->ranks, &block, trail));
    stage->ranks = block;
    KB_TRY(kb_new(alloc, stage->most_ops * sizeof *stage->ops, &block, trail));
    stage->ops = block;
    KB_TRY(kb_new(alloc, stage->most_ops * sizeof *stage->touched, &block, trail));
    stage->touched = block;
    return KB_OK;
}

void kb_stage_fini(kb_stage *stage) {
    for (uint32_t i = 0; stage->ranks != NULL && i < stage->rank_count; i++)
        kb_delete(stage->alloc, stage->ranks[i].words, stage->ranks[i].capacity * sizeof(uint64_t));
    kb_delete(stage->alloc, stage->ranks, stage->rank_count * sizeof *stage->ranks);
    kb_delete(stage->alloc, stage->ops, stage->most_ops * sizeof *stage->ops);
    kb_delete(stage->alloc, stage->touched, stage->most_ops * sizeof *stage->touched);
    kb_buffer_fini(&stage->payloads);
    kb_buffer_fini(&stage->samples);
    kb_buffer_fini(&stage->rows);
    *stage = (kb_stage){.alloc = stage->alloc};
}

/* Words that an op takes, and what may be read behind them. */
static inline size_t words_of(const kb_known *known, const kb_op *op) {
    return known->canonical_count + (op->payload_size > 0 ? KB_CANONICAL_DIGEST : 0u) + KB_PUT_BEYOND;
}

bool kb_stage_has_room(const kb_stage *stage) {
    return stage->op_count < stage->most_ops && stage->word_count < stage->most_words &&
           stage->payloads.size < PAYLOADS_MOST;
}

static kb_status resize(kb_stage *stage, kb_stage_rank *of, size_t wanted, kb_trail *trail) {
    void *block = of->words;
    KB_TRY(
        kb_resize(stage->alloc, of->capacity * sizeof(uint64_t), wanted * sizeof(uint64_t), &block, trail));
    of->words = block;
    of->capacity = (uint32_t)wanted;
    return KB_OK;
}

/* All parts of an op whose template's masks tell in registers. */
static inline uint64_t *put_parts(uint64_t *at, const kb_known *known, const kb_op *op) {
    uint64_t naming = known->naming, blaming = known->blaming;
    for (uint32_t i = 0; i < known->operand_count; i++)
        at = kb_canonical_word(at, op->offsets[i]);
    for (uint32_t i = 0; i < known->claim_count; i++, naming >>= 1)
        at = kb_canonical_word(at, (naming & 1) != 0 ? op->claimed[i] : 0);
    for (uint32_t i = 0; i < known->why_count; i++, blaming >>= 1)
        at = kb_canonical_why(at, &op->blames[i], (blaming & 1) != 0);
    return at;
}

/* An op whose words end at `end`, behind of->last, which may be itself. */
static inline void join(kb_stage *stage, kb_stage_rank *of, kb_known *known, uint32_t payload_at,
                        const uint64_t *end) {
    const uint32_t number = stage->op_count++, count = (uint32_t)(end - of->words);
    stage->ops[of->last].next = number;
    stage->ops[number] = (kb_staged){known, KB_NONE, payload_at};
    of->last = number;
    stage->word_count += count - of->count;
    of->count = count;
}

bool kb_stage_add(kb_stage *stage, kb_known *known, const kb_op *op) {
    kb_stage_rank *of = &stage->ranks[known->rank];
    if (of->count == 0 || !known->is_put || op->payload_size > 0 || kb_known_is_wide(known) ||
        !kb_stage_has_room(stage) || of->capacity - of->count < words_of(known, op))
        return false;
    uint64_t *at = of->words + of->count;
    at = put_parts(kb_canonical_plain(at, &known->digest, op), known, op);
    join(stage, of, known, 0, at);
    return true;
}

kb_status kb_stage_take(kb_stage *stage, kb_known *known, const kb_op *op, kb_trail *trail) {
    kb_stage_rank *of = &stage->ranks[known->rank];
    const uint32_t payload_at = (uint32_t)stage->payloads.size;
    if (op->payload_size > 0)
        KB_TRY(kb_buffer_append(&stage->payloads, op->payload, (size_t)op->payload_size, trail));
    const size_t count = of->count + words_of(known, op);
    if (count >
        of->capacity) /* a rank that puts more than its share grows: the stage has an end of its own */
        KB_TRY(resize(stage, of, count < stage->rank_words ? stage->rank_words : 2 * count, trail));
    if (of->count == 0) {
        of->first = of->last = stage->op_count;
        stage->touched[stage->touched_count++] = known->rank;
    }
    stage->has_new |= !known->is_put;
    known->is_put = true;
    uint64_t *at = of->words + of->count;
    if (kb_known_is_wide(known))
        at = kb_canonical_put(at, &known->digest, &known->key, op);
    else
        at = put_parts(kb_canonical_head(at, &known->digest, op), known, op);
    join(stage, of, known, payload_at, at);
    return KB_OK;
}

kb_status kb_stage_clear(kb_stage *stage, kb_trail *trail) {
    enum { KEPT = 2 }; /* usual capacities that a rank may keep */
    for (uint32_t i = 0; i < stage->touched_count; i++) {
        kb_stage_rank *of = &stage->ranks[stage->touched[i]];
        of->count = 0;
        if (of->capacity > KEPT * (size_t)stage->rank_words)
            KB_TRY(resize(stage, of, KEPT * (size_t)stage->rank_words, trail));
    }
    stage->op_count = stage->touched_count = 0;
    stage->word_count = 0;
    stage->has_new = false;
    stage->payloads.size = stage->samples.size = stage->rows.size = 0;
    if (stage->payloads.capacity > 2 * (size_t)PAYLOADS_MOST)
        kb_buffer_fini(&stage->payloads);
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of records, definitions and runs, over canonical bytes that docs/trace-format.md defines.
 *
 * A rank's ops are digested in blocks of KB_DIGEST_BLOCK by index, so that two traces can be held
 * against each other without reading all of them; a rank's digest is over its blocks', a record
 * digest over its ranks'.
 */
#ifndef KBTRACE_SRC_DIGEST_H
#define KBTRACE_SRC_DIGEST_H

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "kbtrace/defs.h"
#include "kbtrace/run.h"

/* --- canonical bytes -------------------------------------------------------------------------- */

/*
 * An op as its canonical bytes, in words that are little-endian whatever the machine: the template's
 * digest, times and scalars, the payload's digest if there is one, offsets, claimed ops, why-items.
 */
enum kb_canonical_word {
    KB_CANONICAL_DIGEST = 2, /* words of a digest */
    KB_CANONICAL_ISSUE = KB_CANONICAL_DIGEST,
    KB_CANONICAL_START,
    KB_CANONICAL_SENT,
    KB_CANONICAL_DONE,
    KB_CANONICAL_STEP,
    KB_CANONICAL_SEQUENCE,
    KB_CANONICAL_ID,
    KB_CANONICAL_TILE,
    KB_CANONICAL_COLLECTIVE,
    KB_CANONICAL_VALUE,
    KB_CANONICAL_PAYLOAD,
    KB_CANONICAL_BEYOND = 2,
    KB_CANONICAL_PARTS = KB_CANONICAL_PAYLOAD + 1 /* behind the payload's digest, if there is one */
};

/* Words that an op takes, but for the payload's digest. */
size_t kb_canonical_count(const kb_template *what);

static inline uint64_t *kb_canonical_word(uint64_t *at, uint64_t value) {
    *at = htole64(value);
    return at + 1;
}

static inline uint64_t *kb_canonical_digest(uint64_t *at, const kb_digest *digest) {
    memcpy(at, digest->bytes, sizeof digest->bytes);
    return at + KB_CANONICAL_DIGEST;
}

/* What stands before the parts. */
static inline uint64_t *kb_canonical_head(uint64_t *at, const kb_digest *digest, const kb_op *op) {
    at = kb_canonical_digest(at, digest);
    at = kb_canonical_word(at, (uint64_t)op->issue_ps);
    at = kb_canonical_word(at, (uint64_t)op->start_ps);
    at = kb_canonical_word(at, (uint64_t)op->sent_ps);
    at = kb_canonical_word(at, (uint64_t)op->done_ps);
    at = kb_canonical_word(at, op->step);
    at = kb_canonical_word(at, op->sequence);
    at = kb_canonical_word(at, op->id);
    at = kb_canonical_word(at, op->tile);
    at = kb_canonical_word(at, op->collective);
    at = kb_canonical_word(at, op->value);
    at = kb_canonical_word(at, op->payload_size);
    if (op->payload_size > 0) {
        kb_digest payload = kb_digest_of(op->payload, (size_t)op->payload_size);
        at = kb_canonical_digest(at, &payload);
    }
    return at;
}

/* The same, of an op without payload, whose numbers stand in the op as they do here: a few wide moves. */
static inline uint64_t *kb_canonical_plain(uint64_t *at, const kb_digest *digest, const kb_op *op) {
    enum { FIRST = offsetof(kb_op, issue_ps), WORDS = KB_CANONICAL_PAYLOAD - KB_CANONICAL_ISSUE };
    _Static_assert(offsetof(kb_op, value) == FIRST + (WORDS - 1) * sizeof *at, "in the same order");
    at = kb_canonical_digest(at, digest);
    memcpy(at, (const char *)op + FIRST, WORDS * sizeof *at);
    for (size_t i = 0; i < WORDS; i++)
        at[i] = htole64(at[i]);
    return kb_canonical_word(at + WORDS, 0);
}

/* Two words or four; what is not wanted of the four is written over by what follows. */
static inline uint64_t *kb_canonical_why(uint64_t *at, const kb_blame *blame, bool blames) {
    kb_canonical_word(at, (uint64_t)blame->ps);
    kb_canonical_word(at + 1, blame->resource);
    kb_canonical_word(at + 2, blame->rank);
    kb_canonical_word(at + 3, blame->op);
    return at + (blames ? 4 : 2);
}

/*
 * Writes the words of an op of `what`, whose digest is `digest`, and returns where they end. There is
 * room for KB_CANONICAL_BEYOND more.
 */
uint64_t *kb_canonical_put(uint64_t *at, const kb_digest *digest, const kb_template *what, const kb_op *op);

/* --- one rank --------------------------------------------------------------------------------- */

/* One rank's ops, one after another. */
typedef struct kb_rank_digester {
    const kb_alloc *alloc;
    void *state; /* of the open block, made with the first op */
    uint64_t ops;
    uint64_t *words; /* that wait for the hash */
    size_t word_count, word_capacity;
    kb_digest *blocks;
    size_t block_count, block_capacity;
} kb_rank_digester;

void kb_rank_digester_init(kb_rank_digester *digester, const kb_alloc *alloc);
void kb_rank_digester_fini(kb_rank_digester *digester);

/* `what` is the digest of the op's template. */
kb_status kb_rank_digester_add(kb_rank_digester *digester, const kb_digest *what, const kb_op *op,
                               kb_trail *trail) KB_MUST_USE;

/*
 * The same, of `ops` ops whose canonical words are there, one after another: of ops that lie in one
 * block. A digester takes ops in one of these two ways.
 */
kb_status kb_rank_digester_take(kb_rank_digester *digester, const uint64_t *words, size_t count, uint64_t ops,
                                kb_trail *trail) KB_MUST_USE;

/* The digest of one op by itself: of its canonical bytes. */
kb_status kb_op_digest(const kb_digest *what, const kb_op *op, const kb_alloc *alloc, kb_digest *ret_digest,
                       kb_trail *trail) KB_MUST_USE;

/* An op whose record was amended after it was written. */
typedef struct kb_late_digest {
    uint64_t index;
    kb_digest digest;
} kb_late_digest;

/* Of a rank's amended ops; sorts them by index. */
kb_status kb_late_digests(kb_late_digest *late, size_t count, const kb_alloc *alloc, kb_digest *ret_digest,
                          kb_trail *trail) KB_MUST_USE;

/*
 * Closes the open block and tells. A rank with amended ops has their digest behind its blocks'.
 * ret_summary->blocks live as long as the digester.
 */
kb_status kb_rank_digester_end(kb_rank_digester *digester, uint32_t rank, uint64_t late,
                               const kb_digest *late_digest, kb_rank_summary *ret_summary,
                               kb_trail *trail) KB_MUST_USE;

/* Over the digests of `ranks`, which are in the order of rank. */
kb_status kb_record_digest(const kb_rank_summary *ranks, size_t count, const kb_alloc *alloc,
                           kb_digest *ret_digest, kb_trail *trail) KB_MUST_USE;

kb_status kb_definitions_digest(const kb_defs *defs, const kb_alloc *alloc, kb_digest *ret_digest,
                                kb_trail *trail) KB_MUST_USE;

#endif

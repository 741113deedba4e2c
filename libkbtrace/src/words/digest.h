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
    KB_CANONICAL_PARTS /* behind the payload's digest, if there is one */
};

/* Words that an op takes, but for the payload's digest. */
size_t kb_canonical_count(const kb_template *what);

/* Writes the words of an op of `what`, whose digest is `digest`, and returns where they end. */
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

/* The same, of an op whose canonical words are there. */
kb_status kb_rank_digester_take(kb_rank_digester *digester, const uint64_t *words, size_t count,
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

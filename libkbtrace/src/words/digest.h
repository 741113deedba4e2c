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

/* One rank's ops, one after another. */
typedef struct kb_rank_digester {
    const kb_alloc *alloc;
    void *state; /* of the open block, made with the first op */
    uint64_t ops;
    kb_digest *blocks;
    size_t block_count, block_capacity;
} kb_rank_digester;

void kb_rank_digester_init(kb_rank_digester *digester, const kb_alloc *alloc);
void kb_rank_digester_fini(kb_rank_digester *digester);

/* `what` is the digest of the op's template. */
kb_status kb_rank_digester_add(kb_rank_digester *digester, const kb_digest *what, const kb_op *op,
                               kb_trail *trail) KB_MUST_USE;

/* The digest of one op by itself: of its canonical bytes. */
kb_digest kb_op_digest(const kb_digest *what, const kb_op *op);

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

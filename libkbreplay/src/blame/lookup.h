/* SPDX-License-Identifier: Apache-2.0 */
/* Single ops of a trace, read again: for findings, which are few. */
#ifndef KBREPLAY_SRC_LOOKUP_H
#define KBREPLAY_SRC_LOOKUP_H

#include "pass.h"

typedef struct kbr_lookup {
    const kbr_pass *pass;
    kb_cursor *cursor; /* of `rank`; NULL: none yet */
    uint32_t rank;
    uint64_t next; /* the op that the cursor gives next */
} kbr_lookup;

void kbr_lookup_init(kbr_lookup *lookup, const kbr_pass *pass);
void kbr_lookup_fini(kbr_lookup *lookup);

/* An op, which lives until the next call; NULL where there is none. One rank's by rising index are cheap. */
kb_status kbr_lookup_op(kbr_lookup *lookup, uint32_t rank, uint64_t index, const kb_op **ret_op,
                        kb_trail *trail) KB_MUST_USE;
/* As a finding names it; known is false where the trace has none. */
kb_status kbr_lookup_mention(const kbr_pass *pass, uint32_t rank, uint64_t index, kbr_mention *ret_mention,
                             kb_trail *trail) KB_MUST_USE;
/* All ops of findings of which only the number is known; one that the trace does not hold stays so. */
kb_status kbr_lookup_findings(const kbr_pass *pass, kbr_findings *findings, kb_trail *trail) KB_MUST_USE;

#endif

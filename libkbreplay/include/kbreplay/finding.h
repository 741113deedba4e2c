/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finding: what a check has against a trace, with everything a reader needs to look further.
 *
 * A thousand consequences of one cause are one finding with a count: findings of one check with
 * the same rule and key are one, told by the earliest of them. Where several checks see one fault, one of
 * their findings is the cause, and the others follow from it.
 */
#ifndef KBREPLAY_FINDING_H
#define KBREPLAY_FINDING_H

#include "kbtrace/defs.h"

/* An op as a finding names it. */
typedef struct kbr_mention {
    uint32_t rank;
    uint64_t index;
    bool known; /* false: only its number is known, for the trace does not hold it */
    uint16_t kind;
    uint32_t func;
    uint32_t stream;
    uint32_t file, line;
    uint32_t label; /* string id of its step */
    uint64_t step;
    int64_t time_ps; /* its start */
} kbr_mention;

/* An op of the chain by which a wrong value came about. */
typedef struct kbr_chained {
    uint32_t rank;
    uint64_t index;
} kbr_chained;

#define KBR_MENTIONS_MAX 6u
#define KBR_CHAIN_MAX 8u
#define KBR_RULE_CHARS 64
#define KBR_WHERE_CHARS 96
#define KBR_MESSAGE_CHARS 640

typedef struct kbr_finding {
    const char *check;           /* "value": a row of checks.def */
    char rule[KBR_RULE_CHARS];   /* what is wrong, in a few words: "source", "credit" */
    char where[KBR_WHERE_CHARS]; /* "sip0.cube0.pe1.tcm[0x400,+2)", or "" */
    uint32_t memory;             /* of `where`, or KB_NONE */
    uint64_t offset;
    char message[KBR_MESSAGE_CHARS];
    uint32_t rank, pe;                 /* KB_NONE where there is none */
    kbr_mention ops[KBR_MENTIONS_MAX]; /* the culprit first */
    uint32_t op_count;
    uint32_t tensor;  /* id, or KB_NONE */
    uint64_t element; /* of the tensor */
    int64_t time_ps;
    uint64_t count;
    int64_t issue_ps; /* of the first op of a cause; -1 where it is not known */
    uint32_t cause;   /* number of the finding from which it follows; its own where it is a cause itself */
    kbr_chained chain[KBR_CHAIN_MAX]; /* ops of its chain that other findings name */
    uint32_t chain_count;
    bool follows; /* seen while running: may follow from what the same check sees in the records */
    uint64_t key; /* findings that differ only in what follows from one cause share it */
} kbr_finding;

kbr_mention kbr_mention_of(uint32_t rank, const kb_op *op);

/* "#812 dma_write (ring.c:31 reduce-scatter 4)"; the rank is named where it is not `rank`. */
const char *kbr_mention_text(const kb_defs *defs, const kbr_mention *mention, uint32_t rank, char *buffer,
                             size_t buffer_size);

#endif

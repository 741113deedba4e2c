/* SPDX-License-Identifier: Apache-2.0 */
/* The list of findings of a replay: merging, order, and words for them. Bounded, whatever the trace. */
#ifndef KBREPLAY_SRC_FINDINGS_H
#define KBREPLAY_SRC_FINDINGS_H

#include "kbreplay/finding.h"

#define KBR_FINDINGS_MAX 256u

typedef struct kbr_findings {
    kbr_finding *items; /* [KBR_FINDINGS_MAX] */
    size_t count;
    uint64_t overflow; /* found no room */
    /*
     * Findings come from several threads. Of those that differ by check, rule and key, the lowest stay, so
     * that what is in a full list does not depend on the order in which they come; without it, the first.
     */
    bool any_order;
} kbr_findings;

kb_status kbr_findings_init(kbr_findings *findings, const kb_alloc *alloc, kb_trail *trail) KB_MUST_USE;
void kbr_findings_fini(kbr_findings *findings, const kb_alloc *alloc);

/* A finding that blames one op, with nothing else filled in. */
kbr_finding kbr_finding_about(const kb_defs *defs, const char *check, const char *rule, uint32_t rank,
                              const kb_op *op);
void kbr_finding_mention(kbr_finding *finding, const kbr_mention *mention);
void kbr_finding_say(kbr_finding *finding, const char *format, ...) KB_PRINTF(2, 3);
/* "sip0.cube0.pe1.tcm[0x400,+512)" */
void kbr_finding_place(kbr_finding *finding, const kb_defs *defs, uint32_t memory, uint64_t offset,
                       uint64_t size);

/*
 * Adds it, or counts it with those of its check, rule and key; the earliest tells. count 0 is 1. Gives
 * the finding in the list, which stays where it is until they are sorted, or NULL where there is no room.
 */
kbr_finding *kbr_findings_add(kbr_findings *findings, const kbr_finding *finding);

/* Adds all of another list, in its order. */
void kbr_findings_join(kbr_findings *findings, const kbr_findings *from);

/* An op of which a check kept no more than that; kbr_lookup_findings() does the rest. */
kbr_mention kbr_mention_of_number(uint32_t rank, uint64_t index);

/* What a check keeps of each op, so as to name the few of findings: a mention is much larger. */
typedef struct kbr_sighting {
    uint64_t index;
    int64_t time_ps; /* its start */
    uint32_t rank, stream;
} kbr_sighting;

kbr_sighting kbr_sighting_of(uint32_t rank, const kb_op *op);
/* A finding that blames the op, with nothing else filled in. */
kbr_finding kbr_finding_of_sighting(const kb_defs *defs, const char *check, const char *rule,
                                    const kbr_sighting *sighting);
void kbr_finding_mention_sighting(kbr_finding *finding, const kbr_sighting *sighting);

/* By check in the order of the table, then by time, rank and op. */
void kbr_findings_sort(kbr_findings *findings);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derivations: which op touched which bytes, in the order in which ops ran.
 *
 * Kept only when something went wrong and is to be traced back. Holds operands, no data.
 */
#ifndef KBREPLAY_SRC_LOG_H
#define KBREPLAY_SRC_LOG_H

#include "op/op.h"

/* One operand of a logged op. */
typedef struct kbr_touch {
    uint64_t low, high; /* the bytes between which it lies */
    uint64_t offset;
    const kb_operand *view;
} kbr_touch;

typedef struct kbr_entry {
    uint32_t rank;
    uint32_t stream;
    uint64_t index;
    uint64_t collective; /* 1 + id, or 0 */
    int64_t time_ps;
    uint32_t func;
    uint32_t file, line, label;
    uint64_t step;
    uint16_t kind;
    uint8_t flow; /* kbr_flow */
    uint8_t touch_count;
    const kbr_touch *touches;
} kbr_entry;

typedef struct kbr_log {
    kb_arena arena;
    kbr_entry *entries;
    size_t count, capacity;
    const kb_alloc *alloc;
    bool full; /* there were more than it keeps */
} kbr_log;

void kbr_log_init(kbr_log *log, const kb_alloc *alloc);
void kbr_log_fini(kbr_log *log);
kb_status kbr_log_add(kbr_log *log, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;
/* The place of an op's entry; false where it never ran. */
bool kbr_log_find(const kbr_log *log, uint32_t rank, uint64_t index, size_t *ret_entry);
kbr_mention kbr_entry_mention(const kbr_entry *entry);

#endif

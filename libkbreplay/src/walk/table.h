/* SPDX-License-Identifier: Apache-2.0 */
/* A hash of things that are numbered by (rank, index of an op); the things are their owner's. */
#ifndef KBREPLAY_SRC_TABLE_H
#define KBREPLAY_SRC_TABLE_H

#include "kbtrace/memory.h"

/* The first member of what is kept in a table. */
typedef struct kbr_node {
    struct kbr_node *next; /* in its bucket */
    uint64_t index;
    uint32_t rank;
} kbr_node;

typedef struct kbr_table {
    const kb_alloc *alloc;
    kbr_node **buckets;
    size_t bucket_count, count; /* buckets: a power of two, or 0 */
    size_t taken;               /* buckets that were emptied from the first on, while nothing is added */
} kbr_table;

void kbr_table_init(kbr_table *table, const kb_alloc *alloc);
/* The nodes themselves are not touched. */
void kbr_table_fini(kbr_table *table);

kbr_node *kbr_table_find(const kbr_table *table, uint32_t rank, uint64_t index);
/* node->rank and node->index are set, and not in the table yet. */
kb_status kbr_table_add(kbr_table *table, kbr_node *node, kb_trail *trail) KB_MUST_USE;
void kbr_table_remove(kbr_table *table, kbr_node *node);
/* Takes any node out; NULL when it is empty. */
kbr_node *kbr_table_take(kbr_table *table);

#endif

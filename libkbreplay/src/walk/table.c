/* SPDX-License-Identifier: Apache-2.0 */
/* Chained hashing; see table.h. */
#include "walk/table.h"

#include <assert.h>

void kbr_table_init(kbr_table *table, const kb_alloc *alloc) {
    *table = (kbr_table){.alloc = alloc};
}

void kbr_table_fini(kbr_table *table) {
    kb_delete(table->alloc, table->buckets, table->bucket_count * sizeof(kbr_node *));
    *table = (kbr_table){.alloc = table->alloc};
}

/* Eight that follow one another are on one cache line: who asks for one asks for the next soon. */
static size_t bucket_of(const kbr_table *table, uint32_t rank, uint64_t index) {
    uint64_t mixed = ((index >> 3) + ((uint64_t)rank << 40)) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)((mixed >> 32) ^ (index & 7)) & (table->bucket_count - 1);
}

kbr_node *kbr_table_find(const kbr_table *table, uint32_t rank, uint64_t index) {
    if (table->count == 0)
        return NULL;
    kbr_node *it = table->buckets[bucket_of(table, rank, index)];
    while (it != NULL && (it->rank != rank || it->index != index))
        it = it->next;
    return it;
}

static void link_node(kbr_table *table, kbr_node *node) {
    kbr_node **bucket = &table->buckets[bucket_of(table, node->rank, node->index)];
    node->next = *bucket;
    *bucket = node;
}

kb_status kbr_table_add(kbr_table *table, kbr_node *node, kb_trail *trail) {
    if (table->count == table->bucket_count) {
        kbr_table wider = *table;
        wider.bucket_count = table->bucket_count == 0 ? 64 : 2 * table->bucket_count;
        void *buckets;
        KB_TRY(kb_new_zeroed(table->alloc, wider.bucket_count * sizeof(kbr_node *), &buckets, trail));
        wider.buckets = buckets;
        for (size_t i = 0; i < table->bucket_count; i++)
            for (kbr_node *it = table->buckets[i], *next; it != NULL; it = next) {
                next = it->next;
                link_node(&wider, it);
            }
        kb_delete(table->alloc, table->buckets, table->bucket_count * sizeof(kbr_node *));
        *table = wider;
    }
    link_node(table, node);
    table->count++;
    table->taken = 0;
    return KB_OK;
}

void kbr_table_remove(kbr_table *table, kbr_node *node) {
    kbr_node **at = &table->buckets[bucket_of(table, node->rank, node->index)];
    while (*at != node) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = node->next;
    table->count--;
}

kbr_node *kbr_table_take(kbr_table *table) {
    for (; table->count != 0 && table->taken < table->bucket_count; table->taken++)
        if (table->buckets[table->taken] != NULL) {
            kbr_node *node = table->buckets[table->taken];
            kbr_table_remove(table, node);
            return node;
        }
    return NULL;
}

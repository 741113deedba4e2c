/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages: a memory's pieces, found by number; private to src/memory.
 *
 * Undefined bytes of a page are zero, so that what is read of them never depends on history. A page that
 * a snapshot holds is never changed: who wants to write gets a copy in its place.
 */
#ifndef KBREPLAY_SRC_PAGE_H
#define KBREPLAY_SRC_PAGE_H

#include "kbtrace/defs.h"

#define KBR_PAGE_SIZE 16384u

typedef struct kbr_page {
    uint64_t number;
    uint32_t undefined_count; /* bytes */
    uint32_t holders;         /* its memory, and snapshots */
    uint8_t defined[KBR_PAGE_SIZE / 8];
    uint8_t bytes[KBR_PAGE_SIZE];
} kbr_page;

typedef struct kbr_memory {
    kbr_page **slots; /* a hash by number, open addressing; its size is a power of two */
    size_t slot_count, page_count;
    kbr_page *last;           /* the page of the last access */
    const uint32_t *initials; /* ids, in order */
    size_t initial_count;
} kbr_memory;

struct kbr_memories {
    const kb_alloc *alloc;
    const kb_defs *defs;
    kb_arena arena;
    kbr_memory *items;
    uint64_t limit_size, used_size;
};

/* The page, or NULL where none was touched. */
kbr_page *kbr_page_find(kbr_memory *memory, uint64_t number);
/* *ret_page is NULL where nothing was touched and no initial contents lie. */
kb_status kbr_page_reading(struct kbr_memories *memories, uint32_t memory, uint64_t number,
                           kbr_page **ret_page, kb_trail *trail) KB_MUST_USE;
/* The page that may be changed: made, or copied, where need be. */
kb_status kbr_page_writing(struct kbr_memories *memories, uint32_t memory, uint64_t number,
                           kbr_page **ret_page, kb_trail *trail) KB_MUST_USE;
/* One holder lets go of it; the last one's page is gone. */
void kbr_page_release(struct kbr_memories *memories, kbr_page *page);
/* A memory without pages, and one page more of it; the second needs room, which a memory never gives back. */
void kbr_pages_drop(struct kbr_memories *memories, uint32_t memory);
void kbr_pages_take(kbr_memory *memory, kbr_page *page);
/* Makes `page` what the initial contents say about its number. */
void kbr_page_fill(const struct kbr_memories *memories, uint32_t memory, uint64_t number, kbr_page *page);

/* Marks bytes [first, first + count) of a page defined or undefined; undefined ones are cleared. */
void kbr_page_define(kbr_page *page, uint32_t first, uint32_t count);
void kbr_page_undefine(kbr_page *page, uint32_t first, uint32_t count);

static inline bool kbr_bit(const uint8_t *bits, uint64_t at) {
    return (bits[at / 8] >> at % 8 & 1) != 0;
}

#endif

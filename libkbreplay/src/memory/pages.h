/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of each memory: found by number, made of initial contents when something touches them, counted
 * against the limit; private to src/memory.
 *
 * Threads may use different memories at once: all that these share is the count, which is atomic.
 */
#ifndef KBREPLAY_SRC_PAGES_H
#define KBREPLAY_SRC_PAGES_H

#include <stdatomic.h>

#include "kbtrace/defs.h"
#include "memory/page.h"
#include "number/kernels.h"

/* Lies alone on a line of the cache, so that threads do not take it from each other. */
typedef struct kbr_memory {
    _Alignas(64) kbr_page **slots; /* a hash by number, open addressing; its size is a power of two */
    size_t slot_count, page_count;
    kbr_page *last;           /* the page of the last access */
    const uint32_t *initials; /* ids, in order */
    size_t initial_count;
} kbr_memory;

struct kbr_memories {
    const kb_alloc *alloc;
    const kb_defs *defs;
    const kbr_kernels *kernels; /* that draw initial contents */
    kb_arena arena;
    kbr_memory *items;
    uint64_t limit_size;
    _Atomic uint64_t used_size;
};

/* Was the page touched, or would initial contents make it? */
bool kbr_pages_known(struct kbr_memories *memories, uint32_t memory, uint64_t number);
/* *ret_page is NULL where nothing was touched and no initial contents lie. */
kb_status kbr_pages_reading(struct kbr_memories *memories, uint32_t memory, uint64_t number,
                            kbr_page **ret_page, kb_trail *trail) KB_MUST_USE;
/*
 * The page, made, or copied, where need be, so that it may be changed. Bytes [first, first + count) are for
 * the caller to write or to clear, and to mark: until then they may hold anything.
 */
kb_status kbr_pages_writing(struct kbr_memories *memories, uint32_t memory, uint64_t number, uint32_t first,
                            uint32_t count, kbr_page **ret_page, kb_trail *trail) KB_MUST_USE;

/* The page, or NULL where none was touched. */
kbr_page *kbr_pages_find(kbr_memory *memory, uint64_t number);
/* Makes a new page without definedness what the initial contents say about its number, but for a range. */
kb_status kbr_pages_fill(const struct kbr_memories *memories, uint32_t memory, uint32_t first, uint32_t count,
                         kbr_page *page, kb_trail *trail) KB_MUST_USE;

/* One holder lets go of a page; the last one's page is gone. */
void kbr_pages_release(struct kbr_memories *memories, kbr_page *page);
/* Leaves a memory without pages. */
void kbr_pages_drop(struct kbr_memories *memories, uint32_t memory);
/* Gives it one more, for which there must be room, which a memory never gives back. */
void kbr_pages_take(kbr_memory *memory, kbr_page *page);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page: a piece of a memory, and which of its bytes are defined; private to src/memory.
 *
 * What is defined is one range as a rule, and costs two numbers then; a bitmap exists while it is not.
 * Undefined bytes of a page are zero, so that what is read of them never depends on history. A page that
 * a snapshot holds is never changed: who wants to write gets a copy in its place.
 */
#ifndef KBREPLAY_SRC_PAGE_H
#define KBREPLAY_SRC_PAGE_H

#include "kbtrace/memory.h"

/* Why so many: docs/decisions/0019-pages-of-memory.md. */
#define KBR_PAGE_SIZE 16384u

typedef struct kbr_page {
    uint64_t number;
    uint8_t *bytes;         /* on a line of the cache */
    uint8_t *bits;          /* which are defined; NULL: bytes [low, high) are */
    uint32_t low, high;     /* without a bitmap; both 0 where nothing is defined */
    uint32_t defined_count; /* with a bitmap: bits that are set, some and not all */
    uint32_t holders;       /* its memory, and snapshots */
} kbr_page;

/* What a page takes of the limit; its bitmap comes on top, an eighth of that. */
enum { KBR_PAGE_COST = sizeof(kbr_page) + 63 + KBR_PAGE_SIZE };

/* Nothing of it is defined; its bytes are whatever was there, and are for the caller to clear or write. */
kb_status kbr_page_create(const kb_alloc *alloc, uint64_t number, kbr_page **ret_page,
                          kb_trail *trail) KB_MUST_USE;
void kbr_page_destroy(const kb_alloc *alloc, kbr_page *page);

/* Marks bytes [first, first + count) defined, or undefined; the caller writes them, or clears them. */
kb_status kbr_page_define(const kb_alloc *alloc, kbr_page *page, uint32_t first, uint32_t count,
                          kb_trail *trail) KB_MUST_USE;
kb_status kbr_page_undefine(const kb_alloc *alloc, kbr_page *page, uint32_t first, uint32_t count,
                            kb_trail *trail) KB_MUST_USE;
/* The same bytes are defined in `to`, of which none were, as in `from`. */
kb_status kbr_page_define_as(const kb_alloc *alloc, kbr_page *to, const kbr_page *from,
                             kb_trail *trail) KB_MUST_USE;

/* Where the run ends that begins at `at`, below `end`, and whether its bytes are defined. */
uint32_t kbr_page_run(const kbr_page *page, uint32_t at, uint32_t end, bool *ret_defined);

static inline bool kbr_page_is_defined(const kbr_page *page, uint32_t first, uint32_t count) {
    if (page->bits == NULL)
        return page->low <= first && first + count <= page->high;
    bool defined;
    return kbr_page_run(page, first, first + count, &defined) == first + count && defined;
}

#endif

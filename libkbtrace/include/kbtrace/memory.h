/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: the allocation seam, and arenas that belong to a phase.
 *
 * Every byte that kb allocates comes through a kb_alloc, so that a test can refuse any one of them
 * and a tool can put a bound on their sum. Most of it lives in arenas: a phase (set-up, a run, a
 * chunk) takes what it needs, and everything goes at once when the phase ends.
 */
#ifndef KBTRACE_MEMORY_H
#define KBTRACE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "kbtrace/status.h"

/* --- the seam --------------------------------------------------------------------------------- */

/*
 * resize() has the sense of realloc: old == NULL allocates, new_size == 0 frees and returns NULL.
 * It must tell the truth about failure by returning NULL with `old` still valid. It may be called
 * from several threads at once.
 */
typedef struct kb_alloc {
    void *(*resize)(void *context, void *old, size_t old_size, size_t new_size);
    void *context;
} kb_alloc;

/* A block of that size or more lies in large pages, where the system has them. */
#define KB_LARGE_PAGE ((size_t)2 << 20)

/* The C library's heap. Wherever a kb_alloc is asked for, NULL means this one. */
const kb_alloc *kb_alloc_heap(void);

/*
 * All three set *ret only on success; contents of new bytes are undefined unless said. A block of
 * size 0 is NULL.
 */
kb_status kb_new(const kb_alloc *alloc, size_t size, void **ret, kb_trail *trail) KB_MUST_USE;
kb_status kb_new_zeroed(const kb_alloc *alloc, size_t size, void **ret, kb_trail *trail) KB_MUST_USE;
kb_status kb_resize(const kb_alloc *alloc, size_t old_size, size_t new_size, void **inout_block,
                    kb_trail *trail) KB_MUST_USE;
void kb_delete(const kb_alloc *alloc, void *block, size_t size);

/*
 * Grows *inout_items (of item_size bytes each) to hold at least `wanted` items, doubling, and
 * keeps *inout_capacity. Items beyond the old capacity are undefined.
 */
kb_status kb_grow(const kb_alloc *alloc, size_t item_size, size_t wanted, size_t *inout_capacity,
                  void **inout_items, kb_trail *trail) KB_MUST_USE;

/* --- an allocator with a bound ---------------------------------------------------------------- */

/* Passes requests on to `inner` until their sum would exceed limit_size; then it refuses. */
typedef struct kb_bounded {
    const kb_alloc *inner;
    size_t limit_size;
    size_t used_size;    /* now */
    size_t peak_size;    /* the most so far */
    size_t refused_size; /* of the last request that the bound did not allow, 0 for none */
    kb_alloc alloc;      /* hand this one out */
} kb_bounded;

void kb_bounded_init(kb_bounded *bounded, const kb_alloc *inner, size_t limit_size);

/* --- arenas ----------------------------------------------------------------------------------- */

typedef struct kb_arena_block kb_arena_block;

typedef struct kb_arena {
    const kb_alloc *alloc;
    kb_arena_block *blocks;
    size_t used_size;  /* bytes handed out, each item rounded up to a multiple of 16 */
    size_t own_size;   /* of these, in blocks for one large item each */
    size_t limit_size; /* 0: no limit */
} kb_arena;

/* limit_size bounds the bytes that the arena hands out; beyond it kb_arena_new says KB_E_LIMIT. */
void kb_arena_init(kb_arena *arena, const kb_alloc *alloc, size_t limit_size);
void kb_arena_fini(kb_arena *arena);

/* Forgets all that was handed out, and keeps one block for the next phase. */
void kb_arena_reset(kb_arena *arena);

/* Zeroed, aligned to 16 bytes. size 0 gives a valid pointer to nothing. */
kb_status kb_arena_new(kb_arena *arena, size_t size, void **ret, kb_trail *trail) KB_MUST_USE;
/* The same, aligned to KB_CACHE_LINE: so that what is looked at together lies in few lines of the cache. */
#define KB_CACHE_LINE 64
kb_status kb_arena_new_in_lines(kb_arena *arena, size_t size, void **ret, kb_trail *trail) KB_MUST_USE;
kb_status kb_arena_copy(kb_arena *arena, const void *bytes, size_t size, void **ret,
                        kb_trail *trail) KB_MUST_USE;
/* A terminated copy of `length` characters. */
kb_status kb_arena_text(kb_arena *arena, const char *text, size_t length, const char **ret,
                        kb_trail *trail) KB_MUST_USE;

#endif

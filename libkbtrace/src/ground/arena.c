/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: a list of blocks that are filled from the front and freed together. For one thread each. */
#include "kbtrace/memory.h"

#include <string.h>

#define ALIGNMENT ((size_t)16) /* of SSE loads and of max_align_t on every 64-bit ABI */

/* A new block is half as large as what items that share blocks take: a third is lost at most. */
#define LEAST_BLOCK_SIZE ((size_t)4096)
#define MOST_BLOCK_SIZE KB_LARGE_PAGE

struct kb_arena_block {
    kb_arena_block *next;
    size_t size; /* of the bytes, without this header */
    size_t used_size;
    _Alignas(16) unsigned char bytes[];
};

void kb_arena_init(kb_arena *arena, const kb_alloc *alloc, size_t limit_size) {
    arena->alloc = alloc != NULL ? alloc : kb_alloc_heap();
    arena->blocks = NULL;
    arena->used_size = arena->own_size = 0;
    arena->limit_size = limit_size;
}

static void delete_block(kb_arena *arena, kb_arena_block *block) {
    kb_delete(arena->alloc, block, sizeof *block + block->size);
}

/* Frees every block but `kept`, which may be NULL. */
static void delete_blocks_but(kb_arena *arena, const kb_arena_block *kept) {
    kb_arena_block *next;
    for (kb_arena_block *block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        if (block != kept)
            delete_block(arena, block);
    }
}

void kb_arena_fini(kb_arena *arena) {
    delete_blocks_but(arena, NULL);
    arena->blocks = NULL;
    arena->used_size = arena->own_size = 0;
}

void kb_arena_reset(kb_arena *arena) {
    /* The first in the list is the latest of those that many items share. */
    kb_arena_block *kept = arena->blocks;
    delete_blocks_but(arena, kept);
    if (kept != NULL) {
        kept->next = NULL;
        kept->used_size = 0;
    }
    arena->used_size = arena->own_size = 0;
}

/*
 * A block with room for `size` bytes. An item that would fill a block by itself gets one of its
 * own, behind the first, so that the room left in the first is not lost.
 */
static kb_status add_block(kb_arena *arena, size_t size, kb_arena_block **ret, kb_trail *trail) {
    kb_arena_block *first = arena->blocks;
    size_t block_size = (arena->used_size - arena->own_size) / 2 / LEAST_BLOCK_SIZE * LEAST_BLOCK_SIZE;
    block_size = block_size < LEAST_BLOCK_SIZE ? LEAST_BLOCK_SIZE : block_size;
    block_size = (block_size < MOST_BLOCK_SIZE ? block_size : MOST_BLOCK_SIZE) - sizeof *first;
    const bool own = size > block_size / 2;
    if (own)
        block_size = size;
    if (block_size > SIZE_MAX - sizeof *first)
        return kb_fail(trail, KB_E_MEMORY, "out of memory: %zu bytes exceed any memory", size);
    void *memory;
    KB_TRY(kb_new(arena->alloc, sizeof *first + block_size, &memory, trail));
    kb_arena_block *block = memory;
    block->size = block_size;
    block->used_size = 0;
    arena->own_size += own ? size : 0;
    if (own && first != NULL) {
        block->next = first->next;
        first->next = block;
    } else {
        block->next = first;
        arena->blocks = block;
    }
    *ret = block;
    return KB_OK;
}

/* Bytes with undefined contents. */
static kb_status take(kb_arena *arena, size_t size, void **ret, kb_trail *trail) {
    if (size > SIZE_MAX - ALIGNMENT)
        return kb_fail(trail, KB_E_MEMORY, "out of memory: %zu bytes exceed any memory", size);
    /* Each item gets bytes of its own, also one of size 0, so that all pointers differ. */
    const size_t taken_size = size > 0 ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    if (arena->limit_size > 0 && taken_size > arena->limit_size - arena->used_size)
        return kb_fail(trail, KB_E_LIMIT,
                       "%zu more bytes exceed the memory limit of %zu bytes, %zu are in use "
                       "(raise the limit)",
                       size, arena->limit_size, arena->used_size);
    kb_arena_block *block = arena->blocks;
    if (block == NULL || taken_size > block->size - block->used_size)
        KB_TRY(add_block(arena, taken_size, &block, trail));
    *ret = block->bytes + block->used_size;
    block->used_size += taken_size;
    arena->used_size += taken_size;
    return KB_OK;
}

kb_status kb_arena_new(kb_arena *arena, size_t size, void **ret, kb_trail *trail) {
    void *bytes = NULL;
    KB_TRY(take(arena, size, &bytes, trail));
    memset(bytes, 0, size);
    *ret = bytes;
    return KB_OK;
}

kb_status kb_arena_new_in_lines(kb_arena *arena, size_t size, void **ret, kb_trail *trail) {
    void *memory;
    if (size > SIZE_MAX - KB_CACHE_LINE)
        return kb_fail(trail, KB_E_MEMORY, "out of memory: %zu bytes exceed any memory", size);
    KB_TRY(kb_arena_new(arena, size + KB_CACHE_LINE - ALIGNMENT, &memory, trail));
    const size_t beyond = (uintptr_t)memory % KB_CACHE_LINE;
    *ret = (char *)memory + (beyond > 0 ? KB_CACHE_LINE - beyond : 0);
    return KB_OK;
}

kb_status kb_arena_copy(kb_arena *arena, const void *bytes, size_t size, void **ret, kb_trail *trail) {
    void *copy = NULL;
    KB_TRY(take(arena, size, &copy, trail));
    if (size > 0)
        memcpy(copy, bytes, size);
    *ret = copy;
    return KB_OK;
}

kb_status kb_arena_text(kb_arena *arena, const char *text, size_t length, const char **ret, kb_trail *trail) {
    if (length == SIZE_MAX)
        return kb_fail(trail, KB_E_MEMORY, "out of memory: a text of %zu characters exceeds any memory",
                       length);
    void *memory = NULL;
    KB_TRY(take(arena, length + 1, &memory, trail));
    char *copy = memory;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    *ret = copy;
    return KB_OK;
}

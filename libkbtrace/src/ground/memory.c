/* SPDX-License-Identifier: Apache-2.0 */
/* The allocation seam: the heap, the calls above it that explain a refusal, and a bound. */
#include "kbtrace/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* --- the heap --------------------------------------------------------------------------------- */

/*
 * A large block begins where a large page may, and the system is asked for those where it has them: what
 * thousands of ranks keep is looked at here and there, and the processor knows few small pages at a time.
 */
static void *new_large(size_t size) {
    const size_t whole = (size + KB_LARGE_PAGE - 1) / KB_LARGE_PAGE * KB_LARGE_PAGE;
    void *block = aligned_alloc(KB_LARGE_PAGE, whole);
#ifdef MADV_HUGEPAGE
    if (block != NULL)
        madvise(block, whole, MADV_HUGEPAGE); /* a wish: small ones do as well */
#endif
    return block;
}

static void *heap_resize(void *context, void *old, size_t old_size, size_t new_size) {
    (void)context;
    (void)old_size;
    if (new_size == 0) { /* realloc(p, 0) means different things to different C libraries */
        free(old);
        return NULL;
    }
    if (new_size > PTRDIFF_MAX) /* C libraries refuse that; sanitizers' ones stop the process */
        return NULL;
    if (old == NULL && new_size >= KB_LARGE_PAGE)
        return new_large(new_size);
    return realloc(old, new_size);
}

const kb_alloc *kb_alloc_heap(void) {
    static const kb_alloc heap = {heap_resize, NULL};
    return &heap;
}

/* --- requests --------------------------------------------------------------------------------- */

kb_status kb_resize(const kb_alloc *alloc, size_t old_size, size_t new_size, void **inout_block,
                    kb_trail *trail) {
    if (alloc == NULL)
        alloc = kb_alloc_heap();
    if (*inout_block == NULL && new_size == 0)
        return KB_OK;
    assert((*inout_block == NULL) == (old_size == 0));
    void *block = alloc->resize(alloc->context, *inout_block, old_size, new_size);
    if (block == NULL && new_size > 0)
        return kb_fail(trail, KB_E_MEMORY, "out of memory: %zu bytes were refused (free some memory)",
                       new_size);
    *inout_block = block;
    return KB_OK;
}

kb_status kb_new(const kb_alloc *alloc, size_t size, void **ret, kb_trail *trail) {
    void *block = NULL;
    KB_TRY(kb_resize(alloc, 0, size, &block, trail));
    *ret = block;
    return KB_OK;
}

kb_status kb_new_zeroed(const kb_alloc *alloc, size_t size, void **ret, kb_trail *trail) {
    void *block = NULL;
    KB_TRY(kb_resize(alloc, 0, size, &block, trail));
    if (size > 0)
        memset(block, 0, size);
    *ret = block;
    return KB_OK;
}

void kb_delete(const kb_alloc *alloc, void *block, size_t size) {
    if (block == NULL)
        return;
    if (alloc == NULL)
        alloc = kb_alloc_heap();
    alloc->resize(alloc->context, block, size, 0);
}

kb_status kb_grow(const kb_alloc *alloc, size_t item_size, size_t wanted, size_t *inout_capacity,
                  void **inout_items, kb_trail *trail) {
    assert(item_size > 0);
    enum { LEAST_ITEMS = 8 }; /* below that, growing costs more than the bytes that it saves */
    size_t capacity = *inout_capacity;
    if (wanted <= capacity)
        return KB_OK;
    const size_t most = SIZE_MAX / item_size;
    if (wanted > most)
        return kb_fail(trail, KB_E_MEMORY, "out of memory: %zu items of %zu bytes exceed any memory", wanted,
                       item_size);
    size_t grown = capacity <= most / 2 ? capacity * 2 : most;
    if (grown < LEAST_ITEMS && LEAST_ITEMS <= most)
        grown = LEAST_ITEMS;
    if (grown < wanted)
        grown = wanted;
    KB_TRY(kb_resize(alloc, capacity * item_size, grown * item_size, inout_items, trail));
    *inout_capacity = grown;
    return KB_OK;
}

/* --- an allocator with a bound ---------------------------------------------------------------- */

/* Takes `size` bytes out of what the bound leaves; false when it does not leave that many. */
static bool bounded_take(kb_bounded *bounded, size_t size) {
    size_t used = __atomic_load_n(&bounded->used_size, __ATOMIC_RELAXED);
    do {
        if (size > bounded->limit_size - used)
            return false;
    } while (!__atomic_compare_exchange_n(&bounded->used_size, &used, used + size, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

static void bounded_note_peak(kb_bounded *bounded) {
    size_t used = __atomic_load_n(&bounded->used_size, __ATOMIC_RELAXED);
    size_t peak = __atomic_load_n(&bounded->peak_size, __ATOMIC_RELAXED);
    while (used > peak && !__atomic_compare_exchange_n(&bounded->peak_size, &peak, used, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/*
 * Growth is taken before the inner allocator is asked and given back if it refuses; shrinking is
 * given back afterwards. So the sum of live bytes never exceeds the bound, in any interleaving.
 */
static void *bounded_resize(void *context, void *old, size_t old_size, size_t new_size) {
    kb_bounded *bounded = context;
    const size_t more = new_size > old_size ? new_size - old_size : 0;
    if (!bounded_take(bounded, more)) {
        __atomic_store_n(&bounded->refused_size, more, __ATOMIC_RELAXED);
        return NULL;
    }
    void *block = bounded->inner->resize(bounded->inner->context, old, old_size, new_size);
    const bool refused = block == NULL && new_size > 0;
    if (!refused)
        bounded_note_peak(bounded);
    const size_t less = refused ? more : old_size + more - new_size;
    __atomic_fetch_sub(&bounded->used_size, less, __ATOMIC_RELAXED);
    return block;
}

void kb_bounded_init(kb_bounded *bounded, const kb_alloc *inner, size_t limit_size) {
    bounded->inner = inner != NULL ? inner : kb_alloc_heap();
    bounded->limit_size = limit_size;
    bounded->used_size = 0;
    bounded->peak_size = 0;
    bounded->refused_size = 0;
    bounded->alloc.resize = bounded_resize;
    bounded->alloc.context = bounded;
}

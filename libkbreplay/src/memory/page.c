/* SPDX-License-Identifier: Apache-2.0 */
/* One page; see page.h. */
#include "memory/page.h"

#include <string.h>

#include "memory/bits.h"

enum { LINE = 64, BITS_SIZE = KBR_PAGE_SIZE / 8 };

kb_status kbr_page_create(const kb_alloc *alloc, uint64_t number, kbr_page **ret_page, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new(alloc, KBR_PAGE_COST, &block, trail));
    uintptr_t bytes = ((uintptr_t)block + sizeof(kbr_page) + LINE - 1) / LINE * LINE;
    kbr_page *page = block;
    *page = (kbr_page){.number = number, .bytes = (uint8_t *)bytes};
    *ret_page = page;
    return KB_OK;
}

void kbr_page_destroy(const kb_alloc *alloc, kbr_page *page) {
    kb_delete(alloc, page->bits, BITS_SIZE);
    kb_delete(alloc, page, KBR_PAGE_COST);
}

/* --- from a range to a bitmap and back ------------------------------------------------------------- */

static kb_status make_bits(const kb_alloc *alloc, kbr_page *page, kb_trail *trail) {
    void *bits;
    KB_TRY(kb_new_zeroed(alloc, BITS_SIZE, &bits, trail));
    page->bits = bits;
    page->defined_count = page->high - page->low;
    (void)kbr_bits_put(page->bits, page->low, page->defined_count, true);
    return KB_OK;
}

static void set_range(kbr_page *page, uint32_t low, uint32_t high) {
    page->low = low < high ? low : 0;
    page->high = low < high ? high : 0;
}

/* A bitmap without a difference says no more than a range. */
static void drop_bits(const kb_alloc *alloc, kbr_page *page) {
    if (page->defined_count != 0 && page->defined_count != KBR_PAGE_SIZE)
        return;
    set_range(page, 0, page->defined_count);
    kb_delete(alloc, page->bits, BITS_SIZE);
    page->bits = NULL;
}

/* --- marking ------------------------------------------------------------------------------------- */

kb_status kbr_page_define(const kb_alloc *alloc, kbr_page *page, uint32_t first, uint32_t count,
                          kb_trail *trail) {
    uint32_t end = first + count;
    if (page->bits == NULL && page->low == page->high) {
        set_range(page, first, end);
        return KB_OK;
    }
    if (page->bits == NULL && first <= page->high && end >= page->low) {
        set_range(page, first < page->low ? first : page->low, end > page->high ? end : page->high);
        return KB_OK;
    }
    if (page->bits == NULL)
        KB_TRY(make_bits(alloc, page, trail));
    page->defined_count += (uint32_t)kbr_bits_put(page->bits, first, count, true);
    drop_bits(alloc, page);
    return KB_OK;
}

kb_status kbr_page_undefine(const kb_alloc *alloc, kbr_page *page, uint32_t first, uint32_t count,
                            kb_trail *trail) {
    uint32_t end = first + count;
    if (page->bits == NULL && (end <= page->low || first >= page->high))
        return KB_OK;
    if (page->bits == NULL && first <= page->low) {
        set_range(page, end, page->high);
        return KB_OK;
    }
    if (page->bits == NULL && end >= page->high) {
        set_range(page, page->low, first);
        return KB_OK;
    }
    if (page->bits == NULL)
        KB_TRY(make_bits(alloc, page, trail));
    page->defined_count -= (uint32_t)kbr_bits_put(page->bits, first, count, false);
    drop_bits(alloc, page);
    return KB_OK;
}

kb_status kbr_page_define_as(const kb_alloc *alloc, kbr_page *to, const kbr_page *from, kb_trail *trail) {
    if (from->bits != NULL) {
        void *bits;
        KB_TRY(kb_new(alloc, BITS_SIZE, &bits, trail));
        memcpy(bits, from->bits, BITS_SIZE);
        to->bits = bits;
    }
    to->low = from->low;
    to->high = from->high;
    to->defined_count = from->defined_count;
    return KB_OK;
}

uint32_t kbr_page_run(const kbr_page *page, uint32_t at, uint32_t end, bool *ret_defined) {
    if (page->bits != NULL) {
        *ret_defined = kbr_bit(page->bits, at);
        return (uint32_t)kbr_bits_run(page->bits, at, end);
    }
    *ret_defined = page->low <= at && at < page->high;
    uint32_t border = *ret_defined ? page->high : at < page->low ? page->low : end;
    return border < end ? border : end;
}

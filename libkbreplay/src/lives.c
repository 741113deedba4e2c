/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted ranges; see lives.h. */
#include "lives.h"

#include <string.h>

void kbr_lives_fini(kbr_lives *lives, const kb_alloc *alloc) {
    kb_delete(alloc, lives->items, lives->capacity * sizeof(kbr_life));
}

/* The first range that ends behind `low`. */
static size_t first_behind(const kbr_lives *lives, uint64_t low) {
    size_t first = 0, end = lives->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (lives->items[middle].high > low)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

const kbr_life *kbr_lives_touching(const kbr_lives *lives, uint64_t low, uint64_t high, bool live) {
    for (size_t i = first_behind(lives, low); i < lives->count && lives->items[i].low < high; i++)
        if (lives->items[i].live == live)
            return &lives->items[i];
    return NULL;
}

kb_status kbr_lives_set(kbr_lives *lives, const kb_alloc *alloc, const kbr_life *life, kb_trail *trail) {
    void *items = lives->items;
    KB_TRY(kb_grow(alloc, sizeof(kbr_life), lives->count + 2, &lives->capacity, &items, trail));
    lives->items = items;
    size_t first = first_behind(lives, life->low), end = first;
    while (end < lives->count && lives->items[end].low < life->high)
        end++;
    kbr_life put[3]; /* what is left of the first, the new one, what is left of the last */
    size_t count = 0;
    if (first < end && lives->items[first].low < life->low) {
        put[count] = lives->items[first];
        put[count++].high = life->low;
    }
    put[count++] = *life;
    if (first < end && lives->items[end - 1].high > life->high) {
        put[count] = lives->items[end - 1];
        put[count++].low = life->high;
    }
    memmove(&lives->items[first + count], &lives->items[end], (lives->count - end) * sizeof(kbr_life));
    memcpy(&lives->items[first], put, count * sizeof(kbr_life));
    lives->count = lives->count - (end - first) + count;
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest known name, by edit distance. May not allocate and may not fail. */
#include "kbtrace/nearest.h"

#include <stdint.h>
#include <string.h>

enum { LONGEST = 63 }; /* characters; of longer names only the first ones are compared */

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Damerau's distance, neighbours swapped once: the slips that fingers make. */
static size_t distance_of(const char *a, const char *b) {
    const size_t a_length = least_of(strlen(a), LONGEST), b_length = least_of(strlen(b), LONGEST);
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = j;
    memcpy(before, above, sizeof rows[0]);
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const size_t changed = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least_of(changed, least_of(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least_of(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

void kb_nearest_init(kb_nearest *nearest, const char *wanted) {
    nearest->wanted = wanted;
    nearest->best = NULL;
    nearest->distance = SIZE_MAX;
}

/* `dma.setup` for `dma.setup_ns`, or `reads_outstanding` for `dma.reads_outstanding`. */
static int is_part(const char *wanted, const char *name) {
    enum { FEWEST = 4 }; /* letters below which a part says too little */
    return strlen(wanted) >= FEWEST && strstr(name, wanted) != NULL;
}

void kb_nearest_offer(kb_nearest *nearest, const char *name) {
    size_t distance = distance_of(nearest->wanted, name);
    if (is_part(nearest->wanted, name))
        distance = 1;
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = name;
    }
}

const char *kb_nearest_best(const kb_nearest *nearest) {
    /* Beyond a third of its letters a name was not misspelt: another was meant. */
    const size_t bearable = least_of(strlen(nearest->wanted), LONGEST) / 3 + 1;
    return nearest->distance <= bearable ? nearest->best : NULL;
}

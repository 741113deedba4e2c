/* SPDX-License-Identifier: Apache-2.0 */
/* Memory from the kernel for the doubles; see pages.h. */
#include "support/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LEAST_SIZE = 4096 };

void pages_grow(void **inout_items, size_t *inout_capacity, size_t item_size, size_t wanted) {
    if (wanted <= *inout_capacity)
        return;
    size_t capacity = *inout_capacity > 0 ? *inout_capacity : 1 + LEAST_SIZE / item_size;
    while (capacity < wanted)
        capacity *= 2;
    void *items =
        mmap(NULL, capacity * item_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (items == MAP_FAILED) {
        perror("pages: mmap");
        abort();
    }
    if (*inout_items != NULL)
        memcpy(items, *inout_items, *inout_capacity * item_size);
    pages_free(*inout_items, *inout_capacity, item_size);
    *inout_items = items;
    *inout_capacity = capacity;
}

void pages_free(void *items, size_t capacity, size_t item_size) {
    if (items != NULL)
        munmap(items, capacity * item_size);
}

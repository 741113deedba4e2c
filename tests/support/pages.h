/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for the doubles themselves: straight from the kernel, so that a test that refuses malloc
 * does not hit the double instead of what is under test. Contents are kept and new bytes are zero.
 */
#ifndef KB_TESTS_PAGES_H
#define KB_TESTS_PAGES_H

#include <stddef.h>

/* Grows *inout_items to hold `wanted` items of item_size, doubling; stops the process if it cannot. */
void pages_grow(void **inout_items, size_t *inout_capacity, size_t item_size, size_t wanted);
void pages_free(void *items, size_t capacity, size_t item_size);

#endif

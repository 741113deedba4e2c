/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Initial contents: the bytes that a recipe stands for, any part of them at any time.
 *
 * For element i = first_element + j, h(i) = mix(seed + (i + 1) * 0x9E3779B97F4A7C15) mod 2^64 with
 * splitmix64's finaliser mix, and the element is
 *   zeros     zero bytes
 *   constant  low
 *   iota      low + i * high
 *   uniform   low + (high - low) * ((h >> 11) * 2^-53)
 *   ints      low + (h mod (high - low + 1)), low and high being integers
 *   signs     -1 where h's top bit is set, else +1
 *   bytes     stands in the trace
 * Values are computed in f64, each operation rounded, and rounded once more to the dtype.
 */
#ifndef KBREPLAY_SRC_RECIPE_H
#define KBREPLAY_SRC_RECIPE_H

#include "kbtrace/defs.h"
#include "number/kernels.h"

/* Refuses a recipe that this build does not know, or whose numbers make no sense. `id` is for the message. */
kb_status kbr_recipe_check(const kb_defs *defs, uint32_t id, kb_trail *trail) KB_MUST_USE;

/* Bytes that it covers; checked recipes only, here and below. */
uint64_t kbr_recipe_size(const kb_initial *initial);

/* Bytes [first, first + size) of the recipe's own range; any set of kernels makes the same. */
void kbr_recipe_fill(const kbr_kernels *kernels, const kb_initial *initial, uint64_t first, uint64_t size,
                     uint8_t *out);

#endif

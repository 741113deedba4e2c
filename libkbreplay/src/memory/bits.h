/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps, a bit a byte of memory: bit i is bit i % 8 of byte i / 8. Private to src/memory. */
#ifndef KBREPLAY_SRC_BITS_H
#define KBREPLAY_SRC_BITS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool kbr_bit(const uint8_t *bits, uint64_t at) {
    return (bits[at / 8] >> at % 8 & 1) != 0;
}

/* Sets or clears bits [first, first + count), and returns how many of them changed. */
uint64_t kbr_bits_put(uint8_t *bits, uint64_t first, uint64_t count, bool value);

/* Where the run of equal bits ends that begins at `at`, below `end`. */
uint64_t kbr_bits_run(const uint8_t *bits, uint64_t at, uint64_t end);

#endif

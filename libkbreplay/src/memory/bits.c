/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps; see bits.h. Long ranges are worked on eight bytes at a time. */
#include "memory/bits.h"

#include <string.h>

/* Eight bytes that are alike are so in every byte order. */
static uint64_t load_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Bits [low, high) of one byte. */
static uint8_t mask_of(unsigned low, unsigned high) {
    return (uint8_t)((0xFFu << low & 0xFFu) & (0xFFu >> (8 - high)));
}

static unsigned put_in_byte(uint8_t *byte, uint8_t mask, bool value) {
    uint8_t now = (uint8_t)(value ? *byte | mask : *byte & ~mask);
    unsigned changed = (unsigned)__builtin_popcount((unsigned)(*byte ^ now));
    *byte = now;
    return changed;
}

uint64_t kbr_bits_put(uint8_t *bits, uint64_t first, uint64_t count, bool value) {
    const uint64_t before = value ? 0 : UINT64_MAX;
    uint64_t at = first, end = first + count, changed = 0;
    while (at < end) {
        uint8_t *byte = bits + at / 8;
        if (at % 8 == 0 && end - at >= 64 && (load_word(byte) == before || load_word(byte) == ~before)) {
            changed += load_word(byte) == before ? 64 : 0;
            memset(byte, value ? 0xFF : 0, 8);
            at += 64;
            continue;
        }
        unsigned low = (unsigned)(at % 8), high = end - at < 8 - low ? low + (unsigned)(end - at) : 8;
        changed += put_in_byte(byte, mask_of(low, high), value);
        at += high - low;
    }
    return changed;
}

uint64_t kbr_bits_run(const uint8_t *bits, uint64_t at, uint64_t end) {
    bool value = kbr_bit(bits, at);
    const uint8_t whole = value ? 0xFF : 0;
    const uint64_t eight = value ? UINT64_MAX : 0;
    while (at < end) {
        if (at % 8 == 0 && end - at >= 64 && load_word(bits + at / 8) == eight)
            at += 64;
        else if (at % 8 == 0 && end - at >= 8 && bits[at / 8] == whole)
            at += 8;
        else if (kbr_bit(bits, at) == value)
            at++;
        else
            break;
    }
    return at;
}

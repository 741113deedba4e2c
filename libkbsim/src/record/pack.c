/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed bytes; see pack.h. They are turns of: a count of bytes that follow as they are, those bytes, a count
 * of bytes that were there before, how far back. A turn ends where all bytes are made. Matches are looked up
 * by their first bytes, the latest place first and only, which is what loops need.
 */
#include "record/pack.h"

#include <assert.h>
#include <string.h>

#include "record/varint.h"

/* A match names two numbers and begins a turn with another: less than that would be no gain. */
enum { LEAST_MATCH = 8, PLACE_BITS = 10 };

static inline uint64_t word_at(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline size_t place_of(uint64_t word) {
    return (size_t)(word * UINT64_C(0x9E3779B97F4A7C15) >> (64 - PLACE_BITS));
}

/* How many bytes from a and from b on are equal; `b` comes later, and ends at `end`. */
static size_t equal_bytes(const uint8_t *a, const uint8_t *b, const uint8_t *end) {
    const uint8_t *const begin = b;
    while ((size_t)(end - b) >= sizeof(uint64_t)) {
        const uint64_t differ = word_at(a) ^ word_at(b);
        if (differ != 0) {
            while (*a == *b) {
                a++;
                b++;
            }
            return (size_t)(b - begin);
        }
        a += sizeof differ;
        b += sizeof differ;
    }
    while (b < end && *a == *b) {
        a++;
        b++;
    }
    return (size_t)(b - begin);
}

static uint8_t *put_plain(uint8_t *to, const uint8_t *from, size_t size) {
    to = kbs_put_varint(to, size);
    memcpy(to, from, size);
    return to + size;
}

size_t kbs_pack(const uint8_t *from, size_t size, uint8_t *to) {
    uint16_t places[1U << PLACE_BITS] = {0}; /* 1 + where such bytes were lately */
    const uint8_t *const end = from + size, *at = from, *plain = from;
    uint8_t *out = to;
    assert(size > 0 && size <= KBS_PACK_BYTES);
    while ((size_t)(end - at) >= LEAST_MATCH) {
        uint16_t *place = &places[place_of(word_at(at))];
        const uint16_t found = *place;
        *place = (uint16_t)(at - from + 1);
        if (found == 0 || word_at(from + found - 1) != word_at(at)) {
            at++;
            continue;
        }
        const uint8_t *before = from + found - 1;
        const size_t count = equal_bytes(before, at, end);
        out = put_plain(out, plain, (size_t)(at - plain));
        out = kbs_put_varint(out, count);
        out = kbs_put_varint(out, (uint64_t)(at - before));
        plain = at += count;
    }
    if (plain < end)
        out = put_plain(out, plain, (size_t)(end - plain));
    return (size_t)(out - to);
}

void kbs_unpack(const uint8_t *from, size_t size, uint8_t *to) {
    uint8_t *const end = to + size;
    while (to < end) {
        uint64_t count, back;
        from = kbs_get_varint(from, &count);
        memcpy(to, from, count);
        from += count;
        to += count;
        if (to == end)
            return;
        from = kbs_get_varint(from, &count);
        from = kbs_get_varint(from, &back);
        const uint8_t *before = to - back;
        while (count > 0) { /* what is copied may be copied on: ever more at a time */
            const size_t there = (size_t)(to - before), some = count < there ? count : there;
            memcpy(to, before, some);
            to += some;
            count -= some;
        }
    }
}

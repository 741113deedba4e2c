/* SPDX-License-Identifier: Apache-2.0 */
/* Frames out of pieces, and pieces changed by somebody who knows what a number is; see pieces.h. */
#include "support/pieces.h"

#include <string.h>

void pieces_forge(forge *f, const uint8_t *data, size_t size, bool cut) {
    data += size > 0;
    size -= size > 0;
    while (size >= 2) {
        size_t length = (size_t)data[0] | (size_t)data[1] << 8;
        data += 2;
        size -= 2;
        length = length < size ? length : size;
        forge_frame(f, data, length);
        data += length;
        size -= length;
    }
    if (!cut)
        forge_end(f);
}

/* The bytes of one piece, found by walking the lengths; false where there are fewer pieces. */
static bool find_piece(const uint8_t *data, size_t size, size_t number, size_t *ret_at, size_t *ret_length) {
    size_t at = 1;
    while (size - at >= 2) {
        size_t length = (size_t)data[at] | (size_t)data[at + 1] << 8;
        at += 2;
        length = length < size - at ? length : size - at;
        *ret_at = at;
        *ret_length = length;
        if (number-- == 0)
            return true;
        at += length;
    }
    return false;
}

size_t pieces_mutate(uint8_t *data, size_t size, size_t most, random_source *random) {
    static uint8_t changed[1 << 18];
    size_t at, length, count = 0;
    while (size > 1 && count < 64 && find_piece(data, size, count, &at, &length))
        count++;
    if (count == 0 || !find_piece(data, size, random_below(random, count), &at, &length) || length == 0 ||
        length > sizeof changed / 8)
        return 0;
    size_t which = random_below(random, length);
    uint64_t value = random_extreme_u64(random, random_once_in(random, 2) ? 16 : UINT64_MAX), now = 0;
    for (; now == 0; which /= 2) {
        now = forge_replace(data + at, length, which, value, changed, sizeof changed);
        if (which == 0)
            break;
    }
    if (now == 0 || now > UINT16_MAX || size - length + now > most)
        return 0;
    memmove(data + at + now, data + at + length, size - at - length);
    memcpy(data + at, changed, now);
    data[at - 2] = (uint8_t)now;
    data[at - 1] = (uint8_t)(now >> 8);
    return size - length + now;
}

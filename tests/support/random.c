/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' own random numbers; see random.h. */
#include "support/random.h"

#include <assert.h>
#include <string.h>

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void random_init(random_source *source, uint64_t seed) {
    for (size_t i = 0; i < 4; i++)
        source->state[i] = splitmix64(&seed);
}

static uint64_t rotate_left(uint64_t value, unsigned bits) {
    return value << bits | value >> (64 - bits);
}

uint64_t random_u64(random_source *source) {
    uint64_t *s = source->state;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(random_source *source, uint64_t bound) {
    assert(bound > 0);
    const uint64_t surplus = (UINT64_MAX % bound + 1) % bound; /* 2⁶⁴ mod bound: drawn again */
    uint64_t value;
    do
        value = random_u64(source);
    while (value > UINT64_MAX - surplus);
    return value % bound;
}

int64_t random_between(random_source *source, int64_t least, int64_t most) {
    assert(least <= most);
    const uint64_t width = (uint64_t)most - (uint64_t)least;
    const uint64_t step = width == UINT64_MAX ? random_u64(source) : random_below(source, width + 1);
    return (int64_t)((uint64_t)least + step);
}

bool random_once_in(random_source *source, uint64_t times) {
    return random_below(source, times) == 0;
}

void random_bytes(random_source *source, void *bytes, size_t size) {
    unsigned char *at = bytes;
    while (size > 0) {
        const uint64_t value = random_u64(source);
        for (unsigned i = 0; i < 8 && size > 0; i++, size--)
            *at++ = (unsigned char)(value >> (8 * i)); /* not memcpy: the same on any byte order */
    }
}

uint64_t random_extreme_u64(random_source *source, uint64_t most) {
    uint64_t value;
    const unsigned bit = (unsigned)random_below(source, 64);
    switch (random_below(source, 8)) {
    case 0: value = 0; break;
    case 1: value = most; break;
    case 2: value = UINT64_C(1) << bit; break;
    case 3: value = (UINT64_C(1) << bit) - 1 + 2 * random_below(source, 2); break;
    default: value = random_u64(source) >> bit; break;
    }
    if (value > most)
        value = most == UINT64_MAX ? value : value % (most + 1);
    return value;
}

int64_t random_extreme_i64(random_source *source) {
    switch (random_below(source, 8)) {
    case 0: return INT64_MIN;
    case 1: return INT64_MAX;
    case 2: return -1;
    default: break;
    }
    const int64_t value = (int64_t)random_extreme_u64(source, INT64_MAX);
    return random_once_in(source, 2) ? -value : value;
}

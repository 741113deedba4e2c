/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of as few bytes as they need, for what this library keeps in its own memory and reads back
 * itself: no check of bounds, so nothing from outside may be read with it.
 */
#ifndef KBSIM_SRC_VARINT_H
#define KBSIM_SRC_VARINT_H

#include <stdint.h>

enum { KBS_VARINT_BYTES = 10 }; /* the most that one number takes */

static inline uint8_t *kbs_put_varint(uint8_t *at, uint64_t value) {
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7U;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline const uint8_t *kbs_get_varint(const uint8_t *at, uint64_t *ret) {
    if (*at < 0x80U) { /* most are */
        *ret = *at;
        return at + 1;
    }
    uint64_t value = *at & 0x7FU;
    for (unsigned shift = 7; *at++ & 0x80U; shift += 7)
        value |= (uint64_t)(*at & 0x7FU) << shift;
    *ret = value;
    return at;
}

/* A difference modulo 2^64, small in either direction. */
static inline uint8_t *kbs_put_signed(uint8_t *at, uint64_t difference) {
    return kbs_put_varint(at, difference << 1U ^ (0 - (difference >> 63U)));
}

static inline const uint8_t *kbs_get_signed(const uint8_t *at, uint64_t *ret) {
    uint64_t value;
    at = kbs_get_varint(at, &value);
    *ret = value >> 1U ^ (0 - (value & 1U));
    return at;
}

#endif

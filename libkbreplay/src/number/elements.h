/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements of arrays: how each dtype is loaded, computed with and stored. Floats are computed in f32,
 * integers in uint32_t that wraps. For the kernels alone.
 */
#ifndef KBREPLAY_SRC_ELEMENTS_H
#define KBREPLAY_SRC_ELEMENTS_H

#include <string.h>

#include "number/number.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "arrays are little-endian, and so must the machine be");

static inline float kbr_load_f16(const uint8_t *bytes) {
    uint16_t bits;
    memcpy(&bits, bytes, sizeof bits);
    return kbr_f16_to_f32(bits);
}

static inline void kbr_store_f16(uint8_t *bytes, float value) {
    uint16_t bits = kbr_f16_from_f32(value);
    memcpy(bytes, &bits, sizeof bits);
}

static inline float kbr_load_bf16(const uint8_t *bytes) {
    uint16_t bits;
    memcpy(&bits, bytes, sizeof bits);
    return kbr_bf16_to_f32(bits);
}

static inline void kbr_store_bf16(uint8_t *bytes, float value) {
    uint16_t bits = kbr_bf16_from_f32(value);
    memcpy(bytes, &bits, sizeof bits);
}

static inline float kbr_load_f32(const uint8_t *bytes) {
    float value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline void kbr_store_f32(uint8_t *bytes, float value) {
    uint32_t bits = kbr_f32_to_bits(value);
    memcpy(bytes, &bits, sizeof bits);
}

static inline uint32_t kbr_load_i8(const uint8_t *bytes) {
    return (uint32_t)(int32_t)(int8_t)bytes[0];
}

static inline void kbr_store_i8(uint8_t *bytes, uint32_t value) {
    bytes[0] = (uint8_t)value;
}

static inline uint32_t kbr_load_i32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline void kbr_store_i32(uint8_t *bytes, uint32_t value) {
    memcpy(bytes, &value, sizeof value);
}

#endif

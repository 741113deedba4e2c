/* SPDX-License-Identifier: Apache-2.0 */
/* The portable kernels, made from kernels.def; see kernels.h. */
#include "number/kernels.h"

#include <math.h>
#include <string.h>

#include "number/number.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "arrays are little-endian, and so must the machine be");

/* --- elements: how each dtype is loaded, computed with and stored ------------------------------ */

static inline float load_f16(const uint8_t *bytes) {
    uint16_t bits;
    memcpy(&bits, bytes, sizeof bits);
    return kbr_f16_to_f32(bits);
}

static inline void store_f16(uint8_t *bytes, float value) {
    uint16_t bits = kbr_f16_from_f32(value);
    memcpy(bytes, &bits, sizeof bits);
}

static inline float load_bf16(const uint8_t *bytes) {
    uint16_t bits;
    memcpy(&bits, bytes, sizeof bits);
    return kbr_bf16_to_f32(bits);
}

static inline void store_bf16(uint8_t *bytes, float value) {
    uint16_t bits = kbr_bf16_from_f32(value);
    memcpy(bytes, &bits, sizeof bits);
}

static inline float load_f32(const uint8_t *bytes) {
    float value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline void store_f32(uint8_t *bytes, float value) {
    uint32_t bits = kbr_f32_to_bits(value);
    memcpy(bytes, &bits, sizeof bits);
}

static inline uint32_t load_i8(const uint8_t *bytes) {
    return (uint32_t)(int32_t)(int8_t)bytes[0];
}

static inline void store_i8(uint8_t *bytes, uint32_t value) {
    bytes[0] = (uint8_t)value;
}

static inline uint32_t load_i32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline void store_i32(uint8_t *bytes, uint32_t value) {
    memcpy(bytes, &value, sizeof value);
}

/* An immediate is the bits of a double for floats, and two's complement for integers. */
static float scalar_float(uint64_t immediate) {
    double value;
    memcpy(&value, &immediate, sizeof value);
    return (float)value;
}

static uint32_t scalar_integer(uint64_t immediate) {
    return (uint32_t)immediate;
}

/* --- kernels ----------------------------------------------------------------------------------- */

#define UNUSED __attribute__((unused))

#define LOOP_FLOAT(NAME, used, expression, type, size)                                              \
    static void map_##NAME##_##type(uint8_t *out, const uint8_t *const *inputs, uint64_t immediate, \
                                    size_t count) {                                                 \
        float s UNUSED = scalar_float(immediate);                                                   \
        for (size_t i = 0; i < count; i++) {                                                        \
            float a UNUSED = (used) > 0 ? load_##type(inputs[0] + (size)*i) : 0.0f;                 \
            float b UNUSED = (used) > 1 ? load_##type(inputs[1] + (size)*i) : 0.0f;                 \
            float c UNUSED = (used) > 2 ? load_##type(inputs[2] + (size)*i) : 0.0f;                 \
            store_##type(out + (size)*i, (expression));                                             \
        }                                                                                           \
    }

#define LOOP_INTEGER(NAME, used, expression, type, size)                                            \
    static void map_##NAME##_##type(uint8_t *out, const uint8_t *const *inputs, uint64_t immediate, \
                                    size_t count) {                                                 \
        uint32_t s UNUSED = scalar_integer(immediate);                                              \
        for (size_t i = 0; i < count; i++) {                                                        \
            uint32_t a UNUSED = (used) > 0 ? load_##type(inputs[0] + (size)*i) : 0;                 \
            uint32_t b UNUSED = (used) > 1 ? load_##type(inputs[1] + (size)*i) : 0;                 \
            uint32_t c UNUSED = (used) > 2 ? load_##type(inputs[2] + (size)*i) : 0;                 \
            int32_t A UNUSED = (int32_t)a, B UNUSED = (int32_t)b;                                   \
            store_##type(out + (size)*i, (expression));                                             \
        }                                                                                           \
    }

#define LOOPS_FLOAT(NAME, used, expression)      \
    LOOP_FLOAT(NAME, used, expression, f16, 2u)  \
    LOOP_FLOAT(NAME, used, expression, bf16, 2u) \
    LOOP_FLOAT(NAME, used, expression, f32, 4u)

#define KBR_FUNC(NAME, used, floats, integers) \
    LOOPS_FLOAT(NAME, used, floats)            \
    LOOP_INTEGER(NAME, used, integers, i8, 1u) \
    LOOP_INTEGER(NAME, used, integers, i32, 4u)
#define KBR_FLOAT_FUNC(NAME, used, floats) LOOPS_FLOAT(NAME, used, floats)
#include "number/kernels.def"
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC

/* --- the table --------------------------------------------------------------------------------- */

#define ROW_FLOAT(NAME) \
    [KB_DTYPE_F16] = map_##NAME##_f16, [KB_DTYPE_BF16] = map_##NAME##_bf16, [KB_DTYPE_F32] = map_##NAME##_f32

static const kbr_kernels portable = {
    .name = "portable",
    .map =
        {
#define KBR_FUNC(NAME, used, floats, integers) \
    [KB_FUNC_##NAME] = {ROW_FLOAT(NAME), [KB_DTYPE_I8] = map_##NAME##_i8, [KB_DTYPE_I32] = map_##NAME##_i32},
#define KBR_FLOAT_FUNC(NAME, used, floats) [KB_FUNC_##NAME] = {ROW_FLOAT(NAME)},
#include "number/kernels.def"
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC
        },
    .inputs =
        {
#define KBR_FUNC(NAME, used, floats, integers) [KB_FUNC_##NAME] = (used),
#define KBR_FLOAT_FUNC(NAME, used, floats) [KB_FUNC_##NAME] = (used),
#include "number/kernels.def"
#undef KBR_FUNC
#undef KBR_FLOAT_FUNC
        },
};

const kbr_kernels *kbr_kernels_choose(void) {
    return &portable;
}

/* --- casts ------------------------------------------------------------------------------------- */

void kbr_cast(uint32_t to, uint8_t *out, uint32_t from, const uint8_t *in, size_t count) {
    const kbr_dtype *target = kbr_dtype_of(to), *source = kbr_dtype_of(from);
    for (size_t i = 0; i < count; i++)
        target->store(source->load(in + i * source->size_bytes), out + i * target->size_bytes);
}

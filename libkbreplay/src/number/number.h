/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers: the element types of a trace, converted and rounded with the same bits on every machine.
 *
 * Every rounding is to nearest, ties to even; subnormals are numbers like others; a NaN that is
 * made here is the canonical one of its type (sign 0, quiet, payload 0). Integers wrap. A value out
 * of range becomes an infinity as a float, and the nearest end of the range as an integer (NaN: 0).
 * Nothing here knows of memory or ops.
 */
#ifndef KBREPLAY_SRC_NUMBER_H
#define KBREPLAY_SRC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KBR_F16_NAN 0x7E00u
#define KBR_BF16_NAN 0x7FC0u
#define KBR_F32_NAN 0x7FC00000u

/* --- one value --------------------------------------------------------------------------------- */

float kbr_f32_from_bits(uint32_t bits);
uint32_t kbr_f32_to_bits(float value); /* canonical NaN */

float kbr_f16_to_f32(uint16_t bits);
uint16_t kbr_f16_from_f32(float value);
uint16_t kbr_f16_from_f64(double value);

float kbr_bf16_to_f32(uint16_t bits);
uint16_t kbr_bf16_from_f32(float value);
uint16_t kbr_bf16_from_f64(double value);

/* Nearest even of a double, kept in [low, high]; NaN gives 0. */
int64_t kbr_integer_from_f64(double value, int64_t low, int64_t high);

/* IEEE 754-2019 minimum and maximum: NaN wins, and -0 is below +0. */
float kbr_minimum_f32(float a, float b);
float kbr_maximum_f32(float a, float b);
double kbr_minimum_f64(double a, double b);
double kbr_maximum_f64(double a, double b);

/* --- a dtype's numbers, little-endian in memory ------------------------------------------------ */

/* What the checks ask about a dtype. NULL from kbr_dtype() for one that holds no numbers here. */
typedef struct kbr_dtype {
    uint32_t size_bytes;
    bool is_float;
    unsigned precision; /* bits of the significand, the hidden one included; integers: of the value */
    double largest;     /* finite value */
    double
        half_smallest; /* half of the smallest subnormal: the most that an underflow loses; 0 for integers */
    double exact_integers; /* every integer up to this one, and every sum that stays within it, is exact */
    double (*load)(const uint8_t *bytes);        /* exact */
    void (*store)(double value, uint8_t *bytes); /* rounded once */
} kbr_dtype;

const kbr_dtype *kbr_dtype_of(uint32_t dtype);

#endif

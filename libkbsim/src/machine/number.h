/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as users write them: "4096", "16MiB", "57.6 GB/s", "2us", "4x4". Exact, without floating point,
 * and the same in every locale.
 */
#ifndef KBSIM_SRC_NUMBER_H
#define KBSIM_SRC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is wrong with a text that should be a quantity. */
typedef enum kbs_number_fault {
    KBS_NUMBER_FINE,
    KBS_NUMBER_NONE,  /* it is no number */
    KBS_NUMBER_UNIT,  /* what follows the number is no unit of this kind */
    KBS_NUMBER_FINER, /* it lies between two values that can be kept */
    KBS_NUMBER_LARGE  /* it exceeds 64 bits */
} kbs_number_fault;

/*
 * NUMBER, or NUMBER and a unit, with blanks between them or none; NUMBER is decimal, with a fraction or not.
 * The unit is `own`, or one that units.def measures in it. Gives the value in 1 / steps of `own`; leaves
 * *ret alone where something is wrong.
 */
kbs_number_fault kbs_parse_quantity(const char *text, const char *own, uint64_t steps, uint64_t *ret);

/* The i-th unit beside `own` that a quantity may have, or NULL. */
const char *kbs_unit_of(const char *own, size_t i);

/* A number of millionths as a decimal, without zeros at its end; 27 characters at most. */
const char *kbs_real_text(uint64_t millionths, char *buffer, size_t size);

/* All return false, and leave *ret alone, where the text is not wholly such a number. */
/* A whole number of bytes, with a unit or without. */
bool kbs_parse_bytes(const char *text, uint64_t *ret);
/* "4x3" or "4" (which is 4x1): columns in the upper half, rows in the lower. */
bool kbs_parse_grid(const char *text, uint64_t *ret);
/* "32x64x32": three sides of 21 bits each, the first one highest. */
bool kbs_parse_box(const char *text, uint64_t *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Values of elements, as far as pass one must know them: for contents that the host supplies, and peeks. */
#ifndef KBSIM_SRC_RECORD_NUMBER_H
#define KBSIM_SRC_RECORD_NUMBER_H

#include <stdbool.h>

#include "kbtrace/defs.h"

bool kbs_is_float(uint32_t dtype);
bool kbs_is_integer(uint32_t dtype);
/* The largest value that a dtype of numbers holds; of integers, the least is one more below 0. */
double kbs_most_of(uint32_t dtype);
/* The largest n for which a dtype holds all integers from -n to n. */
double kbs_exact_of(uint32_t dtype);

/* An element's bytes, little-endian and zero-extended, of a value that the dtype holds; and back. */
uint64_t kbs_bits_of(uint32_t dtype, double value);
double kbs_value_of(uint32_t dtype, uint64_t bits);

/* An element of initial contents that are no bytes, as docs/trace-format.md defines the recipes. */
double kbs_initial_value(const kb_initial *initial, uint64_t element);

#endif

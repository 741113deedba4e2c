/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as users write them: "4096", "16MiB", "57.6", "4x4". Exact, without floating point, and
 * the same in every locale.
 */
#ifndef KBSIM_SRC_NUMBER_H
#define KBSIM_SRC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All return false, and leave *ret alone, where the text is not wholly such a number. */
bool kbs_parse_count(const char *text, uint64_t *ret);
/* With kB MB GB TB (powers of 1000) or KiB MiB GiB TiB; the B may be left out. */
bool kbs_parse_bytes(const char *text, uint64_t *ret);
/* A decimal with up to six places, in millionths. */
bool kbs_parse_real(const char *text, uint64_t *ret);
/* "4x3" or "4" (which is 4x1): columns in the upper half, rows in the lower. */
bool kbs_parse_grid(const char *text, uint64_t *ret);
/* "32x64x32": three sides of 21 bits each, the first one highest. */
bool kbs_parse_box(const char *text, uint64_t *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that repeat themselves in less room: what was there before is named by where it was. A loop takes
 * what its first turn does, at the speed of copying. For what this library keeps in its own memory and reads
 * back itself: nothing is checked, so nothing from outside may be unpacked with it.
 */
#ifndef KBSIM_SRC_PACK_H
#define KBSIM_SRC_PACK_H

#include <stddef.h>
#include <stdint.h>

/* So many bytes at most at a time; and what they may take where nothing repeats. */
enum { KBS_PACK_BYTES = 2048, KBS_PACKED_BYTES = KBS_PACK_BYTES + 8 };

/* Returns how many bytes of `to` were written, where there are KBS_PACKED_BYTES. */
size_t kbs_pack(const uint8_t *from, size_t size, uint8_t *to);

/* Makes the `size` bytes again. */
void kbs_unpack(const uint8_t *from, size_t size, uint8_t *to);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that were taken rightly once, and once more for something else: who came back for them is to blame,
 * and not who brought them.
 */
#ifndef KBREPLAY_SRC_STALE_H
#define KBREPLAY_SRC_STALE_H

#include "blame/trace.h"

typedef struct kbr_stale {
    size_t reader;  /* that took them for another element */
    size_t bringer; /* that had left them there */
    uint32_t memory;
    uint64_t offset;
} kbr_stale;

/* Did an op take what the suspect brought to the element that it is of, before it came to the wrong one? */
bool kbr_find_stale(const kbr_origins *origins, const kbr_suspect *suspect, kbr_stale *ret_stale);

#endif

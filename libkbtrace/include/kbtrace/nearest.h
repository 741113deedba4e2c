/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean …?": finds the known name that is nearest to a misspelt one.
 *
 *   kb_nearest nearest;
 *   kb_nearest_init(&nearest, wanted);
 *   for each known name:
 *       kb_nearest_offer(&nearest, name);
 *   if (kb_nearest_best(&nearest) != NULL) ...
 *
 * Of equally near names the first that was offered wins. Nothing allocates and nothing fails.
 */
#ifndef KBTRACE_NEAREST_H
#define KBTRACE_NEAREST_H

#include <stddef.h>

typedef struct kb_nearest {
    const char *wanted;
    const char *best;
    size_t distance; /* of `best`: letters to insert, drop, change, or swap with a neighbour */
} kb_nearest;

void kb_nearest_init(kb_nearest *nearest, const char *wanted);
/* `name` must live as long as `nearest`. */
void kb_nearest_offer(kb_nearest *nearest, const char *name);
/* NULL where nothing that was offered is near enough to be meant. */
const char *kb_nearest_best(const kb_nearest *nearest);

#endif

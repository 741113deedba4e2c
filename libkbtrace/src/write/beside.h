/* SPDX-License-Identifier: Apache-2.0 */
/* A thread beside the caller's, to which work is handed over piece by piece, one at a time. */
#ifndef KBTRACE_SRC_BESIDE_H
#define KBTRACE_SRC_BESIDE_H

#include "kbtrace/memory.h"

typedef struct kb_beside kb_beside;

typedef kb_status (*kb_beside_fn)(void *context, void *piece, kb_trail *trail);

/* *ret_beside: NULL where the system gives no thread. `work` is called there with each piece. */
kb_status kb_beside_create(const kb_alloc *alloc, kb_beside_fn work, void *context, kb_beside **ret_beside,
                           kb_trail *trail) KB_MUST_USE;
/* Waits for the thread. */
void kb_beside_destroy(kb_beside *beside);

/* Until the last piece is done; tells the first failure of any, which stays. `trail` may be NULL. */
kb_status kb_beside_wait(kb_beside *beside, kb_trail *trail);

/* Waits, and hands over a piece. It belongs to the thread until that is done; after a failure nothing is. */
kb_status kb_beside_hand(kb_beside *beside, void *piece, kb_trail *trail) KB_MUST_USE;

#endif

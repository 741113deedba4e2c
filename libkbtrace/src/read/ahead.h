/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacks the next frame in a thread of its own while the reader's works on this one.
 *
 * What goes wrong there is not told: the reader comes to the same frame and finds the same trouble.
 */
#ifndef KBTRACE_SRC_AHEAD_H
#define KBTRACE_SRC_AHEAD_H

#include "read/input.h"

typedef struct kb_ahead kb_ahead;

kb_status kb_ahead_create(const kb_alloc *alloc, kb_ahead **ret_ahead, kb_trail *trail) KB_MUST_USE;
void kb_ahead_destroy(kb_ahead *ahead);

/* Begins with a frame of an input whose file stays open; a frame that nobody took is given up. */
void kb_ahead_send(kb_ahead *ahead, kb_input *input, uint32_t frame);

/* True where that frame was sent for and is sound: its bytes change places with those of *inout_raw. */
bool kb_ahead_take(kb_ahead *ahead, const kb_input *input, uint32_t frame, kb_raw_frame *inout_raw);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses and writes frames, in the caller's thread or beside it; in both cases in the order in
 * which they were handed over, so the files are the same.
 */
#ifndef KBTRACE_SRC_PRESS_H
#define KBTRACE_SRC_PRESS_H

#include "write/output.h"

typedef struct kb_press kb_press;

kb_status kb_press_create(const kb_alloc *alloc, int level, bool beside, uint64_t run, kb_press **ret_press,
                          kb_trail *trail) KB_MUST_USE;
/* Waits for its thread; what was not drained may be lost. */
void kb_press_destroy(kb_press *press);

/*
 * Takes the bytes of `raw` as the next frame of `output` and gives back an empty buffer in its
 * place. A failure of an earlier frame may show itself here.
 */
kb_status kb_press_submit(kb_press *press, kb_output *output, kb_buffer *raw, kb_trail *trail) KB_MUST_USE;
/* Until every frame is written. */
kb_status kb_press_drain(kb_press *press, kb_trail *trail) KB_MUST_USE;

#endif

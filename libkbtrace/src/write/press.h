/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses and writes frames, one after another. */
#ifndef KBTRACE_SRC_PRESS_H
#define KBTRACE_SRC_PRESS_H

#include "write/output.h"

typedef struct kb_press {
    kb_packer *packer;
    uint64_t run;
    kb_buffer packed;
} kb_press;

/* `run` is told by every frame. */
kb_status kb_press_init(kb_press *press, const kb_alloc *alloc, int level, uint64_t run,
                        kb_trail *trail) KB_MUST_USE;
void kb_press_fini(kb_press *press);

/* Takes the bytes of `raw` as the next frame of `output`; `raw` is empty afterwards. */
kb_status kb_press_submit(kb_press *press, kb_output *output, kb_buffer *raw, kb_trail *trail) KB_MUST_USE;

#endif

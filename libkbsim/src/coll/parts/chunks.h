/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of neighbouring ranks as one view, in buffers of blocks that are rounded up. Records nothing. */
#ifndef KBSIM_SRC_CHUNKS_H
#define KBSIM_SRC_CHUNKS_H

#include "kbsim/coll.h"

/* Those of ranks [first, end), of a reduce_scatter or an all_gather. */
static inline tl_view kbs_chunks(const kb_coll *c, uint32_t first, uint32_t end) {
    const uint64_t elements = c->buffer.elements, most = elements / c->ranks + (elements % c->ranks != 0);
    const uint64_t from = first * most < elements ? first * most : elements;
    const uint64_t to = end * most < elements ? end * most : elements;
    return tl_slice(c, c->buffer, from, to - from);
}

#endif

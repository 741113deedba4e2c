/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors as the files that record host programs make them: on one PE, or over the PEs of a rank. */
#ifndef KBSIM_SRC_TENSOR_H
#define KBSIM_SRC_TENSOR_H

#include "record/view.h"

/*
 * Finds room for a tensor on a PE of the rank, `what` but for its place, whose life begins here; the trace's
 * rows are the caller's. NULL after a mistake.
 */
kbs_tensor *kbs_tensor_make(tl_stream *host, uint32_t pe, uint32_t space, const kbs_tensor *what,
                            tl_where where);

/* What a new tensor is made of. */
typedef struct kbs_new {
    const char *name;
    uint32_t space; /* KB_SPACE_… */
    const tl_shape *shape;
    const kb_initial *initial; /* all but place and elements; of `count` elements from `first` on */
    uint64_t first, count;
    uint64_t elements; /* of the shape */
    kbs_cut cut;       /* among the PEs of the rank */
} kbs_new;

/*
 * A tensor over the PEs of the host's rank. Where a rank has one PE, it lies there. An empty view after a
 * mistake.
 */
tl_view kbs_spread_new(tl_stream *host, const kbs_new *what, tl_where where);

/* Of the bytes of all of a tensor those of a PE's shares, one behind the other. */
void kbs_spread_gather(const kbs_spread *from, uint32_t pe, uint32_t size, const uint8_t *bytes,
                       uint8_t *into);

#endif

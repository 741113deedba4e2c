/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting views into pieces that fit through scratch; see work.h. Records no command. */
#include "record/work.h"

void kbs_pieces_init(kbs_pieces *pieces, const tl_view *view, uint32_t axes, uint64_t unit_bytes,
                     uint64_t most_bytes) {
    uint64_t inner_bytes = unit_bytes;
    uint32_t axis = axes;
    *pieces = (kbs_pieces){.step = 1};
    for (uint32_t i = 0; i < axes; i++)
        pieces->extents[i] = view->shape[i];
    while (axis > 0 && view->shape[axis - 1] <= most_bytes / inner_bytes)
        inner_bytes *= view->shape[--axis];
    if (axis == 0) {
        pieces->is_whole = true;
        return;
    }
    pieces->axis = axis - 1;
    if (most_bytes > inner_bytes)
        pieces->step = most_bytes / inner_bytes;
}

bool kbs_pieces_next(kbs_pieces *pieces) {
    if (pieces->is_whole)
        return false;
    uint32_t axis = pieces->axis;
    pieces->at[axis] += pieces->step;
    while (pieces->at[axis] >= pieces->extents[axis]) {
        if (axis == 0)
            return false;
        pieces->at[axis] = 0;
        pieces->at[--axis]++;
    }
    return true;
}

tl_view kbs_pieces_part(const kbs_pieces *pieces, const tl_view *view) {
    if (pieces->is_whole)
        return *view;
    tl_view part = *view;
    const uint64_t size = kb_dtype_size(view->dtype);
    for (uint32_t axis = 0; axis <= pieces->axis; axis++)
        part.offset_bytes += pieces->at[axis] * (uint64_t)view->stride[axis] * size;
    part.dims = view->dims - pieces->axis;
    part.elements = 1;
    for (uint32_t axis = 0; axis < KB_DIMS_MAX; axis++) {
        part.shape[axis] = axis < part.dims ? view->shape[axis + pieces->axis] : 0;
        part.stride[axis] = axis < part.dims ? view->stride[axis + pieces->axis] : 0;
    }
    const uint64_t left = pieces->extents[pieces->axis] - pieces->at[pieces->axis];
    part.shape[0] = left < pieces->step ? left : pieces->step;
    for (uint32_t axis = 0; axis < part.dims; axis++)
        part.elements *= part.shape[axis];
    return part;
}

uint64_t kbs_piece_bytes(const tl_stream *stream) {
    /* 64 KiB take 256 ns of a DMA at 256 GB/s, several times its latency; two sets of four pieces are half of
     * the scratch. */
    static const uint64_t most_bytes = 65536, least_bytes = 256;
    const uint64_t share = stream->program->machine->at.scratch_bytes / 16 / least_bytes * least_bytes;
    return share < least_bytes ? least_bytes : share < most_bytes ? share : most_bytes;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Positions in a strided operand; see runs.h. Knows no time. */
#include "fabric/runs.h"

#include <assert.h>

kbs_runs kbs_runs_of(const kb_operand *operand, uint64_t offset_bytes) {
    const uint64_t element_bytes = kb_dtype_size(operand->dtype);
    kbs_runs runs = {.offset_bytes = offset_bytes, .run_bytes = element_bytes};
    uint32_t inner = operand->dims;
    for (; inner > 0; inner--) {
        const uint64_t extent = operand->shape[inner - 1];
        const bool is_next = operand->stride[inner - 1] * (int64_t)element_bytes == (int64_t)runs.run_bytes;
        if (extent != 1 && !is_next)
            break;
        runs.run_bytes *= extent;
    }
    runs.dims = inner;
    for (uint32_t i = 0; i < inner; i++) {
        runs.count[i] = operand->shape[i];
        runs.stride_bytes[i] = operand->stride[i] * (int64_t)element_bytes;
    }
    return runs;
}

kbs_span kbs_runs_at(const kbs_runs *runs, uint64_t position) {
    uint64_t run = position, offset_bytes = runs->offset_bytes;
    if (runs->dims > 0) {
        run = position / runs->run_bytes;
        position -= run * runs->run_bytes;
        for (uint32_t i = runs->dims; i-- > 0; run /= runs->count[i])
            offset_bytes += run % runs->count[i] * (uint64_t)runs->stride_bytes[i];
    }
    assert(position < runs->run_bytes);
    return (kbs_span){offset_bytes + position, runs->run_bytes - position};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_write in time: a DMA of an M_CPU writes bytes of the host to a memory; the command's value says which
 * payload they are.
 */
#include "op/kind.h"
#include "pe/dma.h"

static bool begin(kbs_pe *host, kbs_op *op) {
    if (op->record.payload == NULL) { /* it is handed over the first time */
        const kbs_payload *payload = &host->sim->program->payloads[op->record.value];
        op->record.payload = payload->bytes;
        op->record.payload_size = payload->size_bytes;
        op->record.value = 0;
    }
    return kbs_dma_write(host, op);
}

const kbs_kind kbs_kind_host_write = {.engine = KB_ENGINE_HOST, .is_free = true, .begin = begin};

/* SPDX-License-Identifier: Apache-2.0 */
/* host_write in time: bytes of the program become the destination's; the command's value says which. */
#include "op/host_copy.h"
#include "op/kind.h"

static bool begin(kbs_pe *host, kbs_op *op) {
    const kbs_payload *payload = &host->sim->program->payloads[op->record.value];
    op->record.payload = payload->bytes;
    op->record.payload_size = payload->size_bytes;
    op->record.value = 0;
    return kbs_host_copy(host, op);
}

const kbs_kind kbs_kind_host_write = {.engine = KB_ENGINE_HOST, .is_free = true, .begin = begin};

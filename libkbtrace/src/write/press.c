/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, compressed and written: see press.h. */
#include "write/press.h"

kb_status kb_press_init(kb_press *press, const kb_alloc *alloc, int level, uint64_t run, kb_trail *trail) {
    *press = (kb_press){.run = run};
    kb_buffer_init(&press->packed, alloc);
    return kb_packer_create(alloc, level, &press->packer, trail);
}

void kb_press_fini(kb_press *press) {
    kb_packer_destroy(press->packer);
    kb_buffer_fini(&press->packed);
}

kb_status kb_press_submit(kb_press *press, kb_output *output, kb_buffer *raw, kb_trail *trail) {
    uint32_t packed_size;
    press->packed.size = 0;
    KB_TRY(kb_pack(press->packer, output->frames, press->run, raw->bytes, raw->size, &press->packed,
                   &packed_size, trail));
    KB_TRY(kb_output_frame(output, &press->packed, packed_size, (uint32_t)raw->size, trail));
    raw->size = 0;
    return KB_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of a pass, and what it leaves unchecked; see pass.h. */
#include "pass.h"

#include <stdarg.h>
#include <stdio.h>

kb_status kbr_pass_allow(const kbr_pass *pass, uint64_t size, kb_trail *trail) {
    if (size > pass->limit_size)
        return kb_fail(trail, KB_E_LIMIT,
                       "an operand of %llu bytes; the limit for rebuilt memory is %llu (--max-rebuilt)",
                       (unsigned long long)size, (unsigned long long)pass->limit_size);
    return KB_OK;
}

kb_status kbr_pass_buffer(kbr_pass *pass, unsigned number, uint64_t size, uint8_t **ret_bytes,
                          kb_trail *trail) {
    kbr_buffer *buffer = &pass->buffers[number];
    KB_TRY(kbr_pass_allow(pass, size, trail));
    if (size > buffer->size) {
        size_t wider = size < 4096 ? 4096 : (size_t)size;
        void *block;
        KB_TRY(kb_new(pass->alloc, wider, &block, trail));
        kb_delete(pass->alloc, buffer->bytes, buffer->size);
        *buffer = (kbr_buffer){.bytes = block, .size = wider};
    }
    *ret_bytes = buffer->bytes;
    return KB_OK;
}

void kbr_pass_unchecked(kbr_pass *pass, const char *format, ...) {
    kbr_unchecked *list = pass->unchecked;
    if (list == NULL || list->count == KBR_UNCHECKED_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(list->text[list->count], KBR_UNCHECKED_CHARS, format, args);
    va_end(args);
    list->lines[list->count] = list->text[list->count];
    list->count++;
}

kb_status kbr_progress_tell(const kbr_progress *progress, uint64_t ops, kb_trail *trail) {
    if (progress->tell == NULL || progress->tell(progress->user, ops))
        return KB_OK;
    return kb_fail(trail, KB_E_INTERRUPTED, "stopped on request, behind %llu ops", (unsigned long long)ops);
}

void kbr_pass_fini(kbr_pass *pass) {
    for (int i = 0; i < KBR_BUFFERS; i++)
        kb_delete(pass->alloc, pass->buffers[i].bytes, pass->buffers[i].size);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Frames packed and unpacked: see frame.h. The only file that includes zstd.h. */
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "wire/frame.h"

static const char head_tag[4] = {'K', 'B', 'F', '1'};

uint32_t kb_le32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void kb_le32_put(uint8_t *bytes, uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t le64(const uint8_t *bytes) {
    return (uint64_t)kb_le32(bytes) | (uint64_t)kb_le32(bytes + 4) << 32;
}

static void le64_put(uint8_t *bytes, uint64_t value) {
    kb_le32_put(bytes, (uint32_t)value);
    kb_le32_put(bytes + 4, (uint32_t)(value >> 32));
}

uint64_t kb_frame_digest(const uint8_t *bytes, size_t size) {
    return XXH64(bytes, size, 0);
}

void kb_head_put(const kb_head *head, uint8_t bytes[KB_HEAD_SIZE]) {
    kb_le32_put(bytes, KB_SKIPPABLE_HEAD);
    kb_le32_put(bytes + 4, KB_HEAD_SIZE - 8);
    memcpy(bytes + 8, head_tag, sizeof head_tag);
    kb_le32_put(bytes + 12, head->number);
    le64_put(bytes + 16, head->run);
    kb_le32_put(bytes + 24, head->packed_size);
    kb_le32_put(bytes + 28, head->raw_size);
    le64_put(bytes + 32, head->packed_digest);
    kb_le32_put(bytes + 40, (uint32_t)XXH64(bytes, 40, 0));
}

bool kb_head_get(const uint8_t bytes[KB_HEAD_SIZE], kb_head *ret_head) {
    if (kb_le32(bytes) != KB_SKIPPABLE_HEAD || kb_le32(bytes + 4) != KB_HEAD_SIZE - 8 ||
        memcmp(bytes + 8, head_tag, sizeof head_tag) != 0 ||
        kb_le32(bytes + 40) != (uint32_t)XXH64(bytes, 40, 0))
        return false;
    *ret_head = (kb_head){
        .number = kb_le32(bytes + 12),
        .run = le64(bytes + 16),
        .packed_size = kb_le32(bytes + 24),
        .raw_size = kb_le32(bytes + 28),
        .packed_digest = le64(bytes + 32),
    };
    return true;
}

/* --- packing ---------------------------------------------------------------------------------- */

struct kb_packer {
    const kb_alloc *alloc;
    ZSTD_CCtx *context;
};

kb_status kb_packer_create(const kb_alloc *alloc, int level, kb_packer **ret_packer, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new(alloc, sizeof(kb_packer), &block, trail));
    kb_packer *packer = block;
    *packer = (kb_packer){alloc, ZSTD_createCCtx()};
    if (packer->context == NULL ||
        ZSTD_isError(ZSTD_CCtx_setParameter(packer->context, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(packer->context, ZSTD_c_checksumFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(packer->context, ZSTD_c_contentSizeFlag, 1))) {
        kb_packer_destroy(packer);
        return kb_fail(trail, KB_E_MEMORY, "out of memory: zstd could not set up level %d", level);
    }
    *ret_packer = packer;
    return KB_OK;
}

void kb_packer_destroy(kb_packer *packer) {
    if (packer == NULL)
        return;
    ZSTD_freeCCtx(packer->context);
    kb_delete(packer->alloc, packer, sizeof *packer);
}

kb_status kb_pack(kb_packer *packer, uint32_t number, uint64_t run, const uint8_t *raw, size_t raw_size,
                  kb_buffer *out, uint32_t *ret_packed_size, kb_trail *trail) {
    if (raw_size >= KB_FRAME_RAW_MAX)
        return kb_fail(trail, KB_E_LIMIT, "frame %u would hold %zu bytes, the most is %zu", number, raw_size,
                       KB_FRAME_RAW_MAX - 1);
    size_t bound = ZSTD_compressBound(raw_size);
    KB_TRY(kb_buffer_reserve(out, KB_HEAD_SIZE + bound, trail));
    uint8_t *head_bytes = out->bytes + out->size, *packed = head_bytes + KB_HEAD_SIZE;
    size_t size = ZSTD_compress2(packer->context, packed, bound, raw, raw_size);
    if (ZSTD_isError(size))
        return kb_fail(trail, KB_E_MEMORY, "zstd cannot compress frame %u of %zu bytes: %s", number, raw_size,
                       ZSTD_getErrorName(size));
    kb_head head = {number, run, (uint32_t)size, (uint32_t)raw_size, kb_frame_digest(packed, size)};
    kb_head_put(&head, head_bytes);
    out->size += KB_HEAD_SIZE + size;
    *ret_packed_size = (uint32_t)size;
    return KB_OK;
}

/* --- unpacking -------------------------------------------------------------------------------- */

struct kb_unpacker {
    const kb_alloc *alloc;
    ZSTD_DCtx *context;
};

kb_status kb_unpacker_create(const kb_alloc *alloc, kb_unpacker **ret_unpacker, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new(alloc, sizeof(kb_unpacker), &block, trail));
    kb_unpacker *unpacker = block;
    *unpacker = (kb_unpacker){alloc, ZSTD_createDCtx()};
    if (unpacker->context == NULL) {
        kb_unpacker_destroy(unpacker);
        return kb_fail(trail, KB_E_MEMORY, "out of memory: zstd could not set up decompression");
    }
    *ret_unpacker = unpacker;
    return KB_OK;
}

void kb_unpacker_destroy(kb_unpacker *unpacker) {
    if (unpacker == NULL)
        return;
    ZSTD_freeDCtx(unpacker->context);
    kb_delete(unpacker->alloc, unpacker, sizeof *unpacker);
}

kb_status kb_unpack(kb_unpacker *unpacker, const kb_head *head, const uint8_t *packed, uint8_t *raw,
                    kb_trail *trail) {
    if (kb_frame_digest(packed, head->packed_size) != head->packed_digest)
        return kb_fail(trail, KB_E_CORRUPT, "frame %u is damaged: its compressed bytes have another digest",
                       head->number);
    /* The size is the head's alone: zstd may not write beyond it, whatever the frame says. */
    size_t size = ZSTD_decompressDCtx(unpacker->context, raw, head->raw_size, packed, head->packed_size);
    if (ZSTD_isError(size))
        return kb_fail(trail, KB_E_CORRUPT, "frame %u is damaged: zstd says '%s'", head->number,
                       ZSTD_getErrorName(size));
    if (size != head->raw_size)
        return kb_fail(trail, KB_E_CORRUPT, "frame %u is damaged: it holds %zu bytes, its head says %u",
                       head->number, size, head->raw_size);
    return KB_OK;
}

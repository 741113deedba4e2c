/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: how packets are compressed and framed in a file, and the seek table at its end.
 *
 * A frame is a head (a skippable frame of zstd's that says how long the next one is, which it is,
 * of which run, and seals its compressed bytes with a digest) and a zstd frame. The file ends with
 * the seek table of zstd's seekable format. So zstd reads a trace as it is, and every bit of it is
 * under a check. No type of zstd's leaves the file that includes it.
 */
#ifndef KBTRACE_SRC_FRAME_H
#define KBTRACE_SRC_FRAME_H

#include "kbtrace/memory.h"
#include "wire/wire.h"

#define KB_SKIPPABLE_HEAD 0x184D2A5Bu /* our head */
#define KB_SKIPPABLE_SEEK 0x184D2A5Eu /* the seekable format's table */
#define KB_SEEK_MAGIC 0x8F92EAB1u
#define KB_HEAD_SIZE 44u
#define KB_SEEK_HEADER_SIZE 8u
#define KB_SEEK_FOOTER_SIZE 9u
#define KB_SEEK_ENTRY_SIZE 8u
#define KB_FRAME_RAW_MAX ((size_t)64 << 20) /* a frame holds less: what readers allow by default */

typedef struct kb_head {
    uint32_t number;        /* of the frame in its file */
    uint64_t run;           /* the first 8 bytes of the run's id */
    uint32_t packed_size;   /* of the zstd frame */
    uint32_t raw_size;      /* of what it holds */
    uint64_t packed_digest; /* XXH64 of the zstd frame */
} kb_head;

void kb_head_put(const kb_head *head, uint8_t bytes[KB_HEAD_SIZE]);
/* False where the bytes are no head, or a damaged one. */
bool kb_head_get(const uint8_t bytes[KB_HEAD_SIZE], kb_head *ret_head);

uint32_t kb_le32(const uint8_t *bytes);
void kb_le32_put(uint8_t *bytes, uint32_t value);
uint64_t kb_frame_digest(const uint8_t *bytes, size_t size);

/* --- packing ---------------------------------------------------------------------------------- */

typedef struct kb_packer kb_packer;

kb_status kb_packer_create(const kb_alloc *alloc, int level, kb_packer **ret_packer,
                           kb_trail *trail) KB_MUST_USE;
void kb_packer_destroy(kb_packer *packer);

/* Appends head and zstd frame to `out`; *ret_packed_size is the zstd frame's size. */
kb_status kb_pack(kb_packer *packer, uint32_t number, uint64_t run, const uint8_t *raw, size_t raw_size,
                  kb_buffer *out, uint32_t *ret_packed_size, kb_trail *trail) KB_MUST_USE;

/* --- unpacking -------------------------------------------------------------------------------- */

typedef struct kb_unpacker kb_unpacker;

kb_status kb_unpacker_create(const kb_alloc *alloc, kb_unpacker **ret_unpacker, kb_trail *trail) KB_MUST_USE;
void kb_unpacker_destroy(kb_unpacker *unpacker);

/* Holds the packed bytes against their head, then fills raw[head->raw_size]. */
kb_status kb_unpack(kb_unpacker *unpacker, const kb_head *head, const uint8_t *packed, uint8_t *raw,
                    kb_trail *trail) KB_MUST_USE;

#endif

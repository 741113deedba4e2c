/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forged traces: any bytes as frames of a sound container, sealed with the right digests, so that a
 * test gets behind the seals; and a good trace taken apart again.
 *
 *   forge *f = forge_create();
 *   forge_frame(f, raw, raw_size);                 its contents, sealed
 *   forge_end(f);                                  the seek table
 *   fault_fs_put(&disk, "a.zst", forge_bytes(f), forge_size(f));
 *   forge_destroy(f);
 *
 * Of the library it uses the private parts that make and open frames, and nothing else of it.
 */
#ifndef KB_TESTS_FORGE_H
#define KB_TESTS_FORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct forge forge;

forge *forge_create(void);
void forge_destroy(forge *f);
/* Forgets the frames so far. */
void forge_reset(forge *f);

/* The next frame. The first decides of which run the others say they are: its header's. */
void forge_frame(forge *f, const void *raw, size_t size);
/* The same with a head that says another number and size than is true, and is sealed all the same. */
void forge_lying_frame(forge *f, const void *raw, size_t size, uint32_t number, uint32_t said_size);
/* A frame that was packed before, head and all, with its entry in the seek table. */
void forge_keep(forge *f, const uint8_t *bytes, size_t size);
/* Bytes as they are, accounted for by no seek table. */
void forge_append(forge *f, const void *bytes, size_t size);
/* The seek table of the frames so far. */
void forge_end(forge *f);

const uint8_t *forge_bytes(const forge *f);
size_t forge_size(const forge *f);

/* --- a trace taken apart ------------------------------------------------------------------------ */

typedef struct forge_part {
    size_t offset, size; /* in the file, head included */
    uint8_t *raw;        /* what it holds */
    size_t raw_size;
} forge_part;

/* The whole frames of a file; fails the test where there are none. */
size_t forge_take_apart(const uint8_t *bytes, size_t size, forge_part **ret_parts);
void forge_parts_free(forge_part *parts, size_t count);

/* --- one number changed ------------------------------------------------------------------------- */

/*
 * Writes `raw`, the contents of a frame, to out[capacity] with its number `which` replaced by `value`: the
 * numbers are all varints of the schema in their order, tags, lengths, packed ones and those of messages
 * inside included; lengths around a changed one are set right unless they are what is changed. Returns
 * the size, or 0 when the frame has no such number.
 */
size_t forge_replace(const uint8_t *raw, size_t size, size_t which, uint64_t value, uint8_t *out,
                     size_t capacity);

#endif

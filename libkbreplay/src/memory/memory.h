/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: the bytes of every memory that a trace defines, and which of them are defined.
 *
 * Sparse: a page exists once something touches it, and is filled then from the initial contents
 * that cover it, later definitions over earlier ones. A byte is defined when initial contents or a
 * write made it so; an undefined byte reads as 0. Nothing here knows of ops.
 *
 * Different memories may be used by different threads at once; one memory by one at a time.
 *
 * The memory digest, canonical: memory by memory in the order of their definitions, each maximal
 * run of defined bytes by rising offset gives 40 bytes, little-endian: u64 memory id, u64 offset,
 * u64 length, and the 16 bytes of XXH3-128 of the run's bytes in XXH3's canonical (big-endian)
 * form. The digest is XXH3-128 of these, joined. Initial contents count whether touched or not.
 */
#ifndef KBREPLAY_SRC_MEMORY_H
#define KBREPLAY_SRC_MEMORY_H

#include "kbtrace/defs.h"
#include "number/kernels.h"

typedef struct kbr_memories kbr_memories;

/* limit_size bounds the pages of all memories together. `defs` must outlive them. */
kb_status kbr_memories_create(const kb_defs *defs, const kb_alloc *alloc, uint64_t limit_size,
                              kbr_memories **ret_memories, kb_trail *trail) KB_MUST_USE;
void kbr_memories_destroy(kbr_memories *memories);
/* Which kernels draw initial contents; the best that this machine has, where nobody says. */
void kbr_memories_use(kbr_memories *memories, const kbr_kernels *kernels);

/*
 * A range below must lie inside its memory: whoever calls has checked it. *ret_defined (may be NULL)
 * tells whether all of the range is defined.
 */
kb_status kbr_memory_read(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                          uint8_t *bytes, bool *ret_defined, kb_trail *trail) KB_MUST_USE;
kb_status kbr_memory_write(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                           const uint8_t *bytes, kb_trail *trail) KB_MUST_USE;
kb_status kbr_memory_undefine(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              kb_trail *trail) KB_MUST_USE;

/*
 * The first bytes of a range as they lie in memory: one at least, and as far as they lie together. Undefined
 * ones are 0. They stay as they are until somebody writes the range.
 */
typedef struct kbr_span {
    const uint8_t *bytes;
    uint64_t size;
    bool defined; /* all of them */
} kbr_span;

kb_status kbr_memory_readable(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              kbr_span *ret_span, kb_trail *trail) KB_MUST_USE;
/* So many bytes from an offset on lie together, if the memory goes on for so long. */
uint64_t kbr_memory_room(uint64_t offset);
/*
 * They count as defined from now on, and the caller writes every one of them before anybody reads. Where
 * the same bytes were readable before, those may be these, or a copy that keeps what they were.
 */
kb_status kbr_memory_writable(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              uint8_t **ret_bytes, uint64_t *ret_size, kb_trail *trail) KB_MUST_USE;

/* The definedness of each byte as a bitmap, byte i in bit i % 8 of bits[i / 8]. */
kb_status kbr_memory_get_bits(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                              uint8_t *bits, kb_trail *trail) KB_MUST_USE;
/* As write, but only bytes whose bit is set become defined; the others become undefined. */
kb_status kbr_memory_write_bits(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                                const uint8_t *bytes, const uint8_t *bits, kb_trail *trail) KB_MUST_USE;

/* The first undefined byte of the range, relative to its offset; `size` where there is none. */
kb_status kbr_memory_find_undefined(kbr_memories *memories, uint32_t memory, uint64_t offset, uint64_t size,
                                    uint64_t *ret_first, kb_trail *trail) KB_MUST_USE;

kb_status kbr_memories_digest(kbr_memories *memories, kb_digest *ret_digest, kb_trail *trail) KB_MUST_USE;

/* Bytes of pages that exist now; one that snapshots share with live memory counts once. */
uint64_t kbr_memories_size(const kbr_memories *memories);

/* --- snapshots --------------------------------------------------------------------------------- */

/*
 * Memory as it was at one moment. Taking it copies no bytes: pages are shared, and copied when live memory
 * changes one. Any number may live at a time; each must be gone before its memories are. Nobody may use
 * the memories while a snapshot is taken, restored or destroyed.
 */
typedef struct kbr_snapshot kbr_snapshot;

kb_status kbr_memories_snapshot(kbr_memories *memories, kbr_snapshot **ret_snapshot,
                                kb_trail *trail) KB_MUST_USE;
/* Memory is again what it was; the snapshot remains. It must be one of these memories. */
void kbr_memories_restore(kbr_memories *memories, const kbr_snapshot *snapshot);
void kbr_snapshot_destroy(kbr_snapshot *snapshot);
/* Bytes of all pages that it names, shared or not: those of live memory when it was just taken. */
uint64_t kbr_snapshot_size(const kbr_snapshot *snapshot);

#endif

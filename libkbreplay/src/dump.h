/* SPDX-License-Identifier: Apache-2.0 */
/* Writing tensors of some memory; what is public of it is in kbreplay/replay.h. */
#ifndef KBREPLAY_SRC_DUMP_H
#define KBREPLAY_SRC_DUMP_H

#include "kbreplay/replay.h"
#include "memory/memory.h"

/* Where tensors are taken from. */
typedef struct kbr_dumped {
    const kb_alloc *alloc;
    const kb_defs *defs;
    kbr_memories *memories;
    uint64_t limit_size; /* bytes of a tensor */
} kbr_dumped;

/* See kbr_timeline_read_tensor(); the caller has cleared both. */
kb_status kbr_dump_gather(const kbr_dumped *from, uint32_t tensor, uint8_t *bytes, uint8_t *defined,
                          kb_trail *trail) KB_MUST_USE;

/* See kbr_replay_dump(). */
kb_status kbr_dump(const kbr_dumped *from, uint32_t tensor, const kb_fs *fs, const char *path,
                   uint64_t *ret_undefined, kb_trail *trail) KB_MUST_USE;

#endif

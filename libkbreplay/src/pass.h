/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of one pass over a trace share: definitions, memory, findings.
 *
 * A pass walks all ops once, from fresh memory. The replay makes one; a second one follows, with a
 * log of derivations, when a wrong value is to be traced back to its cause.
 */
#ifndef KBREPLAY_SRC_PASS_H
#define KBREPLAY_SRC_PASS_H

#include "findings.h"
#include "kbreplay/replay.h"
#include "memory/memory.h"
#include "number/kernels.h"
#include "regions.h"

/* A growing buffer that ops share for their operands. */
typedef struct kbr_buffer {
    uint8_t *bytes;
    size_t size;
} kbr_buffer;

enum { KBR_BUFFERS = 5 };

enum { KBR_UNCHECKED_MAX = 32, KBR_UNCHECKED_CHARS = 160 };

/* What was not checked, in words. */
typedef struct kbr_unchecked {
    char text[KBR_UNCHECKED_MAX][KBR_UNCHECKED_CHARS];
    const char *lines[KBR_UNCHECKED_MAX];
    size_t count;
} kbr_unchecked;

struct kbr_exchange;
struct kbr_log;
struct kbr_wrongs;

typedef struct kbr_pass {
    const kb_alloc *alloc;
    kb_reader *reader;
    const kb_run *run;
    const kb_defs *defs;
    const kb_footer *footer; /* NULL: a cut trace */
    bool complete;           /* the trace says that it is all there */
    bool strict_init;        /* undefined bytes may not even be copied */
    bool random;
    uint64_t seed;
    uint64_t little_size;          /* operands of fewer bytes are not worth handing to another thread */
    uint64_t limit_size;           /* bytes, of anything whose size the trace alone decides */
    struct kbr_exchange *exchange; /* the way to the bytes of all memories */
    uint32_t rank;                 /* whose op runs now */
    const kbr_regions *regions;
    const kbr_kernels *kernels;
    kbr_findings *findings;
    struct kbr_log *log;       /* NULL: no derivations are kept */
    struct kbr_wrongs *wrongs; /* what a later pass should explain; NULL: nobody asks */
    kbr_result *result;        /* counts that parts add to */
    kbr_unchecked *unchecked;
    kbr_progress progress;
    kbr_buffer buffers[KBR_BUFFERS];
} kbr_pass;

/* Adds a line to what was not checked; a list that is full drops it. */
void kbr_pass_unchecked(kbr_pass *pass, const char *format, ...) KB_PRINTF(2, 3);

/* Refuses an operand that is larger than all of memory may be. */
kb_status kbr_pass_allow(const kbr_pass *pass, uint64_t size, kb_trail *trail) KB_MUST_USE;

/* Buffer `number` with at least `size` bytes; its contents are undefined. */
kb_status kbr_pass_buffer(kbr_pass *pass, unsigned number, uint64_t size, uint8_t **ret_bytes,
                          kb_trail *trail) KB_MUST_USE;

/* Tells how many ops were read; KB_E_INTERRUPTED where nobody wants more. */
kb_status kbr_progress_tell(const kbr_progress *progress, uint64_t ops, kb_trail *trail) KB_MUST_USE;

/* Gives its buffers back. */
void kbr_pass_fini(kbr_pass *pass);

#endif

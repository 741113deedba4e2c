/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back from an element to what it was made of: a graph whose nodes are bytes that ops wrote, whose
 * leaves are inputs of one collective, or bytes that are none.
 *
 * A location that belongs to an element of the collective, as input or as output, is that element's
 * home. Going back from element e, whoever reads the home of another element for it is a suspect.
 */
#ifndef KBREPLAY_SRC_BLAME_TRACE_H
#define KBREPLAY_SRC_BLAME_TRACE_H

#include "blame/log.h"
#include "reference.h"

/* Which entries wrote to each memory, in order. */
typedef struct kbr_writers {
    const kbr_log *log;
    size_t **entries; /* [memories] */
    size_t *counts;
    size_t memory_count;
} kbr_writers;

kb_status kbr_writers_init(kbr_writers *writers, const kbr_log *log, const kb_defs *defs, kb_arena *arena,
                           kb_trail *trail) KB_MUST_USE;

#define KBR_NOWHERE SIZE_MAX

/* The last entry before `before` that wrote the byte, or KBR_NOWHERE; and the byte's place in its operand. */
size_t kbr_writer_of(const kbr_writers *writers, uint32_t memory, uint64_t offset, size_t before,
                     uint64_t *ret_place);

/* How many of a memory's writers come before an entry. */
size_t kbr_writers_before(const kbr_writers *writers, uint32_t memory, size_t entry);

/* A byte's place in the gathered bytes of an operand; false where the operand does not touch it. */
bool kbr_touch_place(const kbr_touch *touch, uint64_t offset, uint64_t *ret_place);
/* The byte at a place. */
uint64_t kbr_touch_offset(const kbr_touch *touch, uint64_t place);

/* Where the op puts what it read at byte `place` of operand `touch`; false where it puts it nowhere. */
bool kbr_passes_on(const kbr_entry *entry, uint32_t touch, uint64_t place, uint32_t *ret_memory,
                   uint64_t *ret_offset);

typedef enum kbr_node_kind {
    KBR_NODE_OP,
    KBR_NODE_INPUT,   /* of the collective */
    KBR_NODE_FOREIGN, /* written by nobody, or by nobody that derives it from data */
    KBR_NODE_TOO_DEEP
} kbr_node_kind;

typedef struct kbr_origin {
    kbr_node_kind kind;
    size_t entry;   /* OP: who wrote it */
    uint64_t place; /* OP: the byte in its operand */
    uint32_t memory;
    uint64_t offset;
    uint64_t element;   /* reference element that it stands for */
    uint32_t position;  /* INPUT: of the member */
    size_t reader;      /* who read it first on the way back */
    size_t home_writer; /* who wrote the home that is nearest on the way here, this one included */
    uint32_t children[KB_OPERANDS_MAX];
    uint32_t child_count;
} kbr_origin;

/* An op that read one element's home for another; or else the op that wrote it to the other's home. */
typedef struct kbr_suspect {
    size_t entry;  /* the reader; KBR_NOWHERE: none */
    size_t writer; /* to the home of `wanted` */
    uint32_t memory;
    uint64_t offset;      /* that was read */
    uint64_t wanted, got; /* reference elements */
    bool between;         /* not even on an element's first byte */
} kbr_suspect;

typedef struct kbr_origins {
    const kbr_pass *pass;
    const kbr_writers *writers;
    const kbr_reference *reference;
    const size_t *begins;              /* [parts]: the entry of the stream's coll_begin, or KBR_NOWHERE */
    const struct kbr_stretch **staged; /* [memories]: scratch memory that stands for homes; NULL: none does */
    const kb_alloc *alloc;
    kbr_origin *nodes; /* children come after their parents */
    size_t count, capacity;
    kbr_suspect suspect; /* the one that ran first */
} kbr_origins;

/* Is the byte, while entry `when` runs, the home of another element, and not of `element`? */
bool kbr_home_of_another(const kbr_origins *origins, uint32_t memory, uint64_t offset, size_t when,
                         uint64_t element, uint64_t *ret_other);

/* The element whose home the byte is while entry `when` runs; false where it is nobody's. */
bool kbr_home_of(const kbr_origins *origins, uint32_t memory, uint64_t offset, size_t when,
                 uint64_t *ret_element);

/*
 * Reader and writer of a suspect disagree about which element it is. Elements that other ops take together
 * too are likely to be meant: is it the writer alone whose range nobody else has?
 */
bool kbr_writer_is_odd(const kbr_origins *origins, const kbr_suspect *suspect);

/* Fills `origins->nodes`, the root first, for the byte as it was before entry `before`. */
kb_status kbr_origins_trace(kbr_origins *origins, uint32_t memory, uint64_t offset, uint64_t element,
                            size_t before, kb_trail *trail) KB_MUST_USE;

#endif

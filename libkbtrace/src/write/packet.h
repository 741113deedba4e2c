/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rank's open packet: ops that become columns of residuals as they come.
 *
 * A packet stands for itself: predictions start anew in it, so a reader can begin at any packet
 * whose templates it knows.
 */
#ifndef KBTRACE_SRC_PACKET_H
#define KBTRACE_SRC_PACKET_H

#include "wire/wire.h"
#include "write/intern.h"

/* When a stream could go on after its last op in the packet: its next op's gap counts from there. */
typedef struct kb_resume {
    uint32_t stream;
    int64_t ps;
} kb_resume;

typedef struct kb_packet {
    uint64_t number; /* unique among the writer's packets; 0 when nothing is open */
    kb_resume *resumes;
    int64_t last_ps;
    uint32_t count, forms;
    kb_buffer form, op, columns[KB_CLASS_COUNT], payload;
    size_t resume_count, resume_capacity;
    uint64_t first;
    int64_t base_ps;
    uint32_t rank;
} kb_packet;

void kb_packet_init(kb_packet *packet, const kb_alloc *alloc, uint32_t rank);
void kb_packet_fini(kb_packet *packet);

/* Begins to be packet `number` with op `first` at `base_ps`. */
void kb_packet_open(kb_packet *packet, uint64_t number, uint64_t first, int64_t base_ps);

/* An op on its way into a packet, as canonical words: see words/digest.h. */
typedef struct kb_put {
    uint64_t index;
    const uint64_t *words; /* KB_PUT_BEYOND more than it has may be read */
    const uint8_t *payload;
} kb_put;

enum { KB_PUT_BEYOND = 2 };

/* An op's fields in the order of its layout, and room for KB_FIELDS_BEYOND more. */
void kb_put_to_fields(const kb_known *known, const kb_put *put, int64_t resume_ps, uint64_t *fields);

/* What adding ops takes beside the packet: room for the fields of any op, and an arena for forms. */
typedef struct kb_workplace {
    uint64_t *fields;
    kb_arena forms;
    size_t size; /* bytes that packets grew by */
} kb_workplace;

/* Adds an op, whose template is `known`. */
kb_status kb_packet_add(kb_packet *packet, kb_known *known, const kb_put *put, kb_workplace *place,
                        kb_trail *trail) KB_MUST_USE;

/* Appends the packet as a kb.trace.Packet, of KB_PACKET_OPS or _LATE, to `out`, and closes it. */
kb_status kb_packet_close(kb_packet *packet, uint32_t kind, kb_buffer *out, kb_trail *trail) KB_MUST_USE;

#endif

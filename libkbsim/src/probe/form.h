/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a single transfer on an idle machine takes, computed from the parameters alone. It shares no code with
 * the simulator, so that two derivations of one model can be held against each other; it may include nothing
 * of fabric/, pe/, op/ and run/. Faults are not looked at.
 *
 * Times count from the issue of the command. What needs room takes it from `alloc`, and gives it back.
 */
#ifndef KBSIM_SRC_PROBE_FORM_H
#define KBSIM_SRC_PROBE_FORM_H

#include "kbsim/machine.h"
#include "kbtrace/memory.h"

/* A memory of a PE, and a place in it; or that of a host, and the PE that is the other end. */
typedef struct kbs_form_place {
    uint32_t space; /* KB_SPACE_… */
    uint32_t pe;
    uint64_t offset_bytes; /* from the beginning of the slice, where it is one of HBM */
} kbs_form_place;

/* A message of so many bytes, which are elements, from the TCM of one PE to a queue of another. */
typedef struct kbs_form_message {
    uint32_t producer, consumer;
    uint64_t size_bytes;
    int64_t receiver_ps; /* when the consumer issues its first receive */
} kbs_form_message;

/*
 * A PE's DMA reads a memory into the PE's TCM, or writes it to a memory; or that of an M_CPU does so with a
 * host's memory, which then is `near`: until the last byte is visible.
 */
kb_status kbs_form_read(const kbs_machine *machine, kbs_form_place near, kbs_form_place from,
                        uint64_t size_bytes, const kb_alloc *alloc, int64_t *ret_ps,
                        kb_trail *trail) KB_MUST_USE;
kb_status kbs_form_write(const kbs_machine *machine, kbs_form_place near, kbs_form_place to,
                         uint64_t size_bytes, const kb_alloc *alloc, int64_t *ret_ps,
                         kb_trail *trail) KB_MUST_USE;

/*
 * Until all of it may be used: the consumer receives slot by slot, adds a number to each byte by MATH (of the
 * model `lanes`), and releases the slot.
 */
kb_status kbs_form_send(const kbs_machine *machine, const kbs_form_message *message, const kb_alloc *alloc,
                        int64_t *ret_ps, kb_trail *trail) KB_MUST_USE;

/* Until `pe` begins what the hosts of `count` PEs, of which it is one, have launched on them at once. */
int64_t kbs_form_launch(const kbs_machine *machine, uint32_t pe, uint32_t first, uint32_t count);

/*
 * From when the last of these PEs, which were launched at once, comes to their barrier until `pe` goes on:
 * each hears in its turn of all that its teller has heard of.
 */
int64_t kbs_form_barrier(const kbs_machine *machine, uint32_t pe, uint32_t first, uint32_t count);

/* As a launch, of a kernel that does nothing: until the last of these hosts hears that its PE is done. */
int64_t kbs_form_round(const kbs_machine *machine, uint32_t first, uint32_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel records: sends and receives on queues, copies, reductions, waits.
 *
 * A kernel is a C function that runs once, before the clock moves. Nothing that it calls waits or
 * computes: each call appends a command to the PE's stream. While the machine runs, the PE's
 * sequencer takes the commands one after another. A command holds it until the command is done;
 * tl_send until its source has been read; tl_release and every _async form not at all, and the latter
 * give a token, which must be waited for exactly once.
 *
 * The first argument is a kb_coll *, or any struct with a member `tl_stream *stream`. After the first
 * mistake all further calls do nothing, and the run fails with a message that names kernel, PE and
 * source line. Lines are captured where the macros below are used.
 */
#ifndef KBSIM_TL_H
#define KBSIM_TL_H

#include <stdint.h>

#include "kbtrace/words.h"

typedef struct tl_stream tl_stream;

typedef struct tl_where {
    const char *file;
    uint32_t line;
} tl_where;

#define TL_HERE ((tl_where){__FILE__, __LINE__})

/* A row of elements in a memory, or a message that was received. */
typedef struct tl_view {
    uint32_t memory;
    uint32_t dtype; /* KB_DTYPE_…; of a message: 0, it is what it is used as */
    uint64_t offset_bytes;
    uint64_t elements;
    uint32_t queue;   /* of a message, else KB_NONE */
    uint64_t message; /* its number in the queue */
} tl_view;

typedef struct tl_queue {
    uint32_t id;
} tl_queue;

/* What an _async command gives; of one that had nothing to do, number 0, and waiting for it is nothing. */
typedef struct tl_token {
    uint64_t number;
    uint32_t count; /* ops that it stands for */
} tl_token;

/* --- queues ---------------------------------------------------------------------------------- */

/*
 * The queue on which this PE sends to a rank of its group, or receives from it. Asked for twice, it
 * is the same queue. Its ring lies in a memory of the receiver (ipcq.ring): ipcq.slots of ipcq.slot_bytes
 * each. _on names one of several queues between the same two: channel 0 is the one without a name.
 */
#define tl_queue_to(c, rank) tl_queue_to_at((c)->stream, (rank), 0, TL_HERE)
#define tl_queue_from(c, rank) tl_queue_from_at((c)->stream, (rank), 0, TL_HERE)
#define tl_queue_to_on(c, rank, channel) tl_queue_to_at((c)->stream, (rank), (channel), TL_HERE)
#define tl_queue_from_on(c, rank, channel) tl_queue_from_at((c)->stream, (rank), (channel), TL_HERE)

/*
 * Sends a view. One that is longer than a slot goes slot by slot, as one entry of the queue's send
 * FIFO; one without elements sends nothing, and what is received for it is nothing.
 */
#define tl_send(c, queue, view) tl_send_at((c)->stream, (queue), (view), TL_HERE)
#define tl_send_async(c, queue, view) tl_send_async_at((c)->stream, (queue), (view), TL_HERE)

/*
 * The next message of a queue, as a read-only view. The first command that uses it waits for it, and
 * tells how long it is: as many elements as the command's other view has. A message longer than a
 * slot can be used by one command only, which receives, works and releases slot by slot.
 */
#define tl_recv(c, queue) tl_recv_at((c)->stream, (queue), TL_HERE)

/* Gives the slot of the oldest received message back to the sender: in the order of receiving. */
#define tl_release(c, queue) tl_release_at((c)->stream, (queue), TL_HERE)

/* --- work ------------------------------------------------------------------------------------ */

/* into = into (op of the collective) from, element by element. */
#define tl_reduce(c, into, from) tl_reduce_at((c)->stream, (into), (from), TL_HERE)
/* into = from */
#define tl_copy(c, into, from) tl_copy_at((c)->stream, (into), (from), TL_HERE)
#define tl_copy_async(c, into, from) tl_copy_async_at((c)->stream, (into), (from), TL_HERE)

/* --- order ----------------------------------------------------------------------------------- */

/* Until its effects are visible; until its source may be overwritten. */
#define tl_wait(c, token) tl_wait_at((c)->stream, (token), TL_HERE)
#define tl_wait_sent(c, token) tl_wait_sent_at((c)->stream, (token), TL_HERE)

/* Names the step that the following commands belong to: it labels them in every view of the trace. */
#define tl_step(c, label, number) tl_step_at((c)->stream, (label), (number))

/* `count` elements of a view from `first` on. */
#define tl_slice(c, view, first, count) tl_slice_at((c)->stream, (view), (first), (count), TL_HERE)

/* --- behind the macros ------------------------------------------------------------------------- */

tl_queue tl_queue_to_at(tl_stream *stream, uint32_t rank, uint32_t channel, tl_where where);
tl_queue tl_queue_from_at(tl_stream *stream, uint32_t rank, uint32_t channel, tl_where where);
void tl_send_at(tl_stream *stream, tl_queue queue, tl_view view, tl_where where);
tl_token tl_send_async_at(tl_stream *stream, tl_queue queue, tl_view view, tl_where where);
tl_view tl_recv_at(tl_stream *stream, tl_queue queue, tl_where where);
void tl_release_at(tl_stream *stream, tl_queue queue, tl_where where);
void tl_reduce_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
void tl_copy_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
tl_token tl_copy_async_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
void tl_wait_at(tl_stream *stream, tl_token token, tl_where where);
void tl_wait_sent_at(tl_stream *stream, tl_token token, tl_where where);
void tl_step_at(tl_stream *stream, const char *label, uint64_t number);
tl_view tl_slice_at(tl_stream *stream, tl_view view, uint64_t first, uint64_t count, tl_where where);

#endif

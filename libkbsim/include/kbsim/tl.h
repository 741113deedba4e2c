/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel records: movement of data, work of the engines, messages, order.
 *
 * A kernel is a C function that runs once a PE, before the clock moves. Nothing that it calls waits or
 * computes: each call appends commands to the PE's stream. While the machine runs, the PE's
 * sequencer takes the commands one after another. A command holds it until the command is done;
 * tl_send until its source has been read; tl_release and every _async form not at all, and the latter
 * give a token, which must be waited for exactly once.
 *
 * The first argument is a tl_kernel *, a kb_coll *, or any struct with a member `tl_stream *stream`.
 * After the first mistake all further calls do nothing, and the run fails with a message that names
 * kernel, PE and source line. Lines are captured where the macros below are used.
 *
 * Engines work on their own PE's TCM, and on received messages where they lie. With views of other
 * memories a command records loads into scratch, the work on them, and stores, piece by piece where a view
 * is large, loading the next piece while it works on one. Then it holds the sequencer until all is
 * done, even as an _async form, whose token has nothing left to wait for.
 */
#ifndef KBSIM_TL_H
#define KBSIM_TL_H

#include <stdbool.h>
#include <stddef.h>

#include "kbsim/view.h"
#include "kbtrace/status.h"
#include "kbtrace/words.h"

/* What a kernel is given: who it runs for, and the arguments of its launch. */
typedef struct tl_kernel {
    tl_stream *stream;
    uint32_t rank, ranks;
    uint32_t pe, pes; /* of the rank's PEs which one, and how many there are */
    const void *args; /* a copy of what was given to the launch; NULL where that was nothing */
    size_t args_size;
} tl_kernel;

typedef void (*tl_kernel_fn)(tl_kernel *k);

typedef struct tl_queue {
    uint32_t id;
} tl_queue;

/* What an _async command gives; with nothing left to do it is number 0, and waiting for it is nothing. */
typedef struct tl_token {
    uint64_t number;
    uint32_t count; /* ops that it stands for */
    uint32_t rank;  /* whose they are */
} tl_token;

/* Ranks that come to barriers together. */
typedef struct tl_group {
    uint32_t id;
} tl_group;

/* --- scratch --------------------------------------------------------------------------------- */

/*
 * Memory in this PE's TCM until the end of the scope, undefined at first: tl_scratch(c, dtype, rows, 64).
 * A kernel itself is a scope; further ones lie within one another. A kernel has scratch.bytes in all.
 */
#define tl_scratch(c, dtype, ...) tl_scratch_at((c)->stream, (dtype), TL_SHAPE(__VA_ARGS__), TL_HERE)
#define tl_scope_begin(c) tl_scope_begin_at((c)->stream, TL_HERE)
/* All that used the scope's scratch must have been waited for. */
#define tl_scope_end(c) tl_scope_end_at((c)->stream, TL_HERE)

/* --- moving data ----------------------------------------------------------------------------- */

/* into = from, where `into` lies in this PE's TCM, and `from` in any memory of the package. */
#define tl_load(c, into, from) tl_load_at((c)->stream, (into), (from), TL_HERE)
#define tl_load_async(c, into, from) tl_load_async_at((c)->stream, (into), (from), TL_HERE)
/* into = from, where `from` lies in this PE's TCM, and `into` in any memory of the package. */
#define tl_store(c, into, from) tl_store_at((c)->stream, (into), (from), TL_HERE)
#define tl_store_async(c, into, from) tl_store_async_at((c)->stream, (into), (from), TL_HERE)
/* into = from, wherever they lie. */
#define tl_copy(c, into, from) tl_copy_at((c)->stream, (into), (from), TL_HERE)
#define tl_copy_async(c, into, from) tl_copy_async_at((c)->stream, (into), (from), TL_HERE)

/* --- messages -------------------------------------------------------------------------------- */

/*
 * The queue on which this PE sends to a rank of its group, or receives from it. Asked for twice, it
 * is the same queue. Its ring lies in a memory of the receiver, by ipcq.ring: ipcq.slots of
 * ipcq.slot_bytes each. Two PEs may have several queues, by channel; the plain ones have channel 0.
 */
#define tl_queue_to(c, rank) tl_queue_to_at((c)->stream, (rank), 0, TL_HERE)
#define tl_queue_from(c, rank) tl_queue_from_at((c)->stream, (rank), 0, TL_HERE)
/*
 * The same, to and from a certain PE of a rank of several, of its own rank, too; the plain ones lead to and
 * from the PE that has the number of this one in its own.
 */
#define tl_queue_to_pe(c, rank, pe) tl_queue_to_pe_at((c)->stream, (rank), (pe), 0, TL_HERE)
#define tl_queue_from_pe(c, rank, pe) tl_queue_from_pe_at((c)->stream, (rank), (pe), 0, TL_HERE)
#define tl_queue_to_on(c, rank, channel) tl_queue_to_at((c)->stream, (rank), (channel), TL_HERE)
#define tl_queue_from_on(c, rank, channel) tl_queue_from_at((c)->stream, (rank), (channel), TL_HERE)

/*
 * Sends a view. One that is longer than a slot goes slot by slot, as one entry of the queue's send
 * FIFO; one without elements sends nothing, and what is received for it is nothing. It leaves from any memory
 * of this PE. Another PE's, and what has gaps and is longer than a slot, is loaded into scratch as a whole
 * before tl_send_async gives its token, and in pieces by tl_send.
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

/* --- math: see math.def ------------------------------------------------------------------------ */

/* into = into (op of the collective) from, element by element. */
#define tl_reduce(c, into, from) tl_reduce_at((c)->stream, (into), (from), TL_HERE)

#define tl_add(c, out, a, b) TL_MATH2(tl_math_at, c, ADD, out, a, b)
#define tl_add_async(c, out, a, b) TL_MATH2(tl_math_async_at, c, ADD, out, a, b)
#define tl_sub(c, out, a, b) TL_MATH2(tl_math_at, c, SUB, out, a, b)
#define tl_sub_async(c, out, a, b) TL_MATH2(tl_math_async_at, c, SUB, out, a, b)
#define tl_mul(c, out, a, b) TL_MATH2(tl_math_at, c, MUL, out, a, b)
#define tl_mul_async(c, out, a, b) TL_MATH2(tl_math_async_at, c, MUL, out, a, b)
#define tl_div(c, out, a, b) TL_MATH2(tl_math_at, c, DIV, out, a, b)
#define tl_div_async(c, out, a, b) TL_MATH2(tl_math_async_at, c, DIV, out, a, b)
#define tl_min(c, out, a, b) TL_MATH2(tl_math_at, c, MIN, out, a, b)
#define tl_min_async(c, out, a, b) TL_MATH2(tl_math_async_at, c, MIN, out, a, b)
#define tl_max(c, out, a, b) TL_MATH2(tl_math_at, c, MAX, out, a, b)
#define tl_max_async(c, out, a, b) TL_MATH2(tl_math_async_at, c, MAX, out, a, b)
#define tl_add_scalar(c, out, a, value) TL_MATHS(tl_math_at, c, ADD_SCALAR, out, a, value)
#define tl_add_scalar_async(c, out, a, value) TL_MATHS(tl_math_async_at, c, ADD_SCALAR, out, a, value)
#define tl_mul_scalar(c, out, a, value) TL_MATHS(tl_math_at, c, MUL_SCALAR, out, a, value)
#define tl_mul_scalar_async(c, out, a, value) TL_MATHS(tl_math_async_at, c, MUL_SCALAR, out, a, value)
#define tl_neg(c, out, a) TL_MATH1(tl_math_at, c, NEG, out, a)
#define tl_neg_async(c, out, a) TL_MATH1(tl_math_async_at, c, NEG, out, a)
#define tl_abs(c, out, a) TL_MATH1(tl_math_at, c, ABS, out, a)
#define tl_abs_async(c, out, a) TL_MATH1(tl_math_async_at, c, ABS, out, a)
#define tl_sqrt(c, out, a) TL_MATH1(tl_math_at, c, SQRT, out, a)
#define tl_sqrt_async(c, out, a) TL_MATH1(tl_math_async_at, c, SQRT, out, a)
#define tl_rsqrt(c, out, a) TL_MATH1(tl_math_at, c, RSQRT, out, a)
#define tl_rsqrt_async(c, out, a) TL_MATH1(tl_math_async_at, c, RSQRT, out, a)
#define tl_recip(c, out, a) TL_MATH1(tl_math_at, c, RECIP, out, a)
#define tl_recip_async(c, out, a) TL_MATH1(tl_math_async_at, c, RECIP, out, a)
#define tl_exp(c, out, a) TL_MATH1(tl_math_at, c, EXP, out, a)
#define tl_exp_async(c, out, a) TL_MATH1(tl_math_async_at, c, EXP, out, a)
#define tl_log(c, out, a) TL_MATH1(tl_math_at, c, LOG, out, a)
#define tl_log_async(c, out, a) TL_MATH1(tl_math_async_at, c, LOG, out, a)
#define tl_tanh(c, out, a) TL_MATH1(tl_math_at, c, TANH, out, a)
#define tl_tanh_async(c, out, a) TL_MATH1(tl_math_async_at, c, TANH, out, a)
#define tl_sigmoid(c, out, a) TL_MATH1(tl_math_at, c, SIGMOID, out, a)
#define tl_sigmoid_async(c, out, a) TL_MATH1(tl_math_async_at, c, SIGMOID, out, a)
#define tl_relu(c, out, a) TL_MATH1(tl_math_at, c, RELU, out, a)
#define tl_relu_async(c, out, a) TL_MATH1(tl_math_async_at, c, RELU, out, a)
#define tl_gelu(c, out, a) TL_MATH1(tl_math_at, c, GELU, out, a)
#define tl_gelu_async(c, out, a) TL_MATH1(tl_math_async_at, c, GELU, out, a)
#define tl_silu(c, out, a) TL_MATH1(tl_math_at, c, SILU, out, a)
#define tl_silu_async(c, out, a) TL_MATH1(tl_math_async_at, c, SILU, out, a)
#define tl_where(c, out, x, y, z) TL_MATH3(tl_math_at, c, WHERE, out, x, y, z)
#define tl_where_async(c, out, x, y, z) TL_MATH3(tl_math_async_at, c, WHERE, out, x, y, z)
#define tl_fma(c, out, x, y, z) TL_MATH3(tl_math_at, c, FMA, out, x, y, z)
#define tl_fma_async(c, out, x, y, z) TL_MATH3(tl_math_async_at, c, FMA, out, x, y, z)
#define tl_fill(c, out, value) TL_MATH0(tl_math_at, c, FILL, out, value)
#define tl_fill_async(c, out, value) TL_MATH0(tl_math_async_at, c, FILL, out, value)
#define tl_cast(c, out, a) TL_MATH1(tl_math_at, c, CAST, out, a)
#define tl_cast_async(c, out, a) TL_MATH1(tl_math_async_at, c, CAST, out, a)
#define tl_sum(c, out, a) TL_MATH1(tl_math_at, c, SUM, out, a)
#define tl_sum_async(c, out, a) TL_MATH1(tl_math_async_at, c, SUM, out, a)
#define tl_prod(c, out, a) TL_MATH1(tl_math_at, c, PROD, out, a)
#define tl_prod_async(c, out, a) TL_MATH1(tl_math_async_at, c, PROD, out, a)
#define tl_reduce_min(c, out, a) TL_MATH1(tl_math_at, c, REDUCE_MIN, out, a)
#define tl_reduce_min_async(c, out, a) TL_MATH1(tl_math_async_at, c, REDUCE_MIN, out, a)
#define tl_reduce_max(c, out, a) TL_MATH1(tl_math_at, c, REDUCE_MAX, out, a)
#define tl_reduce_max_async(c, out, a) TL_MATH1(tl_math_async_at, c, REDUCE_MAX, out, a)
#define tl_softmax(c, out, a) TL_MATH1(tl_math_at, c, SOFTMAX, out, a)
#define tl_softmax_async(c, out, a) TL_MATH1(tl_math_async_at, c, SOFTMAX, out, a)

/* --- gemm ------------------------------------------------------------------------------------ */

/*
 * out[M,N] = a[M,K] b[K,N], and out += a b. a and b have one dtype; out has theirs or f32, of integers i32.
 * Sums are f32 (i32) and are rounded once; give a K loop an f32 `out`. A transposed matrix is
 * tl_transpose(c, a).
 */
#define tl_dot(c, out, a, b) tl_dot_at((c)->stream, (out), (a), (b), false, TL_HERE)
#define tl_dot_async(c, out, a, b) tl_dot_async_at((c)->stream, (out), (a), (b), false, TL_HERE)
#define tl_dot_add(c, out, a, b) tl_dot_at((c)->stream, (out), (a), (b), true, TL_HERE)
#define tl_dot_add_async(c, out, a, b) tl_dot_async_at((c)->stream, (out), (a), (b), true, TL_HERE)

/* --- order ----------------------------------------------------------------------------------- */

/* Until its effects are visible; until its source may be overwritten; the first, for all live tokens. */
#define tl_wait(c, token) tl_wait_at((c)->stream, (token), TL_HERE)
#define tl_wait_sent(c, token) tl_wait_sent_at((c)->stream, (token), TL_HERE)
#define tl_wait_all(c) tl_wait_all_at((c)->stream, TL_HERE)

/* Until all that this PE did before is done. */
#define tl_fence(c) tl_fence_at((c)->stream, TL_HERE)
/*
 * Until every rank has come, or every rank of a group; of ranks of several PEs those PEs that have the number
 * of this one. It orders what each had observed when it came: put a tl_fence before it for what was not
 * waited for.
 */
#define tl_barrier(c) tl_barrier_at((c)->stream, TL_HERE)
#define tl_barrier_of(c, group) tl_barrier_of_at((c)->stream, (group), TL_HERE)
/* The group of these ranks, each named once, in any order. */
#define tl_group_of(c, ranks, count) tl_group_of_at((c)->stream, (ranks), (count), TL_HERE)

/*
 * Reads element `index` of a tensor that the host filled with bytes or by a recipe, while recording: a kernel
 * may branch on it. The trace says what was read, and pass two checks it. There is no other way to see
 * contents, and none to see what is computed.
 */
#define tl_peek(c, view, index) tl_peek_at((c)->stream, (view), (index), TL_HERE)

/* Names the step that the following commands belong to: it labels them in every view of the trace. */
#define tl_step(c, label, number) tl_step_at((c)->stream, (label), (number))

/* A mistake, for what only the caller can know to be wrong; format and values are printf's. */
#define tl_mistake(c, ...) tl_mistake_at((c)->stream, TL_HERE, __VA_ARGS__)

/* --- behind the macros ------------------------------------------------------------------------- */

#define TL_MATH0(at, c, func, out, value) at((c)->stream, KB_FUNC_##func, (out), NULL, 0, (value), TL_HERE)
#define TL_MATH1(at, c, func, out, a) \
    at((c)->stream, KB_FUNC_##func, (out), (const tl_view[]){(a)}, 1, 0, TL_HERE)
#define TL_MATH2(at, c, func, out, a, b) \
    at((c)->stream, KB_FUNC_##func, (out), (const tl_view[]){(a), (b)}, 2, 0, TL_HERE)
#define TL_MATH3(at, c, func, out, x, y, z) \
    at((c)->stream, KB_FUNC_##func, (out), (const tl_view[]){(x), (y), (z)}, 3, 0, TL_HERE)
#define TL_MATHS(at, c, func, out, a, value) \
    at((c)->stream, KB_FUNC_##func, (out), (const tl_view[]){(a)}, 1, (value), TL_HERE)

void tl_math_at(tl_stream *stream, uint32_t func, tl_view out, const tl_view *in, uint32_t count,
                double value, tl_where where);
tl_token tl_math_async_at(tl_stream *stream, uint32_t func, tl_view out, const tl_view *in, uint32_t count,
                          double value, tl_where where);
tl_view tl_scratch_at(tl_stream *stream, uint32_t dtype, tl_shape shape, tl_where where);
void tl_scope_begin_at(tl_stream *stream, tl_where where);
void tl_scope_end_at(tl_stream *stream, tl_where where);
void tl_load_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
tl_token tl_load_async_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
void tl_store_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
tl_token tl_store_async_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
void tl_copy_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
tl_token tl_copy_async_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
tl_queue tl_queue_to_at(tl_stream *stream, uint32_t rank, uint32_t channel, tl_where where);
tl_queue tl_queue_from_at(tl_stream *stream, uint32_t rank, uint32_t channel, tl_where where);
tl_queue tl_queue_to_pe_at(tl_stream *stream, uint32_t rank, uint32_t pe, uint32_t channel, tl_where where);
tl_queue tl_queue_from_pe_at(tl_stream *stream, uint32_t rank, uint32_t pe, uint32_t channel, tl_where where);
void tl_send_at(tl_stream *stream, tl_queue queue, tl_view view, tl_where where);
tl_token tl_send_async_at(tl_stream *stream, tl_queue queue, tl_view view, tl_where where);
tl_view tl_recv_at(tl_stream *stream, tl_queue queue, tl_where where);
void tl_release_at(tl_stream *stream, tl_queue queue, tl_where where);
void tl_reduce_at(tl_stream *stream, tl_view into, tl_view from, tl_where where);
void tl_dot_at(tl_stream *stream, tl_view out, tl_view a, tl_view b, bool adds, tl_where where);
tl_token tl_dot_async_at(tl_stream *stream, tl_view out, tl_view a, tl_view b, bool adds, tl_where where);
void tl_wait_at(tl_stream *stream, tl_token token, tl_where where);
void tl_wait_sent_at(tl_stream *stream, tl_token token, tl_where where);
void tl_wait_all_at(tl_stream *stream, tl_where where);
void tl_fence_at(tl_stream *stream, tl_where where);
void tl_barrier_at(tl_stream *stream, tl_where where);
void tl_barrier_of_at(tl_stream *stream, tl_group group, tl_where where);
tl_group tl_group_of_at(tl_stream *stream, const uint32_t *ranks, uint32_t count, tl_where where);
double tl_peek_at(tl_stream *stream, tl_view view, uint64_t index, tl_where where);
void tl_step_at(tl_stream *stream, const char *label, uint64_t number);
void tl_mistake_at(tl_stream *stream, tl_where where, const char *format, ...) KB_PRINTF(3, 4);

#endif

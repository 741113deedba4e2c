/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host programs: what each rank's host does, from making its tensors to reading its results.
 *
 *   static void program(kb_host *h, void *context) {
 *       tl_view x = kb_ints(h, "x", KB_SPACE_HBM, KB_DTYPE_F16, -8, 8, 1024);
 *       tl_view y = kb_empty(h, "y", KB_SPACE_HBM, KB_DTYPE_F16, 1024);
 *       struct arguments args = {x, y};
 *       kb_launch(h, kernel, &args, sizeof args);
 *       kb_host_read(h, y);
 *   }
 *
 * It is one function that runs once a rank, before the clock moves, and only records, as kernels do (tl.h):
 * a result can be dumped from the trace, and never be branched on. Every rank makes the same launches and
 * collectives in the same order. Each call holds the rank's host until it is done, but for the _async forms.
 */
#ifndef KBSIM_HOST_H
#define KBSIM_HOST_H

#include "kbsim/coll.h"
#include "kbtrace/defs.h"

typedef struct kb_host {
    tl_stream *stream;
    uint32_t rank, ranks;
    uint32_t pes; /* of each rank */
} kb_host;

typedef void (*kb_host_fn)(kb_host *h, void *context);

/* --- tensors --------------------------------------------------------------------------------- */

/*
 * A tensor in a memory of this rank's PE (KB_SPACE_TCM, _SRAM, _HBM), of up to KB_DIMS_MAX extents. Its
 * contents are there before the run begins, without any traffic; those of kb_empty are undefined. Names are
 * for people and tools; each rank has its own "x".
 */
#define kb_zeros(h, name, space, dtype, ...) \
    KB_TENSOR(h, name, space, dtype, KB_RECIPE_ZEROS, 0, 0, NULL, __VA_ARGS__)
#define kb_empty(h, name, space, dtype, ...) KB_TENSOR(h, name, space, dtype, 0, 0, 0, NULL, __VA_ARGS__)
#define kb_full(h, name, space, dtype, value, ...) \
    KB_TENSOR(h, name, space, dtype, KB_RECIPE_CONSTANT, value, 0, NULL, __VA_ARGS__)
/* base, base + step, base + 2 step … in row-major order */
#define kb_iota(h, name, space, dtype, base, step, ...) \
    KB_TENSOR(h, name, space, dtype, KB_RECIPE_IOTA, base, step, NULL, __VA_ARGS__)
/* Integers of [low, high], drawn by the run's seed, otherwise in each rank and tensor. */
#define kb_ints(h, name, space, dtype, low, high, ...) \
    KB_TENSOR(h, name, space, dtype, KB_RECIPE_INTS, low, high, NULL, __VA_ARGS__)
/* Reals of [low, high), drawn likewise. */
#define kb_uniform(h, name, space, dtype, low, high, ...) \
    KB_TENSOR(h, name, space, dtype, KB_RECIPE_UNIFORM, low, high, NULL, __VA_ARGS__)
/* The bytes of its elements, little-endian, which the trace carries. */
#define kb_from_bytes(h, name, space, dtype, bytes, ...) \
    KB_TENSOR(h, name, space, dtype, KB_RECIPE_BYTES, 0, 0, bytes, __VA_ARGS__)

/* Ends a tensor's life: using it is a mistake from then on, and its room goes to a later kb_empty. */
#define kb_free(h, view) kb_free_at((h)->stream, (view), TL_HERE)

/* --- data ------------------------------------------------------------------------------------ */

/* Writes bytes into a view without gaps, as many as it takes; the trace carries them. */
#define kb_host_write(h, view, bytes, size_bytes) \
    kb_host_write_at((h)->stream, (view), (bytes), (size_bytes), TL_HERE)
/* The host reads a view: what it gets can be dumped from the trace. */
#define kb_host_read(h, view) kb_host_read_at((h)->stream, (view), TL_HERE)

/* --- launches -------------------------------------------------------------------------------- */

/*
 * Runs a kernel on the PE of every rank, from one start stamp; each gets a copy of its host's arguments. Or
 * on the PEs of a group's ranks only: all ranks make the call, and the hosts of others pass it by.
 */
#define kb_launch(h, kernel, args, size_bytes) \
    ((void)kb_launch_at((h)->stream, NULL, false, #kernel, (kernel), (args), (size_bytes), TL_HERE))
#define kb_launch_on(h, group, kernel, args, size_bytes) \
    ((void)KB_LAUNCH_ON(h, group, false, #kernel, kernel, args, size_bytes))
/* The group of these ranks, each named once, in any order. */
#define kb_group_of(h, ranks, count) tl_group_of_at((h)->stream, (ranks), (count), TL_HERE)

/*
 * The same, and the host goes on at once: it gets a token, which must be waited for exactly once. A PE works
 * on one launch at a time, in the order of its host: it begins one when all that it did for the one before is
 * done. What the host does before it has waited is in no order with the kernel. Who passed a launch by
 * gets a token of nothing.
 */
#define kb_launch_async(h, kernel, args, size_bytes) \
    kb_launch_at((h)->stream, NULL, true, #kernel, (kernel), (args), (size_bytes), TL_HERE)
#define kb_launch_on_async(h, group, kernel, args, size_bytes) \
    KB_LAUNCH_ON(h, group, true, #kernel, kernel, args, size_bytes)
/* Until all that the rank's PE does for a launch is done; for all launches that were not waited for. */
#define kb_wait(h, token) tl_wait_at((h)->stream, (token), TL_HERE)
#define kb_wait_all(h) tl_wait_all_at((h)->stream, TL_HERE)

/* --- collectives ------------------------------------------------------------------------------ */

/*
 * All ranks call the same, in the same order; each hands over tensors of its own PE, which need not lie at
 * one offset. `algorithm` is the name of one that is built in ("ring"), the file of
 * one's own ("./mine.c"), or a const kbs_algorithm *. What is
 * shared among ranks, and how, is told by kbsim/coll.h.
 *
 * The _on forms work among the ranks of a group only; the hosts of others make the call and pass it by,
 * whatever tensors they give. So collectives of groups that have no rank in common run side by side. A root
 * is a position in the group, whose ranks are numbered from 0 in their order.
 */

/* view = reduction of all ranks' views (KB_REDUCE_…) */
#define kb_all_reduce(h, view, reduce, algorithm) KB_IN_PLACE(h, NULL, ALL_REDUCE, view, reduce, 0, algorithm)
#define kb_all_reduce_on(h, group, view, reduce, algorithm) \
    KB_IN_PLACE(h, KB_GROUP(group), ALL_REDUCE, view, reduce, 0, algorithm)
/* The root's view = reduction of all ranks' views; those of others are undefined then. */
#define kb_reduce(h, view, reduce, root, algorithm) \
    KB_IN_PLACE(h, NULL, REDUCE, view, reduce, root, algorithm)
#define kb_reduce_on(h, group, view, reduce, root, algorithm) \
    KB_IN_PLACE(h, KB_GROUP(group), REDUCE, view, reduce, root, algorithm)
/* view = the root's */
#define kb_broadcast(h, view, root, algorithm) \
    KB_IN_PLACE(h, NULL, BROADCAST, view, KB_REDUCE_NONE, root, algorithm)
#define kb_broadcast_on(h, group, view, root, algorithm) \
    KB_IN_PLACE(h, KB_GROUP(group), BROADCAST, view, KB_REDUCE_NONE, root, algorithm)
/* The view's block of this rank = reduction of all ranks' views there; the rest of it is undefined then. */
#define kb_reduce_scatter(h, view, reduce, algorithm) \
    KB_IN_PLACE(h, NULL, REDUCE_SCATTER, view, reduce, 0, algorithm)
#define kb_reduce_scatter_on(h, group, view, reduce, algorithm) \
    KB_IN_PLACE(h, KB_GROUP(group), REDUCE_SCATTER, view, reduce, 0, algorithm)
/* view = all ranks' parts of it; each gives as many elements, from the place of its number on. */
#define kb_all_gather(h, view, algorithm) KB_IN_PLACE(h, NULL, ALL_GATHER, view, KB_REDUCE_NONE, 0, algorithm)
#define kb_all_gather_on(h, group, view, algorithm) \
    KB_IN_PLACE(h, KB_GROUP(group), ALL_GATHER, view, KB_REDUCE_NONE, 0, algorithm)
/* out = the blocks for this rank of all ranks' `in`, one behind the other. */
#define kb_all_to_all(h, out, in, algorithm) KB_APART(h, NULL, out, in, algorithm)
#define kb_all_to_all_on(h, group, out, in, algorithm) KB_APART(h, KB_GROUP(group), out, in, algorithm)
/* Until every rank's PE has come. */
#define kb_pe_barrier(h, algorithm) KB_COLLECTIVE(h, NULL, BARRIER, algorithm, .root = 0)
#define kb_pe_barrier_on(h, group, algorithm) KB_COLLECTIVE(h, KB_GROUP(group), BARRIER, algorithm, .root = 0)

/* Until every rank's host has come. */
#define kb_barrier(h) tl_barrier_at((h)->stream, TL_HERE)

/* --- behind the macros ------------------------------------------------------------------------- */

#define KB_TENSOR(h, name, space, dtype, recipe, low, high, bytes, ...) \
    kb_tensor_at((h)->stream, (name), (space), TL_SHAPE(__VA_ARGS__),   \
                 &(const kb_contents){(dtype), (recipe), (double)(low), (double)(high), (bytes)}, TL_HERE)

#define KB_LAUNCH_ON(h, group, is_async, name, kernel, args, size_bytes)                           \
    kb_launch_at((h)->stream, &(const tl_group){(group).id}, (is_async), (name), (kernel), (args), \
                 (size_bytes), TL_HERE)

#define KB_GROUP(group) (&(const tl_group){(group).id})
#define KB_NAME_OF(by) _Generic((by), kbs_algorithm * : NULL, const kbs_algorithm * : NULL, default : (by))
#define KB_ALGORITHM_OF(by) \
    _Generic((by), kbs_algorithm * : (by), const kbs_algorithm * : (by), default : NULL)
#define KB_COLLECTIVE(h, on, KIND, by, ...)                                  \
    kb_collective_at((h)->stream,                                            \
                     &(const kb_coll_call){.kind = KB_COLL_##KIND,           \
                                           .group = (on),                    \
                                           .name = KB_NAME_OF(by),           \
                                           .algorithm = KB_ALGORITHM_OF(by), \
                                           __VA_ARGS__},                     \
                     TL_HERE)
#define KB_IN_PLACE(h, on, KIND, view, op, at, by) \
    KB_COLLECTIVE(h, on, KIND, by, .buffer = (view), .reduce = (op), .root = (at))
#define KB_APART(h, on, to, from, by) KB_COLLECTIVE(h, on, ALL_TO_ALL, by, .in = (from), .out = (to))

/* A collective as a host calls it; what its kind has no use for is nothing. */
typedef struct kb_coll_call {
    uint32_t kind;                  /* KB_COLL_… */
    const tl_group *group;          /* NULL: all ranks */
    const char *name;               /* of a built-in algorithm or a file, or NULL: */
    const kbs_algorithm *algorithm; /* one of the caller's */
    tl_view buffer, in, out;
    uint32_t reduce; /* KB_REDUCE_… */
    uint32_t root;
} kb_coll_call;

typedef struct kb_contents {
    uint32_t dtype;
    uint32_t recipe;  /* KB_RECIPE_…, or 0: undefined */
    double low, high; /* as in kb_initial */
    const void *bytes;
} kb_contents;

tl_view kb_tensor_at(tl_stream *stream, const char *name, uint32_t space, tl_shape shape,
                     const kb_contents *contents, tl_where where);
void kb_free_at(tl_stream *stream, tl_view view, tl_where where);
void kb_host_write_at(tl_stream *stream, tl_view view, const void *bytes, uint64_t size_bytes,
                      tl_where where);
void kb_host_read_at(tl_stream *stream, tl_view view, tl_where where);
/* On all ranks where group is NULL. */
tl_token kb_launch_at(tl_stream *stream, const tl_group *group, bool is_async, const char *name,
                      tl_kernel_fn kernel, const void *args, size_t size_bytes, tl_where where);
void kb_collective_at(tl_stream *stream, const kb_coll_call *call, tl_where where);

#endif

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

/* view = reduction of all ranks' views (KB_REDUCE_…), in place, by an algorithm's name or an algorithm. */
#define kb_all_reduce(h, view, reduce, algorithm) \
    kb_all_reduce_at((h)->stream, (view), (reduce), (algorithm), TL_HERE)
#define kb_all_reduce_by(h, view, reduce, algorithm) \
    kb_all_reduce_by_at((h)->stream, (view), (reduce), (algorithm), TL_HERE)

/* Until every rank's host has come. */
#define kb_barrier(h) tl_barrier_at((h)->stream, TL_HERE)

/* --- behind the macros ------------------------------------------------------------------------- */

#define KB_TENSOR(h, name, space, dtype, recipe, low, high, bytes, ...) \
    kb_tensor_at((h)->stream, (name), (space), TL_SHAPE(__VA_ARGS__),   \
                 &(const kb_contents){(dtype), (recipe), (double)(low), (double)(high), (bytes)}, TL_HERE)

#define KB_LAUNCH_ON(h, group, is_async, name, kernel, args, size_bytes)                           \
    kb_launch_at((h)->stream, &(const tl_group){(group).id}, (is_async), (name), (kernel), (args), \
                 (size_bytes), TL_HERE)

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
void kb_all_reduce_at(tl_stream *stream, tl_view view, uint32_t reduce, const char *algorithm,
                      tl_where where);
void kb_all_reduce_by_at(tl_stream *stream, tl_view view, uint32_t reduce, const kbs_algorithm *algorithm,
                         tl_where where);

#endif

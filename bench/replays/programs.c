/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels and host programs to replay; see programs.h. */
#include "replays/programs.h"

#include "common/must.h"
#include "kbsim/host.h"
#include "kbsim/run.h"
#include "kbsim/tl.h"

enum { TILE = BENCH_TILE_BYTES / 2, PART = 1 << 15 }; /* elements of f16 */

typedef struct arguments {
    tl_view x, y;
    uint64_t count;
} arguments;

static void copy_tiles(tl_kernel *k) {
    const arguments *a = k->args;
    tl_view tile = tl_scratch(k, KB_DTYPE_F16, TILE);
    for (uint64_t i = 0; i < a->count; i++) {
        tl_load(k, tile, tl_row(k, a->x, i));
        tl_store(k, tl_row(k, a->y, i), tile);
    }
}

static void host_of_copies(kb_host *h, void *context) {
    arguments a = {.count = *(const uint64_t *)context};
    a.x = kb_ints(h, "x", KB_SPACE_HBM, KB_DTYPE_F16, -8, 8, a.count, TILE);
    a.y = kb_empty(h, "y", KB_SPACE_HBM, KB_DTYPE_F16, a.count, TILE);
    kb_launch(h, copy_tiles, &a, sizeof a);
}

static void compute(tl_kernel *k) {
    const arguments *a = k->args;
    tl_view x = tl_scratch(k, KB_DTYPE_F16, PART), y = tl_scratch(k, KB_DTYPE_F16, PART);
    tl_load(k, x, a->x);
    for (uint64_t i = 0; i < a->count; i++) {
        tl_mul_scalar(k, y, x, 0.5);
        tl_add(k, x, x, y);
        tl_min(k, x, x, y);
    }
    tl_store(k, a->y, x);
}

static void host_of_apart(kb_host *h, void *context) {
    arguments a = {.count = *(const uint64_t *)context};
    a.x = kb_ints(h, "x", KB_SPACE_HBM, KB_DTYPE_F16, -8, 8, PART);
    a.y = kb_empty(h, "y", KB_SPACE_HBM, KB_DTYPE_F16, PART);
    kb_launch(h, compute, &a, sizeof a);
}

static void record(const char *name, kb_host_fn host, uint64_t count, uint32_t ranks, const char *path) {
    kbs_machine machine;
    kb_trail trail;
    kbs_result result;
    kb_trail_init(&trail);
    kbs_machine_init(&machine);
    const kbs_run_options options = {.bench = name,
                                     .host = host,
                                     .host_context = &count,
                                     .machine = &machine,
                                     .ranks = ranks,
                                     .seed = 1,
                                     .path = path};
    bench_must_kb(kbs_run(&options, &result, &trail), &trail);
    kbs_result_fini(&result);
}

void bench_record_copies(uint64_t tiles, const char *path) {
    record("copies", host_of_copies, tiles, 1, path);
}

void bench_record_apart(uint64_t steps, const char *path) {
    record("apart", host_of_apart, steps, BENCH_APART_RANKS, path);
}

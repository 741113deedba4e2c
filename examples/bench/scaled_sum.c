/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bench of one's own: a kernel and the host program that launches it.
 *
 * Each rank scales a tensor of its HBM tile by tile, the next tile on its way while one is worked on; then
 * all ranks get the sum of the results, by an algorithm that the user may choose, or bring along.
 *
 *   kb-sim run ./scaled_sum.c --ranks 8 -p elems=64Ki -p scale=0.5 -o run.zst --verify
 */
#include <kbsim/bench.h>

static const kbs_bench_param params[] = {
    {"elems", "16Ki", "elements of each rank, in whole tiles", NULL},
    {"tile", "4096", "elements of a tile", NULL},
    {"scale", "3", "factor", NULL},
    {"dtype", "f32", "f16, bf16 or f32", NULL},
    {"algo", "ring", "of the all-reduce: a name or a file", NULL},
    {"slots", "", "slots of a queue's ring", "ipcq.slots"},
};

typedef struct arguments {
    tl_view x, y;
    uint64_t tile;
    double scale;
} arguments;

/* y = scale * x, through two buffers in turn. */
static void scaled(tl_kernel *k) {
    const arguments *a = k->args;
    const uint64_t tiles = a->x.elements / a->tile;
    tl_view in[2], out = tl_scratch(k, a->x.dtype, a->tile);
    for (int i = 0; i < 2; i++)
        in[i] = tl_scratch(k, a->x.dtype, a->tile);
    tl_token coming = tl_load_async(k, in[0], tl_slice(k, a->x, 0, a->tile));
    for (uint64_t t = 0; t < tiles; t++) {
        tl_step(k, "tile", t);
        tl_wait(k, coming);
        if (t + 1 < tiles)
            coming = tl_load_async(k, in[(t + 1) % 2], tl_slice(k, a->x, (t + 1) * a->tile, a->tile));
        tl_mul_scalar(k, out, in[t % 2], a->scale);
        tl_store(k, tl_slice(k, a->y, t * a->tile, a->tile), out);
    }
}

static void program(kb_host *h, void *context) {
    (void)context;
    const uint64_t elems = kb_param_number(h, "elems"), tile = kb_param_number(h, "tile");
    const uint32_t dtype = kb_param_dtype(h, "dtype");
    if (tile == 0 || elems % tile != 0) {
        tl_mistake(h, "elems=%llu are no whole tiles of %llu", (unsigned long long)elems,
                   (unsigned long long)tile);
        return;
    }
    arguments args = {.tile = tile, .scale = kb_param_real(h, "scale")};
    args.x = kb_ints(h, "x", KB_SPACE_HBM, dtype, -8, 8, elems);
    args.y = kb_empty(h, "y", KB_SPACE_HBM, dtype, elems);
    kb_launch(h, scaled, &args, sizeof args);
    kb_all_reduce(h, args.y, KB_REDUCE_SUM, kb_param_text(h, "algo"));
    kb_host_read(h, args.y);
}

KB_BENCH(.name = "scaled_sum", .help = "the sum over all ranks of a scaled tensor", .host = program,
         KB_PARAMS(params));

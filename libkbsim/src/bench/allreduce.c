/* SPDX-License-Identifier: Apache-2.0 */
/* The bench `allreduce`: one tensor a rank, reduced in place, once. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/contents.h"
#include "bench/read.h"
#include "coll/algorithms.h"

enum { ALGO, ELEMS, BYTES, DTYPE, OP, INIT, BUFFER, RING, BACKPRESSURE, SLOTS, SLOT_BYTES, PARAMS };

static const kbs_bench_param params[PARAMS] = {
    [ALGO] = {"algo", "ring", "the algorithm (kb-sim list algorithms)", NULL},
    [ELEMS] = {"elems", "1024", "elements of each rank", NULL},
    [BYTES] = {"bytes", "", "the same as a size, instead of elems", NULL},
    [DTYPE] = {"dtype", "f16", "f16, bf16, f32, i8 or i32", NULL},
    [OP] = {"op", "sum", "sum, min, max or prod", NULL},
    [INIT] = {"init", "ints", "ints, uniform, iota, constant:V or zeros", NULL},
    [BUFFER] = {"buffer", "", "where tensors lie: tcm, sram or hbm; tcm, or hbm where it does not fit", NULL},
    [RING] = {"ring", "", "where queues' rings lie: tcm, sram or hbm", "ipcq.ring"},
    [BACKPRESSURE] = {"backpressure", "", "sleep until woken, or poll", "ipcq.backpressure"},
    [SLOTS] = {"slots", "", "slots of a queue's ring", "ipcq.slots"},
    [SLOT_BYTES] = {"slot_bytes", "", "size of a slot", "ipcq.slot_bytes"},
};

typedef struct wanted {
    const kbs_algorithm *algorithm;
    uint32_t dtype, reduce, space;
    uint64_t elements;
} wanted;

static kb_status read(const kbs_program *program, const kbs_bench_values *values, wanted *wish,
                      kb_trail *trail) {
    const kbs_machine *machine = program->machine;
    const uint64_t peers = program->ranks - 1, most = machine->at.ipcq_max_queues;
    KB_TRY(kbs_algorithm_find(KB_COLL_ALL_REDUCE, values->text[ALGO], &wish->algorithm, trail));
    KB_TRY(kbs_read_dtype(values->text[DTYPE], &wish->dtype, trail));
    KB_TRY(kbs_read_reduce(values->text[OP], &wish->reduce, trail));
    KB_TRY(kbs_read_elements(values, ELEMS, BYTES, wish->dtype, &wish->elements, trail));
    return kbs_read_buffer(values->text[BUFFER], machine, wish->elements * kb_dtype_size(wish->dtype),
                           peers < most ? peers : most, &wish->space, trail);
}

static kb_status state(kbs_program *program, const kbs_bench_values *values, const wanted *wish,
                       kb_trail *trail) {
    char elements[24];
    snprintf(elements, sizeof elements, "%" PRIu64, wish->elements);
    const char *sized = values->by[values->given[ELEMS] ? ELEMS : BYTES];
    KB_TRY(kbs_bench_state(program, "algo", wish->algorithm->name, values->by[ALGO], trail));
    KB_TRY(kbs_bench_state(program, "elems", elements, sized, trail));
    KB_TRY(kbs_bench_state(program, "dtype", values->text[DTYPE], values->by[DTYPE], trail));
    KB_TRY(kbs_bench_state(program, "op", values->text[OP], values->by[OP], trail));
    KB_TRY(kbs_bench_state(program, "init", values->text[INIT], values->by[INIT], trail));
    return kbs_bench_state(program, "buffer", kb_word_name(KB_VOC_SPACE, wish->space), values->by[BUFFER],
                           trail);
}

/* Tensors come before rings, so that they lie at one offset in all ranks. */
static kb_status make_tensors(kbs_program *program, const char *init, const wanted *wish, tl_view *views,
                              kb_trail *trail) {
    const tl_shape shape = TL_SHAPE(wish->elements);
    const kbs_contents contents = {init, wish->dtype, wish->reduce, program->ranks, wish->elements};
    kb_initial recipe;
    KB_TRY(kbs_contents_recipe(&contents, &recipe, trail));
    for (uint32_t rank = 0; rank < program->ranks; rank++) {
        recipe.seed = kbs_contents_seed(program->seed, rank);
        views[rank] = kbs_tensor_new(&program->hosts[rank], "x", wish->space, &shape, &recipe, TL_HERE);
    }
    return kbs_program_status(program, trail);
}

typedef struct task {
    const wanted *wish;
    const tl_view *views; /* by rank */
} task;

static void host(kb_host *h, void *context) {
    const task *t = context;
    kb_all_reduce(h, t->views[h->rank], t->wish->reduce, t->wish->algorithm);
}

static kb_status record(kbs_program *program, const kbs_bench_values *values, kb_trail *trail) {
    wanted wish;
    void *views;
    KB_TRY(read(program, values, &wish, trail));
    KB_TRY(state(program, values, &wish, trail));
    KB_TRY(kb_arena_new(&program->arena, program->ranks * sizeof(tl_view), &views, trail));
    KB_TRY(make_tensors(program, values->text[INIT], &wish, views, trail));
    task t = {&wish, views};
    return kbs_program_host(program, "allreduce", host, &t, trail);
}

const kbs_bench kbs_bench_allreduce = {"allreduce", "all ranks get the reduction of all their tensors",
                                       params, PARAMS, record};

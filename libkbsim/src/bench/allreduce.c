/* SPDX-License-Identifier: Apache-2.0 */
/* The bench `allreduce`: one tensor a rank, reduced in place, once. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/contents.h"
#include "coll/algorithms.h"
#include "machine/number.h"

enum { ALGO, ELEMS, BYTES, DTYPE, OP, INIT, RING, BACKPRESSURE, SLOTS, SLOT_BYTES, PARAMS };

static const kbs_bench_param params[PARAMS] = {
    [ALGO] = {"algo", "ring", "the algorithm (kb-sim list algorithms)", NULL},
    [ELEMS] = {"elems", "1024", "elements of each rank", NULL},
    [BYTES] = {"bytes", "", "the same as a size, instead of elems", NULL},
    [DTYPE] = {"dtype", "f16", "f16, bf16, f32, i8 or i32", NULL},
    [OP] = {"op", "sum", "sum, min, max or prod", NULL},
    [INIT] = {"init", "ints", "ints, uniform, iota, constant:V or zeros", NULL},
    [RING] = {"ring", "", "where queues' rings lie: tcm, sram or hbm", "ipcq.ring"},
    [BACKPRESSURE] = {"backpressure", "", "sleep until woken, or poll", "ipcq.backpressure"},
    [SLOTS] = {"slots", "", "slots of a queue's ring", "ipcq.slots"},
    [SLOT_BYTES] = {"slot_bytes", "", "size of a slot", "ipcq.slot_bytes"},
};

typedef struct wanted {
    const kbs_algorithm *algorithm;
    uint32_t dtype, reduce;
    uint64_t elements;
} wanted;

static kb_status read_dtype(const char *text, uint32_t *ret, kb_trail *trail) {
    static const uint32_t known[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(text, kb_word_name(KB_VOC_DTYPE, known[i])) == 0) {
            *ret = known[i];
            return KB_OK;
        }
    return kb_fail(trail, KB_E_ARGUMENT, "dtype: '%s' is not one of f16, bf16, f32, i8, i32", text);
}

static kb_status read_op(const char *text, uint32_t *ret, kb_trail *trail) {
    const uint32_t value = kb_word_value(KB_VOC_REDUCE, text);
    if (value == 0 || value == KB_REDUCE_NONE)
        return kb_fail(trail, KB_E_ARGUMENT, "op: '%s' is not one of sum, min, max, prod", text);
    *ret = value;
    return KB_OK;
}

static kb_status read_elements(const kbs_bench_values *values, uint32_t dtype, uint64_t *ret,
                               kb_trail *trail) {
    const uint32_t size = kb_dtype_size(dtype);
    uint64_t number;
    if (!values->given[BYTES]) {
        if (!kbs_parse_bytes(values->text[ELEMS], &number))
            return kb_fail(trail, KB_E_ARGUMENT, "elems: '%s' is not a whole number", values->text[ELEMS]);
        *ret = number;
        return KB_OK;
    }
    if (values->given[ELEMS])
        return kb_fail(trail, KB_E_ARGUMENT, "elems and bytes say the same thing: give one of them");
    if (!kbs_parse_bytes(values->text[BYTES], &number))
        return kb_fail(trail, KB_E_ARGUMENT, "bytes: '%s' is not a size such as 4096 or 64KiB",
                       values->text[BYTES]);
    if (number % size != 0)
        return kb_fail(trail, KB_E_ARGUMENT, "bytes: %" PRIu64 " is no multiple of the %u bytes of %s",
                       number, size, kb_word_name(KB_VOC_DTYPE, dtype));
    *ret = number / size;
    return KB_OK;
}

static kb_status state(kbs_program *program, const kbs_bench_values *values, const wanted *wish,
                       kb_trail *trail) {
    char elements[24];
    snprintf(elements, sizeof elements, "%" PRIu64, wish->elements);
    const bool sized = values->given[ELEMS] || values->given[BYTES];
    KB_TRY(kbs_bench_state(program, "algo", wish->algorithm->name, values->given[ALGO], trail));
    KB_TRY(kbs_bench_state(program, "elems", elements, sized, trail));
    KB_TRY(kbs_bench_state(program, "dtype", values->text[DTYPE], values->given[DTYPE], trail));
    KB_TRY(kbs_bench_state(program, "op", values->text[OP], values->given[OP], trail));
    return kbs_bench_state(program, "init", values->text[INIT], values->given[INIT], trail);
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
        views[rank] = kbs_tensor_new(&program->hosts[rank], "x", KB_SPACE_TCM, &shape, &recipe, TL_HERE);
    }
    return kbs_program_status(program, trail);
}

typedef struct task {
    const wanted *wish;
    const tl_view *views; /* by rank */
} task;

static void host(kb_host *h, void *context) {
    const task *t = context;
    kb_all_reduce_by(h, t->views[h->rank], t->wish->reduce, t->wish->algorithm);
}

static kb_status record(kbs_program *program, const kbs_bench_values *values, kb_trail *trail) {
    wanted wish;
    KB_TRY(kbs_algorithm_find(KB_COLL_ALL_REDUCE, values->text[ALGO], &wish.algorithm, trail));
    KB_TRY(read_dtype(values->text[DTYPE], &wish.dtype, trail));
    KB_TRY(read_op(values->text[OP], &wish.reduce, trail));
    KB_TRY(read_elements(values, wish.dtype, &wish.elements, trail));
    KB_TRY(state(program, values, &wish, trail));
    void *memory;
    KB_TRY(kb_arena_new(&program->arena, program->ranks * sizeof(tl_view), &memory, trail));
    KB_TRY(make_tensors(program, values->text[INIT], &wish, memory, trail));
    task t = {&wish, memory};
    return kbs_program_host(program, "allreduce", host, &t, trail);
}

const kbs_bench kbs_bench_allreduce = {"allreduce", "all ranks get the reduction of all their tensors",
                                       params, PARAMS, record};

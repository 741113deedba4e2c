/* SPDX-License-Identifier: Apache-2.0 */
/* The benches of collectives, one a kind: each once, among all ranks or in several groups side by side. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/contents.h"
#include "bench/group.h"
#include "bench/read.h"
#include "coll/algorithms.h"
#include "machine/number.h"

/* --- their parameters ------------------------------------------------------------------------- */

#define ALGO(standard) \
    { "algo", standard, "the algorithm (kb-sim list algorithms)", NULL }
#define ELEMS(what)                                               \
    {"elems", "1024", what, NULL}, {                              \
        "bytes", "", "the same as a size, instead of elems", NULL \
    }
#define DTYPE \
    { "dtype", "f16", "f16, bf16, f32, i8 or i32", NULL }
#define OP \
    { "op", "sum", "sum, min, max or prod", NULL }
#define ROOT \
    { "root", "0", "the root, by its number in the group", NULL }
#define GROUP \
    { "group", "all", "ranks that take part: 0-3,8 or 0-30:2; a / between groups, side by side", NULL }
#define TENSORS                                                                                      \
    {"init", "ints", "ints, uniform, iota, constant:V or zeros", NULL}, {                            \
        "buffer", "", "where tensors lie: tcm, sram or hbm; tcm, or hbm where it does not fit", NULL \
    }
#define QUEUES                                                                   \
    {"ring", "", "where queues' rings lie: tcm, sram or hbm", "ipcq.ring"},      \
        {"backpressure", "", "sleep until woken, or poll", "ipcq.backpressure"}, \
        {"slots", "", "slots of a queue's ring", "ipcq.slots"}, {                \
        "slot_bytes", "", "size of a slot", "ipcq.slot_bytes"                    \
    }

static const kbs_bench_param allreduce[] = {
    ALGO("ring"), ELEMS("elements of each rank"), DTYPE, OP, GROUP, TENSORS, QUEUES};
static const kbs_bench_param reduce_scatter[] = {
    ALGO("ring"), ELEMS("elements of each rank's input"), DTYPE, OP, GROUP, TENSORS, QUEUES};
static const kbs_bench_param all_gather[] = {
    ALGO("ring"), ELEMS("elements of each rank's share"), DTYPE, GROUP, TENSORS, QUEUES};
static const kbs_bench_param broadcast[] = {
    ALGO("tree"), ELEMS("elements of the root"), DTYPE, ROOT, GROUP, TENSORS, QUEUES};
static const kbs_bench_param reduce[] = {
    ALGO("tree"), ELEMS("elements of each rank"), DTYPE, OP, ROOT, GROUP, TENSORS, QUEUES};
static const kbs_bench_param all_to_all[] = {
    ALGO("pairwise"), ELEMS("elements of each rank's input"), DTYPE, GROUP, TENSORS, QUEUES};
static const kbs_bench_param barrier[] = {ALGO("dissemination"), GROUP, QUEUES};

/* A parameter of the bench, by name: as text, and whose it is. */
typedef struct asked {
    const kbs_bench_param *params;
    size_t count;
    const kbs_bench_values *values;
} asked;

/* Its place, or PLACES where the bench has none of that name. */
enum { PLACES = KBS_BENCH_PARAMS_MAX };
static uint32_t place_of(const asked *a, const char *name) {
    for (uint32_t i = 0; i < a->count; i++)
        if (strcmp(a->params[i].name, name) == 0)
            return i;
    return PLACES;
}

static const char *text_of(const asked *a, const char *name) {
    return a->values->text[place_of(a, name)];
}

/* --- what is wanted --------------------------------------------------------------------------- */

typedef struct wanted {
    uint32_t kind;
    const kbs_algorithm *algorithm;
    uint32_t dtype, reduce, root, space;
    uint64_t elements;
    kbs_groups groups;
} wanted;

static bool has(const asked *a, const char *name) {
    return place_of(a, name) != PLACES;
}

static kb_status read_root(const char *text, const kbs_groups *groups, uint32_t *ret, kb_trail *trail) {
    uint64_t number;
    if (!kbs_parse_bytes(text, &number))
        return kb_fail(trail, KB_E_ARGUMENT, "root: '%s' is no rank", text);
    if (number >= groups->smallest)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "root: there is no number %" PRIu64
                       " among the %u ranks of %s group (they count from 0)",
                       number, groups->smallest, groups->count > 1 ? "the smallest" : "the");
    *ret = (uint32_t)number;
    return KB_OK;
}

/* How a rank's tensors are cut among its PEs: each share of a rank for itself. */
static kbs_cut cut_of(const kbs_program *program, const wanted *wish, uint32_t ranks) {
    const bool is_shared = wish->kind == KB_COLL_REDUCE_SCATTER || wish->kind == KB_COLL_ALL_TO_ALL;
    const uint64_t block = is_shared ? kbs_coll_share(wish->elements, ranks, 0) : wish->elements;
    return kbs_cut_of(program, block, block);
}

/* Elements of a rank's tensors that lie on one of its PEs, at most. */
static uint64_t pe_elements(const kbs_program *program, const wanted *wish, uint32_t ranks) {
    const kbs_cut cut = cut_of(program, wish, ranks);
    const bool is_one = cut.block == wish->elements && wish->kind != KB_COLL_ALL_GATHER;
    const uint64_t elements = is_one ? cut.share : cut.share * ranks;
    return wish->kind == KB_COLL_ALL_TO_ALL ? 2 * elements : elements;
}

static kb_status read_tensors(const kbs_program *program, const asked *a, wanted *wish, kb_trail *trail) {
    const kbs_machine *machine = program->machine;
    const uint64_t peers = wish->groups.largest - 1, most = machine->at.ipcq_max_queues;
    KB_TRY(kbs_read_dtype(text_of(a, "dtype"), &wish->dtype, trail));
    if (has(a, "op"))
        KB_TRY(kbs_read_reduce(text_of(a, "op"), &wish->reduce, trail));
    KB_TRY(kbs_read_elements(a->values, place_of(a, "elems"), place_of(a, "bytes"), wish->dtype,
                             &wish->elements, trail));
    if (wish->elements > UINT64_MAX / 16 / wish->groups.largest)
        return kb_fail(trail, KB_E_ARGUMENT, "elems: %" PRIu64 " elements of %u ranks exceed any memory",
                       wish->elements, wish->groups.largest);
    const uint64_t bytes = pe_elements(program, wish, wish->groups.largest) * kb_dtype_size(wish->dtype);
    return kbs_read_buffer(text_of(a, "buffer"), machine, bytes, peers < most ? peers : most, &wish->space,
                           trail);
}

static kb_status read(kbs_program *program, const asked *a, wanted *wish, kb_trail *trail) {
    KB_TRY(kbs_program_algorithm(program, wish->kind, text_of(a, "algo"), &wish->algorithm, trail));
    KB_TRY(kbs_read_groups(text_of(a, "group"), program->ranks, &program->arena, &wish->groups, trail));
    for (uint32_t i = 0; i < wish->groups.count; i++)
        KB_TRY(kbs_algorithm_serves(wish->algorithm, wish->groups.sizes[i], trail));
    if (has(a, "root"))
        KB_TRY(read_root(text_of(a, "root"), &wish->groups, &wish->root, trail));
    return has(a, "elems") ? read_tensors(program, a, wish, trail) : KB_OK;
}

static kb_status state_one(kbs_program *program, const asked *a, const char *name, const char *value,
                           kb_trail *trail) {
    return kbs_bench_state(program, name, value, a->values->by[place_of(a, name)], trail);
}

/* As it came out, for the trace; a group only where it is not all ranks. */
static kb_status state(kbs_program *program, const asked *a, const wanted *wish, kb_trail *trail) {
    static const char *const plain[] = {"dtype", "op", "root", "init"};
    char elements[24];
    KB_TRY(state_one(program, a, "algo", wish->algorithm->name, trail));
    if (has(a, "elems")) {
        const char *sized =
            a->values->by[place_of(a, a->values->given[place_of(a, "elems")] ? "elems" : "bytes")];
        snprintf(elements, sizeof elements, "%" PRIu64, wish->elements);
        KB_TRY(kbs_bench_state(program, "elems", elements, sized, trail));
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (has(a, plain[i]))
            KB_TRY(state_one(program, a, plain[i], text_of(a, plain[i]), trail));
    if (has(a, "buffer"))
        KB_TRY(state_one(program, a, "buffer", kb_word_name(KB_VOC_SPACE, wish->space), trail));
    if (wish->groups.largest < program->ranks)
        KB_TRY(state_one(program, a, "group", text_of(a, "group"), trail));
    return KB_OK;
}

/* --- tensors ---------------------------------------------------------------------------------- */

/* Of each rank, made before there are rings, so that they lie at one offset in all ranks. */
typedef struct tensors {
    tl_view buffer, in, out;
} tensors;

/* A member's tensors: what it gives is drawn, and all else undefined. */
static kb_status make_tensors(kbs_program *program, const char *init, const wanted *wish, uint32_t rank,
                              uint32_t position, uint32_t ranks, tensors *ret, kb_trail *trail) {
    tl_stream *host = &program->hosts[rank];
    const uint64_t whole = wish->kind == KB_COLL_ALL_GATHER ? wish->elements * ranks : wish->elements;
    const uint64_t first = wish->kind == KB_COLL_ALL_GATHER ? wish->elements * position : 0;
    const uint64_t own = kbs_coll_share(wish->elements, ranks, position);
    const kbs_cut cut = cut_of(program, wish, ranks), own_cut = kbs_cut_of(program, own, cut.block);
    const tl_shape shape = TL_SHAPE(whole);
    const kbs_contents contents = {init, wish->dtype, wish->reduce, ranks, position, wish->elements};
    kb_initial recipe, nothing = {.dtype = wish->dtype};
    KB_TRY(kbs_contents_recipe(&contents, &recipe, trail));
    recipe.seed = kbs_contents_seed(program->seed, rank);
    const bool gives = wish->kind != KB_COLL_BROADCAST || position == wish->root;
    if (wish->kind == KB_COLL_ALL_TO_ALL) {
        const tl_shape taken = TL_SHAPE(own * ranks);
        ret->in = kbs_tensor_new_part(host, "x", wish->space, &shape, &cut, &recipe, 0, whole, TL_HERE);
        ret->out =
            kbs_tensor_new_part(host, "y", wish->space, &taken, &own_cut, &nothing, 0, own * ranks, TL_HERE);
    } else if (wish->kind != KB_COLL_BARRIER) {
        ret->buffer = kbs_tensor_new_part(host, "x", wish->space, &shape, &cut, gives ? &recipe : &nothing,
                                          first, wish->elements, TL_HERE);
    }
    return kbs_program_status(program, trail);
}

/* The position of a rank among those of its group. */
static uint32_t position_of(uint32_t rank, const uint32_t *ranks, uint32_t count) {
    uint32_t before = 0;
    for (uint32_t i = 0; i < count; i++)
        before += ranks[i] < rank;
    return before;
}

static kb_status make_all(kbs_program *program, const char *init, const wanted *wish, tensors *of,
                          kb_trail *trail) {
    const uint32_t *ranks = wish->groups.ranks;
    for (uint32_t g = 0; g < wish->groups.count; ranks += wish->groups.sizes[g++])
        for (uint32_t i = 0; i < wish->groups.sizes[g]; i++)
            KB_TRY(make_tensors(program, init, wish, ranks[i],
                                position_of(ranks[i], ranks, wish->groups.sizes[g]), wish->groups.sizes[g],
                                &of[ranks[i]], trail));
    return KB_OK;
}

/* --- the program ------------------------------------------------------------------------------ */

typedef struct task {
    const wanted *wish;
    const tensors *of; /* by rank */
} task;

static void host(kb_host *h, void *context) {
    const task *t = context;
    const wanted *wish = t->wish;
    const tensors *mine = &t->of[h->rank];
    const uint32_t *ranks = wish->groups.ranks;
    for (uint32_t g = 0; g < wish->groups.count; ranks += wish->groups.sizes[g++]) {
        const tl_group group = kb_group_of(h, ranks, wish->groups.sizes[g]);
        const kb_coll_call call = {.kind = wish->kind,
                                   .group = &group,
                                   .algorithm = wish->algorithm,
                                   .buffer = mine->buffer,
                                   .in = mine->in,
                                   .out = mine->out,
                                   .reduce = wish->reduce,
                                   .root = wish->root};
        kb_collective_at(h->stream, &call, TL_HERE);
    }
}

static kb_status record(kbs_program *program, const char *name, uint32_t kind, const asked *a,
                        kb_trail *trail) {
    wanted wish = {.kind = kind, .reduce = KB_REDUCE_NONE, .dtype = KB_DTYPE_BYTES};
    void *of;
    KB_TRY(read(program, a, &wish, trail));
    KB_TRY(state(program, a, &wish, trail));
    KB_TRY(kb_arena_new(&program->arena, program->ranks * sizeof(tensors), &of, trail));
    KB_TRY(make_all(program, has(a, "init") ? text_of(a, "init") : "zeros", &wish, of, trail));
    task t = {&wish, of};
    return kbs_program_host(program, name, host, &t, trail);
}

/* --- the benches ------------------------------------------------------------------------------ */

#define BENCH(name, KIND, help)                                                                             \
    static kb_status record_##name(kbs_program *program, const kbs_bench_values *values, kb_trail *trail) { \
        const asked a = {name, sizeof name / sizeof name[0], values};                                       \
        return record(program, #name, KB_COLL_##KIND, &a, trail);                                           \
    }                                                                                                       \
    const kbs_bench kbs_bench_##name = {#name, help, name, sizeof name / sizeof name[0], record_##name};

BENCH(allreduce, ALL_REDUCE, "all ranks get the reduction of all their tensors")
BENCH(reduce_scatter, REDUCE_SCATTER, "each rank gets a block of the reduction of all their tensors")
BENCH(all_gather, ALL_GATHER, "all ranks get the shares of all, one behind the other")
BENCH(broadcast, BROADCAST, "all ranks get the tensor of one")
BENCH(reduce, REDUCE, "one rank gets the reduction of all their tensors")
BENCH(all_to_all, ALL_TO_ALL, "each rank gets a block of each rank's tensor")
BENCH(barrier, BARRIER, "no rank goes on until all have come")

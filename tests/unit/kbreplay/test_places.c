/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops where their operands lie: random views over the borders of pages, at odd offsets, on top of each other,
 * spread, turned and partly undefined, with snapshots alive. Against plain arrays that are gathered from,
 * computed by the portable kernels as a whole, and scattered to, one element at a time.
 */
#include "one_op.h"

#include <stdlib.h>

#include "memory/page.h"
#include "number/number.h"
#include "support/random.h"

enum { CASES = 3000, ELEMENTS_MAX = 24000, OPERANDS = 4 };

typedef struct plain {
    uint8_t bytes[2][SIZE], defined[2][SIZE];
} plain;

typedef struct world {
    bench it;
    plain now, then; /* then: when the snapshot was taken */
    kbr_snapshot *snapshot;
    random_source random;
    uint8_t arrays[OPERANDS][4 * ELEMENTS_MAX];
} world;

/* --- memory ------------------------------------------------------------------------------------------ */

static void look(world *of, plain *ret_seen) {
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t bits[SIZE / 8];
        check_ok(kbr_memory_read(of->it.memories, i, 0, SIZE, ret_seen->bytes[i], NULL, &of->it.trail),
                 &of->it.trail);
        check_ok(kbr_memory_get_bits(of->it.memories, i, 0, SIZE, bits, &of->it.trail), &of->it.trail);
        for (uint32_t at = 0; at < SIZE; at++)
            ret_seen->defined[i][at] = bits[at / 8] >> at % 8 & 1;
    }
}

static void world_init(world *of, uint64_t seed) {
    bench *it = &of->it;
    uint32_t id;
    random_init(&of->random, seed);
    bench_init(it);
    kbr_memories_destroy(it->memories);
    kb_initial initial = {.memory = 1,
                          .dtype = KB_DTYPE_F16,
                          .recipe = KB_RECIPE_INTS,
                          .offset_bytes = 4999,
                          .elements = 20000,
                          .low = -9,
                          .high = 9};
    check_ok(kb_defs_add_initial(&it->defs, &initial, &id, &it->trail), &it->trail);
    check_ok(kbr_memories_create(&it->defs, it->pass.alloc, 1 << 24, &it->memories, &it->trail), &it->trail);
    kbr_exchange_shared_init(&it->shared, it->memories);
    of->snapshot = NULL;
    look(of, &of->now);
}

/* Takes a snapshot, or goes back to the one there is, or gives it up. */
static void travel(world *of) {
    uint64_t what = random_below(&of->random, 3);
    if (of->snapshot == NULL) {
        check_ok(kbr_memories_snapshot(of->it.memories, &of->snapshot, &of->it.trail), &of->it.trail);
        of->then = of->now;
    } else if (what == 0) {
        kbr_memories_restore(of->it.memories, of->snapshot);
        of->now = of->then;
    } else if (what == 1) {
        kbr_snapshot_destroy(of->snapshot);
        of->snapshot = NULL;
    }
}

/* --- views ------------------------------------------------------------------------------------------- */

/* Strides for a shape: dense, apart, backwards, turned; or spread, if it is read. */
static void draw_strides(world *of, kb_operand *view, bool read) {
    random_source *random = &of->random;
    uint64_t how = random_below(random, 8);
    int64_t dense = how == 1 ? (int64_t)random_below(random, 3) + 1 : 1;
    for (unsigned k = 0; k < view->dims; k++) {
        unsigned axis = how == 2 ? k : view->dims - 1 - k; /* turned: the first axis runs fastest */
        view->stride[axis] = dense;
        dense *= (int64_t)view->shape[axis];
        if (how == 3 || how == 4)
            dense += (int64_t)random_below(random, 40);
        if (how == 4)
            view->stride[axis] = -view->stride[axis];
        if (how == 5 && read)
            view->stride[axis] = random_once_in(random, 2) ? 0 : view->stride[axis];
    }
}

/* Puts the view somewhere in a memory, often across a page's border; false if it is too large. */
static bool draw_place(world *of, const kb_operand *view, uint64_t *ret_offset) {
    int64_t low, high;
    assert_true(kb_operand_extent(view, &low, &high));
    if (high - low > SIZE)
        return false;
    int64_t least = -low, most = SIZE - high, at = random_between(&of->random, least, most);
    if (random_once_in(&of->random, 2)) {
        int64_t border = KBR_PAGE_SIZE * random_between(&of->random, 0, SIZE / KBR_PAGE_SIZE);
        at = border + random_between(&of->random, -70, 70) -
             (high - low) / 2 * random_between(&of->random, 0, 2);
    }
    at = at < least ? least : at > most ? most : at;
    *ret_offset = (uint64_t)at;
    return true;
}

static bool draw_operand(world *of, uint32_t number, uint8_t dtype, unsigned dims, const uint64_t *shape) {
    bench *it = &of->it;
    kb_operand view = {.memory = (uint32_t)random_below(&of->random, 2),
                       .access = number == 0 ? KB_ACCESS_WRITE : KB_ACCESS_READ,
                       .dtype = dtype,
                       .dims = (uint8_t)dims};
    memcpy(view.shape, shape, dims * sizeof *shape);
    draw_strides(of, &view, number != 0);
    uint64_t offset;
    if (!draw_place(of, &view, &offset))
        return false;
    if (number != 0 && random_once_in(&of->random, 3)) { /* on top of the result, or close by */
        kb_operand same = it->operands[0];
        bool alike = same.dims == dims && memcmp(same.shape, shape, dims * sizeof *shape) == 0;
        if (alike) {
            same.dtype = dtype;
            same.access = KB_ACCESS_READ;
            view = same;
            offset = it->offsets[0];
        }
        if (!alike || random_once_in(&of->random, 3)) {
            view.memory = same.memory;
            offset = it->offsets[0] + (uint64_t)random_between(&of->random, -9, 9);
        }
        int64_t low, high;
        assert_true(kb_operand_extent(&view, &low, &high));
        if ((int64_t)offset + low < 0 || (int64_t)offset + high > SIZE)
            return false;
    }
    set_operand(it, number, offset, view);
    return true;
}

/* Up to three axes of so many elements in all. */
static unsigned draw_shape(world *of, uint64_t *ret_shape) {
    unsigned dims = (unsigned)random_below(&of->random, 4);
    uint64_t room = random_once_in(&of->random, 3) ? ELEMENTS_MAX : 400;
    for (unsigned i = 0; i < dims; i++) {
        ret_shape[i] = random_below(&of->random, i + 1 == dims ? room : room < 12 ? room : 12) + 1;
        room /= ret_shape[i];
    }
    return dims;
}

/* --- the slow way ------------------------------------------------------------------------------------ */

typedef void for_element(void *user, uint64_t place, uint64_t number, uint32_t size);

/* Where each element lies, in their order. */
static void each_element(const kb_operand *view, uint64_t offset, for_element *call, void *user) {
    uint64_t elements = kb_operand_elements(view);
    for (uint64_t number = 0; number < elements; number++) {
        uint64_t rest = number, place = offset;
        for (unsigned k = view->dims; k-- > 0; rest /= view->shape[k])
            place += (uint64_t)view->stride[k] * (rest % view->shape[k]) * kb_dtype_size(view->dtype);
        call(user, place, number, kb_dtype_size(view->dtype));
    }
}

typedef struct copying {
    uint8_t *memory, *defined, *array, *array_defined;
} copying;

static void take(void *user, uint64_t place, uint64_t number, uint32_t size) {
    const copying *it = user;
    memcpy(it->array + number * size, it->memory + place, size);
    memcpy(it->array_defined + number * size, it->defined + place, size);
}

static void give(void *user, uint64_t place, uint64_t number, uint32_t size) {
    const copying *it = user;
    for (uint32_t i = 0; i < size; i++) {
        bool defined = it->array_defined[number * size + i] != 0;
        it->memory[place + i] = defined ? it->array[number * size + i] : 0;
        it->defined[place + i] = defined;
    }
}

static uint8_t array_defined[4 * ELEMENTS_MAX];

static void each_of(world *of, uint32_t number, for_element *call) {
    const kb_operand *view = &of->it.operands[number];
    copying user = {of->now.bytes[view->memory], of->now.defined[view->memory], of->arrays[number],
                    array_defined};
    each_element(view, of->it.offsets[number], call, &user);
}

/* Gathers the inputs, and leaves the result's definedness: as the first input's for a move, else all. */
static void gather_all(world *of, bool moves) {
    for (uint32_t i = of->it.what.operand_count; i-- > 1;)
        each_of(of, i, take);
    if (!moves)
        memset(array_defined, 1, sizeof array_defined);
}

/* --- ops --------------------------------------------------------------------------------------------- */

static const uint8_t dtypes[] = {KB_DTYPE_F16, KB_DTYPE_BF16, KB_DTYPE_F32, KB_DTYPE_I8, KB_DTYPE_I32};

static bool map(world *of, const kbr_kernels *kernels) {
    static const uint32_t funcs[] = {KB_FUNC_ADD, KB_FUNC_FMA, KB_FUNC_ABS, KB_FUNC_FILL, KB_FUNC_MUL};
    uint64_t shape[3], elements = 1;
    unsigned dims = draw_shape(of, shape);
    uint32_t func = funcs[random_below(&of->random, 5)];
    uint8_t dtype = dtypes[random_below(&of->random, 5)];
    for (uint32_t i = 0; i <= kernels->inputs[func]; i++)
        if (!draw_operand(of, i, dtype, dims, shape))
            return false;
    for (unsigned i = 0; i < dims; i++)
        elements *= shape[i];
    gather_all(of, false);
    kernels->map[func][dtype](of->arrays[0], (const uint8_t *[]){of->arrays[1], of->arrays[2], of->arrays[3]},
                              of->it.immediate, elements);
    check_ok(run(&of->it, KB_OP_MATH, func), &of->it.trail);
    return true;
}

static bool cast(world *of, const kbr_kernels *kernels) {
    uint64_t shape[3];
    unsigned dims = draw_shape(of, shape);
    uint8_t to = dtypes[random_below(&of->random, 5)], from = dtypes[random_below(&of->random, 5)];
    if (!draw_operand(of, 0, to, dims, shape) || !draw_operand(of, 1, from, dims, shape))
        return false;
    gather_all(of, false);
    kernels->cast[from][to](of->arrays[0], of->arrays[1], kb_operand_elements(&of->it.operands[0]));
    check_ok(run(&of->it, KB_OP_MATH, KB_FUNC_CAST), &of->it.trail);
    return true;
}

static bool reduce(world *of, const kbr_kernels *kernels) {
    static const uint32_t funcs[] = {KB_FUNC_SUM, KB_FUNC_REDUCE_MAX};
    uint64_t shape[3];
    unsigned dims = draw_shape(of, shape);
    uint32_t func = funcs[random_below(&of->random, 2)];
    uint8_t from = dtypes[random_below(&of->random, 5)];
    bool wide = random_once_in(&of->random, 2);
    uint8_t to = !wide ? from : kbr_dtype_of(from)->is_float ? KB_DTYPE_F32 : KB_DTYPE_I32;
    if (dims == 0 || !draw_operand(of, 0, to, dims - 1, shape) || !draw_operand(of, 1, from, dims, shape))
        return false;
    gather_all(of, false);
    kernels->reduce[func][from](of->arrays[0], to != from, of->arrays[1],
                                kb_operand_elements(&of->it.operands[0]), shape[dims - 1]);
    check_ok(run(&of->it, KB_OP_MATH, func), &of->it.trail);
    return true;
}

static bool softmax(world *of, const kbr_kernels *kernels) {
    static float scratch[ELEMENTS_MAX];
    uint64_t shape[3];
    unsigned dims = draw_shape(of, shape);
    uint8_t dtype = dtypes[random_below(&of->random, 3)];
    if (dims == 0 || !draw_operand(of, 0, dtype, dims, shape) || !draw_operand(of, 1, dtype, dims, shape))
        return false;
    gather_all(of, false);
    kernels->softmax[dtype](of->arrays[0], of->arrays[1],
                            kb_operand_elements(&of->it.operands[0]) / shape[dims - 1], shape[dims - 1],
                            scratch);
    check_ok(run(&of->it, KB_OP_MATH, KB_FUNC_SOFTMAX), &of->it.trail);
    return true;
}

static bool move(world *of, const kbr_kernels *kernels) {
    static const uint32_t kinds[] = {KB_OP_DMA_READ, KB_OP_IPCQ_COPY, KB_OP_MATH};
    (void)kernels;
    uint64_t shape[3], flat = 1;
    unsigned dims = draw_shape(of, shape);
    uint8_t dtype = dtypes[random_below(&of->random, 5)];
    if (!draw_operand(of, 0, dtype, dims, shape))
        return false;
    for (unsigned i = 0; i < dims; i++)
        flat *= shape[i];
    bool other = random_once_in(&of->random, 2);
    if (!draw_operand(of, 1, dtype, other ? 1 : dims, other ? &flat : shape))
        return false;
    gather_all(of, true);
    memcpy(of->arrays[0], of->arrays[1], sizeof of->arrays[0]);
    check_ok(run(&of->it, kinds[random_below(&of->random, 3)], KB_FUNC_COPY), &of->it.trail);
    return true;
}

static bool multiply(world *of, const kbr_kernels *kernels) {
    static uint8_t scratch[1 << 22];
    uint64_t m = random_below(&of->random, 60) + 1, n = random_below(&of->random, 60) + 1;
    uint64_t k = random_below(&of->random, 60) + 1;
    uint8_t dtype = dtypes[random_below(&of->random, 5)];
    bool is_float = kbr_dtype_of(dtype)->is_float, wide = !is_float || random_once_in(&of->random, 2);
    uint8_t out = !wide ? dtype : is_float ? KB_DTYPE_F32 : KB_DTYPE_I32;
    bool turned = random_once_in(&of->random, 2), accumulates = random_once_in(&of->random, 2);
    if (!draw_operand(of, 0, out, 2, (uint64_t[]){m, n}) ||
        !draw_operand(of, 1, dtype, 2, turned ? (uint64_t[]){k, m} : (uint64_t[]){m, k}) ||
        !draw_operand(of, 2, dtype, 2, (uint64_t[]){k, n}))
        return false;
    of->it.operands[0].access = accumulates ? KB_ACCESS_UPDATE : KB_ACCESS_WRITE;
    of->it.what.flags = (turned ? KB_FLAG_TRANSPOSE_A : 0) | (accumulates ? KB_FLAG_ACCUMULATE : 0);
    each_of(of, 0, take);
    gather_all(of, false);
    ptrdiff_t across = (ptrdiff_t)(turned ? m : k);
    kbr_gemm gemm = {.out = {of->arrays[0], (ptrdiff_t)n, 1},
                     .a = {of->arrays[1], turned ? 1 : across, turned ? across : 1},
                     .b = {of->arrays[2], (ptrdiff_t)n, 1},
                     .m = m,
                     .n = n,
                     .k = k,
                     .wide = out != dtype,
                     .accumulate = accumulates};
    assert_true(kbr_gemm_scratch(n, k) <= sizeof scratch);
    kernels->multiply[dtype](&gemm, scratch);
    check_ok(run(&of->it, KB_OP_GEMM, 0), &of->it.trail);
    of->it.what.flags = 0;
    return true;
}

/* Leaves a view undefined. */
static bool undefine(world *of, const kbr_kernels *kernels) {
    (void)kernels;
    uint64_t shape[3];
    unsigned dims = draw_shape(of, shape);
    if (!draw_operand(of, 0, KB_DTYPE_I8, dims, shape))
        return false;
    memset(array_defined, 0, sizeof array_defined);
    check_ok(run(&of->it, KB_OP_ALLOC, 0), &of->it.trail);
    return true;
}

static void ops_work_where_operands_lie(void **state) {
    (void)state;
    static bool (*const kinds[])(world * of, const kbr_kernels *kernels) = {
        map, cast, reduce, softmax, move, move, multiply, map, undefine};
    static world of;
    static plain seen;
    world_init(&of, 11);
    for (int i = 0; i < CASES; i++) {
        uint64_t which = random_below(&of.random, sizeof kinds / sizeof kinds[0]);
        if (!kinds[which](&of, kbr_kernels_at(0)))
            continue;
        each_of(&of, 0, give);
        look(&of, &seen);
        if (memcmp(&seen, &of.now, sizeof seen) != 0)
            fail_msg("case %d, of kind %d", i, (int)which);
        if (random_once_in(&of.random, 20))
            travel(&of);
    }
    kbr_snapshot_destroy(of.snapshot);
    bench_fini(&of.it);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ops_work_where_operands_lie)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

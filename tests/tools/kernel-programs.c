/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host programs with kernels of all sorts, for pass two to verify: kernel-programs NAME tcm|sram|hbm OUT
 * [PATH=VALUE]... Tensors lie in that memory; what is computed depends neither on it nor on the machine.
 */
#include <stdio.h>
#include <string.h>

#include "kbsim/run.h"

typedef struct setting {
    uint32_t space;
} setting;

/* --- elementwise ----------------------------------------------------------------------------- */

enum { LENGTH = 100000, MOST_OUTPUTS = 64 };

typedef struct tensors {
    tl_view a, b, c, out[MOST_OUTPUTS];
} tensors;

#define CALL_UNARY(name) tl_##name(k, t->out[i], t->a)
#define CALL_BINARY(name) tl_##name(k, t->out[i], t->a, t->b)
#define CALL_TERNARY(name) tl_##name(k, t->out[i], t->a, t->b, t->c)
#define CALL_SCALAR(name) tl_##name(k, t->out[i], t->a, 3)
#define CALL_FILL(name) tl_##name(k, t->out[i], 5)
#define CALL_CAST(name) tl_##name(k, t->out[i], t->a)
#define CALL_REDUCE(name) (void)0
#define CALL_ROWS(name) (void)0
#define ASYNC_UNARY(name) tl_##name##_async(k, t->out[i], t->a)
#define ASYNC_BINARY(name) tl_##name##_async(k, t->out[i], t->a, t->b)
#define ASYNC_TERNARY(name) tl_##name##_async(k, t->out[i], t->a, t->b, t->c)
#define ASYNC_SCALAR(name) tl_##name##_async(k, t->out[i], t->a, 3)
#define ASYNC_FILL(name) tl_##name##_async(k, t->out[i], 5)
#define ASYNC_CAST(name) tl_##name##_async(k, t->out[i], t->a)
#define ASYNC_REDUCE(name) ((tl_token){0, 0, k->rank})
#define ASYNC_ROWS(name) ((tl_token){0, 0, k->rank})

/* Every function that pass two can compute on integers. */
static void elementwise(tl_kernel *k) {
    const tensors *t = k->args;
    int i = 0;
#define FLOAT(name, FORM) (void)0
#define NUMBER(name, FORM) CALL_##FORM(name), i++
#define TL_MATH(name, FUNC, FORM, DTYPES, help) DTYPES(name, FORM);
#include "kbsim/math.def"
#undef TL_MATH
#undef NUMBER
#define NUMBER(name, FORM) tl_wait(k, ASYNC_##FORM(name)), i++
#define TL_MATH(name, FUNC, FORM, DTYPES, help) DTYPES(name, FORM);
#include "kbsim/math.def"
#undef TL_MATH
#undef NUMBER
#undef FLOAT
    tl_add(k, t->out[i], t->out[i], t->a); /* in place */
}

static void host_elementwise(kb_host *h, void *context) {
    const uint32_t space = ((const setting *)context)->space;
    tensors t;
    t.a = kb_ints(h, "a", space, KB_DTYPE_I32, -50, 50, LENGTH);
    t.b = kb_ints(h, "b", space, KB_DTYPE_I32, 1, 9, LENGTH);
    t.c = kb_iota(h, "c", space, KB_DTYPE_I32, 0, 1, LENGTH);
    for (int i = 0; i < MOST_OUTPUTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%d", i);
        t.out[i] = kb_zeros(h, name, i % 2 == 0 ? space : KB_SPACE_HBM, KB_DTYPE_I32, LENGTH);
    }
    kb_launch(h, elementwise, &t, sizeof t);
    kb_host_read(h, t.out[0]);
}

/* Every function on floats. */
static void floats(tl_kernel *k) {
    const tensors *t = k->args;
    int i = 0;
    tl_step(k, "floats", 0);
#define FLOAT(name, FORM) CALL_##FORM(name), i++
#define NUMBER(name, FORM) tl_wait(k, ASYNC_##FORM(name)), i++
#define TL_MATH(name, FUNC, FORM, DTYPES, help) DTYPES(name, FORM);
#include "kbsim/math.def"
#undef TL_MATH
#undef NUMBER
#undef FLOAT
}

static void host_floats(kb_host *h, void *context) {
    const uint32_t space = ((const setting *)context)->space;
    tensors t;
    t.a = kb_uniform(h, "a", space, KB_DTYPE_F16, 0, 2, LENGTH);
    t.b = kb_uniform(h, "b", space, KB_DTYPE_F16, 0.5, 3, LENGTH);
    t.c = kb_full(h, "c", space, KB_DTYPE_F16, 0.1, LENGTH);
    for (int i = 0; i < MOST_OUTPUTS / 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%d", i);
        t.out[i] = kb_zeros(h, name, space, KB_DTYPE_F16, LENGTH);
    }
    kb_launch(h, floats, &t, sizeof t);
}

/* --- rows and matrices ----------------------------------------------------------------------- */

enum { ROWS = 300, COLUMNS = 500 };

static void rows(tl_kernel *k) {
    const tensors *t = k->args;
    tl_sum(k, t->out[0], t->a);
    tl_reduce_max(k, t->out[1], t->a);
    tl_view sums = tl_reshape(k, t->out[0], ROWS, 1);
    tl_sub(k, t->out[2], t->a, tl_broadcast(k, sums, ROWS, COLUMNS));
    /* a block in the middle, whose rows have gaps between them */
    tl_view block = tl_slice_axis(k, tl_slice(k, t->out[2], 7, 200), 1, 3, 400);
    tl_add(k, block, block, tl_broadcast(k, tl_slice(k, tl_row(k, t->a, 5), 0, 400), 200, 400));
    tl_reduce_min(k, tl_row(k, t->out[0], 3), tl_row(k, t->a, 3));
    tl_prod(k, tl_slice(k, t->out[0], 4, 10), tl_slice(k, t->a, 4, 10));
    tl_wait(k, tl_softmax_async(k, tl_slice(k, t->out[2], 100, 90), tl_slice(k, t->a, 100, 90)));
    tl_copy(k, t->out[3], tl_transpose(k, t->a));
}

static void host_rows(kb_host *h, void *context) {
    const uint32_t space = ((const setting *)context)->space;
    tensors t;
    t.a = kb_ints(h, "a", space, KB_DTYPE_F32, -9, 9, ROWS, COLUMNS);
    t.out[0] = kb_empty(h, "y0", space, KB_DTYPE_F32, ROWS);
    t.out[1] = kb_empty(h, "y1", KB_SPACE_TCM, KB_DTYPE_F32, ROWS, 1);
    t.out[2] = kb_empty(h, "y2", space, KB_DTYPE_F32, ROWS, COLUMNS);
    t.out[3] = kb_empty(h, "y3", space, KB_DTYPE_F32, COLUMNS, ROWS);
    kb_launch(h, rows, &t, sizeof t);
}

/* y0 = a b + a b, in blocks of K through scratch; y1 = transposed(b) transposed(a), at once. */
static void products(tl_kernel *k) {
    enum { M = 64, N = 48, K = 96, BLOCK = 32 };
    const tensors *t = k->args;
    tl_view sum = tl_scratch(k, KB_DTYPE_F32, M, N);
    tl_fill(k, sum, 0);
    for (uint64_t at = 0; at < K; at += BLOCK) {
        tl_scope_begin(k);
        tl_view a = tl_scratch(k, KB_DTYPE_F16, M, BLOCK), b = tl_scratch(k, KB_DTYPE_F16, BLOCK, N);
        tl_step(k, "block", at / BLOCK);
        tl_token loads[] = {tl_load_async(k, a, tl_slice_axis(k, t->a, 1, at, BLOCK)),
                            tl_load_async(k, b, tl_slice(k, t->b, at, BLOCK))};
        tl_wait(k, loads[0]);
        tl_wait(k, loads[1]);
        tl_dot_add(k, sum, a, b);
        tl_wait(k, tl_dot_add_async(k, sum, a, b));
        tl_scope_end(k);
    }
    tl_cast(k, t->out[0], sum);
    tl_dot(k, t->out[1], tl_transpose(k, t->b), tl_transpose(k, t->a));
    tl_dot_add(k, t->out[1], tl_transpose(k, t->b), tl_transpose(k, t->a));
}

static void host_products(kb_host *h, void *context) {
    const uint32_t space = ((const setting *)context)->space;
    tensors t;
    t.a = kb_ints(h, "a", space, KB_DTYPE_F16, -2, 2, 64, 96);
    t.b = kb_ints(h, "b", space, KB_DTYPE_F16, -2, 2, 96, 48);
    t.out[0] = kb_empty(h, "y0", space, KB_DTYPE_F16, 64, 48);
    t.out[1] = kb_empty(h, "y1", space, KB_DTYPE_F16, 48, 64);
    kb_launch(h, products, &t, sizeof t);
}

/* Much to compute, and nothing from another rank: threads have nothing to wait for. */
static void apart(tl_kernel *k) {
    const tensors *t = k->args;
    for (uint64_t i = 0; i < 24; i++) {
        tl_step(k, "apart", i);
        tl_dot_add(k, t->out[0], t->a, t->b);
        tl_exp(k, t->out[1], t->c);
        tl_add(k, t->out[2], t->out[1], t->c);
        tl_mul(k, t->out[2], t->out[2], t->c);
    }
}

static void host_apart(kb_host *h, void *context) {
    const uint32_t space = ((const setting *)context)->space;
    tensors t;
    t.a = kb_ints(h, "a", space, KB_DTYPE_F16, -2, 2, 128, 128);
    t.b = kb_ints(h, "b", space, KB_DTYPE_F16, -2, 2, 128, 128);
    t.c = kb_uniform(h, "c", space, KB_DTYPE_F16, 0, 2, 40000);
    t.out[0] = kb_zeros(h, "y0", space, KB_DTYPE_F32, 128, 128);
    t.out[1] = kb_empty(h, "y1", space, KB_DTYPE_F16, 40000);
    t.out[2] = kb_empty(h, "y2", space, KB_DTYPE_F16, 40000);
    kb_launch(h, apart, &t, sizeof t);
}

/* --- messages -------------------------------------------------------------------------------- */

/* To the right and from the left: short, long, streamed through scratch, reduced, sent on. */
static void messages(tl_kernel *k) {
    const tensors *t = k->args;
    const uint32_t right = (k->rank + 1) % k->ranks, left = (k->rank + k->ranks - 1) % k->ranks;
    tl_queue to = tl_queue_to(k, right), from = tl_queue_from(k, left);
    tl_token sent = tl_send_async(k, to, tl_slice(k, t->a, 0, 20000));
    tl_copy(k, tl_slice(k, t->out[0], 0, 20000), tl_recv(k, from));
    tl_release(k, from);
    tl_wait_sent(k, sent);
    sent = tl_send_async(k, to, tl_slice(k, t->a, 20000, 1000));
    tl_view in = tl_recv(k, from);
    tl_view into = tl_slice(k, t->out[0], 20000, 1000);
    tl_add(k, into, in, tl_slice(k, t->b, 0, 1000));
    tl_mul(k, into, into, in);
    tl_wait(k, sent);
    tl_token on = tl_send_async(k, to, in); /* as it lies */
    tl_wait_sent(k, on);
    tl_release(k, from);
    tl_copy(k, tl_slice(k, t->out[0], 21000, 1000), tl_recv(k, from));
    tl_release(k, from);
    if (k->rank == 0) { /* blocking, one after another around the ring, long ones in parts */
        tl_send(k, to, t->a);
        tl_max(k, t->out[1], t->b, tl_recv(k, from));
        tl_release(k, from);
    } else {
        tl_max(k, t->out[1], t->b, tl_recv(k, from));
        tl_release(k, from);
        tl_send(k, to, t->a);
    }
}

static void host_messages(kb_host *h, void *context) {
    const uint32_t space = ((const setting *)context)->space;
    tensors t;
    t.a = kb_ints(h, "a", space, KB_DTYPE_F16, -9, 9, LENGTH);
    t.b = kb_ints(h, "b", space, KB_DTYPE_F16, -9, 9, LENGTH);
    t.out[0] = kb_zeros(h, "y0", space, KB_DTYPE_F16, LENGTH);
    t.out[1] = kb_zeros(h, "y1", space, KB_DTYPE_F16, LENGTH);
    kb_launch(h, messages, &t, sizeof t);
}

/* --- order ----------------------------------------------------------------------------------- */

/* Every rank writes to its neighbour's tensor, and reads what came after a barrier. */
static void neighbours(tl_kernel *k) {
    const tensors *all = k->args;
    const uint32_t right = (k->rank + 1) % k->ranks;
    const uint32_t pair[] = {k->rank & ~1U, k->rank | 1U};
    tl_view mine = tl_scratch(k, KB_DTYPE_F16, 1000);
    tl_load(k, mine, tl_slice(k, all[k->rank].a, 0, 1000));
    tl_store_async(k, all[right].out[0], mine);
    tl_wait_all(k);
    tl_barrier(k);
    tl_add(k, all[k->rank].out[1], all[k->rank].out[0], mine);
    if (pair[1] >= k->ranks)
        return;
    tl_group both = tl_group_of(k, pair, 2);
    tl_fence(k);
    tl_barrier_of(k, both);
    tl_copy(k, all[k->rank].out[2], all[pair[k->rank % 2 == 0]].out[1]); /* out of the other's memory */
    tl_barrier_of(k, both);
}

typedef struct shared {
    uint32_t space, ranks;
    tensors all[32];
} shared;

static void nothing(tl_kernel *k) {
    tl_step(k, "nothing", 0);
}

static void host_neighbours(kb_host *h, void *context) {
    shared *s = context;
    tensors *t = &s->all[h->rank];
    t->a = kb_ints(h, "a", s->space, KB_DTYPE_F16, -9, 9, 1000);
    for (int i = 0; i < 3; i++)
        t->out[i] = kb_zeros(h, i == 0 ? "y0" : i == 1 ? "y1" : "y2", s->space, KB_DTYPE_F16, 1000);
    /* Tensors lie alike in all ranks: the others' are found before their hosts have made them. */
    for (uint32_t rank = h->rank + 1; rank < h->ranks; rank++) {
        s->all[rank] = *t;
        s->all[rank].a.memory += 3 * (rank - h->rank);
        for (int i = 0; i < 3; i++)
            s->all[rank].out[i].memory += 3 * (rank - h->rank);
    }
    kb_launch(h, nothing, NULL, 0);
    kb_barrier(h);
    kb_launch(h, neighbours, s->all, sizeof s->all);
    kb_host_read(h, t->out[2]);
}

/* --- the host's own -------------------------------------------------------------------------- */

/* Gathers rows in the order that a table says, and stops where it says so. */
static void gather(tl_kernel *k) {
    const tensors *t = k->args;
    for (uint64_t i = 0; i < 16; i++) {
        const double row = tl_peek(k, t->b, i);
        if (row < 0)
            break;
        tl_copy(k, tl_row(k, t->out[0], i), tl_row(k, t->a, (uint64_t)row));
    }
    if (tl_peek(k, t->out[1], 0) == tl_peek(k, t->out[1], 0))
        return; /* it is no number */
    if (tl_peek(k, t->c, 3) > 0 && tl_peek(k, t->a, 0) < 100)
        tl_mul_scalar(k, t->out[0], t->out[0], tl_peek(k, t->c, 3));
}

static void host_gather(kb_host *h, void *context) {
    static const int8_t table[16] = {3, 1, 31, 0, 7, 7, 12, 2, 9, -1, 5, 5, 5, 5, 5, 5};
    static const int8_t again[16] = {0, 2, 30, 4, 6, 6, 12, 2, -1, 0, 5, 5, 5, 5, 5, 5};
    const uint32_t space = ((const setting *)context)->space;
    tensors t;
    t.a = kb_ints(h, "a", space, KB_DTYPE_BF16, -9, 9, 32, 1000);
    t.b = kb_from_bytes(h, "table", space, KB_DTYPE_I8, table, 16);
    t.c = kb_iota(h, "c", space, KB_DTYPE_F32, 0.5, 0.5, 5);
    t.out[0] = kb_zeros(h, "y0", space, KB_DTYPE_BF16, 16, 1000);
    t.out[1] = kb_from_bytes(h, "odd", space, KB_DTYPE_F16, ((const uint8_t[]){0xE0, 0xFE}), 1);
    kb_launch(h, gather, &t, sizeof t);
    kb_host_write(h, t.b, again, sizeof again);
    kb_launch(h, gather, &t, sizeof t);
    kb_host_read(h, t.out[0]);
    kb_free(h, t.out[0]);
    tl_view next = kb_empty(h, "y1", space, KB_DTYPE_F32, 8000); /* where y0 was */
    kb_all_reduce(h, kb_ints(h, "x", space, KB_DTYPE_I32, -9, 9, 40000), KB_REDUCE_SUM, "ring");
    kb_all_reduce(h, tl_slice(h, t.c, 1, 3), KB_REDUCE_MAX, "tree");
    kb_free(h, t.c);
    kb_host_write(h, tl_slice(h, next, 0, 4), again, 16);
}

/* --- launches in flight ---------------------------------------------------------------------- */

/* y0 = 3 a, a part at a time: it takes its time. */
static void triple(tl_kernel *k) {
    const tensors *t = k->args;
    for (uint64_t i = 0; i < 8; i++)
        tl_mul_scalar(k, tl_slice(k, t->out[0], i * 500, 500), tl_slice(k, t->a, i * 500, 500), 3);
}

/* y1 = y0 + b, which the launch before has made on some ranks. */
static void add_up(tl_kernel *k) {
    const tensors *t = k->args;
    tl_add(k, t->out[1], t->out[0], t->b);
}

/* y2 = what the other rank of the pair has in y1. */
static void swap(tl_kernel *k) {
    const tensors *t = k->args;
    const uint32_t other = k->rank ^ 2;
    tl_token sent = tl_send_async(k, tl_queue_to(k, other), tl_slice(k, t->out[1], 0, 700));
    tl_copy(k, tl_slice(k, t->out[2], 0, 700), tl_recv(k, tl_queue_from(k, other)));
    tl_release(k, tl_queue_from(k, other));
    tl_wait_sent(k, sent);
}

static void host_flights(kb_host *h, void *context) {
    const uint32_t space = ((const setting *)context)->space;
    const uint32_t even[] = {0, 2}, odd[] = {3, 1};
    const int32_t numbers[] = {4, 3, 2, 1};
    tensors t;
    t.a = kb_ints(h, "a", space, KB_DTYPE_I32, -9, 9, 4000);
    t.b = kb_iota(h, "b", space, KB_DTYPE_I32, 0, 1, 4000);
    t.c = kb_empty(h, "c", space, KB_DTYPE_I32, 4);
    t.out[0] = kb_full(h, "y0", space, KB_DTYPE_I32, 7, 4000);
    t.out[1] = kb_zeros(h, "y1", space, KB_DTYPE_I32, 4000);
    t.out[2] = kb_zeros(h, "y2", space, KB_DTYPE_I32, 4000);
    tl_token tripled = kb_launch_on_async(h, kb_group_of(h, even, 2), triple, &t, sizeof t);
    tl_token added = kb_launch_async(h, add_up, &t, sizeof t);
    kb_host_write(h, t.c, numbers, sizeof numbers); /* meanwhile */
    kb_host_read(h, t.a);
    tl_token swapped = kb_launch_on_async(h, kb_group_of(h, odd, 2), swap, &t, sizeof t);
    kb_wait(h, added);
    kb_host_read(h, t.out[1]);
    kb_wait(h, tripled);
    kb_launch_on(h, kb_group_of(h, even, 2), swap, &t, sizeof t);
    kb_wait(h, swapped);
    kb_all_reduce(h, t.out[2], KB_REDUCE_SUM, "ring");
    kb_launch_async(h, add_up, &t, sizeof t);
    kb_launch_async(h, triple, &t, sizeof t);
    kb_host_read(h, t.c);
    kb_wait_all(h);
    kb_host_read(h, t.out[0]);
}

/* Not one of these is right: `what` is done before the second of two launches was waited for. */
static void too_early(kb_host *h, uint32_t space, void (*what)(kb_host *h, const tensors *t)) {
    tensors t;
    t.a = kb_ints(h, "a", space, KB_DTYPE_I32, -9, 9, 4000);
    t.b = kb_iota(h, "b", space, KB_DTYPE_I32, 0, 1, 4000);
    t.out[0] = kb_zeros(h, "y0", space, KB_DTYPE_I32, 4000);
    t.out[1] = kb_zeros(h, "y1", space, KB_DTYPE_I32, 4000);
    tl_token tripled = kb_launch_async(h, triple, &t, sizeof t);
    tl_token added = kb_launch_async(h, add_up, &t, sizeof t);
    kb_wait(h, tripled);
    kb_host_read(h, t.out[0]); /* which is right */
    what(h, &t);
    kb_wait(h, added);
}

static void read_y1(kb_host *h, const tensors *t) {
    kb_host_read(h, t->out[1]);
}

static void write_b(kb_host *h, const tensors *t) {
    const int32_t numbers[] = {4, 3, 2, 1};
    kb_host_write(h, tl_slice(h, t->b, 0, 4), numbers, sizeof numbers);
}

static void host_early_read(kb_host *h, void *context) {
    too_early(h, ((const setting *)context)->space, read_y1);
}

static void host_early_write(kb_host *h, void *context) {
    too_early(h, ((const setting *)context)->space, write_b);
}

/* Rank 1 waits for a message that is sent by a launch which its host makes when it has waited. */
static void send_on(tl_kernel *k) {
    const tensors *t = k->args;
    tl_send(k, tl_queue_to(k, 1), tl_slice(k, t->a, 0, 16));
}

static void take_from_0(tl_kernel *k) {
    const tensors *t = k->args;
    tl_copy(k, tl_slice(k, t->a, 0, 16), tl_recv(k, tl_queue_from(k, 0)));
    tl_release(k, tl_queue_from(k, 0));
}

static void host_stuck(kb_host *h, void *context) {
    const uint32_t zero = 0, one = 1;
    tensors t;
    t.a = kb_ints(h, "a", ((const setting *)context)->space, KB_DTYPE_I32, -9, 9, 4000);
    tl_token taken = kb_launch_on_async(h, kb_group_of(h, &one, 1), take_from_0, &t, sizeof t);
    kb_wait(h, taken);
    kb_barrier(h);
    kb_launch_on(h, kb_group_of(h, &zero, 1), send_on, &t, sizeof t);
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    kb_host_fn host;
} programs[] = {{"elementwise", host_elementwise},
                {"floats", host_floats},
                {"rows", host_rows},
                {"products", host_products},
                {"messages", host_messages},
                {"gather", host_gather},
                {"neighbours", host_neighbours},
                {"apart", host_apart},
                {"flights", host_flights},
                {"early_read", host_early_read},
                {"early_write", host_early_write},
                {"stuck", host_stuck}};

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    shared context = {.space = kb_word_value(KB_VOC_SPACE, argv[2]), .ranks = 4};
    kbs_machine machine;
    kb_trail trail;
    char text[2048];
    kb_trail_init(&trail);
    kbs_machine_init(&machine);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (strcmp(programs[i].name, argv[1]) != 0)
            continue;
        const kbs_run_options options = {.bench = argv[1],
                                         .host = programs[i].host,
                                         .host_context = &context,
                                         .machine = &machine,
                                         .ranks = context.ranks,
                                         .seed = 7,
                                         .path = argv[3]};
        kbs_result result;
        kb_status status = kbs_machine_shorthand(&machine, "cubes=2x1,pes=8", &trail);
        if (status == KB_OK)
            status = kbs_machine_set(&machine, "sram.bytes", "256MiB", "set", &trail);
        for (int arg = 4; arg < argc && status == KB_OK; arg++)
            status = kbs_machine_assign(&machine, argv[arg], "set", &trail);
        if (status == KB_OK)
            status = kbs_run(&options, &result, &trail);
        if (status != KB_OK) {
            fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
            return 2;
        }
        if (result.explanation != NULL)
            fprintf(stderr, "%s", result.explanation);
        kbs_result_fini(&result);
        return result.outcome == KB_OUTCOME_COMPLETE ? 0 : 1;
    }
    return 2;
}

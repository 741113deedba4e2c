/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue of what kernels and host programs get wrong: each is found while recording, in these words,
 * with file and line, program, rank and PE.
 */
#include <math.h>
#include <stdio.h>

#include "kept.h"

/* The mistake stands in the line that is noted here. */
static int wrong_line;
#define WRONG wrong_line = __LINE__

typedef struct scene {
    tl_view x, far, half; /* 1000 x f16 in TCM, in HBM, and one that only one rank has of each */
    tl_view matrix, words, table;
} scene;

static tl_kernel_fn under_test;

static void host_of_kernel(kb_host *h, void *context) {
    (void)context;
    scene s;
    s.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -4, 4, 1000);
    s.far = kb_ints(h, "far", KB_SPACE_HBM, KB_DTYPE_F16, -4, 4, 1000);
    s.matrix = kb_zeros(h, "matrix", KB_SPACE_TCM, KB_DTYPE_F32, 20, 30);
    s.words = kb_zeros(h, "words", KB_SPACE_TCM, KB_DTYPE_I32, 1000);
    s.table = kb_iota(h, "table", KB_SPACE_TCM, KB_DTYPE_I8, 0, 1, 16);
    s.half = kb_empty(h, "half", KB_SPACE_TCM, KB_DTYPE_F16, 500);
    kb_launch(h, under_test, &s, sizeof s);
}

static void record(kept *run, kb_host_fn host, kb_status *ret) {
    check_ok(kbs_machine_check(&run->machine, &run->trail), &run->trail);
    check_ok(kbs_program_create(&run->machine, run->ranks, 1, 1, NULL, run->log, &run->program, &run->trail),
             &run->trail);
    *ret = kbs_program_host(run->program, "host", host, run, &run->trail);
    if (*ret == KB_OK)
        *ret = kbs_program_seal(run->program, &run->trail);
}

static void refuse_program(kb_host_fn host, const char *who, const char *words) {
    static kept run;
    char wanted[512];
    kb_status status;
    kept_init(&run, "cubes=1,pes=8", 3);
    wrong_line = 0;
    record(&run, host, &status);
    check_status(status, KB_E_PROGRAM, &run.trail);
    snprintf(wanted, sizeof wanted, "test_mistakes.c:%d: %s: %s", wrong_line, who, words);
    assert_string_equal(run.trail.text[0], wanted);
    kept_fini(&run);
}

/* In these very words, at that line. */
static void refuse(tl_kernel_fn kernel, const char *words) {
    under_test = kernel;
    refuse_program(host_of_kernel, "kernel under_test, rank 0 (sip0.cube0.pe0)", words);
}

static void refuse_host(kb_host_fn host, const char *words) {
    refuse_program(host, "host program host, rank 0 (sip0.cube0.pe0)", words);
}

#define KERNEL(name, ...)            \
    static void name(tl_kernel *k) { \
        const scene *s = k->args;    \
        (void)s;                     \
        __VA_ARGS__;                 \
    }
#define HOST(name, ...)                           \
    static void name(kb_host *h, void *context) { \
        (void)context;                            \
        __VA_ARGS__;                              \
    }

/* --- views ----------------------------------------------------------------------------------- */

KERNEL(slice_outside, WRONG, tl_slice(k, s->x, 990, 11))
KERNEL(slice_huge, WRONG, tl_slice(k, s->x, UINT64_MAX, UINT64_MAX))
KERNEL(slice_axis, WRONG, tl_slice_axis(k, s->matrix, 2, 0, 1))
KERNEL(row_outside, WRONG, tl_row(k, s->matrix, 20))
KERNEL(bad_reshape, WRONG, tl_reshape(k, s->matrix, 7, 100))
KERNEL(gaps, WRONG, tl_reshape(k, tl_slice_axis(k, s->matrix, 1, 0, 10), 200))
KERNEL(flat_transpose, WRONG, tl_transpose(k, s->x))
KERNEL(bad_flip, WRONG, tl_flip(k, s->x, 1))
KERNEL(bad_broadcast, WRONG, tl_broadcast(k, s->x, 3, 999))
KERNEL(into_repeated, WRONG, tl_add(k, tl_broadcast(k, tl_slice(k, s->x, 0, 1), 1000), s->x, s->x))
KERNEL(no_view, tl_view empty = {0}; WRONG, tl_copy(k, s->x, empty))
KERNEL(no_memory, tl_view v = s->x; v.memory = 99; WRONG, tl_copy(k, v, s->x))
KERNEL(by_hand, tl_view v = s->x; v.elements = 2000; WRONG, tl_copy(k, v, v))
KERNEL(too_far, tl_view v = s->x; v.offset_bytes = 16 << 20; WRONG, tl_copy(k, v, s->x))
KERNEL(too_wide, tl_view v = s->matrix; v.stride[0] = INT64_MAX / 4; WRONG, tl_copy(k, v, v))
KERNEL(of_host, tl_view v = s->x; v.memory = 9; WRONG, tl_copy(k, s->x, v))

static void views_stay_in_what_they_are_made_of(void **state) {
    (void)state;
    refuse(slice_outside, "elements [990, 1001) lie outside a view of 1000");
    refuse(slice_huge, "elements [18446744073709551615, 18446744073709551614) lie outside a view of 1000");
    refuse(slice_axis, "there is no axis 2 in a view of 2 axes");
    refuse(row_outside, "indices [20, 21) lie outside a view of 20");
    refuse(bad_reshape, "a view of 600 elements has no such shape");
    refuse(gaps, "the view has gaps between its rows: it has no other shape");
    refuse(flat_transpose, "a view of 1 axes is transposed, and a matrix has 2");
    refuse(bad_flip, "there is no axis 1 in a view of 1 axes");
    refuse(bad_broadcast, "an extent of 1000 cannot be repeated to 999");
    refuse(into_repeated, "the destination is repeated by tl_broadcast, and can be read only");
    refuse(no_view, "the source is no view: it did not come from a tensor, scratch or a message");
    refuse(no_memory, "the destination is no view: it did not come from a tensor, scratch or a message");
    refuse(by_hand, "the destination is no view: it did not come from a tensor, scratch or a message");
    refuse(too_far, "the destination (1000 x f16 at byte 16777216) does not lie inside sip0.cube0.pe0.tcm, "
                    "which has 16777216 bytes");
    refuse(too_wide, "the destination (20 x 30 x f32 at byte 2048) does not lie inside sip0.cube0.pe0.tcm, "
                     "which has 16777216 bytes");
    refuse(of_host, "the source lies in a host's memory, which no PE can reach");
}

/* --- moving and computing ---------------------------------------------------------------------- */

KERNEL(load_far, WRONG, tl_load(k, s->far, s->x))
KERNEL(store_far, WRONG, tl_store(k, s->x, s->far))
KERNEL(shapes, WRONG, tl_copy(k, s->x, tl_slice(k, s->far, 0, 999)))
KERNEL(dtypes, WRONG, tl_add(k, s->x, s->x, s->words))
KERNEL(dtypes_copied, WRONG, tl_copy(k, s->x, s->words))
KERNEL(root_of_words, WRONG, tl_sqrt(k, s->words, s->words))
KERNEL(not_a_number, WRONG, tl_add_scalar(k, s->x, s->x, NAN))
KERNEL(too_large, WRONG, tl_fill(k, s->x, 65505))
KERNEL(not_whole, WRONG, tl_mul_scalar(k, s->words, s->words, 0.5))
KERNEL(overflows, WRONG, tl_add_scalar(k, s->words, s->words, 2147483648.0))
KERNEL(bad_sum, WRONG, tl_sum(k, s->x, s->matrix))
KERNEL(bad_sum_dtype, WRONG, tl_sum(k, tl_slice(k, s->words, 0, 20), s->matrix))
KERNEL(sum_of_nothing, tl_view none = tl_slice(k, s->x, 0, 0); tl_view in = tl_reshape(k, none, 0, 0);
       WRONG, tl_sum(k, none, in))
KERNEL(tangled, tl_view whole = s->far; whole.memory += 2; whole.shape[0] = whole.elements = 100000;
       WRONG, tl_copy(k, tl_slice(k, whole, 1, 99999), tl_slice(k, whole, 0, 99999)))
KERNEL(no_collective, WRONG, tl_reduce(k, s->x, s->far))
KERNEL(dot_vector, WRONG, tl_dot(k, s->matrix, s->x, s->matrix))
KERNEL(dot_shapes, WRONG, tl_dot(k, s->matrix, s->matrix, s->matrix))
KERNEL(dot_dtypes, tl_view w = tl_reshape(k, s->words, 20, 50); WRONG, tl_dot(k, s->matrix, w, w))

static void moves_and_math_agree(void **state) {
    (void)state;
    refuse(load_far, "the destination of tl_load does not lie in this PE's TCM (tl_copy takes any memory)");
    refuse(store_far, "the source of tl_store does not lie in this PE's TCM (tl_copy takes any memory)");
    refuse(shapes, "the views differ: 1000 x f16 and 999 x f16");
    refuse(dtypes, "the views differ: 1000 x f16 and 1000 x i32");
    refuse(dtypes_copied, "the views differ: 1000 x f16 and 1000 x i32");
    refuse(root_of_words, "tl_sqrt works on floats, and not on i32");
    refuse(not_a_number, "tl_add_scalar: f16 cannot hold nan");
    refuse(too_large, "tl_fill: f16 cannot hold 65505");
    refuse(not_whole, "tl_mul_scalar: i32 cannot hold 0.5");
    refuse(overflows, "tl_add_scalar: i32 cannot hold 2.14748e+09");
    refuse(bad_sum, "1000 x f16 cannot hold one element for each row of 20 x 30 x f32: it has the same outer "
                    "axes, and its dtype or the one it is summed in");
    refuse(bad_sum_dtype, "20 x i32 cannot hold one element for each row of 20 x 30 x f32: it has the same "
                          "outer axes, and its dtype or the one it is summed in");
    refuse(sum_of_nothing, "tl_sum of rows without elements");
    refuse(tangled,
           "the destination overlaps a source, and both are moved in pieces of 65536 bytes: work on a "
           "copy");
    refuse(no_collective, "tl_reduce applies the op of a collective, and this is none: try tl_add");
    refuse(dot_vector, "the left matrix has 1 axes, and a matrix has 2");
    refuse(dot_shapes, "a matrix of 20 x 30 times one of 20 x 30 is not one of 20 x 30");
    refuse(dot_dtypes,
           "a product of i32 and i32 cannot be f32: both matrices have one dtype, and the product has "
           "it or f32, or i32 where they hold integers");
}

/* --- scratch --------------------------------------------------------------------------------- */

KERNEL(too_much, tl_scratch(k, KB_DTYPE_F16, 100); WRONG, tl_scratch(k, KB_DTYPE_F32, 1 << 18))
KERNEL(absurd, WRONG, tl_scratch(k, KB_DTYPE_F32, UINT64_C(1) << 63))
KERNEL(absurd_product, WRONG, tl_scratch(k, KB_DTYPE_F32, UINT64_C(1) << 33, UINT64_C(1) << 33))
KERNEL(negative, WRONG, tl_scratch(k, KB_DTYPE_F32, (uint64_t)-1))
KERNEL(no_dtype, WRONG, tl_scratch(k, 77, 5))
KERNEL(no_scope, WRONG, tl_scope_end(k))
KERNEL(open_scope, tl_scope_begin(k); WRONG, tl_scope_begin(k))
KERNEL(ended, tl_scope_begin(k); tl_view v = tl_scratch(k, KB_DTYPE_F16, 1000); tl_scope_end(k);
       WRONG, tl_copy(k, s->x, v))
KERNEL(ended_and_taken, tl_scope_begin(k); tl_view v = tl_scratch(k, KB_DTYPE_F16, 1000); tl_scope_end(k);
       tl_scope_begin(k); tl_scratch(k, KB_DTYPE_F16, 1000); WRONG, tl_copy(k, v, s->x))
KERNEL(staged, tl_scratch(k, KB_DTYPE_I8, (1 << 20) - 1000); WRONG, tl_add(k, s->x, s->x, s->far))

static void scratch_is_by_scope_and_bounded(void **state) {
    (void)state;
    refuse(too_much,
           "no room in scratch: 1048576 bytes asked, 1048320 of 1048576 left in one piece (end a scope "
           "earlier, work on smaller pieces, or raise scratch.bytes)");
    refuse(absurd, "scratch of such a shape exceeds any memory");
    refuse(absurd_product, "scratch of such a shape exceeds any memory");
    refuse(negative, "scratch of such a shape exceeds any memory");
    refuse(no_dtype, "there is no dtype number 77");
    refuse(no_scope, "no scope to end: every tl_scope_begin has its tl_scope_end");
    refuse(open_scope, "this scope is never ended");
    refuse(ended, "the source lies in scratch whose scope has ended");
    refuse(ended_and_taken, "the destination lies in scratch whose scope has ended");
    refuse(staged,
           "no room in scratch: 2000 bytes asked, 960 of 1048576 left in one piece (end a scope earlier, "
           "work on smaller pieces, or raise scratch.bytes)");
}

/* --- order ----------------------------------------------------------------------------------- */

static tl_token kept_token;

KERNEL(waited_twice, tl_token t = tl_copy_async(k, s->x, s->far); tl_wait(k, t); WRONG, tl_wait_sent(k, t))
KERNEL(never_waited, WRONG, tl_fill_async(k, s->x, 1))
KERNEL(of_another, kept_token = (tl_token){1, 1, 2}; WRONG, tl_wait(k, kept_token))
KERNEL(of_the_future, kept_token = (tl_token){1, 1, 0}; WRONG, tl_wait(k, kept_token))
KERNEL(no_group, WRONG, tl_barrier_of(k, (tl_group){8}))
KERNEL(empty_group, WRONG, tl_group_of(k, NULL, 0))
KERNEL(rank_twice, const uint32_t r[] = {1, 0, 1}; WRONG, tl_group_of(k, r, 3))
KERNEL(rank_beyond, const uint32_t r[] = {0, 3}; WRONG, tl_group_of(k, r, 2))
KERNEL(not_in_it, const uint32_t r[] = {1, 2}; tl_group g = tl_group_of(k, r, 2); WRONG, tl_barrier_of(k, g))

static void tokens_and_groups_are_ones_own(void **state) {
    (void)state;
    refuse(waited_twice, "this token was waited for before");
    refuse(never_waited, "nobody waits for the token of this command");
    refuse(of_another, "this token comes from another rank: only the rank that got it can wait");
    refuse(of_the_future, "this token comes from another rank: only the rank that got it can wait");
    refuse(no_group, "this is no group: it did not come from tl_group_of");
    refuse(empty_group, "a group without ranks");
    refuse(rank_twice, "rank 1 is named twice in one group");
    refuse(rank_beyond, "there is no rank 3 to be in a group: the run has 3");
    refuse(not_in_it, "rank 0 is not in group1, whose barrier this is");
}

/* --- messages -------------------------------------------------------------------------------- */

KERNEL(rank_out_of_range, WRONG, tl_queue_to(k, 3))
KERNEL(to_itself, WRONG, tl_queue_from(k, 0))
KERNEL(into_message, tl_view m = tl_recv(k, tl_queue_from(k, 1)); WRONG, tl_fill(k, m, 0))
KERNEL(after_release, tl_queue q = tl_queue_from(k, 1); tl_view m = tl_recv(k, q); tl_copy(k, s->x, m);
       tl_release(k, q); WRONG, tl_add(k, s->x, s->x, m))
KERNEL(release_nothing, WRONG, tl_release(k, tl_queue_from(k, 1)))
KERNEL(unreleased, tl_view m; WRONG, m = tl_recv(k, tl_queue_from(k, 1)); tl_copy(k, s->x, m))
KERNEL(cast_message, tl_view m = tl_recv(k, tl_queue_from(k, 1)); WRONG, tl_cast(k, s->x, m))
KERNEL(shapeless, tl_view m = tl_recv(k, tl_queue_from(k, 1)); WRONG, tl_sum(k, s->x, m))
KERNEL(shapeless_matrix, tl_view m = tl_recv(k, tl_queue_from(k, 1)); WRONG, tl_dot(k, s->matrix, m, m))
KERNEL(sliced, tl_view m = tl_recv(k, tl_queue_from(k, 1)); WRONG, tl_slice(k, m, 0, 1))
KERNEL(peeked, tl_view m = tl_recv(k, tl_queue_from(k, 1)); WRONG, tl_peek(k, m, 0))

static void messages_are_read_once_and_in_order(void **state) {
    (void)state;
    refuse(rank_out_of_range, "there is no rank 3 to send to: the group has 3");
    refuse(to_itself, "a queue joins two PEs, and this one would lead back to rank 0 itself");
    refuse(into_message, "a received message is read-only: it cannot be the destination");
    refuse(after_release, "message 0 of the queue from rank 1 was released before this use");
    refuse(release_nothing, "nothing to release: every message received from rank 1 was given back");
    refuse(unreleased, "the message received here from rank 1 is never released");
    refuse(cast_message, "the dtype of a message is that of its use: copy it, and cast that");
    refuse(shapeless, "tl_sum needs the shape of the message: give it one by tl_reshape");
    refuse(shapeless_matrix, "the left matrix is a message without a shape: give it one by tl_reshape");
    refuse(sliced, "a message is used as a whole: copy it into a tensor and slice that");
    refuse(peeked, "tl_peek: messages and scratch are computed or moved, and cannot be read while recording");
}

/* --- peeks ----------------------------------------------------------------------------------- */

static int written_line;

KERNEL(peek_written, written_line = __LINE__, tl_fill(k, s->table, 1); WRONG, tl_peek(k, s->table, 3))
KERNEL(peek_undefined, WRONG, tl_peek(k, s->half, 0))
KERNEL(peek_outside, WRONG, tl_peek(k, s->table, 16))
KERNEL(peek_foreign, tl_view v = s->table; v.memory += 3; WRONG, tl_peek(k, v, 0))
KERNEL(peek_nowhere, tl_view v = s->table; v.offset_bytes = 1 << 20; WRONG, tl_peek(k, v, 0))
KERNEL(peek_other, tl_view v = s->table; v.dtype = KB_DTYPE_F16; v.elements = v.shape[0] = 1;
       WRONG, tl_peek(k, v, 0))

static void only_what_the_host_supplied_is_seen(void **state) {
    (void)state;
    char words[200];
    under_test = peek_written;
    written_line = 0;
    static kept run;
    kb_status status;
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, host_of_kernel, &status);
    check_status(status, KB_E_PROGRAM, &run.trail);
    snprintf(
        words, sizeof words,
        "tl_peek: tensor table is written at test_mistakes.c:%d, and what is computed or moved cannot be "
        "read while recording",
        written_line);
    check_says(&run.trail, words);
    kept_fini(&run);
    refuse(peek_undefined, "tl_peek: tensor half is undefined");
    refuse(peek_outside, "tl_peek: element 16 lies outside a view of 16");
    refuse(peek_foreign, "tl_peek: this tensor belongs to rank 1, and only its own can look");
    refuse(peek_nowhere,
           "tl_peek: this lies in no tensor; only what a host filled with bytes or by a recipe can "
           "be read while recording");
    refuse(peek_other, "tl_peek: tensor table holds i8, and not numbers of f16");
}

/* --- host programs --------------------------------------------------------------------------- */

static void idle(tl_kernel *k) {
    tl_step(k, "idle", 0);
}

static void busy(tl_kernel *k) {
    tl_fence(k);
}

HOST(no_kernel, WRONG, kb_launch(h, NULL, NULL, 0))
HOST(no_args, WRONG, kb_launch(h, idle, NULL, 8))
HOST(elements_2_63, WRONG, kb_zeros(h, "x", KB_SPACE_HBM, KB_DTYPE_I8, UINT64_C(1) << 63))
HOST(product_wraps, WRONG, kb_zeros(h, "x", KB_SPACE_HBM, KB_DTYPE_I8, UINT64_C(1) << 32, UINT64_C(1) << 32))
HOST(no_such_space, WRONG, kb_zeros(h, "x", KB_SPACE_HOST, KB_DTYPE_I8, 5))
HOST(no_such_dtype, WRONG, kb_zeros(h, "x", KB_SPACE_TCM, 99, 5))
HOST(no_name, WRONG, kb_zeros(h, "", KB_SPACE_TCM, KB_DTYPE_I8, 5))
HOST(full_of_nan, WRONG, kb_full(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, NAN, 5))
HOST(counts_too_far, WRONG, kb_iota(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 100, 1, 29))
HOST(turned_round, WRONG, kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5, -5, 29))
HOST(fractions, WRONG, kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 0.5, 5, 29))
HOST(real_integers, WRONG, kb_uniform(h, "x", KB_SPACE_TCM, KB_DTYPE_I32, 0, 1, 29))
HOST(no_bytes, WRONG, kb_from_bytes(h, "x", KB_SPACE_TCM, KB_DTYPE_I32, NULL, 29))
HOST(freed_twice, tl_view x = kb_empty(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5); kb_free(h, x);
     WRONG, kb_free(h, x))
HOST(freed_part, tl_view x = kb_empty(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5);
     WRONG, kb_free(h, tl_slice(h, x, 0, 4)))
HOST(short_write, tl_view x = kb_empty(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5);
     WRONG, kb_host_write(h, x, "abc", 3))
HOST(null_write, tl_view x = kb_empty(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5);
     WRONG, kb_host_write(h, x, NULL, 5))
HOST(gappy_write, tl_view x = kb_empty(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5, 5);
     WRONG, kb_host_write(h, tl_slice_axis(h, x, 1, 0, 1), "abcde", 5))
HOST(gappy_reduce, tl_view x = kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5, 5);
     WRONG, kb_all_reduce(h, tl_slice_axis(h, x, 1, 0, 2), KB_REDUCE_SUM, "ring"))
HOST(work_of_kernels, tl_view x = kb_zeros(h, "x", KB_SPACE_HBM, KB_DTYPE_I8, 5); WRONG, tl_copy(h, x, x))
HOST(math_of_kernels, tl_view x = kb_zeros(h, "x", KB_SPACE_HBM, KB_DTYPE_I8, 5); WRONG, tl_neg(h, x, x))
HOST(scratch_of_kernels, WRONG, tl_scratch(h, KB_DTYPE_I8, 5))
HOST(queue_of_kernels, WRONG, tl_queue_to(h, 1))
HOST(no_algorithm, tl_view x = kb_empty(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5);
     WRONG, kb_all_reduce(h, x, KB_REDUCE_SUM, NULL))
HOST(no_op, tl_view x = kb_empty(h, "x", KB_SPACE_TCM, KB_DTYPE_I8, 5);
     WRONG, kb_all_reduce(h, x, 17, "ring"))
HOST(no_numbers, tl_view x = kb_empty(h, "x", KB_SPACE_TCM, KB_DTYPE_BYTES, 5);
     WRONG, kb_all_reduce(h, x, KB_REDUCE_SUM, "ring"))

static void hosts_are_checked(void **state) {
    (void)state;
    refuse_host(no_kernel, "a launch of no kernel: the function is NULL");
    refuse_host(no_args, "a launch of idle with 8 bytes of arguments at NULL");
    refuse_host(elements_2_63, "tensor x: its elements exceed any memory");
    refuse_host(product_wraps, "tensor x: its elements exceed any memory");
    refuse_host(no_such_space, "tensor x: there is no memory number 4 of a PE");
    refuse_host(no_such_dtype, "tensor x: there is no dtype number 99");
    refuse_host(no_name, "a tensor without a name");
    refuse_host(full_of_nan, "tensor x: f16 cannot hold nan");
    refuse_host(counts_too_far, "tensor x: i8 cannot hold 128");
    refuse_host(turned_round, "tensor x: nothing can be drawn from 5 to -5");
    refuse_host(fractions, "tensor x: nothing can be drawn from 0.5 to 5");
    refuse_host(real_integers, "tensor x: uniform draws reals, and i32 holds integers");
    refuse_host(no_bytes, "tensor x: its bytes are at NULL");
    refuse_host(freed_twice, "this tensor was freed before");
    refuse_host(freed_part, "only a whole tensor of this rank can be freed, and this view is none");
    refuse_host(short_write, "kb_host_write of 3 bytes, and the view takes 5");
    refuse_host(null_write, "kb_host_write of 5 bytes at NULL, and the view takes 5");
    static const char of_kernels[] = "this is for kernels, which run on a PE: launch one that does it";
    refuse_host(work_of_kernels, of_kernels);
    refuse_host(math_of_kernels, of_kernels);
    refuse_host(scratch_of_kernels, of_kernels);
    refuse_host(queue_of_kernels, of_kernels);
    refuse_host(gappy_write, "the destination has gaps between its elements, and must lie in one piece");
    refuse_host(gappy_reduce,
                "the tensor of a collective has gaps between its elements, and must lie in one piece");
    refuse_host(no_algorithm, "an all-reduce by no algorithm that could do it");
    refuse_host(no_op, "an all-reduce by no op: it is KB_REDUCE_SUM, _PROD, _MIN or _MAX");
    refuse_host(no_numbers,
                "a collective works on a tensor of numbers in a memory of this rank's PE, and this is "
                "none");
}

/* --- ranks that differ ------------------------------------------------------------------------- */

HOST(other_kernel, WRONG, h->rank == 2 ? kb_launch(h, busy, NULL, 0) : kb_launch(h, idle, NULL, 0))
HOST(fewer, kb_launch(h, idle, NULL, 0); if (h->rank != 1) WRONG, kb_launch(h, busy, NULL, 0))
HOST(more, kb_launch(h, idle, NULL, 0); if (h->rank == 1) WRONG, kb_launch(h, busy, NULL, 0))
HOST(other_count, tl_view x = kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 10);
     WRONG, kb_all_reduce(h, tl_slice(h, x, 0, h->rank == 2 ? 9 : 10), KB_REDUCE_SUM, "ring"))
HOST(other_call, tl_view x = kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 10);
     WRONG, h->rank == 1 ? kb_launch(h, busy, NULL, 0) : kb_all_reduce(h, x, KB_REDUCE_SUM, "ring"))

HOST(other_group, const uint32_t ranks[] = {0, 1, 2};
     WRONG, kb_launch_on(h, kb_group_of(h, ranks, h->rank == 1 ? 2 : 3), busy, NULL, 0))
HOST(launched_on_none, WRONG, kb_launch_on(h, (tl_group){77}, busy, NULL, 0))
HOST(never_awaited, WRONG, kb_launch_async(h, idle, NULL, 0))
HOST(awaited_twice, const tl_token done = kb_launch_async(h, idle, NULL, 0); kb_wait(h, done);
     WRONG, kb_wait(h, done))
/* Who has no part in a launch has nothing to wait for. */
HOST(part_of_ranks, const uint32_t one = 1;
     const tl_token done = kb_launch_on_async(h, kb_group_of(h, &one, 1), busy, NULL, 0); kb_wait(h, done))

static void refuse_rank(kb_host_fn host, uint32_t rank, const char *words) {
    char who[80];
    snprintf(who, sizeof who, "host program host, rank %u (sip0.cube0.pe%u)", rank, rank);
    refuse_program(host, who, words);
}

static void ranks_do_the_same(void **state) {
    (void)state;
    char words[256];
    static kept run;
    kb_status status;
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, other_kernel, &status);
    snprintf(words, sizeof words,
             "rank 2 (sip0.cube0.pe2): launch 0 of this rank is kernel busy, and rank 0's is kernel idle "
             "(test_mistakes.c:%d): all ranks launch the same in the same order",
             wrong_line);
    check_status(status, KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, words);
    kept_fini(&run);
    refuse_rank(fewer, 1,
                "rank 0 launches kernel busy here, its launch 1, and this rank has made all of its own");
    refuse_rank(more, 1, "this rank launches kernel busy, and rank 0 has made all of its 1 launches by then");
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, other_count, &status);
    check_says(&run.trail, "all_reduce number 0 is of 9 x f16 by sum here, and of 10 x f16 by sum in rank 0");
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, other_call, &status);
    check_says(&run.trail, "launch 0 of this rank is kernel busy, and rank 0's is all_reduce ring");
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, other_group, &status);
    check_says(&run.trail, "launch 0 of this rank is of busy on group group1, and rank 0's on group all");
    kept_fini(&run);
    refuse_rank(launched_on_none, 0, "a launch on no group: it did not come from kb_group_of");
    refuse_rank(never_awaited, 0, "nobody waits for this launch");
    refuse_rank(awaited_twice, 0, "this token was waited for before");
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, part_of_ranks, &status);
    check_ok(status, &run.trail);
    kept_fini(&run);
}

/* --- what is found when all is recorded ---------------------------------------------------------- */

KERNEL(lonely, if (k->rank == 1) return; tl_barrier(k))

static void barriers_must_match(void **state) {
    (void)state;
    static kept run;
    kb_status status;
    under_test = lonely;
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, host_of_kernel, &status);
    check_status(status, KB_E_PROGRAM, &run.trail);
    check_says(&run.trail,
               "rank 0 comes to 1 barriers of group all, the last here, and rank 1 to 0: they would "
               "wait for ever");
    kept_fini(&run);
}

static void no_launch(kb_host *h, void *context) {
    (void)context;
    kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 10);
}

static void programs_must_be_some(void **state) {
    (void)state;
    static kept run;
    kb_status status;
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, no_launch, &status);
    check_status(status, KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "the program launches nothing: there is nothing to simulate");
    kept_fini(&run);
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, NULL, &status);
    check_status(status, KB_E_PROGRAM, &run.trail);
    check_says(&run.trail, "host program host is no function: it is NULL");
    kept_fini(&run);
}

/* Zero elements are no mistake: nothing is recorded for them. */
KERNEL(zero_sized, tl_view none = tl_slice(k, s->x, 1000, 0); tl_view far = tl_slice(k, s->far, 3, 0);
       tl_queue from = tl_queue_from(k, (k->rank + 2) % 3); tl_add(k, none, none, none);
       tl_copy(k, none, far); tl_wait(k, tl_copy_async(k, far, none));
       tl_send(k, tl_queue_to(k, (k->rank + 1) % 3), far); tl_exp(k, far, far);
       tl_scratch(k, KB_DTYPE_F16, 0); tl_copy(k, far, tl_recv(k, from)); tl_release(k, from))

static void nothing_is_no_mistake(void **state) {
    (void)state;
    static kept run;
    kb_status status;
    under_test = zero_sized;
    kept_init(&run, "cubes=1,pes=8", 3);
    record(&run, host_of_kernel, &status);
    check_ok(status, &run.trail);
    assert_int_equal(run.program->streams[0].commands.count, 1); /* the mark of the launch */
    kept_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_stay_in_what_they_are_made_of),
        cmocka_unit_test(moves_and_math_agree),
        cmocka_unit_test(scratch_is_by_scope_and_bounded),
        cmocka_unit_test(tokens_and_groups_are_ones_own),
        cmocka_unit_test(messages_are_read_once_and_in_order),
        cmocka_unit_test(only_what_the_host_supplied_is_seen),
        cmocka_unit_test(hosts_are_checked),
        cmocka_unit_test(ranks_do_the_same),
        cmocka_unit_test(barriers_must_match),
        cmocka_unit_test(programs_must_be_some),
        cmocka_unit_test(nothing_is_no_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

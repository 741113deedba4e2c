/* SPDX-License-Identifier: Apache-2.0 */
/* What commands the calls of kernels become: kinds, operands, scratch; and recording when memory runs out. */
#include <stdio.h>

#include "kept.h"
#include "support/fail_alloc.h"

typedef struct scene {
    tl_view x, y, far, wide;
} scene;

typedef struct recorded {
    kbs_machine machine;
    kbs_program *program;
    kb_trail trail;
    kb_arena arena;
    kbs_command commands[4000]; /* of rank 0's PE, behind the mark of the launch */
    size_t count;
} recorded;

static tl_kernel_fn kernel_under_test;

static void host(kb_host *h, void *context) {
    (void)context;
    scene s;
    s.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -4, 4, 1000);
    s.y = kb_zeros(h, "y", KB_SPACE_TCM, KB_DTYPE_F32, 40, 25);
    s.far = kb_ints(h, "far", KB_SPACE_HBM, KB_DTYPE_F16, -4, 4, 100000);
    s.wide = kb_empty(h, "wide", KB_SPACE_HBM, KB_DTYPE_F16, 10, 20, 30);
    kb_launch(h, kernel_under_test, &s, sizeof s);
}

static kb_status record(kbs_program *program, kb_trail *trail) {
    KB_TRY(kbs_program_host(program, "host", host, NULL, trail));
    return kbs_program_seal(program, trail);
}

static void record_kernel(recorded *r, tl_kernel_fn kernel) {
    memset(r, 0, sizeof *r);
    kb_arena_init(&r->arena, NULL, 0);
    kbs_machine_init(&r->machine);
    kernel_under_test = kernel;
    check_ok(kbs_program_create(&r->machine, 2, 1, 1, NULL, NULL, &r->program, &r->trail), &r->trail);
    check_ok(record(r->program, &r->trail), &r->trail);
    kbs_reading reading;
    kbs_command command;
    check_ok(kbs_reading_init(&reading, &r->program->streams[0].commands, &r->arena, &r->trail), &r->trail);
    assert_true(kbs_reading_next(&reading, &command));
    assert_int_equal(command.shape->common.kind, KBS_BEGIN_LAUNCH);
    while (kbs_reading_next(&reading, &command))
        r->commands[r->count++] = command;
}

static void recorded_fini(recorded *r) {
    kbs_program_destroy(r->program);
    kb_arena_fini(&r->arena);
}

/* The commands by name: "dma_read wait math dma_write". */
static const char *kinds_of(const recorded *r, char *text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < r->count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", i > 0 ? " " : "",
                                   kb_word_name(KB_VOC_KIND, r->commands[i].shape->common.kind));
    return text;
}

static void check_kinds(tl_kernel_fn kernel, const char *wanted) {
    static recorded r;
    char text[2000];
    record_kernel(&r, kernel);
    assert_string_equal(kinds_of(&r, text, sizeof text), wanted);
    recorded_fini(&r);
}

/* --- what calls become ----------------------------------------------------------------------- */

static void near(tl_kernel *k) {
    const scene *s = k->args;
    tl_add(k, s->x, s->x, s->x);
    tl_fill(k, s->y, 0.25);
    tl_dot(k, tl_slice(k, s->y, 0, 25), tl_transpose(k, tl_slice(k, s->y, 3, 30)), tl_slice(k, s->y, 2, 30));
    tl_fence(k);
    tl_barrier(k);
}

static void engines_take_what_is_near(void **state) {
    (void)state;
    static recorded r;
    char text[200];
    record_kernel(&r, near);
    assert_string_equal(kinds_of(&r, text, sizeof text), "math math gemm fence barrier");
    const kbs_common *add = &r.commands[0].shape->common, *fill = &r.commands[1].shape->common,
                     *gemm = &r.commands[2].shape->common;
    assert_int_equal(add->operand_count, 3);
    assert_int_equal(add->func, KB_FUNC_ADD);
    assert_int_equal(add->blocks, KB_BLOCKS_DONE);
    double value;
    memcpy(&value, &fill->immediates[0], sizeof value);
    assert_true(fill->immediate_count == 1 && value == 0.25);
    assert_int_equal(fill->operands[0].dims, 2);
    assert_int_equal(fill->operands[0].stride[0], 25);
    assert_int_equal(gemm->flags, KB_FLAG_TRANSPOSE_A); /* and the matrix is named as it lies */
    assert_int_equal(gemm->operands[1].shape[0], 30);
    assert_int_equal(gemm->operands[1].shape[1], 25);
    assert_int_equal(r.commands[2].offsets[1], r.commands[1].offsets[0] + 3 * 25 * 4);
    recorded_fini(&r);
}

static void far_small(tl_kernel *k) {
    const scene *s = k->args;
    tl_mul(k, tl_slice(k, s->far, 0, 10), tl_slice(k, s->far, 50, 10), tl_slice(k, s->x, 0, 10));
}

static void far_large(tl_kernel *k) {
    const scene *s = k->args;
    tl_abs(k, s->far, s->far); /* 200000 bytes: four pieces of 65536 and less */
}

static void far_copy(tl_kernel *k) {
    const scene *s = k->args;
    tl_copy(k, tl_slice(k, s->far, 0, 10), tl_slice(k, s->far, 50, 10));
    tl_wait(k, tl_load_async(k, s->x, tl_slice(k, s->far, 0, 1000)));
    tl_store(k, tl_slice(k, s->far, 0, 1000), s->x);
}

static void what_is_far_comes_through_scratch(void **state) {
    (void)state;
    check_kinds(far_small, "alloc alloc dma_read wait math dma_write wait free free");
    check_kinds(far_large,
                "alloc alloc alloc dma_read dma_read wait math dma_write dma_read wait math dma_write "
                "wait dma_read wait math dma_write wait math dma_write wait wait wait free free free");
    check_kinds(far_copy, "alloc dma_read wait dma_write wait dma_read wait dma_write free");
}

/* --- scratch --------------------------------------------------------------------------------- */

static void scopes(tl_kernel *k) {
    tl_view whole = tl_scratch(k, KB_DTYPE_I8, 100);
    uint64_t place = 0;
    for (int i = 0; i < 3; i++) {
        tl_scope_begin(k);
        tl_view part = tl_scratch(k, KB_DTYPE_F32, 5, 7);
        tl_scope_begin(k);
        tl_view inner = tl_scratch(k, KB_DTYPE_F32, 5, 7);
        assert_true(part.offset_bytes + 140 <= whole.offset_bytes);
        assert_true(inner.offset_bytes + 140 <= part.offset_bytes);
        assert_true(i == 0 || part.offset_bytes == place); /* a later scope gets the same room */
        place = part.offset_bytes;
        tl_scope_end(k);
        tl_scope_end(k);
    }
}

static void scratch_lives_by_scope(void **state) {
    (void)state;
    static recorded r;
    char text[400];
    record_kernel(&r, scopes);
    assert_string_equal(kinds_of(&r, text, sizeof text),
                        "alloc alloc alloc free free alloc alloc free free alloc alloc free free free");
    uint64_t ids = 0;
    for (size_t i = 0; i < r.count; i++) {
        const kbs_command *command = &r.commands[i];
        const bool is_alloc = command->shape->common.kind == KB_OP_ALLOC;
        if (is_alloc) /* numbered in their rank; the host took number 0 */
            assert_int_equal(command->id, ++ids);
        else
            assert_true(command->id <= ids && command->id > 0);
        assert_int_equal(command->shape->common.blocks, KB_BLOCKS_DONE);
    }
    assert_true(r.commands[0].offsets[0] + 128 == r.machine.at.tcm_bytes);
    recorded_fini(&r);
}

/* --- views of views ---------------------------------------------------------------------------- */

static void shapes(tl_kernel *k) {
    const scene *s = k->args;
    tl_view flat = tl_reshape(k, s->wide, 6000), plane = tl_row(k, s->wide, 3);
    assert_int_equal(flat.dims, 1);
    assert_int_equal(plane.dims, 2);
    assert_int_equal(plane.offset_bytes - s->wide.offset_bytes, 3 * 600 * 2);
    tl_view turned = tl_transpose(k, plane), row = tl_row(k, turned, 7), one = tl_row(k, row, 5);
    assert_int_equal(turned.shape[0], 30);
    assert_int_equal(row.stride[0], 30);
    assert_int_equal(one.dims, 0);
    assert_int_equal(one.elements, 1);
    assert_int_equal(one.offset_bytes - plane.offset_bytes, (5 * 30 + 7) * 2);
    tl_view wide = tl_broadcast(k, tl_reshape(k, row, 20, 1), 4, 20, 9);
    assert_int_equal(wide.elements, 4 * 20 * 9);
    assert_int_equal(wide.stride[0], 0);
    assert_int_equal(wide.stride[1], 30);
    assert_int_equal(wide.stride[2], 0);
    tl_view back = tl_flip(k, tl_flip(k, plane, 1), 0), none = tl_flip(k, tl_slice(k, row, 3, 0), 0);
    assert_int_equal(back.offset_bytes - plane.offset_bytes, (20 * 30 - 1) * 2);
    assert_int_equal(back.stride[0], -30);
    assert_int_equal(back.stride[1], -1);
    assert_int_equal(tl_row(k, tl_row(k, back, 2), 4).offset_bytes - plane.offset_bytes, (17 * 30 + 25) * 2);
    assert_int_equal(none.elements, 0);
    tl_copy(k, tl_reshape(k, tl_slice(k, s->x, 0, 600), 20, 30), tl_flip(k, back, 0));
    tl_view cut = tl_slice_axis(k, s->wide, 2, 10, 5);
    assert_int_equal(cut.elements, 10 * 20 * 5);
    assert_int_equal(cut.offset_bytes - s->wide.offset_bytes, 20);
    tl_fence(k);
}

static void views_are_made_of_views(void **state) {
    (void)state;
    check_kinds(shapes, "dma_read fence");
}

/* --- memory that runs out ------------------------------------------------------------------------ */

static void everything(tl_kernel *k) {
    const scene *s = k->args;
    const uint32_t both[] = {1, 0}, other = 1 - k->rank;
    tl_queue to = tl_queue_to(k, other), from = tl_queue_from_on(k, other, 0);
    for (int i = 0; i < 12; i++) {
        tl_scope_begin(k);
        tl_scratch(k, KB_DTYPE_I8, 64);
    }
    for (int i = 0; i < 12; i++)
        tl_scope_end(k);
    tl_token tokens[12];
    for (uint64_t i = 0; i < 12; i++)
        tokens[i] = tl_neg_async(k, tl_slice(k, s->x, 10 * i, 10), tl_slice(k, s->x, 500 + 10 * i, 10));
    for (int i = 0; i < 12; i++)
        tl_wait(k, tokens[i]);
    far_large(k);
    tl_token sent = tl_send_async(k, to, tl_slice(k, s->far, 0, 6000));
    tl_copy(k, tl_slice(k, s->far, 6000, 6000), tl_recv(k, from));
    tl_release(k, from);
    tl_wait(k, sent);
    tl_barrier_of(k, tl_group_of(k, both, 2));
    tl_barrier_of(k, tl_group_of(k, &k->rank, 1));
    tl_step(k, k->rank == 0 ? "a step" : "another", 1);
    tl_dot(k, tl_row(k, s->wide, 0), tl_row(k, s->wide, 1),
           tl_reshape(k, tl_slice(k, s->far, 0, 900), 30, 30));
}

static void host_of_everything(kb_host *h, void *context) {
    host(h, context);
    tl_view x = kb_from_bytes(h, "bytes", KB_SPACE_SRAM, KB_DTYPE_I8, "abc", 3);
    kb_host_write(h, x, "xyz", 3);
    kb_free(h, x);
    kb_all_reduce(h, kb_iota(h, "z", KB_SPACE_TCM, KB_DTYPE_I32, 0, 1, 100), KB_REDUCE_SUM, "direct");
    kb_barrier(h);
}

static kb_status record_all(const kb_alloc *alloc, void *user, kb_trail *trail) {
    (void)user;
    kbs_machine machine;
    kbs_program *program;
    kbs_machine_init(&machine);
    KB_TRY(kbs_program_create(&machine, 2, 1, 1, alloc, NULL, &program, trail));
    kernel_under_test = everything;
    kb_status status = kbs_program_host(program, "host", host_of_everything, NULL, trail);
    if (status == KB_OK)
        status = kbs_program_seal(program, trail);
    kbs_program_destroy(program);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    assert_true(fail_alloc_sweep(record_all, NULL, 1) > 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_take_what_is_near), cmocka_unit_test(what_is_far_comes_through_scratch),
        cmocka_unit_test(scratch_lives_by_scope),    cmocka_unit_test(views_are_made_of_views),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

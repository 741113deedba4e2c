/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products, as kernels record them: one gemm, with loads before it and a store behind it. */
#include <inttypes.h>

#include "record/number.h"
#include "record/work.h"

enum { OUT, A, B, MATRICES };

typedef struct product {
    tl_stream *stream;
    tl_where where;
    bool adds;
    tl_view views[MATRICES];
    kbs_lies lies[MATRICES];
    bool is_staged[MATRICES];
    uint64_t stages[MATRICES];
    tl_view far[MATRICES]; /* where what is staged really lies */
} product;

static const char *const names[] = {"product", "left matrix", "right matrix"};

/* --- checks ---------------------------------------------------------------------------------- */

static bool check_places(product *p) {
    for (uint32_t i = 0; i < MATRICES; i++) {
        p->lies[i] = i == OUT ? kbs_view_check_written(p->stream, &p->views[i], names[i], p->where)
                              : kbs_view_check(p->stream, &p->views[i], names[i], p->where);
        if (p->lies[i] == KBS_LIES_NOWHERE)
            return false;
        if (p->views[i].dims != 2) {
            kbs_mistake(p->stream, p->where,
                        p->lies[i] == KBS_LIES_MESSAGE
                            ? "the %s is a message without a shape: give it one by tl_reshape"
                            : "the %s has %u axes, and a matrix has 2",
                        names[i], p->views[i].dims);
            return false;
        }
    }
    return true;
}

/* A message has the dtype of the matrix beside it. */
static bool check_dtypes(product *p) {
    tl_view *a = &p->views[A], *b = &p->views[B];
    if (p->lies[A] == KBS_LIES_MESSAGE)
        a->dtype = p->lies[B] == KBS_LIES_MESSAGE ? p->views[OUT].dtype : b->dtype;
    if (p->lies[B] == KBS_LIES_MESSAGE)
        b->dtype = a->dtype;
    const uint32_t out = p->views[OUT].dtype, in = a->dtype;
    const bool floats = kbs_is_float(in), integers = kbs_is_integer(in);
    if (in == b->dtype &&
        ((floats && (out == in || out == KB_DTYPE_F32)) || (integers && out == KB_DTYPE_I32)))
        return true;
    kbs_mistake(
        p->stream, p->where,
        "a product of %s and %s cannot be %s: both matrices have one dtype, and the product has it or "
        "f32, or i32 where they hold integers",
        kb_word_name(KB_VOC_DTYPE, in), kb_word_name(KB_VOC_DTYPE, b->dtype),
        kb_word_name(KB_VOC_DTYPE, out));
    return false;
}

static bool check_shapes(product *p) {
    const uint64_t *out = p->views[OUT].shape, *a = p->views[A].shape, *b = p->views[B].shape;
    if (a[1] == b[0] && out[0] == a[0] && out[1] == b[1] && a[1] > 0)
        return true;
    kbs_mistake(p->stream, p->where,
                "a matrix of %" PRIu64 " x %" PRIu64 " times one of %" PRIu64 " x %" PRIu64
                " is not one of %" PRIu64 " x %" PRIu64,
                a[0], a[1], b[0], b[1], out[0], out[1]);
    return false;
}

/* --- where they lie -------------------------------------------------------------------------- */

/* A message becomes the slot that it lies in; it must be one. */
static bool receive(product *p, uint32_t i) {
    tl_view *view = &p->views[i];
    const tl_shape shape = {2, {view->shape[0], view->shape[1]}};
    kbs_use use;
    kbs_use_begin(&use, p->stream, view, view->dtype, view->shape[0] * view->shape[1], p->where);
    if (kbs_is_ok(p->stream) && use.queue != NULL)
        kbs_mistake(p->stream, p->where,
                    "the %s is a message longer than a slot: copy it into a tensor, or raise ipcq.slot_bytes",
                    names[i]);
    if (kbs_is_ok(p->stream))
        *view = kbs_view_of(use.memory, view->dtype, use.offset_bytes, &shape);
    return kbs_is_ok(p->stream);
}

/* A far matrix is worked on in scratch, as a whole. */
static bool stage(product *p, uint32_t i) {
    const uint32_t tcm = p->stream->tcm;
    const tl_view *far = &p->views[i];
    const tl_shape shape = {2, {far->shape[0], far->shape[1]}};
    p->far[i] = *far;
    p->is_staged[i] = true;
    if (!kbs_stage_take(p->stream, far->elements * kb_dtype_size(far->dtype), &p->stages[i], p->where))
        return false;
    p->views[i] = kbs_view_of(tcm, far->dtype, p->stages[i], &shape);
    return true;
}

static bool bring(product *p) {
    uint32_t loads = 0;
    for (uint32_t i = 0; i < MATRICES; i++)
        if ((p->lies[i] == KBS_LIES_MESSAGE && !receive(p, i)) ||
            (p->lies[i] == KBS_LIES_FAR && !stage(p, i)))
            return false;
    for (uint32_t i = 0; i < MATRICES; i++)
        if (p->is_staged[i] && (i != OUT || p->adds)) {
            kbs_dma(p->stream, &p->views[i], &p->far[i], KB_BLOCKS_NO, p->where);
            loads++;
        }
    if (loads > 0)
        kbs_await(p->stream, kbs_newest(p->stream) - loads + 1, loads, KB_POINT_DONE, p->where);
    return kbs_is_ok(p->stream);
}

/* --- recording ------------------------------------------------------------------------------- */

/* A matrix whose columns are in one piece, and its rows not, is named as the transposed one that it is. */
static bool turn(tl_view *view) {
    const bool is_turned = view->stride[0] == 1 && view->stride[1] != 1;
    if (is_turned) {
        const tl_view was = *view;
        for (uint32_t axis = 0; axis < 2; axis++) {
            view->shape[axis] = was.shape[1 - axis];
            view->stride[axis] = was.stride[1 - axis];
        }
    }
    return is_turned;
}

static void record_gemm(const product *p, uint8_t blocks) {
    kbs_common common;
    uint64_t offsets[MATRICES];
    tl_view a = p->views[A], b = p->views[B];
    kbs_common_init(p->stream, &common, KB_OP_GEMM, blocks, p->where);
    common.numbered = blocks == KB_BLOCKS_NO;
    common.flags = (p->adds ? KB_FLAG_ACCUMULATE : 0) | (turn(&a) ? KB_FLAG_TRANSPOSE_A : 0) |
                   (turn(&b) ? KB_FLAG_TRANSPOSE_B : 0);
    common.operand_count = MATRICES;
    kbs_operand_of(&common.operands[OUT], &p->views[OUT], p->adds ? KB_ACCESS_UPDATE : KB_ACCESS_WRITE);
    kbs_operand_of(&common.operands[A], &a, KB_ACCESS_READ);
    kbs_operand_of(&common.operands[B], &b, KB_ACCESS_READ);
    for (uint32_t i = 0; i < MATRICES; i++)
        offsets[i] = p->views[i].offset_bytes;
    kbs_append(p->stream, &common, offsets, 0);
}

/* Returns how many commands the token stands for. */
static uint32_t record(product *p, bool is_async) {
    if (!kbs_is_kernel(p->stream, p->where) || !check_places(p) || !check_dtypes(p) || !check_shapes(p) ||
        p->views[OUT].elements == 0 || !bring(p))
        return 0;
    const bool is_far = p->is_staged[OUT] || p->is_staged[A] || p->is_staged[B];
    record_gemm(p, is_async && !is_far ? KB_BLOCKS_NO : KB_BLOCKS_DONE);
    if (p->is_staged[OUT])
        kbs_dma(p->stream, &p->far[OUT], &p->views[OUT], KB_BLOCKS_DONE, p->where);
    for (uint32_t i = 0; i < MATRICES; i++)
        if (p->is_staged[i])
            kbs_stage_give(p->stream, p->stages[i]);
    return is_async && !is_far ? 1 : 0;
}

void tl_dot_at(tl_stream *stream, tl_view out, tl_view a, tl_view b, bool adds, tl_where where) {
    product p = {.stream = stream, .where = where, .adds = adds, .views = {out, a, b}};
    record(&p, false);
}

tl_token tl_dot_async_at(tl_stream *stream, tl_view out, tl_view a, tl_view b, bool adds, tl_where where) {
    product p = {.stream = stream, .where = where, .adds = adds, .views = {out, a, b}};
    const uint32_t commands = record(&p, true);
    return kbs_token_new(stream, commands, where);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on views that may lie anywhere; see work.h. */
#include "record/work.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define GAPS                                                                                \
    "a message longer than a slot meets a view with gaps between its rows: copy it into a " \
    "tensor without gaps first, or raise ipcq.slot_bytes"

bool kbs_views_agree(tl_stream *stream, const tl_view *a, const tl_view *b, tl_where where) {
    bool same = a->dtype == b->dtype && a->dims == b->dims;
    for (uint32_t axis = 0; same && axis < a->dims; axis++)
        same = a->shape[axis] == b->shape[axis];
    if (!same) {
        char one[KBS_VIEW_CHARS], other[KBS_VIEW_CHARS];
        kbs_mistake(stream, where, "the views differ: %s and %s", kbs_view_text(a, one),
                    kbs_view_text(b, other));
    }
    return same;
}

/* --- one command ----------------------------------------------------------------------------- */

void kbs_dma(tl_stream *stream, const tl_view *into, const tl_view *from, uint8_t blocks, tl_where where) {
    const uint32_t tcm = stream->tcm;
    kbs_common common;
    assert(into->memory == tcm || from->memory == tcm);
    kbs_common_init(stream, &common, into->memory == tcm ? KB_OP_DMA_READ : KB_OP_DMA_WRITE, blocks, where);
    common.numbered = blocks == KB_BLOCKS_NO;
    common.route = kbs_route_between(stream, from->memory, into->memory, where);
    common.operand_count = 2;
    kbs_operand_of(&common.operands[0], into, KB_ACCESS_WRITE);
    kbs_operand_of(&common.operands[1], from, KB_ACCESS_READ);
    const uint64_t offsets[] = {into->offset_bytes, from->offset_bytes};
    kbs_append(stream, &common, offsets, 0);
}

static void record_math(const kbs_work *work, const tl_view *views, uint8_t blocks) {
    kbs_common common;
    uint64_t offsets[KBS_OPERANDS];
    kbs_common_init(work->stream, &common, KB_OP_MATH, blocks, work->where);
    common.numbered = blocks == KB_BLOCKS_NO;
    common.func = work->func;
    common.immediate_count = work->immediate_count;
    common.immediates[0] = work->immediate;
    common.operand_count = (uint16_t)work->count;
    for (uint32_t i = 0; i < work->count; i++) {
        kbs_operand_of(&common.operands[i], &views[i], i == 0 ? KB_ACCESS_WRITE : KB_ACCESS_READ);
        offsets[i] = views[i].offset_bytes;
    }
    kbs_append(work->stream, &common, offsets, 0);
}

static uint32_t record_whole(const kbs_work *work) {
    const uint8_t blocks = work->is_async ? KB_BLOCKS_NO : KB_BLOCKS_DONE;
    if (work->kind == KB_OP_MATH)
        record_math(work, work->views, blocks);
    else
        kbs_dma(work->stream, &work->views[0], &work->views[1], blocks, work->where);
    return work->is_async ? 1 : 0;
}

/* --- piece by piece -------------------------------------------------------------------------- */

/* What moves through scratch: two stages for each view that is far, used in turn. */
typedef struct staging {
    kbs_work *work;
    kbs_use *use;        /* of the message that comes slot by slot, or NULL */
    uint32_t streamed;   /* that view */
    uint32_t sets, last; /* how many, and the one used last */
    uint64_t stages[KBS_OPERANDS][2];
    uint64_t loaded[2]; /* numbers of a set's loads, and of its store; 0: none is awaited */
    uint64_t stored[2];
    uint32_t loads; /* of a piece */
} staging;

/* A copy has no work between load and store: they share a stage. */
static uint32_t stage_of(const staging *s, uint32_t view) {
    return s->work->kind == KB_OP_MATH ? view : 1;
}

static bool take_stages(staging *s, const kbs_pieces *pieces) {
    kbs_work *work = s->work;
    for (uint32_t i = 0; i < work->count; i++) {
        if (work->lies[i] != KBS_LIES_FAR || stage_of(s, i) != i)
            continue;
        const tl_view part = kbs_pieces_part(pieces, &work->views[i]);
        for (uint32_t set = 0; set < s->sets; set++)
            if (!kbs_stage_take(work->stream, part.elements * kb_dtype_size(part.dtype), &s->stages[i][set],
                                work->where))
                return false;
    }
    return true;
}

static void give_stages(const staging *s) {
    for (uint32_t i = 0; i < s->work->count; i++)
        if (s->work->lies[i] == KBS_LIES_FAR && stage_of(s, i) == i)
            for (uint32_t set = 0; set < s->sets; set++)
                kbs_stage_give(s->work->stream, s->stages[i][set]);
}

/* Where a far part lies in scratch. */
static tl_view staged(const staging *s, uint32_t view, const tl_view *part, uint32_t set) {
    tl_shape shape = {.dims = part->dims};
    for (uint32_t axis = 0; axis < part->dims; axis++)
        shape.of[axis] = part->shape[axis];
    const tl_stream *stream = s->work->stream;
    return kbs_view_of(stream->tcm, part->dtype, s->stages[stage_of(s, view)][set], &shape);
}

/* Until they are done: that a store is sent would free its stage, but the command holds until all is done. */
static void await(staging *s, uint64_t *number, uint32_t count) {
    if (*number != 0)
        kbs_await(s->work->stream, *number, count, KB_POINT_DONE, s->work->where);
    *number = 0;
}

static void load(staging *s, const kbs_pieces *pieces, uint32_t set) {
    kbs_work *work = s->work;
    if (work->kind != KB_OP_MATH)
        await(s, &s->stored[set], 1);
    s->loads = 0;
    for (uint32_t i = 1; i < work->count; i++) {
        if (work->lies[i] != KBS_LIES_FAR)
            continue;
        const tl_view part = kbs_pieces_part(pieces, &work->views[i]);
        const tl_view stage = staged(s, i, &part, set);
        kbs_dma(work->stream, &stage, &part, KB_BLOCKS_NO, work->where);
        s->loads++;
    }
    s->loaded[set] = s->loads > 0 ? kbs_newest(work->stream) - s->loads + 1 : 0;
}

static void work_on(staging *s, const kbs_pieces *pieces, uint32_t set) {
    kbs_work *work = s->work;
    tl_view parts[KBS_OPERANDS], views[KBS_OPERANDS];
    for (uint32_t i = 0; i < work->count; i++) {
        parts[i] = kbs_pieces_part(pieces, &work->views[i]);
        views[i] = work->lies[i] == KBS_LIES_FAR ? staged(s, i, &parts[i], set) : parts[i];
        if (s->use != NULL && i == s->streamed) {
            views[i].memory = s->use->memory;
            views[i].offset_bytes = s->use->offset_bytes;
        }
    }
    await(s, &s->loaded[set], s->loads);
    if (work->kind == KB_OP_MATH) {
        await(s, &s->stored[set], 1);
        record_math(work, views, KB_BLOCKS_DONE);
    }
    /* A slot is released once it has been read, so a long message is copied piece after piece. */
    if (work->kind != KB_OP_MATH && s->use != NULL) {
        kbs_dma(work->stream, &parts[0], &views[1], KB_BLOCKS_DONE, work->where);
    } else if (work->lies[0] == KBS_LIES_FAR) {
        kbs_dma(work->stream, &parts[0], &views[work->kind == KB_OP_MATH ? 0 : 1], KB_BLOCKS_NO, work->where);
        s->stored[set] = kbs_newest(work->stream);
    }
}

/* Whether one piece's store could change what another piece loads: of a tensor, for slots lie elsewhere. */
static bool is_tangled(const staging *s) {
    const kbs_work *work = s->work;
    const tl_view *out = &work->views[0];
    kb_operand written;
    kbs_operand_of(&written, out, KB_ACCESS_WRITE);
    int64_t low = 0, high = 0;
    if (work->lies[0] != KBS_LIES_FAR || !kb_operand_extent(&written, &low, &high))
        return false;
    for (uint32_t i = 1; i < work->count; i++) {
        const tl_view *in = &work->views[i];
        kb_operand read;
        if (s->use != NULL && i == s->streamed)
            continue;
        kbs_operand_of(&read, in, KB_ACCESS_READ);
        const int64_t apart = (int64_t)(in->offset_bytes - out->offset_bytes);
        int64_t from = 0, to = 0;
        if (in->memory != out->memory || !kb_operand_extent(&read, &from, &to) || apart + from >= high ||
            apart + to <= low)
            continue;
        if (apart != 0 || memcmp(read.stride, written.stride, sizeof read.stride) != 0)
            return true;
    }
    return false;
}

static void record_pieces(staging *s, kbs_pieces *pieces) {
    kbs_work *work = s->work;
    kbs_pieces ahead = *pieces;
    bool more = kbs_pieces_next(&ahead);
    if (more && is_tangled(s)) {
        kbs_mistake(work->stream, work->where,
                    "the destination overlaps a source, and both are moved in pieces of %" PRIu64
                    " bytes: work on a copy",
                    kbs_piece_bytes(work->stream));
        return;
    }
    s->sets = more ? 2 : 1;
    s->last = 0;
    memset(s->loaded, 0, sizeof s->loaded);
    memset(s->stored, 0, sizeof s->stored);
    if (!take_stages(s, pieces))
        return;
    load(s, pieces, 0);
    for (uint32_t set = 0; kbs_is_ok(work->stream); set ^= 1U) {
        if (more)
            load(s, &ahead, set ^ 1U);
        if (s->use != NULL)
            kbs_use_next(s->use);
        work_on(s, pieces, set);
        if (s->use != NULL)
            kbs_use_end(s->use);
        s->last = set;
        if (!more)
            break;
        *pieces = ahead;
        more = kbs_pieces_next(&ahead);
    }
    for (uint32_t i = 0, set = s->sets > 1 ? s->last ^ 1U : 0; i < s->sets; i++, set ^= 1U)
        await(s, &s->stored[set], 1);
    give_stages(s);
}

/* --- messages -------------------------------------------------------------------------------- */

/* Receives what the work reads; false after a mistake. A message longer than a slot is left to `ret_long`. */
static bool receive(kbs_work *work, uint32_t view, staging *s, kbs_use *ret_long) {
    tl_view *message = &work->views[view];
    const tl_view *like = &work->views[0], *shaped = message->dims > 0 ? message : like;
    uint64_t elements = 1;
    kbs_use use;
    for (uint32_t axis = 0; axis < shaped->dims; axis++)
        elements *= shaped->shape[axis];
    kbs_use_begin(&use, work->stream, message, like->dtype, elements, work->where);
    if (!kbs_is_ok(work->stream))
        return false;
    if (shaped->dims == 1) {
        message->memory = use.memory;
        message->dtype = like->dtype;
        message->offset_bytes = use.offset_bytes;
        message->elements = message->shape[0] = elements; /* as of any vector, what follows is 0 */
        message->stride[0] = 1;
        message->dims = 1;
        message->queue = KB_NONE;
    } else {
        tl_shape shape = {.dims = shaped->dims};
        memcpy(shape.of, shaped->shape, sizeof shape.of);
        *message = kbs_view_of(use.memory, like->dtype, use.offset_bytes, &shape);
    }
    work->lies[view] = KBS_LIES_OWN;
    if (use.queue == NULL)
        return true;
    if (s->use != NULL || work->rows) {
        kbs_mistake(work->stream, work->where,
                    work->rows ? "a message longer than a slot cannot be worked on row by row: copy it first"
                               : "two messages longer than a slot meet in one command: copy one first");
        return false;
    }
    *ret_long = use;
    s->use = ret_long;
    s->streamed = view;
    return true;
}

/* How the work is cut; false after a mistake. */
static bool cut(kbs_work *work, const staging *s, kbs_pieces *ret) {
    const tl_view *widest = &work->views[work->count - 1];
    uint32_t axes = widest->dims;
    uint64_t unit = 1, most = kbs_piece_bytes(work->stream);
    if (work->rows) {
        unit = widest->shape[--axes];
    } else if (!kbs_views_flatten(work->views, work->count) && s->use != NULL) {
        kbs_mistake(work->stream, work->where, GAPS);
        return false;
    } else {
        axes = widest->dims;
    }
    uint32_t size = 0;
    for (uint32_t i = 0; i < work->count; i++)
        if (kb_dtype_size(work->views[i].dtype) > size)
            size = kb_dtype_size(work->views[i].dtype);
    if (s->use != NULL) { /* a slot at a time, whatever its size */
        size = 1;
        most = s->use->piece;
    }
    kbs_pieces_init(ret, widest, axes, unit * size, most);
    return true;
}

/* From a slot that lies outside of the TCM to somewhere that does, too: in through a stage, out of it. */
static void bounce(kbs_work *work, staging *s) {
    kbs_use *use = s->use;
    const uint64_t whole = work->views[0].elements, size = kb_dtype_size(work->views[0].dtype);
    const uint64_t most = use != NULL ? use->piece : whole;
    const uint32_t tcm = work->stream->tcm;
    uint64_t place = 0;
    if (use != NULL && !kbs_views_flatten(work->views, 1)) {
        kbs_mistake(work->stream, work->where, GAPS);
        return;
    }
    if (!kbs_stage_take(work->stream, most * size, &place, work->where))
        return;
    for (uint64_t done = 0; done < whole && kbs_is_ok(work->stream); done += most) {
        const uint64_t turn = whole - done < most ? whole - done : most;
        if (use != NULL) {
            kbs_use_next(use);
            work->views[1] = kbs_view_vector(use->memory, work->views[0].dtype, use->offset_bytes, turn);
        }
        const tl_view stage = kbs_view_vector(tcm, work->views[0].dtype, place, turn);
        const tl_view into = use != NULL ? kbs_view_part(&work->views[0], done, turn) : work->views[0];
        kbs_dma(work->stream, &stage, &work->views[1], KB_BLOCKS_DONE, work->where);
        if (use != NULL)
            kbs_use_end(use);
        kbs_dma(work->stream, &into, &stage, KB_BLOCKS_DONE, work->where);
    }
    kbs_stage_give(work->stream, place);
}

/* A copy is one DMA if one end lies in the TCM. */
static bool is_direct_copy(const kbs_work *work) {
    return work->kind != KB_OP_MATH && (work->lies[0] == KBS_LIES_OWN || work->lies[1] == KBS_LIES_OWN);
}

uint32_t kbs_work_record(kbs_work *work) {
    staging s;
    kbs_use use;
    s.work = work; /* all else is set where pieces are recorded */
    s.use = NULL;
    bool is_far = false;
    const uint32_t tcm = work->stream->tcm;
    for (uint32_t i = 0; i < work->count; i++) {
        if (work->lies[i] == KBS_LIES_MESSAGE && !receive(work, i, &s, &use))
            return 0;
        is_far = is_far || work->lies[i] == KBS_LIES_FAR;
    }
    if (!kbs_is_ok(work->stream) || work->views[0].elements == 0)
        return 0;
    const bool is_slot = work->kind != KB_OP_MATH && work->lies[1] == KBS_LIES_OWN;
    if (is_slot && work->lies[0] == KBS_LIES_FAR && work->views[1].memory != tcm) {
        bounce(work, &s);
        return 0;
    }
    if ((!is_far || is_direct_copy(work)) && s.use == NULL)
        return record_whole(work);
    kbs_pieces pieces;
    if (!cut(work, &s, &pieces))
        return 0;
    record_pieces(&s, &pieces);
    return 0;
}

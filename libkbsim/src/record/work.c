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
    common.numbered = blocks != KB_BLOCKS_DONE;
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

/* Stages of a view: as many pieces are on their way at a time. */
enum { SETS_MAX = 3 };

/* What moves through scratch: two or three stages for each view that is far, used in turn. */
typedef struct staging {
    kbs_work *work;
    kbs_use *use;       /* of the message that comes slot by slot, or NULL */
    uint32_t streamed;  /* that view */
    bool in_turn;       /* of that message, a slot is received and not all of it used */
    uint64_t turn_done; /* elements of that slot that were used */
    uint32_t same;      /* bits of the sources that are the destination: they have its stages */
    uint32_t sets;      /* stages that are used in turn */
    uint64_t stages[KBS_OPERANDS][SETS_MAX];
    uint64_t loaded[SETS_MAX]; /* numbers of a set's loads, and of its store; 0: none is awaited */
    uint64_t stored[SETS_MAX];
    uint32_t loads; /* of a piece */
} staging;

/* A store from the stage of a load holds that up: the piece after the next has a stage of its own. */
static uint32_t sets_of(const staging *s) {
    return s->same != 0 ? SETS_MAX : 2;
}

static uint32_t next_set(const staging *s, uint32_t set) {
    return set + 1 == s->sets ? 0 : set + 1;
}

/* A copy has no work between load and store, and what is worked on in place is one: they share a stage. */
static uint32_t stage_of(const staging *s, uint32_t view) {
    if (s->work->kind != KB_OP_MATH)
        return 1;
    return (s->same >> view & 1U) != 0 ? 0 : view;
}

/* Which far sources are the far destination itself. */
static uint32_t find_same(const kbs_work *work) {
    const tl_view *out = &work->views[0];
    uint32_t same = 0;
    for (uint32_t i = 1; i < work->count && work->lies[0] == KBS_LIES_FAR; i++) {
        const tl_view *in = &work->views[i];
        if (work->lies[i] == KBS_LIES_FAR && in->memory == out->memory && in->dtype == out->dtype &&
            in->offset_bytes == out->offset_bytes && in->dims == out->dims &&
            memcmp(in->shape, out->shape, sizeof in->shape) == 0 &&
            memcmp(in->stride, out->stride, sizeof in->stride) == 0)
            same |= UINT32_C(1) << i;
    }
    return same;
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
    if (work->kind != KB_OP_MATH || s->same != 0)
        await(s, &s->stored[set], 1);
    s->loads = 0;
    for (uint32_t i = 1; i < work->count; i++) {
        /* what is worked on in place is loaded once, however often it is read */
        const uint32_t before = s->same & ((UINT32_C(1) << i) - 1);
        if (work->lies[i] != KBS_LIES_FAR || ((s->same >> i & 1U) != 0 && before != 0))
            continue;
        const tl_view part = kbs_pieces_part(pieces, &work->views[i]);
        const tl_view stage = staged(s, i, &part, set);
        kbs_dma(work->stream, &stage, &part, KB_BLOCKS_NO, work->where);
        s->loads++;
    }
    s->loaded[set] = s->loads > 0 ? kbs_newest(work->stream) - s->loads + 1 : 0;
}

/* A piece of a message longer than a slot, slot by slot: each goes back when its last element was used. */
static void work_in_turns(staging *s, const tl_view *views) {
    const uint64_t whole = views[0].elements;
    kbs_use *use = s->use;
    tl_view parts[KBS_OPERANDS];
    for (uint64_t done = 0; done < whole && kbs_is_ok(s->work->stream);) {
        if (!s->in_turn) {
            kbs_use_next(use);
            s->turn_done = 0;
            s->in_turn = true;
        }
        const uint64_t left = use->turn_elements - s->turn_done;
        const uint64_t count = whole - done < left ? whole - done : left;
        for (uint32_t i = 0; i < s->work->count; i++)
            parts[i] =
                i == s->streamed
                    ? kbs_view_vector(use->memory, use->dtype,
                                      use->offset_bytes + s->turn_done * kb_dtype_size(use->dtype), count)
                    : kbs_view_part(&views[i], done, count);
        record_math(s->work, parts, KB_BLOCKS_DONE);
        done += count;
        s->turn_done += count;
        if (s->turn_done == use->turn_elements) {
            kbs_use_end(use);
            s->in_turn = false;
        }
    }
}

static void work_on(staging *s, const kbs_pieces *pieces, uint32_t set) {
    kbs_work *work = s->work;
    tl_view parts[KBS_OPERANDS], views[KBS_OPERANDS];
    for (uint32_t i = 0; i < work->count; i++) {
        parts[i] = kbs_pieces_part(pieces, &work->views[i]);
        views[i] = work->lies[i] == KBS_LIES_FAR ? staged(s, i, &parts[i], set) : parts[i];
    }
    await(s, &s->loaded[set], s->loads);
    if (work->kind == KB_OP_MATH) {
        await(s, &s->stored[set], 1);
        if (s->use != NULL)
            work_in_turns(s, views);
        else
            record_math(work, views, KB_BLOCKS_DONE);
    }
    if (work->lies[0] == KBS_LIES_FAR) {
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
    s->sets = more ? sets_of(s) : 1;
    s->in_turn = false;
    memset(s->loaded, 0, sizeof s->loaded);
    memset(s->stored, 0, sizeof s->stored);
    if (!take_stages(s, pieces))
        return;
    uint32_t set = 0;
    load(s, pieces, 0);
    for (; kbs_is_ok(work->stream); set = next_set(s, set)) {
        if (more)
            load(s, &ahead, next_set(s, set));
        work_on(s, pieces, set);
        if (!more)
            break;
        *pieces = ahead;
        more = kbs_pieces_next(&ahead);
    }
    for (uint32_t i = 0; i < s->sets; i++) {
        set = next_set(s, set); /* the oldest first */
        await(s, &s->stored[set], 1);
    }
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

/*
 * The size of pieces of a far view: large enough that their commands do not count, small enough that they
 * overlap, and all of them together no more than half the scratch.
 */
static uint64_t piece_bytes(const staging *s, uint64_t whole_bytes) {
    const uint64_t scratch = s->work->stream->program->machine->at.scratch_bytes;
    const uint64_t least = kbs_piece_bytes(s->work->stream), line_bytes = 256;
    uint32_t stages = 0;
    for (uint32_t i = 0; i < s->work->count; i++)
        if (s->work->lies[i] == KBS_LIES_FAR && stage_of(s, i) == i)
            stages += sets_of(s);
    const uint64_t share = stages > 0 ? scratch / 2 / stages / line_bytes * line_bytes : least;
    const uint64_t most = share > least ? share : least, wanted = whole_bytes / 16 / line_bytes * line_bytes;
    return wanted < least ? least : wanted < most ? wanted : most;
}

static uint64_t elements_of(const tl_view *view) {
    uint64_t elements = 1;
    for (uint32_t axis = 0; axis < view->dims; axis++)
        elements *= view->shape[axis];
    return elements;
}

/* How the work is cut; false after a mistake. */
static bool cut(kbs_work *work, const staging *s, bool is_far, kbs_pieces *ret) {
    const tl_view *widest = &work->views[work->count - 1];
    uint32_t axes = widest->dims, size = 0;
    uint64_t unit = 1;
    if (work->rows) {
        unit = widest->shape[--axes];
    } else if (!kbs_views_flatten(work->views, work->count) && s->use != NULL) {
        kbs_mistake(work->stream, work->where, GAPS);
        return false;
    } else {
        axes = widest->dims;
    }
    for (uint32_t i = 0; i < work->count; i++)
        if (kb_dtype_size(work->views[i].dtype) > size)
            size = kb_dtype_size(work->views[i].dtype);
    uint64_t most = piece_bytes(s, elements_of(widest) * size);
    if (s->use != NULL) { /* whole slots where they are small, a slot at a time where nothing is far */
        const uint64_t slot = s->use->piece * size;
        most = !is_far ? slot : most > slot ? most / slot * slot : most;
    }
    kbs_pieces_init(ret, widest, axes, unit * size, most);
    return true;
}

/* --- copies of messages ----------------------------------------------------------------------- */

/* Of one longer than a slot, out of a ring in the TCM or into it: slot by slot. */
static void drain(kbs_work *work, kbs_use *use) {
    const bool is_far = work->lies[0] == KBS_LIES_FAR;
    uint32_t count = 0;
    if (!kbs_views_flatten(work->views, 1)) {
        kbs_mistake(work->stream, work->where, GAPS);
        return;
    }
    while (use->done < use->elements && kbs_is_ok(work->stream)) {
        kbs_use_next(use);
        const tl_view from = kbs_view_vector(use->memory, use->dtype, use->offset_bytes, use->turn_elements);
        const tl_view into = kbs_view_part(&work->views[0], use->done, use->turn_elements);
        /* a slot that was read can be given back, while what was read is still on its way */
        kbs_dma(work->stream, &into, &from, is_far ? KB_BLOCKS_SENT : KB_BLOCKS_DONE, work->where);
        kbs_use_end(use);
        count++;
    }
    if (is_far && count > 0 && kbs_is_ok(work->stream))
        kbs_await(work->stream, kbs_newest(work->stream) - count + 1, count, KB_POINT_DONE, work->where);
}

typedef struct bouncing {
    kbs_work *work;
    uint64_t piece; /* elements */
    uint64_t places[2], stored[2];
    uint32_t set;
} bouncing;

/* From a slot, or all of it that there is, to a part of the destination. */
static void bounce_slot(bouncing *b, const tl_view *into, const tl_view *from) {
    kbs_work *work = b->work;
    for (uint64_t done = 0; done < into->elements && kbs_is_ok(work->stream);
         done += b->piece, b->set ^= 1U) {
        const uint64_t left = into->elements - done, count = left < b->piece ? left : b->piece;
        const bool is_all = count == into->elements;
        const tl_view source = is_all ? *from : kbs_view_part(from, done, count);
        const tl_view target = is_all ? *into : kbs_view_part(into, done, count);
        const tl_view stage = kbs_view_vector(work->stream->tcm, into->dtype, b->places[b->set], count);
        if (b->stored[b->set] != 0)
            kbs_await(work->stream, b->stored[b->set], 1, KB_POINT_DONE, work->where);
        kbs_dma(work->stream, &stage, &source, KB_BLOCKS_DONE, work->where);
        kbs_dma(work->stream, &target, &stage, KB_BLOCKS_NO, work->where);
        b->stored[b->set] = kbs_newest(work->stream);
    }
}

/* From a slot that lies outside of the TCM to somewhere that does, too: in through a stage, out of it. */
static void bounce(kbs_work *work, kbs_use *use) {
    const bool is_row = kbs_views_flatten(work->views, use != NULL ? 1 : 2);
    const uint64_t whole = work->views[0].elements, size = kb_dtype_size(work->views[0].dtype);
    const uint64_t most = kbs_piece_bytes(work->stream) / size, slot = use != NULL ? use->piece : whole;
    bouncing b = {.work = work, .piece = !is_row || slot < most ? slot : most};
    if (use != NULL && !is_row) {
        kbs_mistake(work->stream, work->where, GAPS);
        return;
    }
    const uint32_t sets = b.piece < whole ? 2 : 1;
    for (uint32_t i = 0; i < sets; i++)
        if (!kbs_stage_take(work->stream, b.piece * size, &b.places[i], work->where))
            return;
    if (use == NULL)
        bounce_slot(&b, &work->views[0], &work->views[1]);
    while (use != NULL && use->done < use->elements && kbs_is_ok(work->stream)) {
        kbs_use_next(use);
        const tl_view from = kbs_view_vector(use->memory, use->dtype, use->offset_bytes, use->turn_elements);
        const tl_view into = kbs_view_part(&work->views[0], use->done, use->turn_elements);
        bounce_slot(&b, &into, &from);
        kbs_use_end(use);
    }
    for (uint32_t i = 0; i < sets; i++, b.set ^= 1U)
        if (b.stored[sets > 1 ? b.set : 0] != 0)
            kbs_await(work->stream, b.stored[sets > 1 ? b.set : 0], 1, KB_POINT_DONE, work->where);
    for (uint32_t i = 0; i < sets; i++)
        kbs_stage_give(work->stream, b.places[i]);
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
        bounce(work, s.use);
        return 0;
    }
    if (work->kind != KB_OP_MATH && s.use != NULL) {
        drain(work, s.use);
        return 0;
    }
    if ((!is_far || is_direct_copy(work)) && s.use == NULL)
        return record_whole(work);
    kbs_pieces pieces;
    s.same = work->kind == KB_OP_MATH ? find_same(work) : 0;
    if (!cut(work, &s, is_far, &pieces))
        return 0;
    record_pieces(&s, &pieces);
    return 0;
}

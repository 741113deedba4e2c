/* SPDX-License-Identifier: Apache-2.0 */
/* Sending on queues, as kernels record it: slot by slot, and through scratch what no copy can read. */
#include <inttypes.h>
#include <string.h>

#include "record/work.h"

typedef struct sending {
    tl_stream *stream;
    kbs_queue *queue;
    uint32_t queue_id, route;
    uint64_t most;   /* elements of a slot */
    uint64_t slots;  /* of the whole message */
    bool has_begun;  /* its first slot is recorded */
    bool is_distant; /* a tensor in the PE's SRAM or HBM */
    tl_view view;
    kbs_lies lies;
    tl_where where;
} sending;

/* --- what is sent ---------------------------------------------------------------------------- */

/* A message that is sent on: the slot that it lies in. False after a mistake. */
static bool resolve_message(sending *s) {
    const kbs_message *message = kbs_message_of(s->stream, &s->view, s->where);
    if (message == NULL)
        return false;
    if (message->state == KBS_MESSAGE_NEW || message->state == KBS_MESSAGE_STREAM) {
        kbs_mistake(s->stream, s->where,
                    "a received message can be sent on once its size is known and while it lies in "
                    "one slot: copy it first");
        return false;
    }
    const uint64_t elements = message->state == KBS_MESSAGE_EMPTY ? 0 : message->elements;
    s->view = kbs_view_vector(s->stream->program->queues[s->view.queue].memory, message->dtype,
                              message->offset_bytes, elements);
    s->lies = KBS_LIES_OWN;
    return true;
}

/* The id of the way out of another memory of the PE than its TCM, or KB_NONE; false after a mistake. */
static bool find_route(sending *s) {
    kbs_program *program = s->stream->program;
    s->route = KB_NONE;
    if (s->lies == KBS_LIES_FAR || s->view.memory == s->stream->tcm)
        return true;
    const kbs_place from = {program->defs.memories[s->view.memory].space, s->stream->pe},
                    to = {kbs_ring_space(program), s->queue->consumer};
    const kbs_route *route;
    const kb_status status =
        kbs_fabric_route(&program->fabric, from, to, KBS_CHANNEL_QUEUE, &route, &program->trail);
    if (status != KB_OK) {
        kbs_trouble(s->stream, s->where, status);
        return false;
    }
    s->route = route->id;
    return true;
}

/* False where there is nothing to send, and after a mistake. */
static bool prepare(sending *s, tl_stream *stream, tl_queue queue, const tl_view *view, tl_where where) {
    s->stream = stream;
    s->queue = kbs_queue_of(stream, queue, true, where);
    s->queue_id = queue.id;
    s->view = *view;
    s->where = where;
    s->has_begun = s->is_distant = false;
    if (s->queue == NULL)
        return false;
    s->lies = kbs_view_check(s->stream, &s->view, "source", s->where);
    if (s->lies == KBS_LIES_NOWHERE || (s->lies == KBS_LIES_MESSAGE && !resolve_message(s)) ||
        s->view.elements == 0)
        return false;
    s->most = kbs_slot_elements(s->stream, s->queue, s->view.dtype, s->where);
    if (s->most == 0)
        return false;
    s->slots = (s->view.elements + s->most - 1) / s->most;
    if (s->slots > KB_CLAIMS_MAX) {
        kbs_mistake(s->stream, s->where,
                    "a message of %" PRIu64 " slots is longer than the %u that one wait can name "
                    "(raise ipcq.slot_bytes)",
                    s->slots, KB_CLAIMS_MAX);
        return false;
    }
    const bool is_whole = s->slots == 1 || kbs_views_flatten(&s->view, 1);
    if (s->lies == KBS_LIES_FAR && is_whole &&
        stream->program->defs.memories[s->view.memory].pe == stream->pe) {
        s->lies = KBS_LIES_OWN;
        s->is_distant = true;
    }
    if (!is_whole && s->lies != KBS_LIES_FAR) {
        kbs_mistake(s->stream, s->where,
                    "a view with gaps between its rows is longer than a slot: copy it into a tensor without "
                    "gaps first, or raise ipcq.slot_bytes");
        return false;
    }
    return find_route(s);
}

/* --- copies ---------------------------------------------------------------------------------- */

static void record_copy(sending *s, const tl_view *part, bool is_joined, uint8_t blocks) {
    kbs_common common;
    kbs_common_init(s->stream, &common, KB_OP_IPCQ_COPY, blocks, s->where);
    common.joined = is_joined;
    common.continues = s->has_begun;
    s->has_begun = true;
    common.numbered = blocks == KB_BLOCKS_NO;
    common.distant = s->is_distant;
    common.queue = s->queue_id;
    common.route = s->route;
    common.operand_count = 2;
    kbs_operand_vector(&common.operands[0], s->queue->memory, KB_ACCESS_WRITE, part->dtype, part->elements);
    kbs_operand_of(&common.operands[1], part, KB_ACCESS_READ);
    const uint64_t offsets[] = {kbs_slot_offset(s->queue, s->queue->sent), part->offset_bytes};
    kbs_append(s->stream, &common, offsets, 0);
    s->queue->sent++;
    kbs_hash_slot(&s->queue->sent_hash, part->dtype, part->elements);
}

/* A view in the PE's reach, slot by slot; all behind the first go with it. */
static void record_copies(sending *s, const tl_view *view, uint8_t blocks) {
    if (view->elements <= s->most) {
        record_copy(s, view, false, blocks);
        return;
    }
    for (uint64_t done = 0; done < view->elements; done += s->most) {
        const uint64_t left = view->elements - done;
        const tl_view part = kbs_view_part(view, done, left < s->most ? left : s->most);
        record_copy(s, &part, done > 0, KB_BLOCKS_NO);
    }
}

/* --- through scratch ------------------------------------------------------------------------- */

/* Loads a far view into scratch, in whole slots, and sends each part when it is there. */
static void send_staged(sending *s, const tl_view *view, uint64_t place) {
    const uint64_t size = kb_dtype_size(view->dtype), slots = kbs_piece_bytes(s->stream) / (s->most * size);
    const uint64_t most = view->dims > 1 ? view->elements : (slots > 0 ? slots : 1) * s->most;
    const tl_view stage = kbs_view_vector(s->stream->tcm, view->dtype, place, view->elements);
    const uint64_t first = kbs_newest(s->stream) + 1;
    for (uint64_t done = 0; done < view->elements; done += most) {
        const uint64_t left = view->elements - done, part = left < most ? left : most;
        const tl_view into = kbs_view_part(&stage, done, part);
        const tl_view from = view->dims > 1 ? *view : kbs_view_part(view, done, part);
        kbs_dma(s->stream, &into, &from, KB_BLOCKS_NO, s->where);
    }
    for (uint64_t done = 0, i = 0; done < view->elements; done += most, i++) {
        const uint64_t left = view->elements - done, part = left < most ? left : most;
        const tl_view here = kbs_view_part(&stage, done, part);
        kbs_await(s->stream, first + i, 1, KB_POINT_DONE, s->where);
        record_copies(s, &here, KB_BLOCKS_NO);
    }
}

static tl_token send_far_async(sending *s) {
    uint64_t place;
    if (!kbs_stage_take(s->stream, s->view.elements * kb_dtype_size(s->view.dtype), &place, s->where))
        return (tl_token){0, 0, s->stream->rank};
    send_staged(s, &s->view, place);
    return kbs_token_of_stage(s->stream, (uint32_t)s->slots, place, s->where);
}

/* Two parts are under way at a time, each of a few pieces. */
static void send_far(sending *s) {
    const uint64_t size = kb_dtype_size(s->view.dtype);
    const uint64_t slots = 2 * kbs_piece_bytes(s->stream) / (s->most * size);
    const uint64_t most = s->view.dims > 1 ? s->view.elements : (slots > 0 ? slots : 1) * s->most;
    uint64_t places[2], first[2], counts[2] = {0, 0};
    uint32_t set = 0;
    for (uint64_t done = 0; done < s->view.elements && kbs_is_ok(s->stream); done += most, set ^= 1U) {
        const uint64_t left = s->view.elements - done, elements = left < most ? left : most;
        const tl_view part = s->view.dims > 1 ? s->view : kbs_view_part(&s->view, done, elements);
        if (counts[set] > 0)
            kbs_await(s->stream, first[set], (uint32_t)counts[set], KB_POINT_SENT, s->where);
        else if (!kbs_stage_take(s->stream, elements * size, &places[set], s->where))
            return;
        send_staged(s, &part, places[set]);
        counts[set] = (elements + s->most - 1) / s->most;
        first[set] = kbs_newest(s->stream) - counts[set] + 1;
    }
    for (uint32_t i = 0; i < 2; i++, set ^= 1U)
        if (counts[set] > 0) {
            kbs_await(s->stream, first[set], (uint32_t)counts[set], KB_POINT_SENT, s->where);
            kbs_stage_give(s->stream, places[set]);
        }
}

/* --- what kernels call ----------------------------------------------------------------------- */

tl_token tl_send_async_at(tl_stream *stream, tl_queue queue, tl_view view, tl_where where) {
    const tl_token none = {0, 0, stream->rank};
    sending s;
    if (!prepare(&s, stream, queue, &view, where))
        return none;
    if (s.lies == KBS_LIES_FAR)
        return send_far_async(&s);
    record_copies(&s, &s.view, KB_BLOCKS_NO);
    return kbs_token_new(stream, (uint32_t)s.slots, where);
}

void tl_send_at(tl_stream *stream, tl_queue queue, tl_view view, tl_where where) {
    sending s;
    if (!prepare(&s, stream, queue, &view, where))
        return;
    if (s.lies == KBS_LIES_FAR) {
        send_far(&s);
        return;
    }
    record_copies(&s, &s.view, KB_BLOCKS_SENT);
    if (s.slots > 1 && kbs_is_ok(stream)) /* a long message goes out as a whole; its sender waits for all */
        kbs_await(stream, kbs_newest(stream) - s.slots + 1, (uint32_t)s.slots, KB_POINT_SENT, where);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Queues as kernels see them: receiving, using, releasing, and messages longer than a slot. See send.c. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "record/stream.h"

static const tl_queue no_queue = {KB_NONE};

/* The PE of the rank that the program calls so: in a collective, a member of its group by position. */
static bool find_peer(tl_stream *stream, uint32_t called, uint32_t pe, bool outward, uint32_t *ret,
                      tl_where where) {
    const kbs_program *program = stream->program;
    const kb_group *group = &program->defs.groups[stream->group != KB_NONE ? stream->group : program->group];
    if (!kbs_is_kernel(stream, where))
        return false;
    if (called >= group->rank_count) {
        kbs_mistake(stream, where, "there is no rank %u to %s: the group has %zu", called,
                    outward ? "send to" : "receive from", group->rank_count);
        return false;
    }
    if (pe >= program->rank_pes) {
        kbs_mistake(stream, where, "there is no PE %u of a rank to %s: they have %u each", pe,
                    outward ? "send to" : "receive from", program->rank_pes);
        return false;
    }
    *ret = group->ranks[called] * program->rank_pes + pe;
    if (*ret == stream->pe)
        kbs_mistake(stream, where, "a queue joins two PEs, and this one would lead back to rank %u itself",
                    called);
    return *ret != stream->pe;
}

static tl_queue queue_between(tl_stream *stream, uint32_t called, uint32_t pe, uint32_t channel, bool outward,
                              tl_where where) {
    kbs_program *program = stream->program;
    uint32_t peer;
    if (!find_peer(stream, called, pe, outward, &peer, where))
        return no_queue;
    uint32_t id;
    const uint32_t from = outward ? stream->pe : peer, to = outward ? peer : stream->pe;
    const kb_status status = kbs_program_queue(program, from, to, channel, &id, &program->trail);
    if (status != KB_OK) {
        kbs_trouble(stream, where, status);
        return no_queue;
    }
    return (tl_queue){id};
}

tl_queue tl_queue_to_at(tl_stream *stream, uint32_t rank, uint32_t channel, tl_where where) {
    return queue_between(stream, rank, stream->pe % stream->program->rank_pes, channel, true, where);
}

tl_queue tl_queue_from_at(tl_stream *stream, uint32_t rank, uint32_t channel, tl_where where) {
    return queue_between(stream, rank, stream->pe % stream->program->rank_pes, channel, false, where);
}

tl_queue tl_queue_to_pe_at(tl_stream *stream, uint32_t rank, uint32_t pe, uint32_t channel, tl_where where) {
    return queue_between(stream, rank, pe, channel, true, where);
}

tl_queue tl_queue_from_pe_at(tl_stream *stream, uint32_t rank, uint32_t pe, uint32_t channel,
                             tl_where where) {
    return queue_between(stream, rank, pe, channel, false, where);
}

void kbs_not_queue(tl_stream *stream, tl_queue queue, bool outward, tl_where where) {
    if (!kbs_is_ok(stream))
        return;
    if (queue.id >= stream->program->queue_count) {
        kbs_mistake(stream, where, "this is no queue: it did not come from tl_queue_to or tl_queue_from");
        return;
    }
    const kbs_queue *found = &stream->program->queues[queue.id];
    kbs_mistake(stream, where, "queue %u leads from rank %u to rank %u: this rank cannot %s it", queue.id,
                found->producer_rank, found->consumer_rank, outward ? "send on" : "receive from");
}

void kbs_not_element(tl_stream *stream, const kbs_queue *queue, uint32_t dtype, tl_where where) {
    const uint32_t size = kb_dtype_size(dtype);
    if (size <= queue->slot_bytes)
        kbs_mistake(stream, where,
                    "slots of %" PRIu64
                    " bytes do not begin on an element of %s each: ipcq.slot_bytes must be a "
                    "multiple of %u",
                    queue->slot_bytes, kb_word_name(KB_VOC_DTYPE, dtype), size);
    kbs_mistake(stream, where, "a slot of %" PRIu64 " bytes cannot hold one %s of %u (raise ipcq.slot_bytes)",
                queue->slot_bytes, kb_word_name(KB_VOC_DTYPE, dtype), size);
}

kbs_message *kbs_message_of(tl_stream *stream, const tl_view *view, tl_where where) {
    kbs_queue *queue = &stream->program->queues[view->queue];
    if (view->queue >= stream->program->queue_count || queue->consumer != stream->pe) {
        kbs_mistake(stream, where, "this message was received by another rank");
        return NULL;
    }
    for (size_t i = 0; i < queue->open_count; i++)
        if (queue->open[i].number == view->message)
            return &queue->open[i];
    kbs_mistake(stream, where, "message %" PRIu64 " of the queue from rank %u was released before this use",
                view->message, queue->producer_rank);
    return NULL;
}

/* --- receiving ------------------------------------------------------------------------------- */

tl_view tl_recv_at(tl_stream *stream, tl_queue handle, tl_where where) {
    tl_view view = {.memory = KB_NONE, .queue = handle.id};
    kbs_queue *queue = kbs_queue_of(stream, handle, false, where);
    if (queue == NULL)
        return view;
    kbs_program *program = stream->program;
    if (queue->open_count == queue->open_capacity) {
        void *open = queue->open;
        program->status = kb_grow(program->alloc, sizeof(kbs_message), queue->open_count + 1,
                                  &queue->open_capacity, &open, &program->trail);
        if (program->status != KB_OK)
            return view;
        queue->open = open;
    }
    view.message = queue->messages++;
    queue->open[queue->open_count++] = (kbs_message){.number = view.message, .where = where};
    return view;
}

static void record_recv(tl_stream *stream, uint32_t queue_id, uint32_t dtype, uint64_t elements,
                        tl_where where) {
    kbs_queue *queue = &stream->program->queues[queue_id];
    kbs_common common;
    kbs_common_init(stream, &common, KB_OP_IPCQ_RECV, KB_BLOCKS_DONE, where);
    common.queue = queue_id;
    common.operand_count = 1;
    kbs_operand_vector(&common.operands[0], queue->memory, KB_ACCESS_READ, dtype, elements);
    const uint64_t offset = kbs_slot_offset(queue, queue->received);
    kbs_append(stream, &common, &offset, 0);
    queue->received++;
    kbs_hash_slot(&queue->received_hash, dtype, elements);
}

static void record_release(tl_stream *stream, uint32_t queue_id, const kbs_message *message, tl_where where) {
    kbs_common common;
    kbs_common_init(stream, &common, KB_OP_IPCQ_RELEASE, KB_BLOCKS_NO, where);
    common.queue = queue_id;
    common.operand_count = 1;
    const uint32_t ring = stream->program->queues[queue_id].memory;
    kbs_operand_vector(&common.operands[0], ring, KB_ACCESS_READ, message->dtype, message->elements);
    kbs_append(stream, &common, &message->offset_bytes, 0);
}

void tl_release_at(tl_stream *stream, tl_queue handle, tl_where where) {
    kbs_queue *queue = kbs_queue_of(stream, handle, false, where);
    if (queue == NULL)
        return;
    if (queue->open_count == 0) {
        kbs_mistake(stream, where, "nothing to release: every message received from rank %u was given back",
                    queue->producer_rank);
        return;
    }
    const kbs_message *oldest = &queue->open[0];
    if (oldest->state == KBS_MESSAGE_NEW) {
        kbs_mistake(stream, where, "the message received at line %u is released, and nobody used it",
                    oldest->where.line);
        return;
    }
    if (oldest->state == KBS_MESSAGE_SLOT)
        record_release(stream, handle.id, oldest, where);
    queue->open_count--;
    if (queue->open_count > 0)
        memmove(queue->open, queue->open + 1, queue->open_count * sizeof(kbs_message));
}

/* --- using ----------------------------------------------------------------------------------- */

/* Slots are received, and given back, in the order of the ring. */
static bool is_next(kbs_use *use, const kbs_queue *queue, const kbs_message *message, bool is_long) {
    for (const kbs_message *before = queue->open; before < message; before++) {
        if (before->state == KBS_MESSAGE_NEW) {
            kbs_mistake(use->stream, use->where,
                        "the message received at line %u comes first, and nobody used it",
                        before->where.line);
            return false;
        }
        if (is_long && before->state == KBS_MESSAGE_SLOT) {
            kbs_mistake(
                use->stream, use->where,
                "a message longer than a slot is released slot by slot, and the one received at line %u "
                "still holds its own: release that first",
                before->where.line);
            return false;
        }
    }
    return true;
}

/* The first use of a message tells its size. Returns false after a mistake. */
static bool receive_first(kbs_use *use, kbs_message *message, kbs_queue *queue, uint32_t queue_id) {
    tl_stream *stream = use->stream;
    const uint64_t most = kbs_slot_elements(stream, queue, use->dtype, use->where);
    if (most == 0 || !is_next(use, queue, message, use->elements > most))
        return false;
    message->elements = use->elements;
    message->dtype = use->dtype;
    if (use->elements == 0) {
        message->state = KBS_MESSAGE_EMPTY;
    } else if (use->elements <= most) {
        message->state = KBS_MESSAGE_SLOT;
        message->offset_bytes = kbs_slot_offset(queue, queue->received);
        record_recv(stream, queue_id, use->dtype, use->elements, message->where);
    } else {
        message->state = KBS_MESSAGE_STREAM;
        use->queue = queue;
        use->message = message;
        use->queue_id = queue_id;
        use->piece = most;
    }
    return true;
}

static void receive(kbs_use *use, const tl_view *source) {
    kbs_message *message = kbs_message_of(use->stream, source, use->where);
    if (message == NULL)
        return;
    kbs_queue *queue = &use->stream->program->queues[source->queue];
    if (message->state == KBS_MESSAGE_STREAM) {
        kbs_mistake(use->stream, use->where,
                    "a message longer than a slot is gone after its first use: copy it "
                    "into a tensor, or raise ipcq.slot_bytes");
        return;
    }
    if (message->state == KBS_MESSAGE_NEW) {
        if (!receive_first(use, message, queue, source->queue))
            return;
    } else if (message->elements != use->elements || message->dtype != use->dtype) {
        kbs_mistake(use->stream, use->where,
                    "the message was used as %" PRIu64 " x %s before, and as %" PRIu64 " x %s now",
                    message->elements, kb_word_name(KB_VOC_DTYPE, message->dtype), use->elements,
                    kb_word_name(KB_VOC_DTYPE, use->dtype));
        return;
    }
    use->memory = queue->memory;
    use->offset_bytes = message->offset_bytes; /* of a long one, it is said slot by slot */
}

void kbs_use_begin(kbs_use *use, tl_stream *stream, const tl_view *source, uint32_t dtype, uint64_t elements,
                   tl_where where) {
    use->stream = stream; /* what is not set here is said by receive(), or of a turn */
    use->queue = NULL;
    use->dtype = dtype;
    use->elements = use->piece = elements;
    use->done = 0;
    use->where = where;
    if (kbs_is_ok(stream))
        receive(use, source);
}

void kbs_use_next(kbs_use *use) {
    const uint64_t left = use->elements - use->done;
    use->turn_elements = left < use->piece ? left : use->piece;
    use->offset_bytes = kbs_slot_offset(use->queue, use->queue->received);
    record_recv(use->stream, use->queue_id, use->dtype, use->turn_elements, use->message->where);
}

void kbs_use_end(kbs_use *use) {
    const kbs_message piece = {
        .offset_bytes = use->offset_bytes, .elements = use->turn_elements, .dtype = use->dtype};
    record_release(use->stream, use->queue_id, &piece, use->where);
    use->done += use->turn_elements;
}

tl_where kbs_oldest_message(const kbs_queue *queue) {
    return queue->open[0].where;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What both ends of a queue recorded, held against each other before the clock moves. */
#include <inttypes.h>
#include <string.h>

#include "record/stream.h"

/* One slot as one end records it. */
typedef struct end {
    uint64_t elements;
    uint32_t dtype, file, line;
} end;

/* The next slot of a queue that a stream's commands of a kind have; nothing where there are no more. */
static void next_slot(kbs_reading *reading, kb_kind kind, uint32_t queue, end *ret) {
    kbs_command command;
    while (kbs_reading_next(reading, &command)) {
        const kbs_common *common = &command.shape->common;
        if (common->kind == kind && common->queue == queue) {
            *ret = (end){common->operands[0].shape[0], common->operands[0].dtype, common->file, common->line};
            return;
        }
    }
}

static kb_status read_stream(kbs_program *program, uint32_t pe, kbs_reading *ret, kb_trail *trail) {
    return kbs_reading_init(ret, &program->streams[pe].commands, &program->arena, trail);
}

/* The first slot that its ends see otherwise. */
static kb_status refuse_mismatch(kbs_program *program, uint32_t id, kb_trail *trail) {
    const kbs_queue *queue = &program->queues[id];
    char name[KBS_QUEUE_NAME_CHARS];
    const kb_defs *defs = &program->defs;
    end sent = {0, 0, KB_NONE, 0}, received = sent;
    kbs_reading sends, receives;
    KB_TRY(read_stream(program, queue->producer, &sends, trail));
    KB_TRY(read_stream(program, queue->consumer, &receives, trail));
    uint64_t number = 0;
    for (; number < queue->received; number++) {
        next_slot(&sends, KB_OP_IPCQ_COPY, id, &sent);
        next_slot(&receives, KB_OP_IPCQ_RECV, id, &received);
        if (sent.elements != received.elements || sent.dtype != received.dtype)
            break;
    }
    return kb_fail(trail, KB_E_PROGRAM,
                   "%s:%u: rank %u receives %" PRIu64 " x %s, and rank %u sends %" PRIu64
                   " x %s (%s:%u): slot %" PRIu64 " of queue %s",
                   kb_defs_text(defs, received.file), received.line, queue->consumer_rank, received.elements,
                   kb_word_name(KB_VOC_DTYPE, received.dtype), queue->producer_rank, sent.elements,
                   kb_word_name(KB_VOC_DTYPE, sent.dtype), kb_defs_text(defs, sent.file), sent.line, number,
                   kbs_queue_name(queue, name));
}

kb_status kbs_check_lengths(kbs_program *program, kb_trail *trail) {
    for (uint32_t id = 0; id < program->queue_count; id++) {
        const kbs_queue *queue = &program->queues[id];
        if (queue->received == queue->sent && queue->sent_hash != queue->received_hash)
            return refuse_mismatch(program, id, trail);
    }
    return KB_OK;
}

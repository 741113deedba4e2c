/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that record commands share: mistakes, locations, appending. */
#ifndef KBSIM_SRC_STREAM_H
#define KBSIM_SRC_STREAM_H

#include <stddef.h>
#include <string.h>

#include "record/program.h"

/* Kept out of the way of what is done for each command. */
#define KBS_RARE __attribute__((cold))

/* The program made a mistake: kept as the first one, with kernel, PE and source line. */
void kbs_mistake(tl_stream *stream, tl_where where, const char *format, ...) KB_PRINTF(3, 4) KBS_RARE;
/* The same, of what a check has a row for; all else is KBS_CHECK_PROGRAM. */
void kbs_mistake_of(tl_stream *stream, kbs_check check, tl_where where, const char *format, ...)
    KB_PRINTF(4, 5) KBS_RARE;
/* The library failed at something (memory, a queue limit) and told program->trail. */
void kbs_trouble(tl_stream *stream, tl_where where, kb_status status) KBS_RARE;
static inline bool kbs_is_ok(const tl_stream *stream) {
    return stream->program->status == KB_OK;
}

/* Commands of kernels are not for a host program: false, and a mistake, on its stream. */
static inline bool kbs_is_kernel(tl_stream *stream, tl_where where) {
    if (stream->is_host)
        kbs_mistake(stream, where, "this is for kernels, which run on a PE: launch one that does it");
    return kbs_is_ok(stream);
}

/* A token for the newest `count` numbered commands. */
tl_token kbs_token_new(tl_stream *stream, uint32_t count, tl_where where);
/* The same for commands that read scratch of kbs_stage_take(): it is given back when they are waited for. */
tl_token kbs_token_of_stage(tl_stream *stream, uint32_t count, uint64_t stage_bytes, tl_where where);
/* Records a wait for commands that no token stands for. */
void kbs_await(tl_stream *stream, uint64_t number, uint32_t count, uint8_t point, tl_where where);
/* Number of the newest command that can be waited for. */
uint64_t kbs_newest(const tl_stream *stream);

bool kbs_group_has(const kb_group *group, uint32_t rank);
/* Of a rank in a group that has it. */
uint32_t kbs_group_position(const kb_group *group, uint32_t rank);

/* --- scratch --------------------------------------------------------------------------------- */

/* Bytes of the largest piece that could be taken now. */
uint64_t kbs_scratch_left(const tl_stream *stream);
bool kbs_scope_lives(tl_stream *stream, uint32_t scope, const char *what, tl_where where);
/* A kernel begins, and ends: its scratch, and what it left behind that it should not have. */
void kbs_kernel_begin(tl_stream *stream, tl_where where);
void kbs_kernel_end(tl_stream *stream, tl_where where);
/*
 * Scratch for what the library itself moves on the way, by its offset in the TCM; false after a mistake. It
 * is given back to the stream, which keeps it until the kernel ends.
 */
bool kbs_stage_take(tl_stream *stream, uint64_t size_bytes, uint64_t *ret_offset, tl_where where);
void kbs_stage_give(tl_stream *stream, uint64_t offset_bytes);

/* The stream's file becomes that one. A kernel's calls come from one file: compare its pointer first. */
void kbs_enter_file(tl_stream *stream, tl_where where) KBS_RARE;

/* Fills in what every command of the stream has now, all else zero but for the operands. */
static inline void kbs_common_init(tl_stream *stream, kbs_common *common, kb_kind kind, uint8_t blocks,
                                   tl_where where) {
    if (where.file != stream->file)
        kbs_enter_file(stream, where);
    memset(common, 0, offsetof(kbs_common, operands));
    common->kind = (uint16_t)kind;
    common->blocks = blocks;
    common->queue = KB_NONE;
    common->group = KB_NONE;
    common->route = KB_NONE;
    common->step = stream->step;
    common->kernel = stream->kernel;
    common->file = stream->file_id;
    common->line = where.line;
    common->collective = stream->collective;
}

/* An operand that is a row of elements without gaps. */
static inline void kbs_operand_vector(kb_operand *operand, uint32_t memory, uint8_t access, uint32_t dtype,
                                      uint64_t elements) {
    *operand = (kb_operand){.memory = memory,
                            .access = access,
                            .dtype = (uint8_t)dtype,
                            .dims = 1,
                            .shape = {elements},
                            .stride = {1}};
}

/* A file's name without its folders. */
const char *kbs_base_name(const char *path);

/* A command writes there: what is known of tensors is known no more. */
void kbs_note_write(kbs_program *program, const kb_operand *operand, uint64_t offset_bytes, tl_where where);

/* Appends a command, whose step is filled in; after a mistake does nothing. */
void kbs_append_command(tl_stream *stream, const kbs_common *common, kbs_command *command);
/* The same for what has neither id nor value. */
static inline void kbs_append(tl_stream *stream, const kbs_common *common, const uint64_t *offsets,
                              uint64_t awaited) {
    kbs_command command;
    command.id = 0;
    command.value = 0;
    command.awaited = awaited;
    for (unsigned i = 0; i < common->operand_count; i++)
        command.offsets[i] = offsets[i];
    kbs_append_command(stream, common, &command);
}

/* --- messages -------------------------------------------------------------------------------- */

typedef enum kbs_message_state {
    KBS_MESSAGE_NEW,   /* nobody has used it: its size is unknown */
    KBS_MESSAGE_EMPTY, /* without elements: there is no message at all */
    KBS_MESSAGE_SLOT,  /* received, in one slot */
    KBS_MESSAGE_STREAM /* longer than a slot: received, used and released */
} kbs_message_state;

typedef struct kbs_message {
    uint64_t number; /* in its queue */
    kbs_message_state state;
    uint64_t offset_bytes; /* of its slot */
    uint64_t elements;
    uint32_t dtype;
    tl_where where;
} kbs_message;

/* One use of a message: at once, or slot by slot where it is longer than a slot. */
typedef struct kbs_use {
    tl_stream *stream;
    kbs_queue *queue; /* of a long message, else NULL */
    kbs_message *message;
    uint32_t queue_id;
    uint32_t dtype;
    uint64_t elements, piece; /* of the whole, and of one turn */
    uint64_t done;            /* elements of former turns */
    uint32_t memory;
    uint64_t offset_bytes; /* of the slot: of a long message, this turn's */
    uint64_t turn_elements;
    tl_where where;
} kbs_use;

/*
 * The first use records the receive. Where use.queue is set then, the message is used up by as many turns as
 * it takes slots: kbs_use_next receives one, a command works on use.turn_elements from use.done on, and
 * kbs_use_end releases it.
 */
void kbs_use_begin(kbs_use *use, tl_stream *stream, const tl_view *source, uint32_t dtype, uint64_t elements,
                   tl_where where);
void kbs_use_next(kbs_use *use);
void kbs_use_end(kbs_use *use);

/* Says what is wrong with the handle, if there was no mistake before. */
void kbs_not_queue(tl_stream *stream, tl_queue queue, bool outward, tl_where where) KBS_RARE;
/* The queue of a handle, or NULL after a mistake. */
static inline kbs_queue *kbs_queue_of(tl_stream *stream, tl_queue queue, bool outward, tl_where where) {
    const kbs_program *program = stream->program;
    if (kbs_is_ok(stream) && queue.id < program->queue_count) {
        kbs_queue *found = &program->queues[queue.id];
        if ((outward ? found->producer : found->consumer) == stream->pe)
            return found;
    }
    kbs_not_queue(stream, queue, outward, where);
    return NULL;
}
/* Says why slots cannot hold elements of that dtype. */
void kbs_not_element(tl_stream *stream, const kbs_queue *queue, uint32_t dtype, tl_where where) KBS_RARE;
/* Elements that fit into a slot; 0 after a mistake. */
static inline uint64_t kbs_slot_elements(tl_stream *stream, const kbs_queue *queue, uint32_t dtype,
                                         tl_where where) {
    const uint32_t size = kb_dtype_size(dtype);
    if (size <= queue->slot_bytes && queue->slot_bytes % size == 0)
        return queue->slot_bytes / size;
    kbs_not_element(stream, queue, dtype, where);
    return 0;
}
static inline uint64_t kbs_slot_offset(const kbs_queue *queue, uint64_t sequence) {
    return queue->offset_bytes + sequence % queue->slots * queue->slot_bytes;
}

/* One slot more of a side, for comparing both. */
static inline void kbs_hash_slot(uint64_t *hash, uint32_t dtype, uint64_t elements) {
    *hash = (*hash ^ (elements << 8U | dtype)) * UINT64_C(0x9E3779B97F4A7C15);
    *hash ^= *hash >> 29U;
}
/* The message that a view of one stands for; NULL after a mistake. */
kbs_message *kbs_message_of(tl_stream *stream, const tl_view *view, tl_where where);

/* Where the oldest message that was not released was received; the queue has one. */
tl_where kbs_oldest_message(const kbs_queue *queue);
/* Bytes of the PE's TCM that tensors and rings take. */
uint64_t kbs_used_tcm(const tl_stream *stream);

#endif

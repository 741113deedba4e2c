/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that record commands share: mistakes, locations, appending. */
#ifndef KBSIM_SRC_STREAM_H
#define KBSIM_SRC_STREAM_H

#include "record/program.h"

/* The program made a mistake: kept as the first one, with kernel, PE and source line. */
void kbs_mistake(tl_stream *stream, tl_where where, const char *format, ...) KB_PRINTF(3, 4);
/* The library failed at something (memory, a queue limit) and told program->trail. */
void kbs_trouble(tl_stream *stream, tl_where where, kb_status status);
bool kbs_is_ok(const tl_stream *stream);

/* A token for the newest `count` numbered commands. */
tl_token kbs_token_new(tl_stream *stream, uint32_t count, tl_where where);

/* Fills in what every command of the stream has now, all else zero. */
void kbs_common_init(tl_stream *stream, kbs_common *common, kb_kind kind, uint8_t blocks, tl_where where);

/* Engines address their own PE's TCM: false, and a mistake, for a view that lies elsewhere. */
bool kbs_is_own(tl_stream *stream, tl_view view, const char *what, tl_where where);

/* Appends a command; after a mistake does nothing. */
void kbs_append(tl_stream *stream, const kbs_common *common, const uint64_t *offsets, uint64_t awaited);
/* The same for what has an id or a value; fills in the step. */
void kbs_append_command(tl_stream *stream, const kbs_common *common, kbs_command *command);

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

/* One use of a source: slot by slot of a long message, else once. */
typedef struct kbs_use {
    tl_stream *stream;
    kbs_queue *queue; /* of a long message, else NULL */
    kbs_message *message;
    uint32_t queue_id;
    uint32_t dtype;
    uint64_t elements, piece; /* of the whole, and of one turn */
    uint64_t done;            /* elements of former turns */
    uint32_t memory;
    uint64_t offset_bytes; /* of this turn's source */
    uint64_t turn_elements;
    tl_where where;
} kbs_use;

/*
 * for (kbs_use_begin(&use, stream, source, dtype, elements, where); kbs_use_next(&use);)
 *     ... one command on use.turn_elements from use.done on, source at use.memory, use.offset_bytes ...
 * Records the receives and, for long messages, the releases.
 */
void kbs_use_begin(kbs_use *use, tl_stream *stream, tl_view source, uint32_t dtype, uint64_t elements,
                   tl_where where);
bool kbs_use_next(kbs_use *use);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences about ops that wait; see words.h. Follows no wait any further. */
#include "lint/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(kbs_words *words, const char *format, ...) KB_PRINTF(2, 3);

static void say(kbs_words *words, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(words->text, sizeof words->text, format, args);
    va_end(args);
    words->queue = KB_NONE;
    words->sequence = 0;
    words->of_credit = false;
}

void kbs_words_plain(kbs_words *words, const char *text) {
    say(words, "%s", text);
}

void kbs_words_line(kbs_words *words, const kbs_program *program, uint32_t queue) {
    char name[KBS_QUEUE_NAME_CHARS];
    say(words, "waits for the copies before it on queue %s", kbs_queue_name(&program->queues[queue], name));
    words->queue = queue;
}

void kbs_words_credit(kbs_words *words, const kbs_program *program, uint32_t queue, uint64_t slots,
                      uint64_t sequence, bool *ret_ever) {
    const kbs_queue *recorded = &program->queues[queue];
    const uint64_t needed = sequence - slots;
    char name[KBS_QUEUE_NAME_CHARS];
    kbs_queue_name(recorded, name);
    *ret_ever = needed < recorded->received;
    if (*ret_ever)
        say(words,
            "waits for a credit of queue %s (slots: %" PRIu64
            ", all full): rank %u must release message slot %" PRIu64,
            name, slots, recorded->consumer_rank, needed);
    else
        say(words,
            "waits for a credit of queue %s (slots: %" PRIu64 ", all full), and the program of rank %u "
            "receives only %" PRIu64 " of its messages",
            name, slots, recorded->consumer_rank, recorded->received);
    words->queue = queue;
    words->sequence = needed;
    words->of_credit = true;
}

void kbs_words_message(kbs_words *words, const kbs_program *program, uint32_t queue, uint64_t sequence,
                       bool *ret_ever) {
    const kbs_queue *recorded = &program->queues[queue];
    char name[KBS_QUEUE_NAME_CHARS];
    kbs_queue_name(recorded, name);
    *ret_ever = sequence < recorded->sent;
    if (*ret_ever)
        say(words, "waits for message slot %" PRIu64 " of queue %s from rank %u", sequence, name,
            recorded->producer_rank);
    else
        say(words,
            "waits for message slot %" PRIu64
            " of queue %s, which nobody sends: the program of rank %u sends %" PRIu64,
            sequence, name, recorded->producer_rank, recorded->sent);
    words->queue = queue;
    words->sequence = sequence;
}

void kbs_words_wait(kbs_words *words, uint8_t point, uint32_t awaited, uint32_t missing,
                    const kbs_named *first) {
    char number[KBS_NUMBER_CHARS] = "";
    const char *kind = kb_word_name(KB_VOC_KIND, first->kind), *done = kb_word_name(KB_VOC_POINT, point);
    if (first->has_number)
        snprintf(number, sizeof number, " #%" PRIu64, first->number);
    if (awaited == 1)
        say(words, "waits until %s%s is %s", kind, number, done);
    else
        say(words, "waits until %u of %u ops are %s, first %s%s", missing, awaited, done, kind, number);
}

void kbs_words_fence(kbs_words *words, uint64_t unfinished) {
    say(words, "waits until all ops before it are done (unfinished: %" PRIu64 ")", unfinished);
}

void kbs_words_barrier(kbs_words *words, uint64_t id, uint32_t missing, uint32_t come, size_t members) {
    say(words, "waits at barrier %" PRIu64 " for rank %u (%u of %zu have come)", id, missing, come, members);
}

void kbs_words_launched(kbs_words *words, uint64_t launch) {
    say(words, "waits until its rank is done with launch %" PRIu64, launch);
}

void kbs_words_launch(kbs_words *words, uint64_t launch, uint32_t missing) {
    say(words, "waits until the host of rank %u comes to launch %" PRIu64, missing, launch);
}

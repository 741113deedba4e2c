/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that a trace holds, read once: see read_all.h. */
#include "support/read_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void broken(const char *what) {
    fprintf(stderr, "read_all: %s\n", what);
    abort();
}

/* A failure has a cause in words. */
static kb_status told(kb_status status, const kb_trail *trail) {
    if (status != KB_OK && status != KB_END && (trail->count == 0 || trail->text[0][0] == '\0'))
        broken("a failure without a word");
    return status;
}

/* Touches all that an op points to, so that a sanitizer sees what is not there. */
static uint64_t touch(const kb_op *op) {
    const kb_template *what = op->what;
    uint64_t sum = what->kind;
    for (uint32_t i = 0; i < what->operand_count; i++)
        sum += op->offsets[i] + what->operands[i].shape[0] + what->operands[i].memory;
    for (uint32_t i = 0; i < what->claim_count; i++)
        sum += op->claimed[i] + what->claims[i].rank;
    for (uint32_t i = 0; i < what->why_count; i++)
        sum += op->blames[i].op + (uint64_t)op->blames[i].ps + what->whys[i].cause;
    for (uint32_t i = 0; i < what->immediate_count; i++)
        sum += what->immediates[i];
    for (uint64_t i = 0; i < op->payload_size; i++)
        sum += op->payload[i];
    return sum;
}

static void check_op(const kb_reader *reader, uint32_t rank, uint64_t index, const kb_op *op) {
    const kb_defs *defs = kb_reader_defs(reader);
    if (op->index != index)
        broken("ops are not in order");
    if (op->issue_ps < 0 || op->done_ps < 0 || op->issue_ps > KB_TIME_MAX_PS || op->done_ps > KB_TIME_MAX_PS)
        broken("an op at a time that cannot be");
    if (op->what->stream >= defs->stream_count || defs->streams[op->what->stream].rank != rank)
        broken("an op of a stream that is not its rank's");
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        if (op->what->operands[i].memory >= defs->memory_count)
            broken("an operand in a memory that is not defined");
    uint64_t seen = touch(op);
    __asm__ volatile("" : : "r"(seen)); /* so that it is not left out */
}

static kb_status read_rank(kb_reader *reader, uint32_t rank, uint64_t most_ops, read_all_result *result,
                           read_all_fn each, void *user, kb_trail *trail) {
    kb_cursor *cursor;
    const kb_op *op;
    uint64_t index = 0;
    kb_status status = told(kb_cursor_create(reader, rank, &cursor, trail), trail);
    if (status != KB_OK)
        return status;
    while (index < most_ops && (status = told(kb_cursor_next(cursor, &op, trail), trail)) == KB_OK) {
        check_op(reader, rank, index++, op);
        if (each != NULL)
            each(user, rank, op);
    }
    result->ops += index;
    if (status != KB_OK && status != KB_END) {
        kb_trail again;
        kb_trail_init(&again);
        if (kb_cursor_next(cursor, &op, &again) != status)
            broken("after a failure the cursor goes on");
    }
    kb_cursor_destroy(cursor);
    return status == KB_END ? KB_OK : status;
}

static kb_status count_sample(void *user, uint32_t counter, int64_t time_ps, int64_t value, kb_trail *trail) {
    read_all_result *result = user;
    (void)counter, (void)value, (void)trail;
    if (time_ps < 0 || time_ps > KB_TIME_MAX_PS)
        broken("a sample at a time that cannot be");
    result->samples++;
    return KB_OK;
}

read_all_result read_all(const char *const *paths, size_t count, const kb_reader_options *options,
                         uint64_t most_ops, read_all_fn each, void *user, kb_trail *trail) {
    read_all_result result = {.status = KB_OK};
    kb_reader *reader = NULL;
    kb_reader_stats stats;
    result.status = told(kb_reader_open(paths, count, options, &reader, trail), trail);
    if (result.status != KB_OK) {
        if (reader != NULL)
            broken("a failed open gives a reader");
        return result;
    }
    result.opened = true;
    const char *words;
    result.state = kb_reader_condition(reader, &words);
    if ((result.state == KB_TRACE_COMPLETE) != (words[0] == '\0'))
        broken("a condition without a word, or a word without one");
    if (result.state == KB_TRACE_COMPLETE && kb_reader_footer(reader) == NULL)
        broken("a complete trace without a footer");
    uint32_t ranks = kb_reader_run(reader)->ranks;
    for (uint32_t rank = 0; rank < ranks && result.status == KB_OK; rank++)
        result.status = read_rank(reader, rank, most_ops, &result, each, user, trail);
    if (result.status == KB_OK)
        result.status = told(kb_reader_samples(reader, count_sample, &result, trail), trail);
    kb_reader_measure(reader, &stats);
    result.peak_memory = stats.peak_memory;
    result.frames = stats.frames;
    if (options->max_memory != 0 && stats.peak_memory > options->max_memory)
        broken("more memory than the limit");
    kb_reader_destroy(reader);
    return result;
}

void read_all_seek(kb_reader *reader, uint32_t rank, uint64_t ops) {
    kb_trail trail;
    kb_cursor *cursor;
    const kb_op *op;
    kb_trail_init(&trail);
    if (told(kb_cursor_create(reader, rank, &cursor, &trail), &trail) != KB_OK)
        return;
    const uint64_t places[] = {ops / 2, 0, ops, ops / 3, ops > 0 ? ops - 1 : 0, UINT64_MAX};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (told(kb_cursor_seek_op(cursor, places[i], &trail), &trail) != KB_OK)
            continue;
        kb_status status = told(kb_cursor_next(cursor, &op, &trail), &trail);
        if (status == KB_OK && op->index != places[i])
            broken("a seek that misses");
        if (status != KB_OK)
            continue;
        int64_t time_ps = op->issue_ps;
        if (told(kb_cursor_seek_time(cursor, time_ps, &trail), &trail) == KB_OK &&
            told(kb_cursor_next(cursor, &op, &trail), &trail) == KB_OK && op->issue_ps < time_ps)
            broken("a seek to an earlier op");
    }
    kb_cursor_destroy(cursor);
}

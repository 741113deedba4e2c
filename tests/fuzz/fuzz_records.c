/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a sound program, spoilt one field at a time, then written by the real writer and replayed.
 * The first byte chooses the options; what follows is edits of EDIT bytes: which op, which field, and its new
 * value. All that is written a reader must accept, so each edit gets at what replays.
 */
#include <stdlib.h>
#include <string.h>

#include "support/fault_fs.h"
#include "support/program.h"

#include "kbreplay/timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EDIT = 8, MOST_EDITS = 8 };
enum { STRICT = 1, VERIFY = 2, RANDOM = 4, THREADS = 8, TIMES = 16, UNFINISHED = 32 };

/* --- edits ------------------------------------------------------------------------------------------- */

/* What a field gets: near what it is, or an edge, or the very number. */
static uint64_t new_value(uint64_t old, uint32_t value) {
    static const uint64_t edges[] = {0,
                                     1,
                                     UINT64_C(1) << 20,
                                     UINT64_C(1) << 31,
                                     UINT32_MAX,
                                     INT64_MAX,
                                     UINT64_MAX,
                                     UINT64_C(1) << 40,
                                     UINT64_C(1) << 62,
                                     4096,
                                     UINT64_MAX / 2 + 1};
    switch (value % 4) {
    case 0: return old + value / 4 % 256;
    case 1: return old - value / 4 % 256;
    case 2: return edges[value / 4 % (sizeof edges / sizeof edges[0])];
    default: return value / 4;
    }
}

static uint8_t word_of(kb_vocabulary words, uint32_t value) {
    uint8_t word = (uint8_t)(1 + value % 32);
    while (kb_word_name(words, word) == NULL)
        word = (uint8_t)(word / 2);
    return word;
}

static void edit_operand(made_op *op, uint32_t field, uint32_t value, uint32_t memories) {
    if (op->what.operand_count == 0)
        return;
    const uint32_t number = field / 8 % op->what.operand_count, axis = value >> 24 & 3;
    kb_operand *operand = &op->operands[number];
    switch (field % 8) {
    case 0: operand->memory = value % memories; break;
    case 1: operand->access = word_of(KB_VOC_ACCESS, value); break;
    case 2: operand->dtype = word_of(KB_VOC_DTYPE, value); break;
    case 3: op->offsets[number] = new_value(op->offsets[number], value); break;
    case 4: operand->dims = (uint8_t)(value % (KB_DIMS_MAX + 1)); break;
    case 5: operand->shape[axis] = new_value(operand->shape[axis], value); break;
    case 6: operand->stride[axis] = (int64_t)new_value((uint64_t)operand->stride[axis], value); break;
    default: op->what.operand_count = value % (op->what.operand_count + 1); break;
    }
    for (uint32_t i = operand->dims; i < KB_DIMS_MAX; i++)
        operand->shape[i] = 0, operand->stride[i] = 0;
}

static void edit_claim(made_trace *it, made_op *op, uint32_t field, uint32_t value) {
    const uint32_t count = op->what.claim_count;
    if (field % 8 == 7 && count < 6) {
        made_claim(op, word_of(KB_VOC_ROLE, value >> 8), &it->ops[value % it->count],
                   word_of(KB_VOC_POINT, value >> 16));
        return;
    }
    if (count == 0)
        return;
    kb_claim *claim = &op->claims[field / 8 % count];
    switch (field % 8) {
    case 0: claim->rank = value % it->ranks; break;
    case 1: claim->role = word_of(KB_VOC_ROLE, value); break;
    case 2: claim->point = word_of(KB_VOC_POINT, value); break;
    case 3: claim->set = word_of(KB_VOC_SET, value); break;
    case 4: op->what.claim_count--; break;
    default: op->claimed[field / 8 % count] = &it->ops[value % it->count]; break;
    }
}

static int64_t time_between(int64_t least_ps, int64_t old_ps, uint32_t value) {
    const int64_t time_ps = (int64_t)(new_value((uint64_t)old_ps, value) % (uint64_t)KB_TIME_MAX_PS);
    return time_ps > least_ps ? time_ps : least_ps;
}

static void edit_times(made_op *op, uint32_t field, uint32_t value) {
    kb_op *of = &op->op;
    of->issue_ps = field % 4 == 0 ? time_between(0, of->issue_ps, value) : of->issue_ps;
    of->start_ps = time_between(of->issue_ps, of->start_ps, field % 4 == 1 ? value : 0);
    of->sent_ps = time_between(of->start_ps, of->sent_ps, field % 4 == 2 ? value : 0);
    of->done_ps = time_between(of->sent_ps, of->done_ps, field % 4 == 3 ? value : 0);
}

static void edit_record(made_trace *it, made_op *op, uint32_t field, uint32_t value) {
    kb_template *what = &op->what;
    switch (field % 16) {
    case 0: what->kind = word_of(KB_VOC_KIND, value); break;
    case 1: what->func = value % 40; break;
    case 2: what->blocks = word_of(KB_VOC_BLOCKS, value); break;
    case 3: what->flags = value; break;
    case 4: what->stream = 2 * op->rank + value % 2; break;
    case 5: what->engine = value % 3 == 0 ? KB_NONE : value / 3 % (uint32_t)it->defs.engine_count; break;
    case 6: what->queue = value % 3 == 0 ? KB_NONE : value / 3 % (uint32_t)it->defs.queue_count; break;
    case 7: what->group = value % 2 == 0 ? KB_NONE : 0; break;
    case 8: what->reached = word_of(KB_VOC_POINT, value); break;
    case 9: what->immediate_count = value % 2; break;
    case 10: op->op.sequence = new_value(op->op.sequence, value); break;
    case 11: op->op.id = new_value(op->op.id, value); break;
    case 12: op->op.value = new_value(op->op.value, value); break;
    case 13: op->op.collective = new_value(op->op.collective, value) % UINT32_MAX; break;
    case 14: op->op.payload_size = value % (sizeof op->payload + 1); break;
    default: op->immediate = new_value(op->immediate, value); break;
    }
}

static void edit(made_trace *it, const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes + 4, sizeof value);
    made_op *op = &it->ops[((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8) % it->count];
    switch (bytes[2] % 4) {
    case 0: edit_operand(op, bytes[3], value, (uint32_t)it->defs.memory_count); break;
    case 1: edit_claim(it, op, bytes[3], value); break;
    case 2: edit_times(op, bytes[3], value); break;
    default: edit_record(it, op, bytes[3], value); break;
    }
}

/* An op that did not reach a point has the time of the last one that it did, and no claims beyond. */
static void settle(made_op *op) {
    if (op->what.reached < KB_POINT_START)
        op->op.start_ps = op->op.issue_ps;
    if (op->what.reached < KB_POINT_SENT)
        op->op.sent_ps = op->op.start_ps;
    if (op->what.reached < KB_POINT_DONE)
        op->op.done_ps = op->op.sent_ps;
}

/* --- the replay -------------------------------------------------------------------------------------- */

static void replay(kb_reader *reader, uint8_t how) {
    const kbr_options options = {.verify = (how & VERIFY) != 0,
                                 .strict_init = (how & STRICT) != 0,
                                 .random = (how & RANDOM) != 0,
                                 .seed = how,
                                 .max_memory = 16 << 20,
                                 .threads = (how & THREADS) != 0 ? 2 : 1};
    const kbr_timeline_options timed = {.replay = options, .checkpoint_ops = 7, .checkpoint_count = 3};
    kb_trail trail;
    kb_trail_init(&trail);
    kbr_replay *it;
    kbr_timeline *timeline;
    if (kbr_replay_create(reader, &options, &it, &trail) == KB_OK) {
        (void)!kbr_replay_run(it, &trail);
        kbr_replay_destroy(it);
    }
    if ((how & TIMES) != 0 && kbr_timeline_create(reader, &timed, &timeline, &trail) == KB_OK) {
        if (kbr_timeline_seek(timeline, 1000, &trail) == KB_OK)
            (void)!kbr_timeline_seek(timeline, 500, &trail);
        kbr_timeline_destroy(timeline);
    }
}

/* The sound program, made once and restored for each input. */
static made_trace *sound_program(void) {
    static program it;
    static made_op *ops;
    if (ops != NULL) {
        memcpy(it.made.ops, ops, it.made.count * sizeof *ops);
        it.made.ending = (kb_ending){KB_OUTCOME_COMPLETE, "", 0};
        return &it.made;
    }
    program_make(&it);
    made_times(&it.made);
    ops = malloc(it.made.count * sizeof *ops);
    if (ops == NULL)
        abort();
    memcpy(ops, it.made.ops, it.made.count * sizeof *ops);
    return &it.made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = "a.zst";
    const uint8_t how = size > 0 ? data[0] : VERIFY;
    fault_fs disk;
    kb_trail trail;
    kb_reader *reader;
    fault_fs_init(&disk);
    kb_trail_init(&trail);
    made_trace *it = sound_program();
    for (size_t i = 0; i < MOST_EDITS && (i + 1) * EDIT < size; i++)
        edit(it, data + 1 + i * EDIT);
    for (size_t i = 0; i < it->count; i++)
        settle(&it->ops[i]);
    if ((how & UNFINISHED) != 0)
        it->ending.outcome = KB_OUTCOME_DEADLOCK;
    const kb_reader_options reading = {.fs = &disk.fs, .check_digests = true};
    if (made_try_write(it, &disk.fs, path, &trail) == KB_OK) {
        if (kb_reader_open(&path, 1, &reading, &reader, &trail) != KB_OK)
            abort(); /* what our writer takes our reader takes */
        replay(reader, how);
        kb_reader_destroy(reader);
    }
    if (fault_fs_open_count(&disk) != 0)
        abort();
    fault_fs_fini(&disk);
    return 0;
}

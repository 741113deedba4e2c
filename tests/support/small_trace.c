/* SPDX-License-Identifier: Apache-2.0 */
/* A small trace and its records: see small_trace.h. */
#include "support/small_trace.h"

#include <stdlib.h>
#include <string.h>

#include "support/check.h"

#include "words/template.h"

/* Every 9th op without bytes is put before it is done, and said again so many ops later. */
enum { LATE_EVERY = 9, LATE_AFTER = 12 };

static bool is_late(const kb_op *op) {
    return op->index % LATE_EVERY == 4 && op->payload_size == 0;
}

/* --- copies --------------------------------------------------------------------------------------- */

static void copy_op(small_trace *t, const kb_op *op, kb_op *to, kb_trail *trail) {
    void *what, *offsets, *claimed, *blames, *payload;
    check_ok(kb_arena_new(&t->arena, sizeof(kb_template), &what, trail), trail);
    check_ok(kb_template_copy(op->what, &t->arena, what, trail), trail);
    check_ok(kb_arena_copy(&t->arena, op->offsets, op->what->operand_count * 8, &offsets, trail), trail);
    check_ok(kb_arena_copy(&t->arena, op->claimed, op->what->claim_count * 8, &claimed, trail), trail);
    check_ok(kb_arena_copy(&t->arena, op->blames, op->what->why_count * sizeof *op->blames, &blames, trail),
             trail);
    check_ok(kb_arena_copy(&t->arena, op->payload, (size_t)op->payload_size, &payload, trail), trail);
    *to = *op;
    to->what = what;
    to->offsets = offsets;
    to->claimed = claimed;
    to->blames = blames;
    to->payload = payload;
}

static void *room(small_trace *t, size_t size) {
    void *block;
    kb_trail trail;
    kb_trail_init(&trail);
    check_ok(kb_arena_new(&t->arena, size, &block, &trail), &trail);
    return block;
}

static void make_rank(small_trace *t, uint32_t rank, kb_trail *trail) {
    t->counts[rank] = t->ops / (1 + rank);
    t->first[rank] = room(t, (size_t)t->counts[rank] * sizeof(kb_op));
    t->last[rank] = room(t, (size_t)t->counts[rank] * sizeof(kb_op));
    for (uint64_t i = 0; i < t->counts[rank]; i++) {
        const kb_op *op = records_next(&t->records, rank);
        copy_op(t, op, &t->last[rank][i], trail);
        t->first[rank][i] = t->last[rank][i];
        if (!is_late(op))
            continue;
        kb_template *what = room(t, sizeof *what);
        *what = *t->last[rank][i].what;
        what->reached = KB_POINT_SENT;
        t->first[rank][i].what = what;
        t->first[rank][i].done_ps = op->sent_ps;
    }
}

void small_trace_init(small_trace *t, uint64_t seed, uint32_t ranks, uint64_t ops, size_t open_bytes) {
    kb_trail trail;
    kb_trail_init(&trail);
    *t = (small_trace){.seed = seed, .ranks = ranks, .ops = ops, .open_bytes = open_bytes};
    records_init(&t->records, seed, ranks, true);
    kb_arena_init(&t->arena, NULL, 0);
    t->first = room(t, ranks * sizeof *t->first);
    t->last = room(t, ranks * sizeof *t->last);
    t->counts = room(t, ranks * sizeof *t->counts);
    for (uint32_t rank = 0; rank < ranks; rank++)
        make_rank(t, rank, &trail);
}

void small_trace_fini(small_trace *t) {
    kb_arena_fini(&t->arena);
    records_fini(&t->records);
}

/* --- writing -------------------------------------------------------------------------------------- */

static kb_status put_step(const small_trace *t, kb_writer *writer, uint64_t i, kb_trail *trail) {
    for (uint32_t rank = 0; rank < t->ranks; rank++) {
        if (i < t->counts[rank])
            KB_TRY(kb_writer_put(writer, rank, &t->first[rank][i], trail));
        if (i >= LATE_AFTER && i - LATE_AFTER < t->counts[rank] && is_late(&t->last[rank][i - LATE_AFTER]))
            KB_TRY(kb_writer_amend(writer, rank, &t->last[rank][i - LATE_AFTER], trail));
    }
    if (i < SMALL_TRACE_SAMPLES)
        KB_TRY(kb_writer_sample(writer, (uint32_t)(i % t->ranks), 1000 * (int64_t)i, (int64_t)(i % 5) - 2,
                                trail));
    return KB_OK;
}

kb_status small_trace_write(const small_trace *t, const kb_writer_options *options, void (*pace)(void *user),
                            void *user, kb_trail *trail) {
    static const kb_ending ending = {KB_OUTCOME_COMPLETE, "", 99};
    kb_writer_options mine = *options;
    kb_writer *writer;
    mine.open_bytes = t->open_bytes;
    KB_TRY(kb_writer_create(&mine, &t->records.run, &t->records.defs, &writer, trail));
    kb_status status = KB_OK;
    for (uint64_t i = 0; i < t->ops + LATE_AFTER && status == KB_OK; i++) {
        status = put_step(t, writer, i, trail);
        if (pace != NULL)
            pace(user);
    }
    if (status == KB_OK)
        status = kb_writer_finish(writer, &ending, NULL, trail);
    kb_writer_destroy(writer);
    return status;
}

bool small_trace_has(const small_trace *t, uint32_t rank, const kb_op *op, bool amended) {
    if (rank >= t->ranks || op->index >= t->counts[rank])
        return false;
    return records_equal(op, &t->last[rank][op->index]) ||
           (!amended && records_equal(op, &t->first[rank][op->index]));
}
